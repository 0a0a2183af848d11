//! Templates that write a conversation by appending: what stands there never changes.

use super::super::frame::SAMPLE;
use super::{Rehearsal, Trims};
use crate::model::{ModelError, Prompt};

/// Turns that are tried: the first, the last and two between.
const TURNS: usize = 4;
/// What templates that change an answer would change: its blanks, its letters, its thoughts.
const ANSWERS: [&str; 3] = [" \n go \n ", SAMPLE, "<think>\nWhere?\n</think>\n\ngo"];
const WAYS: &str =
    "`past = template` in `conversation` makes every prompt anew from the template; or use a template that appends, or `windowed`";

/// What a template puts around the messages of a conversation that grows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Appended {
    /// Before the system message, or before the first message where there is none.
    start: String,
    /// Between the system message and the first message.
    told: String,
    /// Behind the first message: what asks for its answer.
    first_asks: String,
    /// Between an answer and the next message.
    next: String,
    /// Behind a later message.
    asks: String,
    trims: Trims,
}

impl Appended {
    /// # Errors
    /// If the template leaves out or changes what is said, or writes what is past in another way than before.
    pub(in super::super) fn of(rehearsal: &Rehearsal<'_>) -> Result<Appended, ModelError> {
        let trims = rehearsal.trims()?;
        let drawn = (1..=TURNS).map(|turns| rehearsal.pieces(turns)).collect::<Result<Vec<_>, _>>()?;
        for pair in drawn.windows(2) {
            let later = &pair[1];
            if let Some(at) = pair[0].iter().zip(later).position(|(first, later)| first != later) {
                return Err(differs(rehearsal, at, "first", &pair[0][at], "later", &later[at]));
            }
        }
        let all = drawn.into_iter().next_back().unwrap_or_default();
        let answered = rehearsal.asked(0) + 2;
        for at in answered + 2..all.len() {
            if all[at] != all[at - 2] {
                return Err(differs(rehearsal, at, "in one turn", &all[at - 2], "in the next", &all[at]));
            }
        }
        answers_stay(rehearsal)?;
        let mut pieces = all.into_iter();
        let mut piece = || pieces.next().unwrap_or_default();
        let start = piece();
        let told = if rehearsal.system { piece() } else { String::new() };
        Ok(Appended { start, told, first_asks: piece(), next: piece(), asks: piece(), trims })
    }

    /// All before the first answer.
    pub(crate) fn opening(&self, system: Option<&Prompt>, message: &Prompt) -> Prompt {
        let mut prompt = Prompt::own(&*self.start);
        prompt.append(&self.trims.system(system));
        prompt.push_own(&self.told);
        prompt.append(&self.trims.said(0, message));
        prompt.push_own(&self.first_asks);
        prompt
    }

    /// All between an answer's last word and the next answer, so also what ends the first of them.
    pub(crate) fn next(&self, message: &Prompt) -> Prompt {
        let mut prompt = Prompt::own(&*self.next);
        prompt.append(&self.trims.said(1, message));
        prompt.push_own(&self.asks);
        prompt
    }

    /// What stands between an answer's last word and the next message.
    pub(crate) fn between(&self) -> &str {
        &self.next
    }
}

/// Every answer stands there as it was given, while others follow.
fn answers_stay(rehearsal: &Rehearsal<'_>) -> Result<(), ModelError> {
    for (turns, turn) in [(2, 0), (3, 0), (3, 1)] {
        let answer = rehearsal.asked(turn) + 1;
        let pieces = rehearsal.pieces(turns)?;
        let marks = rehearsal.text(turns, &|_| None)?;
        for text in ANSWERS {
            let found = rehearsal.text(turns, &|message| (message == answer).then(|| text.to_string()))?;
            if found != marks.replace(super::mark(answer)?, text) {
                let before: usize = pieces[..=answer].iter().map(String::len).sum::<usize>() + answer * super::mark(0)?.len_utf8();
                let behind = marks.len() - before - super::mark(0)?.len_utf8();
                let inside = found.get(before..found.len().saturating_sub(behind)).unwrap_or(&found);
                let message = format!(
                    "the chat template does not leave an answer as it was given, and a conversation keeps its tokens as they were sampled: of {text:?} it later writes {inside:?}\n{WAYS}"
                );
                return Err(ModelError::Template(message));
            }
        }
    }
    Ok(())
}

/// The first place in which two texts of one piece differ.
fn differs(rehearsal: &Rehearsal<'_>, piece: usize, when: &str, first: &str, then: &str, later: &str) -> ModelError {
    const SHOWN: usize = 80;
    let same = first.chars().zip(later.chars()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(SHOWN / 2);
    let near = |text: &str| {
        let (all, dots) = (text.chars().count(), "…");
        let part: String = text.chars().skip(from).take(SHOWN).collect();
        let (left, right) = (if from > 0 { dots } else { "" }, if from + SHOWN < all { dots } else { "" });
        format!("{left}{part}{right}")
    };
    let turn = |message: usize| (message - rehearsal.asked(0)) / 2 + 1;
    let place = match piece.checked_sub(1) {
        None => "before the first message".into(),
        Some(message) => match rehearsal.role(message) {
            "system" => "behind the system message".into(),
            "user" => format!("behind what the user says in turn {}", turn(message)),
            _ => format!("behind the answer of turn {}", turn(message)),
        },
    };
    ModelError::Template(format!(
        "the chat template changes what is past, and a conversation is only ever appended to: {place} it writes {when} {:?}, and {then} {:?}\n{WAYS}",
        near(first),
        near(later)
    ))
}
