//! The generator: slots in one preallocated cache, one decoding step for all of them at a time.

use super::engine::{Engine, Wanted};
use super::tree::PrefixTree;
use super::watch::{Likely, Watch};
use super::{Finish, Mode, Request, Response, Sampling, Thought, Until};
use crate::model::native::decode::{Copy, Feed};
use crate::model::native::head::{scale, softmax};
use crate::model::{Head, ModelError, Target, Weights};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::Arc;

/// Where a request is being answered; free again once its response was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub usize);

/// Tokens in one pass through the model, if prompts are not longer.
const PASS_TOKENS: usize = 512;

/// A shared prefix shorter than this is computed rather than copied.
const SHORTEST_PREFIX: usize = 4;

/// Answers many requests at once: each in a slot with its keys and values, all slots in one pass a token.
pub struct Generator {
    weights: Arc<Weights>,
    version: u64,
    engine: Engine,
    capacity: usize,
    slots: Vec<Slot>,
    submitted: u64,
    copies: Vec<Copy>,
    until: Option<Until>,
}

#[derive(Default)]
struct Slot {
    /// Tokens whose keys and values are in the cache (or will be, by a copy, in the next step).
    cached: Vec<u32>,
    /// Tokens to be fed in the next step.
    pending: Vec<u32>,
    running: Option<Running>,
    /// When its last request was submitted.
    since: u64,
    watch: Option<Watch>,
    /// Whether its request was given up, and the next step still needs it.
    leaving: bool,
}

struct Running {
    prompt: usize,
    goal: Goal,
    rng: ChaCha8Rng,
    response: Response,
}

enum Goal {
    Sample { sampling: Sampling, max_tokens: usize, stop: Vec<u32> },
    Choose { thought: Option<Thinking>, tree: PrefixTree, node: usize, temperature: f64 },
}

/// What is still being written before a choice.
struct Thinking {
    left: usize,
    until: u32,
    end: u32,
}

impl Generator {
    /// A generator for up to `slots` requests at a time, each of up to `capacity` tokens with its response.
    pub fn new(weights: Arc<Weights>, slots: usize, capacity: usize) -> Result<Generator, ModelError> {
        if weights.head() != Head::Vocabulary {
            return Err(ModelError::input("a critic cannot generate"));
        }
        let version = weights.version();
        let capacity = capacity.min(weights.config().context);
        Generator::fits(&weights, slots, capacity)?;
        let engine = Engine::new(&weights, slots, capacity)?;
        let slots = (0..slots).map(|_| Slot::default()).collect();
        Ok(Generator { weights, version, engine, capacity, slots, submitted: 0, copies: Vec::new(), until: None })
    }

    /// Whether there is memory for this many slots, of one generator or of several that run side by side: a cache takes its memory while it is filled.
    ///
    /// # Errors
    /// If there is not.
    pub fn fits(weights: &Weights, slots: usize, capacity: usize) -> Result<(), ModelError> {
        crate::model::memory::fits_cache(weights, slots, capacity)
    }

    /// Sampled responses end where one of these texts does, too.
    pub fn until(self, until: Option<Until>) -> Generator {
        Generator { until, ..self }
    }

    /// Long prompts may be computed on this many threads. Changes no bit of any response.
    pub fn on(mut self, threads: usize) -> Generator {
        self.engine.on(threads);
        self
    }

    /// As many requests can be answered at a time.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Requests that are being answered.
    pub fn active(&self) -> usize {
        self.slots.iter().filter(|slot| slot.running.is_some()).count()
    }

    /// Slots that may be submitted to.
    pub fn free(&self) -> usize {
        self.slots.len() - self.active()
    }

    /// Starts a request. An error if it cannot be answered, or if no slot is free.
    pub fn submit(&mut self, request: Request) -> Result<SlotId, ModelError> {
        self.refresh()?;
        let Request { prompt, mode, seed } = request;
        let (mut tokens, goal) = self.goal(&prompt, mode)?;
        let forced = tokens.split_off(prompt.len());
        let response =
            Response { tokens: forced, targets: Vec::new(), logp: Vec::new(), entropy: Vec::new(), choice: None, finish: Finish::Stop };
        let mut tokens = [prompt.as_slice(), response.tokens.as_slice()].concat();
        let running = Running { prompt: prompt.len(), goal, rng: ChaCha8Rng::seed_from_u64(seed), response };
        if running.settled().is_some() {
            // Nothing to choose, nothing to compute.
            tokens.clear();
        }
        let slot = self.place(&tokens)?.ok_or_else(|| ModelError::input("all slots are taken; take a response first"))?;
        self.submitted += 1;
        let place = &mut self.slots[slot];
        (place.running, place.watch, place.since) = (Some(running), None, self.submitted);
        Ok(SlotId(slot))
    }

    /// Keeps of every token of a sampled response, from now on, how likely the model itself holds it (at temperature 1, before any truncation), and
    /// the `most` likely tokens in its place.
    pub fn watch(&mut self, SlotId(slot): SlotId, most: usize) {
        if let Some(slot) = self.slots.get_mut(slot).filter(|slot| slot.running.is_some()) {
            slot.watch = Some(Watch::new(most));
        }
    }

    /// What was kept since it was asked for last; also of a response that was just given.
    pub fn watched(&mut self, SlotId(slot): SlotId) -> Vec<Likely> {
        self.slots.get_mut(slot).and_then(|slot| slot.watch.as_mut()).map(Watch::take).unwrap_or_default()
    }

    /// What there is of a response that is being made.
    pub fn so_far(&self, SlotId(slot): SlotId) -> Option<&Response> {
        self.slots.get(slot)?.running.as_ref().map(|running| &running.response)
    }

    /// Gives a request up. Its slot is free at once; or behind the next step, where the beginning of another request is to be copied from it.
    pub fn cancel(&mut self, SlotId(slot): SlotId) {
        let bound = !self.copies.is_empty();
        if let Some(slot) = self.slots.get_mut(slot).filter(|slot| slot.running.is_some()) {
            if bound { slot.leaving = true } else { slot.end() }
        }
    }

    /// Checks a request; gives the prompt with the tokens forced behind it.
    fn goal(&self, prompt: &[u32], mode: Mode) -> Result<(Vec<u32>, Goal), ModelError> {
        let wrong = |message: String| Err(ModelError::Input(message));
        if prompt.is_empty() {
            return wrong("an empty prompt has no next token".to_string());
        }
        let vocab = self.weights.config().vocab;
        let unknown = |ids: &[u32]| ids.iter().find(|id| **id as usize >= vocab).copied();
        if let Some(id) = unknown(prompt) {
            return wrong(format!("prompt token {id} is outside the vocabulary of {vocab}"));
        }
        let mut tokens = prompt.to_vec();
        let (goal, longest) = match mode {
            Mode::Sample { sampling, max_tokens, stop } => {
                check_temperature(sampling.temperature)?;
                if max_tokens == 0 {
                    return wrong("`max_tokens` is 0".to_string());
                }
                (Goal::Sample { sampling, max_tokens, stop }, 0)
            }
            Mode::Choose { thought, options, temperature, end } => {
                check_temperature(temperature)?;
                let until = thought.map_or(end, |thought| thought.until);
                if let Some(id) = options.iter().find_map(|o| unknown(o)).or(unknown(&[end, until])) {
                    return wrong(format!("option token {id} is outside the vocabulary of {vocab}"));
                }
                let longest = options.iter().map(Vec::len).max().unwrap_or(0);
                let tree = PrefixTree::new(&options, end)?;
                match thought.filter(|thought| thought.max_tokens > 0) {
                    Some(Thought { max_tokens, until }) => {
                        let thought = Some(Thinking { left: max_tokens, until, end });
                        (Goal::Choose { thought, tree, node: 0, temperature }, longest + max_tokens + 1)
                    }
                    None => {
                        let node = tree.follow(0, &mut tokens);
                        (Goal::Choose { thought: None, tree, node, temperature }, longest)
                    }
                }
            }
        };
        if prompt.len() + longest > self.capacity {
            let options = if longest > 0 { format!(" and an option of {longest}") } else { String::new() };
            return wrong(format!("a prompt of {} tokens{options} does not fit into {} positions", prompt.len(), self.capacity));
        }
        Ok((tokens, goal))
    }

    /// Forgets what other parameters have computed.
    fn refresh(&mut self) -> Result<(), ModelError> {
        let version = self.weights.version();
        if version == self.version {
            return Ok(());
        }
        if self.active() > 0 {
            return Err(ModelError::input("the weights have changed while responses were being made"));
        }
        self.engine.refresh(&self.weights)?;
        self.version = version;
        for slot in &mut self.slots {
            slot.cached.clear();
        }
        Ok(())
    }

    /// Chooses a free slot for `tokens` and takes over the longest prefix that any slot has computed or is about to.
    fn place(&mut self, tokens: &[u32]) -> Result<Option<usize>, ModelError> {
        let shared = |slot: &Slot| slot.cached.iter().chain(&slot.pending).zip(tokens).take_while(|(a, b)| a == b).count();
        // The last token is always fed: its hidden state is what is wanted.
        let most = tokens.len().saturating_sub(1);
        let (mut source, mut length) = (None, SHORTEST_PREFIX - 1);
        for (i, slot) in self.slots.iter().enumerate() {
            let common = shared(slot).min(most);
            if common > length {
                (source, length) = (Some(i), common);
            }
        }
        let free = (0..self.slots.len()).filter(|i| self.slots[*i].running.is_none());
        let Some(oldest) = free.min_by_key(|i| self.slots[*i].since) else { return Ok(None) };
        let (slot, length) = match source {
            Some(source) if self.slots[source].running.is_none() => (source, length),
            Some(source) => {
                let ready = self.slots[source].cached.len().min(length);
                // What the source is still waiting for is copied when it is there.
                let waiting = self.copies.iter().filter(|c| c.slot == source).map(|c| c.from).min().unwrap_or(ready).min(ready);
                self.engine.copy(Copy { source, slot: oldest, from: 0, to: waiting })?;
                if length > waiting {
                    self.copies.push(Copy { source, slot: oldest, from: waiting, to: length });
                }
                (oldest, length)
            }
            None => (oldest, 0),
        };
        let place = &mut self.slots[slot];
        place.cached.clear();
        place.cached.extend_from_slice(&tokens[..length]);
        place.pending = tokens[length..].to_vec();
        Ok(Some(slot))
    }

    /// One decoding step for all active slots: what was submitted is prefilled, every other slot gets its next token.
    /// Gives the responses that are finished.
    pub fn advance(&mut self) -> Result<Vec<(SlotId, Response)>, ModelError> {
        if self.active() == 0 {
            return Ok(Vec::new());
        }
        self.refresh()?;
        let mut finished = Vec::new();
        for (i, slot) in self.slots.iter().enumerate() {
            if let Some(response) = slot.running.as_ref().and_then(Running::settled) {
                finished.push((i, response));
            }
        }
        // In order of submission: a slot's prefix may come from one submitted before it.
        let mut order: Vec<usize> = (0..self.slots.len()).filter(|i| !self.slots[*i].pending.is_empty()).collect();
        order.sort_by_key(|i| self.slots[*i].since);
        let copies = std::mem::take(&mut self.copies);
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let (mut count, mut tokens) = (0, 0);
            while count < rest.len() && (count == 0 || tokens + self.slots[rest[count]].pending.len() <= PASS_TOKENS) {
                tokens += self.slots[rest[count]].pending.len();
                count += 1;
            }
            let (now, later) = rest.split_at(count);
            rest = later;
            let feeds: Vec<Feed> =
                now.iter().map(|i| Feed { slot: *i, from: self.slots[*i].cached.len(), tokens: &self.slots[*i].pending }).collect();
            let copies: Vec<Copy> = copies.iter().filter(|c| now.contains(&c.slot)).copied().collect();
            let wanted: Vec<Wanted> = now.iter().map(|i| self.slots[*i].running.as_ref().and_then(Running::wanted)).collect();
            let logits = self.engine.logits(&self.weights, &feeds, &copies, &wanted)?;
            self.decide(now, logits, &mut finished)?;
        }
        finished.sort_by_key(|(slot, _)| *slot);
        for (slot, _) in &finished {
            self.slots[*slot].running = None;
        }
        self.slots.iter_mut().filter(|slot| slot.leaving).for_each(Slot::end);
        Ok(finished.into_iter().map(|(slot, response)| (SlotId(slot), response)).collect())
    }

    /// Picks the next token of each slot, given the logits of those it may be.
    fn decide(&mut self, slots: &[usize], logits: Vec<Vec<f32>>, finished: &mut Vec<(usize, Response)>) -> Result<(), ModelError> {
        let mut p = Vec::new();
        for (i, mut z) in slots.iter().zip(logits) {
            let slot = &mut self.slots[*i];
            let fed = std::mem::take(&mut slot.pending);
            slot.cached.extend(fed);
            let Some(running) = &mut slot.running else { continue };
            let temperature = match &running.goal {
                Goal::Sample { sampling, .. } => sampling.temperature,
                Goal::Choose { temperature, .. } => *temperature,
            };
            p.resize(z.len(), 0.0);
            let unscaled = slot.watch.as_ref().map(|_| z.clone());
            let by = if temperature == 0.0 { 1.0 } else { (1.0 / temperature) as f32 };
            scale(&mut z, by);
            let summary = softmax(&z, &mut p);
            if !(summary.log.is_finite() && z.iter().fold(true, |all, z| all & z.is_finite())) {
                return Err(ModelError::Probabilities { slot: SlotId(*i), token: running.response.tokens.len() });
            }
            let (at, token) = running.pick(&p);
            if let (Some(watch), Some(unscaled)) = (&mut slot.watch, unscaled) {
                watch.see(&unscaled, at, &mut p);
            }
            running.response.logp.push(z[at] - summary.top - summary.log);
            running.response.entropy.push(summary.entropy);
            slot.pending.push(token);
            let before = running.response.tokens.len();
            if let Some(response) = running.take(at, token, self.capacity, self.until.as_ref())? {
                slot.pending.clear();
                finished.push((*i, response));
            } else {
                slot.pending.extend_from_slice(&running.response.tokens[before + 1..]);
            }
        }
        Ok(())
    }

    /// Answers all requests, however many; the responses are in their order.
    pub fn run(&mut self, requests: impl IntoIterator<Item = Request>) -> Result<Vec<Response>, ModelError> {
        let mut waiting = requests.into_iter().enumerate();
        let mut places = vec![None; self.slots.len()];
        let mut responses: Vec<Option<Response>> = Vec::new();
        loop {
            while self.free() > 0 {
                let Some((index, request)) = waiting.next() else { break };
                let SlotId(slot) = self.submit(request)?;
                places[slot] = Some(index);
                responses.push(None);
            }
            if self.active() == 0 {
                return Ok(responses.into_iter().flatten().collect());
            }
            for (SlotId(slot), response) in self.advance()? {
                if let Some(index) = places[slot].take() {
                    responses[index] = Some(response);
                }
            }
        }
    }
}

impl Slot {
    /// Lets go of the request; what was computed for it stays.
    fn end(&mut self) {
        (self.running, self.leaving) = (None, false);
        self.pending.clear();
    }
}

impl Running {
    /// The response, if nothing is left to choose.
    fn settled(&self) -> Option<Response> {
        match &self.goal {
            Goal::Choose { thought: None, tree, node, .. } if tree.tokens(*node).is_empty() => {
                Some(Response { choice: Some(tree.option(*node)), ..self.response.clone() })
            }
            _ => None,
        }
    }

    /// The tokens that may come next, where not all may.
    fn wanted(&self) -> Wanted {
        match &self.goal {
            Goal::Sample { .. } | Goal::Choose { thought: Some(_), .. } => None,
            Goal::Choose { thought: None, tree, node, .. } => Some(tree.tokens(*node).clone()),
        }
    }

    /// Index within the distribution, and the token.
    fn pick(&mut self, p: &[f32]) -> (usize, u32) {
        match &self.goal {
            Goal::Sample { sampling, .. } => {
                let at = sampling.pick(p, &mut self.rng);
                (at, at as u32)
            }
            Goal::Choose { thought, tree, node, temperature } => {
                let at = Sampling { temperature: *temperature, ..Sampling::default() }.pick(p, &mut self.rng);
                (at, if thought.is_some() { at as u32 } else { tree.tokens(*node)[at] })
            }
        }
    }

    /// Adds the picked token and those it forces; gives the response if that ends it.
    fn take(&mut self, at: usize, token: u32, capacity: usize, until: Option<&Until>) -> Result<Option<Response>, ModelError> {
        let position = self.prompt + self.response.tokens.len() - 1;
        let allowed = self.wanted();
        self.response.targets.push(Target { position, token, allowed });
        self.response.tokens.push(token);
        match &mut self.goal {
            Goal::Sample { max_tokens, stop, .. } => {
                let tokens = &self.response.tokens;
                let ended = stop.contains(&token) || until.map_or(Ok(false), |until| until.reached(tokens))?;
                if !ended && tokens.len() < *max_tokens && position + 1 < capacity {
                    return Ok(None);
                }
                self.response.finish = if ended { Finish::Stop } else { Finish::Length };
                Ok(Some(self.response.clone()))
            }
            Goal::Choose { thought: going @ Some(_), tree, node, .. } => {
                let Some(thought) = going else { return Ok(None) };
                thought.left -= 1;
                if token != thought.until {
                    if token != thought.end && thought.left > 0 {
                        return Ok(None);
                    }
                    self.response.tokens.push(thought.until);
                }
                *going = None;
                *node = tree.follow(0, &mut self.response.tokens);
                Ok(self.settled())
            }
            Goal::Choose { thought: None, tree, node, .. } => {
                *node = tree.follow(tree.child(*node, at), &mut self.response.tokens);
                Ok(self.settled())
            }
        }
    }
}

fn check_temperature(temperature: f64) -> Result<(), ModelError> {
    if temperature.is_finite() && temperature >= 0.0 {
        return Ok(());
    }
    Err(ModelError::input(format!("`temperature` is {temperature}, it has to be 0 or more")))
}
