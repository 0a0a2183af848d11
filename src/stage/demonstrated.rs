//! From episodes to rows: what a policy would have been shown, and what it is to answer.

use super::cuts::Cuts;
use super::error::RunError;
use crate::model::{Prompt, Row};
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
    /// The number of its turn in the episode.
    pub turns: Vec<usize>,
    /// How many of its tokens stood in the prompts before, with what was answered to them.
    pub known: Vec<usize>,
    pub cuts: Cuts,
    seen: u64,
    /// By the hash of the task's name: there may be millions.
    tasks: BTreeMap<[u8; 16], u64>,
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
        let task = *self.tasks.entry(short_hash(&episode.task.id)).or_insert(next);
        let whole = self.add_turns(policy, episode)?;
        self.episodes.resize(self.rows.len(), self.seen);
        self.groups.resize(self.rows.len(), task);
        Ok(whole)
    }

    /// What was added since the last time; what follows is counted on.
    pub(crate) fn take(&mut self) -> Added {
        self.turns.clear();
        let (rows, episodes, groups) = (&mut self.rows, &mut self.episodes, &mut self.groups);
        let known = std::mem::take(&mut self.known);
        Added { rows: std::mem::take(rows), episodes: std::mem::take(episodes), groups: std::mem::take(groups), known }
    }

    fn add_turns(&mut self, policy: &'a Policy, episode: &Episode) -> Result<bool, RunError> {
        match (&episode.conversation, episode.limit) {
            (Some(_), _) => self.converse(policy, episode),
            (None, Some(limit)) => {
                for (number, turn) in episode.turns.iter().enumerate() {
                    let Some((prompt, admissible)) = asked(turn) else { return Ok(false) };
                    let Some(lesson) = Answer::to_learn(episode, turn) else { continue };
                    let responses = lesson.alternatives(admissible);
                    let room = response_room(policy, &policy.decode, &responses)?;
                    let shown = prompt_ids(policy, limit, &prompt, room)?;
                    self.push(policy.demonstration(shown.ids, lesson.response, &responses)?, shown.cut, number, 0);
                }
                Ok(true)
            }
            (None, None) => Ok(episode.turns.is_empty()),
        }
    }

    /// The same conversation as one who had given these answers would have had; it goes on with what was answered, whatever is learned.
    fn converse(&mut self, policy: &'a Policy, episode: &Episode) -> Result<bool, RunError> {
        let Some(begun) = &episode.conversation else { return Ok(false) };
        let talk = talk(&begun.limits);
        let listener = match self.listeners.entry(talk) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(policy.listener(talk)?),
        };
        let mut dialogue = Dialogue::new(begun.limits);
        dialogue.begin(begun.system());
        let (mut rows, mut full, mut said) = (Vec::new(), false, Vec::new());
        let context = policy.weights.config().context;
        for (number, turn) in episode.turns.iter().enumerate() {
            let Some((message, admissible)) = asked(turn) else { return Ok(false) };
            let played = Answer::played(turn);
            let responses = played.alternatives(admissible);
            let room = response_room(policy, &policy.decode, &responses)?;
            let Some(shown) = dialogue.ask(listener, &message, room)? else {
                full = true;
                break;
            };
            let (prompt, cut) = (shown.ids.len(), shown.cut);
            // A prompt that leaves something out, or says it in another way, repeats what was said otherwise.
            let known = if shown.ids.starts_with(&said) { said.len() } else { prompt };
            if let Some(label) = Answer::to_learn(episode, turn).filter(|lesson| *lesson != played) {
                rows.push((policy.demonstration(shown.ids.clone(), label.response, &label.alternatives(admissible))?, cut, number, known));
            }
            let row = policy.demonstration(shown.ids, played.response, &responses)?;
            if row.ids.len() > context {
                if number == 0 {
                    let message =
                        format!("its first turn has {} tokens, and the context {context}; raise the policy's `context`", row.ids.len());
                    return Err(RunError::Failed(message));
                }
                full = true;
                break;
            }
            dialogue.answer(&row.ids[prompt..]);
            said.clone_from(&row.ids);
            if Answer::to_learn(episode, turn) == Some(played) {
                rows.push((row, cut, number, known));
            }
        }
        self.cuts.conversations += 1;
        self.cuts.full += usize::from(full);
        rows.into_iter().for_each(|(row, cut, number, known)| self.push(row, cut, number, known));
        Ok(true)
    }

    fn push(&mut self, row: Row, cut: bool, number: usize, known: usize) {
        if !row.targets.is_empty() {
            self.turns.push(number);
            self.known.push(known);
            self.cuts.turns += 1;
            self.cuts.prompts += usize::from(cut);
            self.rows.push(row);
        }
    }
}

/// Rows, with what [`Demonstrated`] knows of each.
pub(crate) struct Added {
    pub rows: Vec<Row>,
    pub episodes: Vec<u64>,
    pub groups: Vec<u64>,
    pub known: Vec<usize>,
}

fn short_hash(text: &str) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    short
}

/// The prompt of a turn and what was possible in it, where they were kept.
fn asked(turn: &Turn) -> Option<(Prompt, &[String])> {
    Some((turn.shown()?, turn.admissible.as_ref()?))
}

/// An action with the response around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer<'e> {
    action: &'e str,
    response: &'e str,
}

impl<'e> Answer<'e> {
    fn new(action: &'e str, response: Option<&'e String>) -> Answer<'e> {
        Answer { action, response: response.map_or(action, String::as_str) }
    }

    fn played(turn: &'e Turn) -> Answer<'e> {
        Answer::new(&turn.action, turn.response.as_ref())
    }

    /// Of an episode with labels the turn's label, of any other what was played.
    fn to_learn(episode: &Episode, turn: &'e Turn) -> Option<Answer<'e>> {
        match episode.labelled {
            true => turn.label.as_ref().map(|label| Answer::new(&label.action, label.response.as_ref())),
            false => Some(Answer::played(turn)),
        }
    }

    /// What could have been answered: what the action was in the response is what another action would have been in its place, at its end or
    /// else where its words come first.
    fn alternatives(self, admissible: &[String]) -> Vec<String> {
        let at = match self.response.ends_with(self.action) {
            true => self.response.len() - self.action.len(),
            false => 0,
        };
        let (before, rest) = self.response.split_at(at);
        admissible.iter().map(|action| format!("{before}{}", rest.replacen(self.action, action, 1))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Decode;
    use crate::rollout::fake::{CHATML, chat, choose, decoder, house, play, play_labelled, sample, think};

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
            // Known is what the row before has, where this one goes on from it, and else everything.
            let mut before: (u64, &[u32]) = (0, &[]);
            for ((row, episode), known) in rows.iter().zip(&found.episodes).zip(&found.known) {
                let prompt = row.targets[0].position + 1;
                let ids = if before.0 == *episode { before.1 } else { &[] };
                let least = if row.ids.starts_with(ids) { ids.len() } else { 1 };
                assert!((least..=prompt).contains(known), "{known} of {prompt}");
                before = (*episode, &row.ids);
            }
            assert_eq!((found.cuts.turns, found.cuts.conversations), (rows.len(), 5));
            assert_eq!(found.cuts.prompts > 0, prompt.contains("forget"));
        }
    }

    /// Prompts are those of the policy's own turns, with what was played in them; what is to be answered is the expert's word, as a game of its own says it.
    #[test]
    fn of_labelled_episodes_the_labels_are_learned() {
        let talk = r#"conversation { first = "{task}\n{observation}\n>", then = "\n{observation}\n>" }, action = between("<a>", "</a>")"#;
        let window = r#"windowed { then = "{task}\n{history}{observation}\n>" }, action = between("<a>", "</a>")"#;
        for (policy, prompt) in [
            (decoder(choose(), 2000), talk),
            (decoder(choose(), 2000), window),
            (decoder(sample(8), 2000), talk),
            (decoder(sample(8), 2000), window),
            (chat(CHATML, None, choose(), 2000), talk),
        ] {
            let house = house(prompt);
            let mut played = play_labelled(&house, &policy, 5, 0.0).unwrap_or_else(|e| panic!("{e}"));
            let mut found = Demonstrated::default();
            // where the expert was at a loss nothing is learned
            for episode in &mut played {
                episode.turns[1].label = None;
                assert!(episode.labelled && found.add(&policy, episode).unwrap());
            }
            let world = house.world.open(&crate::env::Machine::default()).unwrap();
            let mut rows = found.rows.iter();
            for episode in &played {
                let mut game = world.instance().unwrap();
                game.reset(&episode.task, crate::seed::Seed(7).child("game", episode.group).0).unwrap();
                for (number, turn) in episode.turns.iter().enumerate() {
                    let advice = game.expert().unwrap().unwrap();
                    let answer = format!("<a>{advice}</a>");
                    let shown = &turn.sample.as_ref().unwrap().row;
                    game.step(&turn.action).unwrap();
                    let answer = [policy.tokenizer.encode(&answer).unwrap(), vec![policy.tokenizer.end()]].concat();
                    if number == 1 {
                        assert_eq!(turn.label, None);
                        continue;
                    }
                    assert_eq!(turn.label.as_ref().map(|label| label.action.as_str()), Some(advice.as_str()));
                    let asked = match policy.decode {
                        Decode::Sample { .. } => shown.targets[0].position + 1,
                        Decode::Choose { .. } => {
                            shown.ids.len() - policy.tokenizer.encode(turn.response.as_ref().unwrap()).unwrap().len() - 1
                        }
                    };
                    let row = rows.next().unwrap();
                    // A text is not always read as the tokens that were sampled for it.
                    match (&policy.decode, prompt == talk) {
                        (Decode::Sample { .. }, true) => assert!(row.ids.ends_with(&answer) && row.targets.len() == answer.len()),
                        _ => assert_eq!(row.ids, [&shown.ids[..asked], &answer].concat(), "{prompt}"),
                    }
                }
            }
            assert!(rows.next().is_none());
        }
    }

    /// Before a choice, the thought is learned token by token, and an empty one where none was shown.
    #[test]
    fn thoughts_are_learned_before_choices() {
        let policy = decoder(think(6), 2000);
        let options = ["want a mug\ngo to shelf 1", "want a mug\ngo to drawer 1", "look"].map(String::from);
        let ids = |text: &str| policy.tokenizer.encode(text).unwrap();
        for (response, thought) in [("want a mug\ngo to shelf 1", "want a mug"), ("go to shelf 1", "")] {
            let row = policy.demonstration(vec![9, 8], response, &options).unwrap();
            let (line, end) = (ids("\n"), [policy.tokenizer.end()]);
            assert_eq!(row.ids, [&[9, 8], ids(thought).as_slice(), &line, &ids("go to shelf 1"), &end].concat());
            let (free, chosen) = row.targets.split_at(ids(thought).len() + 1);
            assert!(free.iter().all(|target| target.allowed.is_none()) && chosen.iter().all(|target| target.allowed.is_some()));
            assert_eq!(free.iter().map(|target| target.token).collect::<Vec<_>>(), [ids(thought), line].concat());
            assert_eq!(chosen.len(), 2, "go or look; shelf or drawer");
        }
        let house = house(r#"conversation { first = "{observation}\n>", then = "\n{observation}\n>" }, action = last_line"#);
        let played = play(&house, &policy, 5).unwrap();
        for turn in played.iter().flat_map(|episode| &episode.turns) {
            let response = turn.response.as_ref().unwrap();
            assert!(turn.valid && turn.admissible.as_ref().unwrap().contains(&turn.action));
            assert_eq!(response.rsplit_once('\n').unwrap().1, turn.action);
            let row = &turn.sample.as_ref().unwrap().row;
            let prompt = row.targets[0].position + 1;
            assert_eq!(policy.thought(&row.ids[prompt..]).unwrap(), response.rsplit_once('\n').unwrap().0);
            assert!(row.ids.ends_with(&[ids(&turn.action), vec![policy.tokenizer.end()]].concat()));
        }
        let mut found = Demonstrated::default();
        assert!(played.iter().all(|episode| found.add(&policy, episode).unwrap()));
        assert_eq!(found.rows.len(), played.iter().map(|episode| episode.turns.len()).sum::<usize>());
    }

    /// Where the expert stands in, it is what was played, and a conversation goes on with it.
    #[test]
    fn an_expert_who_is_mixed_in_is_played() {
        let house = house(r#"conversation { first = "{task}\n{observation}\n>", then = "\n{observation}\n>" }"#);
        let policy = decoder(choose(), 2000);
        let always = play_labelled(&house, &policy, 5, 1.0).unwrap();
        let turns: Vec<&Turn> = always.iter().flat_map(|episode| &episode.turns).collect();
        assert!(turns.iter().all(|turn| turn.sample.is_none() && turn.label.as_ref().unwrap().action == turn.action));
        let some = play_labelled(&house, &policy, 5, 0.5).unwrap();
        let mut found = Demonstrated::default();
        assert!(some.iter().all(|episode| found.add(&policy, episode).unwrap()));
        let turns: Vec<&Turn> = some.iter().flat_map(|episode| &episode.turns).collect();
        let stood_in = turns.iter().filter(|turn| turn.sample.is_none()).count();
        assert!(stood_in > turns.len() / 4 && stood_in < 3 * turns.len() / 4, "{stood_in} of {}", turns.len());
        // the prompts of the policy's own turns, with the expert's answers in them, are those that are learned from
        for (row, turn) in found.rows.iter().zip(&turns) {
            let Some(sample) = &turn.sample else { continue };
            let asked = sample.row.ids.len() - policy.tokenizer.encode(&turn.action).unwrap().len() - 1;
            assert_eq!(row.ids[..asked], sample.row.ids[..asked]);
        }
        assert_eq!(found.rows.len(), turns.len());
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
            let answer = [policy.tokenizer.encode(Answer::played(turn).response).unwrap(), vec![end]].concat();
            assert!(row.ids.ends_with(&answer) && row.targets.len() == answer.len());
        }
        assert!(found.rows[1].ids.starts_with(&found.rows[0].ids));
    }
}
