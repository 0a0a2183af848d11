//! A lane: one generator on one thread, with as many responses in the making as it has slots.

use super::job::{Job, News, Piece, Token};
use super::queue::Queue;
use super::writer::Writer;
use crate::model::{Finish, Generator, Likely, Mode, ModelError, Request, SlotId};
use crate::policy::Policy;
use std::collections::BTreeMap;

/// What the lanes of a server have in common.
pub(super) struct Lanes<'a> {
    pub policy: &'a Policy,
    pub queue: &'a Queue,
    /// Of each lane.
    pub slots: usize,
    pub context: usize,
    /// For long prompts, of each lane.
    pub threads: usize,
}

struct Lane<'a> {
    lanes: &'a Lanes<'a>,
    generator: Generator,
    answering: BTreeMap<SlotId, Answering>,
}

/// A response in the making.
struct Answering {
    job: Job,
    writer: Writer,
    /// Of the response, told or not.
    tokens: usize,
    /// Not yet told.
    piece: Piece,
}

impl Lanes<'_> {
    fn generator(&self) -> Result<Generator, ModelError> {
        Ok(Generator::new(self.policy.weights.clone(), self.slots, self.context)?.on(self.threads))
    }

    /// Works until the queue ends.
    ///
    /// # Errors
    /// If there can be no generator.
    pub(super) fn run(&self, number: usize) -> Result<(), ModelError> {
        let mut lane = Lane { lanes: self, generator: self.generator()?, answering: BTreeMap::new() };
        while let Some(jobs) = self.queue.take(number, lane.answering.len()) {
            jobs.into_iter().for_each(|job| lane.begin(job));
            match lane.generator.advance() {
                Ok(finished) => lane.hear(finished.into_iter().map(|(slot, response)| (slot, response.tokens, response.finish)).collect()),
                Err(error) => lane.fail(&error)?,
            }
        }
        lane.answering.into_values().for_each(|answering| answering.job.tell(News::Stopping));
        Ok(())
    }
}

impl Lane<'_> {
    fn begin(&mut self, job: Job) {
        let tokenizer = &self.lanes.policy.tokenizer;
        let mode = Mode::Sample { sampling: job.sampling.clone(), max_tokens: job.max_tokens, stop: tokenizer.stops().to_vec() };
        match self.generator.submit(Request { prompt: job.prompt.clone(), mode, seed: job.seed }) {
            Ok(slot) => {
                if let Some(most) = job.likely {
                    self.generator.watch(slot, most);
                }
                let writer = Writer::new(tokenizer.clone(), &job.stop);
                self.answering.insert(slot, Answering { job, writer, tokens: 0, piece: Piece::default() });
            }
            Err(error) => job.tell(News::Failed(error.to_string())),
        }
    }

    /// Tells what a step has brought.
    fn hear(&mut self, finished: Vec<(SlotId, Vec<u32>, Finish)>) {
        let mut finished: BTreeMap<SlotId, (Vec<u32>, Finish)> = finished.into_iter().map(|(slot, ids, why)| (slot, (ids, why))).collect();
        let generator = &mut self.generator;
        self.answering.retain(|slot, answering| {
            let (fresh, finish) = match finished.remove(slot) {
                Some((ids, finish)) => (ids.get(answering.tokens..).unwrap_or_default().to_vec(), Some(finish)),
                None => {
                    let ids = generator.so_far(*slot).and_then(|response| response.tokens.get(answering.tokens..));
                    (ids.unwrap_or_default().to_vec(), None)
                }
            };
            let goes_on = answering.hear(&fresh, generator.watched(*slot), finish);
            if !goes_on {
                generator.cancel(*slot);
            }
            goes_on
        });
    }

    /// Of a step that failed nothing can be used.
    fn fail(&mut self, error: &ModelError) -> Result<(), ModelError> {
        for answering in std::mem::take(&mut self.answering).into_values() {
            answering.job.tell(News::Failed(error.to_string()));
        }
        self.generator = self.lanes.generator()?;
        Ok(())
    }
}

impl Answering {
    /// False where the response is at its end, or nobody listens any more.
    fn hear(&mut self, tokens: &[u32], likely: Vec<Likely>, finish: Option<Finish>) -> bool {
        if self.job.is_left() {
            return false;
        }
        match self.write(tokens, likely, finish) {
            Ok(None) => true,
            Ok(Some(finish)) => {
                self.job.tell(News::Piece(std::mem::take(&mut self.piece)));
                self.job.tell(News::End { finish, tokens: self.tokens });
                false
            }
            Err(error) => {
                self.job.tell(News::Failed(error.to_string()));
                false
            }
        }
    }

    fn write(&mut self, tokens: &[u32], likely: Vec<Likely>, finish: Option<Finish>) -> Result<Option<Finish>, ModelError> {
        let (mut ended, mut likely) = (finish, likely.into_iter());
        for token in tokens {
            self.tokens += 1;
            let stopped = self.writer.push(*token)?;
            let offset = self.writer.offset();
            self.piece.tokens.extend(likely.next().map(|likely| Token { id: *token, likely, offset }));
            if stopped {
                ended = Some(Finish::Stop);
                break;
            }
        }
        self.piece.text.push_str(&if ended.is_some() { self.writer.rest() } else { self.writer.ready() });
        let any = !self.piece.text.is_empty() || !self.piece.tokens.is_empty();
        if self.job.streams && any && ended.is_none() {
            self.job.tell(News::Piece(std::mem::take(&mut self.piece)));
        }
        Ok(ended)
    }
}
