//! From episodes to rows: what a policy would have been shown, and what it is to answer.

use super::cuts::Cuts;
use super::error::RunError;
use crate::model::Row;
use crate::policy::{Listener, Policy, Talk};
use crate::rollout::{Dialogue, Episode, Turn, prompt_ids, response_room, talk};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Every turn of the episodes in which there was something to choose.
#[derive(Default)]
pub(crate) struct Demonstrated<'a> {
    pub rows: Vec<Row>,
    /// Of each row, the number of its episode and of its task.
    pub episodes: Vec<u64>,
    pub groups: Vec<u64>,
    pub cuts: Cuts,
    seen: u64,
    tasks: BTreeMap<String, u64>,
    listeners: BTreeMap<Talk, Listener<'a>>,
}

impl<'a> Demonstrated<'a> {
    /// Adds the turns of an episode; false if its prompts were not kept.
    ///
    /// # Errors
    /// If the policy cannot be shown them.
    pub(crate) fn add(&mut self, policy: &'a Policy, episode: &Episode) -> Result<bool, RunError> {
        self.seen += 1;
        let next = self.tasks.len() as u64;
        let task = *self.tasks.entry(episode.task.id.clone()).or_insert(next);
        let whole = self.add_turns(policy, episode)?;
        self.episodes.resize(self.rows.len(), self.seen);
        self.groups.resize(self.rows.len(), task);
        Ok(whole)
    }

    fn add_turns(&mut self, policy: &'a Policy, episode: &Episode) -> Result<bool, RunError> {
        match (&episode.conversation, episode.limit) {
            (Some(_), _) => self.converse(policy, episode),
            (None, Some(limit)) => {
                for turn in &episode.turns {
                    let (Some(prompt), Some(responses)) = (turn.shown(), responses(turn)) else { return Ok(false) };
                    let room = response_room(policy, &policy.decode, &responses)?;
                    let shown = prompt_ids(policy, limit, &prompt, room)?;
                    self.push(policy.demonstration(shown.ids, response(turn), &responses)?, shown.cut);
                }
                Ok(true)
            }
            (None, None) => Ok(episode.turns.is_empty()),
        }
    }

    /// The same conversation as one who had given these answers would have had.
    fn converse(&mut self, policy: &'a Policy, episode: &Episode) -> Result<bool, RunError> {
        let Some(begun) = &episode.conversation else { return Ok(false) };
        let talk = talk(&begun.limits);
        let listener = match self.listeners.entry(talk) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(policy.listener(talk)?),
        };
        let mut dialogue = Dialogue::new(begun.limits);
        dialogue.begin(begun.system());
        let (mut rows, mut full) = (Vec::new(), false);
        for turn in &episode.turns {
            let (Some(message), Some(responses)) = (turn.shown(), responses(turn)) else { return Ok(false) };
            let room = response_room(policy, &policy.decode, &responses)?;
            let Some(shown) = dialogue.ask(listener, &message, room)? else {
                full = true;
                break;
            };
            let prompt = shown.ids.len();
            let row = policy.demonstration(shown.ids, response(turn), &responses)?;
            dialogue.answer(&row.ids[prompt..]);
            rows.push((row, shown.cut));
        }
        self.cuts.conversations += 1;
        self.cuts.full += usize::from(full);
        rows.into_iter().for_each(|(row, cut)| self.push(row, cut));
        Ok(true)
    }

    fn push(&mut self, row: Row, cut: bool) {
        if !row.targets.is_empty() {
            self.cuts.turns += 1;
            self.cuts.prompts += usize::from(cut);
            self.rows.push(row);
        }
    }
}

fn response(turn: &Turn) -> &str {
    turn.response.as_ref().unwrap_or(&turn.action)
}

/// What could have been answered: what the action was in the response is what another action would have been in its place.
fn responses(turn: &Turn) -> Option<Vec<String>> {
    let response = response(turn);
    Some(turn.admissible.as_ref()?.iter().map(|action| response.replacen(&turn.action, action, 1)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::fake::{CHATML, chat, choose, decoder, house, play, sample};

    /// A player with the same answers has the same rows, and what is kept in a file suffices for them.
    #[test]
    fn learned_are_the_rows_that_were_played() {
        let talk = r#"conversation { system = "Play: {task}", first = "{observation}\n>", then = "\n{observation}\n>" }"#;
        let limited = |more: &str| talk.replace(">\" }", &format!(">\", max_tokens = 500, full = {more} }}"));
        let strips = CHATML.replace("m.content", "m.content | trim");
        for (policy, prompt) in [
            (decoder(choose(), 2000), talk.to_string()),
            (decoder(choose(), 2000), limited("truncate")),
            (decoder(choose(), 2000), limited("forget")),
            (chat(CHATML, None, choose(), 2000), limited("forget")),
            (chat(&strips, None, choose(), 2000), talk.replace(">\" }", ">\", past = template }")),
        ] {
            let played = play(&house(&prompt), &policy, 5).unwrap_or_else(|e| panic!("{e}"));
            let mut found = Demonstrated::default();
            for episode in &played {
                let file = serde_json::to_string(episode).unwrap();
                assert!(found.add(&policy, &serde_json::from_str(&file).unwrap()).unwrap());
            }
            let turns = played.iter().flat_map(|episode| &episode.turns);
            let rows: Vec<Row> =
                turns.clone().map(|turn| turn.sample.as_ref().unwrap().row.clone()).filter(|row| !row.targets.is_empty()).collect();
            assert_eq!(found.rows, rows);
            assert_eq!((found.cuts.turns, found.cuts.conversations), (rows.len(), 5));
            assert_eq!(found.cuts.prompts > 0, prompt.contains("forget"));
        }
    }

    /// Of longer demonstrations the turns are learned that a player would have come to.
    #[test]
    fn a_demonstration_that_does_not_fit() {
        let talk = r#"conversation { first = "{observation}\n>", then = "\n{observation}\n>" }"#;
        let policy = decoder(choose(), 2000);
        let mut shown = play(&house(talk), &policy, 5).unwrap();
        let played = play(&house(&talk.replace(" }", ", max_tokens = 400 }")), &policy, 5).unwrap();
        let mut found = Demonstrated::default();
        for episode in &mut shown {
            episode.conversation.as_mut().unwrap().limits.max_tokens = 400;
            assert!(found.add(&policy, episode).unwrap());
        }
        let rows = played.iter().flat_map(|episode| &episode.turns).map(|turn| &turn.sample.as_ref().unwrap().row);
        assert!(found.rows.iter().eq(rows.filter(|row| !row.targets.is_empty())));
        let full = played.iter().filter(|episode| episode.full == Some(true)).count();
        assert!(full > 0 && found.cuts.full == full);
    }

    /// Free text is learned with its end token, and the conversation goes on behind it.
    #[test]
    fn a_demonstration_is_ended() {
        let shown = play(&house(r#"conversation { first = "{observation}\n>" }"#), &decoder(choose(), 2000), 2).unwrap();
        let policy = chat(CHATML, None, sample(20), 2000);
        let mut found = Demonstrated::default();
        assert!(shown.iter().all(|episode| found.add(&policy, episode).unwrap()));
        let turns: Vec<&Turn> = shown.iter().flat_map(|episode| &episode.turns).collect();
        assert_eq!(found.rows.len(), turns.len());
        let end = policy.tokenizer.end();
        for (row, turn) in found.rows.iter().zip(turns) {
            let answer = [policy.tokenizer.encode(response(turn)).unwrap(), vec![end]].concat();
            assert!(row.ids.ends_with(&answer) && row.targets.len() == answer.len());
        }
        assert!(found.rows[1].ids.starts_with(&found.rows[0].ids));
    }
}
