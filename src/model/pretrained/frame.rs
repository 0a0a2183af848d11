//! What a chat template puts around what a user says.

use super::Message;
use crate::model::{ModelError, Prompt};

/// A character that no template looks for.
const GAP: &str = "\u{10FFFD}";
/// What templates that change texts would change: blanks, case, signs, marks, lines.
pub(super) const SAMPLE: &str = "Aa <b> \"ö\" 'c' {d} # 1.\n\n\tz & | 漢  e";

/// A prompt with a gap. A template gets no text out of an environment to look at, so nothing in such a text can turn it, and every prompt holds
/// what it was given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    before: String,
    after: String,
    /// Whether blanks at the start and at the end of what is said are taken off.
    trims: (bool, bool),
}

impl Frame {
    /// What `render` makes of the message of a user, behind a system message if there is one.
    pub(super) fn of(system: Option<&str>, render: impl Fn(&[Message]) -> Result<String, ModelError>) -> Result<Frame, ModelError> {
        let said = |text: &str| -> Result<String, ModelError> {
            let system = system.map(|text| Message::new("system", text));
            render(&system.into_iter().chain([Message::new("user", text)]).collect::<Vec<_>>())
        };
        let frame = Frame::around("what the user says", said)?;
        let plain = [&*frame.before, &*frame.after].concat();
        match system.filter(|system| !plain.contains(system.trim())) {
            Some(system) => Err(ModelError::Template(format!("the chat template leaves out the system message {system:?}"))),
            None => Ok(frame),
        }
    }

    /// What `said` makes of one text among others that stay the same.
    pub(super) fn around(what: &str, said: impl Fn(&str) -> Result<String, ModelError>) -> Result<Frame, ModelError> {
        let wrong = |what: String| ModelError::Template(format!("the chat template {what}"));
        let plain = said(GAP)?;
        let parts: Vec<&str> = plain.split(GAP).collect();
        let [before, after] = parts[..] else {
            let what = if parts.len() < 2 { format!("leaves out {what}") } else { format!("writes {what} {} times", parts.len() - 1) };
            return Err(wrong(format!("{what}; a prompt has to hold every observation once")));
        };
        let spaced = said(&format!(" \n{GAP}\n "))?;
        let (left, right) = spaced.split_once(GAP).unwrap_or_default();
        let kept = (left == format!("{before} \n"), right == format!("\n {after}"));
        let frame = Frame { before: before.into(), after: after.into(), trims: (!kept.0, !kept.1) };
        if !(kept.0 || left == before) || !(kept.1 || right == after) {
            return Err(wrong(format!(
                "changes the blanks around {what}: of {:?} it makes {:?}",
                format!(" \n{GAP}\n "),
                frame.inside(&spaced)
            )));
        }
        let (found, expected) = (said(SAMPLE)?, frame.fill(&Prompt::data(SAMPLE)));
        if found != expected.text() {
            return Err(wrong(format!("changes {what}: of {SAMPLE:?} it makes {:?}", frame.inside(&found))));
        }
        Ok(frame)
    }

    /// Whether blanks at the start and at the end are taken off.
    pub(super) fn trims(&self) -> (bool, bool) {
        self.trims
    }

    /// The prompt in which the user says this.
    pub(crate) fn fill(&self, said: &Prompt) -> Prompt {
        let mut prompt = Prompt::own(self.before.clone());
        prompt.append(&said.trimmed(self.trims.0, self.trims.1));
        prompt.push_own(&self.after);
        prompt
    }

    fn inside<'a>(&self, found: &'a str) -> &'a str {
        let rest = found.strip_prefix(&self.before).unwrap_or(found);
        rest.strip_suffix(&self.after).unwrap_or(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ChatTemplate;
    use super::*;

    fn frame(template: &str, system: Option<&str>) -> Result<Frame, String> {
        ChatTemplate::new(template.into(), None, None).frame(system).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_said_stands_in_the_gap() {
        let frame =
            frame("{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}[end]{% endfor %}[assistant]", Some("Be brief.")).unwrap();
        let mut said = Prompt::own(" Look: ");
        said.append(&Prompt::data("a mug \n"));
        let prompt = frame.fill(&said);
        assert_eq!(prompt.text(), "[system]Be brief.[end][user]Look: a mug[end][assistant]");
        assert_eq!(&prompt.text()[prompt.ranges()[0].clone()], "a mug");
        let once = self::frame("{{ messages[0].content }}", None).unwrap();
        assert_eq!(once.fill(&Prompt::data(" x ")).text(), " x ");
    }

    #[test]
    fn templates_that_swallow_or_change_are_refused() {
        let wrong = |template: &str, system| frame(template, system).unwrap_err();
        assert_eq!(
            wrong("{% for m in messages if m.role == 'human' %}{{ m.content }}{% endfor %}>", None),
            "the chat template leaves out what the user says; a prompt has to hold every observation once"
        );
        assert!(wrong("{{ messages[0].content }}{{ messages[0].content }}", None).contains("writes what the user says 2 times"));
        assert_eq!(wrong("{{ messages[-1].content }}", Some("Be brief.")), "the chat template leaves out the system message \"Be brief.\"");
        assert!(wrong("{{ messages[0].content | upper }}", None).contains("changes what the user says: of \"Aa <b>"));
    }
}
