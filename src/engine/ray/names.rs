//! What a task is called that a driver has: `raysubmit_x/0/<digest>`.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'n> {
    /// As Ray calls the driver's job.
    pub submission: &'n str,
    /// Of the driver's files.
    pub number: usize,
    pub task: &'n str,
}

impl<'n> Name<'n> {
    pub(super) fn text(&self) -> String {
        format!("{}/{}/{}", self.submission, self.number, self.task)
    }

    /// The name stands in a file, and a part of it in an address.
    pub(super) fn of(text: &'n str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (submission, number, task) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        (plain(submission) && plain(task)).then_some(Self { submission, number, task })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_back_and_what_is_none_does_not() {
        let name = Name { submission: "raysubmit_x1", number: 3, task: "7f3a" };
        assert_eq!(Name::of(&name.text()), Some(name));
        for text in ["", "a/0", "a/x/b", "../a/0/b", "a b/0/c", "a/0/b/c", "17_3"] {
            assert_eq!(Name::of(text), None, "{text}");
        }
    }
}
