//! Files that are compiled into the program.

/// Names (`std/losses.epo`) and texts.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    pub files: &'static [(&'static str, &'static str)],
}

impl Library {
    pub const EMPTY: Library = Library { files: &[] };

    pub fn text(&self, name: &str) -> Option<&'static str> {
        self.files.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| *name)
    }
}
