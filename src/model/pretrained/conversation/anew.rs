//! Templates that write what is past otherwise: every prompt is made anew.

use super::{Rehearsal, Render, Trims, is_mark};
use crate::model::{ModelError, Prompt};

/// Turns that are tried.
const TURNS: usize = 3;

/// What a template does to the blanks around what is said. The rest it decides anew for every prompt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Anew(Trims);

impl Anew {
    /// # Errors
    /// If the template leaves out or changes what is said, or leaves out an answer.
    pub(in super::super) fn of(rehearsal: &Rehearsal<'_>) -> Result<Anew, ModelError> {
        for turns in 1..=TURNS {
            rehearsal.pieces(turns)?;
        }
        Ok(Anew(rehearsal.trims()?))
    }

    /// The prompt of a conversation in which the user spoke last. A template sees the answers, and may leave out a part of them; what it leaves is
    /// as much data as it was.
    ///
    /// # Errors
    /// If the template cannot be filled in, or leaves out what is said.
    pub(in super::super) fn fill(
        &self,
        render: Render<'_>,
        system: Option<&Prompt>,
        messages: &[&Prompt],
        answers: &[Prompt],
    ) -> Result<Prompt, ModelError> {
        let rehearsal = Rehearsal { render, system: system.is_some() };
        let turns = messages.len();
        let answer = |message: usize| {
            let number = message.checked_sub(rehearsal.asked(0)).filter(|number| number % 2 == 1)?;
            answers.get(number / 2).map(|answer| answer.text().replace(is_mark, "\u{FFFD}"))
        };
        let text = rehearsal.text(turns, &answer)?;
        let others = (0..rehearsal.asked(turns) - 1).filter(|message| rehearsal.role(*message) != "assistant");
        let written = rehearsal.split(&text, others)?;
        let around = rehearsal.pieces(turns)?;
        let mut written = written.into_iter();
        let mut piece = || written.next().unwrap_or_default();
        let mut prompt = Prompt::own(piece());
        if system.is_some() {
            prompt.append(&self.0.system(system));
            prompt.push_own(&piece());
        }
        for (turn, message) in messages.iter().enumerate() {
            prompt.append(&self.0.said(turn, message));
            let behind = piece();
            let Some(answer) = answers.get(turn).filter(|_| turn + 1 < turns) else {
                prompt.push_own(&behind);
                continue;
            };
            let asked = rehearsal.asked(turn) + 1;
            let (before, rest) = behind.split_at(common(behind.chars(), around[asked].chars()));
            let (kept, after) = rest.split_at(rest.len() - common(rest.chars().rev(), around[asked + 1].chars().rev()));
            prompt.push_own(before);
            prompt.append(&match answer.text().rfind(kept) {
                Some(at) => answer.slice(at..at + kept.len()),
                None => Prompt::data(kept),
            });
            prompt.push_own(after);
        }
        Ok(prompt)
    }
}

/// Bytes that both begin with.
fn common(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    one.zip(other).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}
