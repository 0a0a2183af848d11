//! Rows to learn from, of which only so many are held as there is room for; the others are made from their episodes again.

use super::cuts::Cuts;
use super::demonstrated::Demonstrated;
use super::error::RunError;
use crate::model::{Row, Target};
use crate::policy::Policy;
use crate::rollout::Episode;
use crate::store::{Records, read_line};
use std::path::PathBuf;

/// Bytes of rows that are held.
const ROOM: usize = 256 << 20;

/// Episodes that are read before somebody hears of it.
const PAUSE: usize = 256;

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    file: u32,
    /// Among the rows of its episode.
    number: u32,
    /// The byte of the file at which its episode begins.
    start: u64,
    targets: u32,
    known: u32,
}

pub(crate) struct Lessons<'a> {
    policy: &'a Policy,
    maker: Demonstrated<'a>,
    files: Vec<PathBuf>,
    origins: Vec<Origin>,
    /// Of the first rows.
    held: Vec<Row>,
    room: usize,
    /// Of each row, the number of its episode and of its task.
    pub episodes: Vec<u64>,
    pub groups: Vec<u64>,
}

impl<'a> Lessons<'a> {
    pub(crate) fn new(policy: &'a Policy) -> Self {
        Self::with_room(policy, ROOM)
    }

    fn with_room(policy: &'a Policy, room: usize) -> Self {
        let (files, origins, held) = (Vec::new(), Vec::new(), Vec::new());
        Self { policy, maker: Demonstrated::default(), files, origins, held, room, episodes: Vec::new(), groups: Vec::new() }
    }

    /// Adds the episodes of a file. `name`: the task that wrote it, for messages. `heard` is called now and then with how many episodes were read.
    ///
    /// # Errors
    /// If it cannot be read, or there is an episode that the policy cannot be shown; and what `heard` says.
    pub(crate) fn add(&mut self, path: PathBuf, name: &str, heard: &mut dyn FnMut(usize) -> Result<(), RunError>) -> Result<(), RunError> {
        let file = self.files.len() as u32;
        for (number, record) in Records::<Episode>::open(&path)?.enumerate() {
            let (start, episode) = record?;
            let place = |error: RunError| match error {
                RunError::Failed(problem) => {
                    RunError::Failed(format!("episode {} of `{name}` (`{}`): {problem}", number + 1, episode.task.id))
                }
                other => other,
            };
            if !self.maker.add(self.policy, &episode).map_err(place)? {
                let message = format!("the episodes of `{name}` have no prompts to learn from; use a `collect` stage");
                return Err(RunError::Failed(message));
            }
            if (number + 1).is_multiple_of(PAUSE) {
                heard(number + 1)?;
            }
            let added = self.maker.take();
            self.episodes.extend(added.episodes);
            self.groups.extend(added.groups);
            for (number, (mut row, known)) in added.rows.into_iter().zip(added.known).enumerate() {
                self.origins.push(Origin { file, number: number as u32, start, targets: row.targets.len() as u32, known: known as u32 });
                if self.held.len() + 1 == self.origins.len() {
                    match self.room.checked_sub(bytes(&row)) {
                        Some(room) => {
                            self.room = room;
                            // What is held takes no more than what was counted.
                            row.ids.shrink_to_fit();
                            row.targets.shrink_to_fit();
                            self.held.push(row);
                        }
                        // The rest is made when it is needed.
                        None => self.room = 0,
                    }
                }
            }
        }
        self.files.push(path);
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.origins.len()
    }

    pub(crate) fn cuts(&self) -> Cuts {
        self.maker.cuts
    }

    /// How many tokens of a row's prompt stood in those before, with what was answered to them.
    pub(crate) fn known(&self, row: usize) -> usize {
        self.origins[row].known as usize
    }

    /// These rows, in this order.
    ///
    /// # Errors
    /// If an episode cannot be read again.
    pub(crate) fn rows(&mut self, chosen: &[usize]) -> Result<Vec<Row>, RunError> {
        let mut made: Option<(u32, u64, Vec<Row>)> = None;
        let mut rows = Vec::with_capacity(chosen.len());
        for &row in chosen {
            if let Some(row) = self.held.get(row) {
                rows.push(row.clone());
                continue;
            }
            let Origin { file, number, start, targets, .. } = self.origins[row];
            if made.as_ref().is_none_or(|(of, at, _)| (*of, *at) != (file, start)) {
                made = Some((file, start, self.make(file, start)?));
            }
            let found = made.as_ref().and_then(|(_, _, rows)| rows.get(number as usize));
            match found.filter(|row| row.targets.len() == targets as usize) {
                Some(row) => rows.push(row.clone()),
                None => {
                    return Err(RunError::Failed(format!("`{}` changed while it was learned from", self.files[file as usize].display())));
                }
            }
        }
        Ok(rows)
    }

    /// The rows of the episode that begins there.
    fn make(&mut self, file: u32, start: u64) -> Result<Vec<Row>, RunError> {
        let episode: Episode = read_line(&self.files[file as usize], start)?;
        // What was cut was counted the first time.
        let cuts = self.maker.cuts;
        self.maker.add(self.policy, &episode)?;
        self.maker.cuts = cuts;
        Ok(self.maker.take().rows)
    }
}

/// Memory that a row takes.
fn bytes(row: &Row) -> usize {
    let allowed = |target: &Target| target.allowed.as_ref().map_or(0, |ids| size_of_val(&**ids));
    size_of::<Row>() + size_of_val(&*row.ids) + size_of_val(&*row.targets) + row.targets.iter().map(allowed).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::fake::{CHATML, chat, choose, decoder, house, play, sample};

    /// With room for all, for some and for none, whatever is asked for.
    #[test]
    fn rows_that_are_made_again_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let talk = r#"conversation { first = "{observation}\n>", then = "\n{observation}\n>" }"#;
        for (policy, prompt) in [
            (decoder(choose(), 2000), r#"windowed { then = "{observation}\n>", history = 1 }"#),
            (decoder(choose(), 2000), talk),
            (chat(CHATML, None, sample(20), 2000), talk),
        ] {
            let played = play(&house(prompt), &policy, 5).unwrap();
            let path = folder.path().join("episodes.jsonl");
            let lines: String = played.iter().map(|episode| serde_json::to_string(episode).unwrap() + "\n").collect();
            std::fs::write(&path, lines).unwrap();
            let filled = |room: usize| {
                let mut lessons = Lessons::with_room(&policy, room);
                lessons.add(path.clone(), "a.shown", &mut |_| Ok(())).unwrap();
                lessons.add(path.clone(), "a.shown", &mut |_| Ok(())).unwrap();
                lessons
            };
            let mut all = filled(usize::MAX);
            assert_eq!(all.held.len(), all.len());
            let half = all.held[..all.len() / 2].iter().map(bytes).sum::<usize>();
            let every: Vec<usize> = (0..all.len()).chain([1, all.len() - 1, 0]).collect();
            let expected = all.rows(&every).unwrap();
            for (room, held) in [(0, 0), (half, all.len() / 2)] {
                let mut some = filled(room);
                assert_eq!(some.held.len(), held);
                assert!(some.rows(&every).unwrap() == expected);
                assert_eq!((some.cuts(), &some.episodes, &some.groups), (all.cuts(), &all.episodes, &all.groups));
                assert!((0..some.len()).all(|row| some.known(row) == all.known(row)));
            }
        }
    }

    #[test]
    fn what_changed_is_not_learned() {
        let folder = tempfile::tempdir().unwrap();
        let policy = decoder(choose(), 2000);
        let played = play(&house(r#"windowed { then = "{observation}\n>" }"#), &policy, 2).unwrap();
        let path = folder.path().join("episodes.jsonl");
        std::fs::write(&path, serde_json::to_string(&played[0]).unwrap() + "\n").unwrap();
        let mut lessons = Lessons::with_room(&policy, 0);
        lessons.add(path.clone(), "a.shown", &mut |_| Ok(())).unwrap();
        let mut shorter = played[0].clone();
        shorter.turns.truncate(1);
        std::fs::write(&path, serde_json::to_string(&shorter).unwrap() + "\n").unwrap();
        let last = lessons.len() - 1;
        let error = lessons.rows(&[last]).unwrap_err().to_string();
        assert_eq!(error, format!("`{}` changed while it was learned from", path.display()));
    }
}
