//! One lane: slots with environments, played one after the other in a fixed order.

use super::chat::Chat;
use super::deal::{Assignment, Labels, Player, Rollout, RolloutError, Shown, prompt_ids, response_room};
use super::dialogue::Dialogue;
use super::episode::{Conversation, Ending, Episode, Label, Sample, Turn, data};
use crate::env::{EnvError, Environment};
use crate::model::{Finish, Generator, ModelError, Prompt, Request, Response, SlotId};
use crate::play::{EnvironmentSpec, Form, HistoryEntry, Moment};
use crate::policy::{Decode, Listener, Policy};
use crate::remote::Asker;
use rand_chacha::rand_core::RngCore;
use std::collections::BTreeMap;

pub(super) struct Lane<'a> {
    rollout: &'a Rollout<'a>,
    generator: Option<Generator>,
    games: Vec<Box<dyn Environment>>,
    /// The world's own placeholders that the prompt has.
    holes: Vec<&'a str>,
    /// The policy, where prompts are conversations.
    listener: Option<&'a Listener<'a>>,
}

/// An episode that is going on.
struct Going {
    index: usize,
    game: usize,
    episode: Episode,
    history: Vec<HistoryEntry>,
    observation: String,
    assignment: Assignment,
    /// Of the turn being decided.
    admissible: Vec<String>,
    prompt: Prompt,
    shown: Shown,
    /// What the expert would answer, where one is asked.
    label: Option<String>,
    /// Where prompts are conversations that a policy has.
    dialogue: Option<Dialogue>,
    /// Where a server answers.
    chat: Option<Chat>,
}

/// What happens next with an episode.
enum Next {
    /// Its action is known.
    Act(Action),
    /// The generator was asked.
    Wait(SlotId),
    /// It broke down.
    Over(String),
    /// Its conversation is full.
    Full,
}

struct Action {
    response: String,
    /// Where it was chosen: the part of the response that the action is read from, without a thought before it.
    chosen: Option<String>,
    /// Whether it ended for want of room.
    cut: bool,
    sample: Option<Sample>,
    /// Whether a server answered.
    answered: bool,
    logprobs: Option<Vec<f64>>,
}

impl Action {
    /// One that no policy decided.
    fn of(response: String) -> Action {
        Action { response, chosen: None, cut: false, sample: None, answered: false, logprobs: None }
    }
}

impl Labels {
    /// Whether the expert's word is played in this turn.
    fn are_played(self, going: &Going) -> bool {
        let draw = || going.assignment.seed.child("mix", going.episode.turns.len() as u64).rng().next_u64() >> 11;
        self.mix > 0.0 && (draw() as f64) < self.mix * (1_u64 << 53) as f64
    }
}

/// What an expert would do, with what it has in mind, in the form that the environment asks of responses.
fn label(environment: &EnvironmentSpec, response: String) -> Label {
    let action = environment.action(&response);
    Label { response: (action != response).then_some(response), action }
}

/// An action as one who shows how to play says it: with the expert's thought, where there is a place for it.
fn show_how(environment: &EnvironmentSpec, game: &mut Box<dyn Environment>, action: &str) -> Result<String, EnvError> {
    let reading = &environment.play.action;
    let thought = if reading.shows_thoughts() { game.thought()? } else { None };
    Ok(thought.map_or_else(|| reading.respond(action), |thought| reading.respond_aloud(&thought, action)))
}

/// The error with the turn in which it arose.
fn placed(error: ModelError, asked: &BTreeMap<SlotId, Going>) -> RolloutError {
    let going = match &error {
        ModelError::Probabilities { slot, .. } => asked.get(slot),
        _ => None,
    };
    match going {
        Some(Going { episode, .. }) => RolloutError::Unplayable(format!(
            "in turn {} of task `{}`, {error}: the weights are too large or damaged; a lower learning rate or `clip_norm` keeps them small",
            episode.turns.len() + 1,
            episode.task.id
        )),
        None => error.into(),
    }
}

impl<'a> Lane<'a> {
    /// `threads` of its own, for long prompts.
    pub(crate) fn new(
        rollout: &'a Rollout<'a>,
        slots: usize,
        threads: usize,
        listener: Option<&'a Listener<'a>>,
    ) -> Result<Self, RolloutError> {
        let generator = match rollout.player {
            Player::Policy { policy, decode } if slots > 0 => {
                let generator = Generator::new(policy.weights.clone(), slots, policy.weights.config().context)?;
                Some(generator.on(threads).until(decode.until(&policy.tokenizer)))
            }
            _ => None,
        };
        let games = (0..slots).map(|_| rollout.world.instance()).collect::<Result<_, _>>()?;
        let templates = rollout.environment.play.prompt.templates();
        let own = rollout.world.placeholders().into_iter();
        let holes = own.filter(|hole| templates.iter().any(|template| template.uses(hole))).collect();
        Ok(Self { rollout, generator, games, holes, listener })
    }

    pub(crate) fn run(mut self, assignments: &[(usize, &Assignment)]) -> Result<Vec<(usize, Episode)>, RolloutError> {
        let mut waiting = assignments.iter();
        let mut free: Vec<usize> = (0..self.games.len()).rev().collect();
        let mut asked: BTreeMap<SlotId, Going> = BTreeMap::new();
        let mut done = Vec::new();
        loop {
            while let Some(game) = free.pop() {
                let Some((index, assignment)) = waiting.next() else { break };
                match self.begin(*index, assignment, game)? {
                    Ok(going) => self.proceed(going, &mut asked, &mut done, &mut free)?,
                    Err(failed) => {
                        done.push((*index, failed));
                        free.push(game);
                    }
                }
            }
            if asked.is_empty() {
                return Ok(done);
            }
            let Some(generator) = &mut self.generator else { return Ok(done) };
            let responses = generator.advance().map_err(|error| placed(error, &asked))?;
            // all of them before the first new request: it may be given the slot of a response not yet looked at
            let finished: Vec<(Going, Response)> = responses.into_iter().filter_map(|(slot, r)| Some((asked.remove(&slot)?, r))).collect();
            for (mut going, response) in finished {
                let action = self.read(&mut going, response)?;
                if self.act(&mut going, action) {
                    free.push(going.game);
                    done.push((going.index, going.episode));
                } else {
                    self.proceed(going, &mut asked, &mut done, &mut free)?;
                }
            }
        }
    }

    /// Decides turns until the generator must be asked or the episode ends.
    fn proceed(
        &mut self,
        mut going: Going,
        asked: &mut BTreeMap<SlotId, Going>,
        done: &mut Vec<(usize, Episode)>,
        free: &mut Vec<usize>,
    ) -> Result<(), RolloutError> {
        loop {
            match self.decide(&mut going)? {
                Next::Wait(slot) => {
                    asked.insert(slot, going);
                    return Ok(());
                }
                Next::Act(action) => {
                    if !self.act(&mut going, action) {
                        continue;
                    }
                }
                Next::Over(reason) => going.episode.ending = Ending::Failed(reason),
                Next::Full => {
                    going.episode.full = Some(true);
                    self.finish(&mut going);
                }
            }
            free.push(going.game);
            done.push((going.index, going.episode));
            return Ok(());
        }
    }

    fn begin(&mut self, index: usize, assignment: &Assignment, game: usize) -> Result<Result<Going, Episode>, RolloutError> {
        let form = self.rollout.environment.play.prompt.form();
        let (limit, limits) = match form {
            Form::Window(most, cut) => (Some((most, cut)), None),
            Form::Conversation(limits) => (None, Some(limits)),
        };
        let keep = self.rollout.keep_prompts;
        let dialogue = limits.filter(|_| self.listener.is_some()).map(Dialogue::new);
        let chat = match self.rollout.player {
            Player::Endpoint { system, .. } => Some(Chat::new(system, limits)),
            _ => None,
        };
        let mut episode = Episode {
            task: assignment.task.clone(),
            group: assignment.group,
            member: assignment.member,
            goal: String::new(),
            limit: limit.filter(|_| keep),
            conversation: limits.filter(|_| keep).map(|limits| Conversation { limits, system: None, system_data: Vec::new() }),
            labelled: self.rollout.labels.is_some(),
            turns: Vec::new(),
            score: 0.0,
            success: false,
            ending: Ending::Truncated,
            full: (dialogue.is_some() || chat.is_some() && limits.is_some()).then_some(false),
            figures: Vec::new(),
        };
        match self.games[game].reset(&assignment.task, assignment.world_seed.0) {
            Ok(start) => {
                episode.goal = start.task;
                Ok(Ok(Going {
                    index,
                    game,
                    episode,
                    history: Vec::new(),
                    observation: start.text,
                    assignment: assignment.clone(),
                    admissible: Vec::new(),
                    prompt: Prompt::default(),
                    shown: Shown::default(),
                    label: None,
                    dialogue,
                    chat,
                }))
            }
            // a task that cannot be set up is a fault of the data, and of every later run
            Err(EnvError::Task(message)) => Err(EnvError::Task(message).into()),
            Err(EnvError::Broken(message)) => {
                episode.ending = Ending::Failed(message);
                Ok(Err(episode))
            }
        }
    }

    fn decide(&mut self, going: &mut Going) -> Result<Next, RolloutError> {
        let game = &mut self.games[going.game];
        going.admissible = match game.admissible() {
            Ok(list) => list,
            Err(error) => return Ok(Next::Over(error.to_string())),
        };
        let environment = self.rollout.environment;
        let wants_prompt = self.rollout.keep_prompts || self.generator.is_some() || going.chat.is_some();
        if wants_prompt {
            let mut own = Vec::with_capacity(self.holes.len());
            for hole in &self.holes {
                match game.placeholder(hole) {
                    Ok(text) => own.push((*hole, text)),
                    Err(error) => return Ok(Next::Over(error.to_string())),
                }
            }
            let moment = Moment {
                task: &going.episode.goal,
                observation: &going.observation,
                history: &going.history,
                admissible: &going.admissible,
                own: &own,
            };
            going.prompt = environment.play.prompt.render(&moment);
            if going.history.is_empty() {
                let system = environment.play.prompt.system(&moment);
                if let (Some(kept), Some(system)) = (&mut going.episode.conversation, &system) {
                    (kept.system, kept.system_data) = (Some(system.text().to_string()), data(system));
                }
                if let Some(chat) = &mut going.chat {
                    chat.begin(system.as_ref());
                }
                if let Some(dialogue) = &mut going.dialogue {
                    dialogue.begin(system);
                }
            }
        }
        if let Some(labels) = self.rollout.labels {
            going.label = match game.expert() {
                Ok(advice) => match advice.map(|action| show_how(environment, game, &action)).transpose() {
                    Ok(response) => response,
                    Err(error) => return Ok(Next::Over(error.to_string())),
                },
                Err(error) => return Ok(Next::Over(error.to_string())),
            };
            if let Some(response) = going.label.clone().filter(|_| labels.are_played(going)) {
                return self.stand_in(going, response);
            }
        }
        let plain = |response: Result<String, EnvError>| match response {
            Ok(response) => Next::Act(Action::of(response)),
            Err(error) => Next::Over(error.to_string()),
        };
        match self.rollout.player {
            Player::Expert => Ok(match game.expert() {
                Ok(Some(action)) => plain(show_how(environment, game, &action)),
                Ok(None) => Next::Over("the expert does not know what to do".into()),
                Err(error) => Next::Over(error.to_string()),
            }),
            Player::Random => {
                if going.admissible.is_empty() {
                    return Ok(Next::Over("there is no admissible action".into()));
                }
                let draw = going.assignment.seed.child("turn", going.episode.turns.len() as u64).rng().next_u64();
                let action = &going.admissible[(draw % going.admissible.len() as u64) as usize];
                Ok(plain(show_how(environment, game, action)))
            }
            Player::Policy { policy, decode } => self.request(going, policy, decode),
            Player::Endpoint { asker, .. } => Self::ask(going, asker),
        }
    }

    /// Asks a server for the turn's response, and waits for it.
    fn ask(going: &mut Going, asker: &Asker) -> Result<Next, RolloutError> {
        let Some(chat) = &mut going.chat else { return Ok(Next::Over("nobody is there to be asked".into())) };
        let Some(messages) = chat.ask(&going.prompt) else { return Ok(Next::Full) };
        going.shown.cut = chat.forgot;
        let seed = going.assignment.seed.child("turn", going.episode.turns.len() as u64).0;
        Ok(match asker.ask(&messages, seed)? {
            Ok(answer) => {
                chat.answer(&answer.text, answer.usage);
                let response = asker.manner().response(&answer.text).to_owned();
                let logprobs = answer.logprobs.map(|tokens| tokens.into_iter().map(|(_, logprob)| logprob).collect());
                Next::Act(Action { response, chosen: None, cut: answer.cut, sample: None, answered: true, logprobs })
            }
            Err(refused) => Next::Over(refused),
        })
    }

    /// Plays what the expert would do in the player's place: a conversation goes on as if the policy had answered that.
    fn stand_in(&mut self, going: &mut Going, response: String) -> Result<Next, RolloutError> {
        if let Some(chat) = &mut going.chat {
            if chat.ask(&going.prompt).is_none() {
                return Ok(Next::Full);
            }
            chat.answer(&response, None);
        }
        if let (Player::Policy { policy, decode }, Some(_)) = (self.rollout.player, &going.dialogue) {
            let responses = self.responses(going);
            let Some(shown) = self.show(going, policy, response_room(policy, decode, &responses)?)? else { return Ok(Next::Full) };
            let prompt = shown.ids.len();
            let row = policy.demonstration(shown.ids, &response, &responses)?;
            if let Some(dialogue) = &mut going.dialogue {
                dialogue.answer(&row.ids[prompt..]);
            }
        }
        Ok(Next::Act(Action::of(response)))
    }

    /// The possible actions as responses.
    fn responses(&self, going: &Going) -> Vec<String> {
        going.admissible.iter().map(|action| self.rollout.environment.play.action.respond(action)).collect()
    }

    /// The tokens of the turn's prompt, with room for a response; `None` where the conversation is full.
    fn show(&self, going: &mut Going, policy: &Policy, room: usize) -> Result<Option<Shown>, RolloutError> {
        match (self.rollout.environment.play.prompt.form(), &mut going.dialogue, self.listener) {
            (Form::Window(most, cut), ..) => Ok(Some(prompt_ids(policy, (most, cut), &going.prompt, room)?)),
            (Form::Conversation(_), Some(dialogue), Some(listener)) => dialogue.ask(listener, &going.prompt, room),
            (Form::Conversation(_), ..) => Err(RolloutError::Unplayable("nobody is there for a conversation".into())),
        }
    }

    /// Asks the generator for the turn's response.
    fn request(&mut self, going: &mut Going, policy: &Policy, decode: &Decode) -> Result<Next, RolloutError> {
        let responses = self.responses(going);
        if responses.is_empty() && matches!(decode, Decode::Choose { .. }) {
            return Ok(Next::Over("there is no admissible action".into()));
        }
        let Some(shown) = self.show(going, policy, response_room(policy, decode, &responses)?)? else { return Ok(Next::Full) };
        going.shown = shown;
        let Some(generator) = &mut self.generator else { return Ok(Next::Over("no generator".into())) };
        let seed = going.assignment.seed.child("turn", going.episode.turns.len() as u64).0;
        let mode = policy.mode(decode, &responses)?;
        Ok(Next::Wait(generator.submit(Request { prompt: going.shown.ids.clone(), mode, seed })?))
    }

    /// A finished response as an action.
    fn read(&self, going: &mut Going, response: Response) -> Result<Action, RolloutError> {
        let Player::Policy { policy, decode } = self.rollout.player else {
            return Err(RolloutError::Unplayable("a response without a policy".into()));
        };
        let chosen = response.choice.and_then(|choice| going.admissible.get(choice));
        let chosen = chosen.map(|action| self.rollout.environment.play.action.respond(action));
        let text = match (&chosen, decode) {
            (Some(chosen), Decode::Choose { thought: Some(_), .. }) => format!("{}\n{chosen}", policy.thought(&response.tokens)?),
            (Some(chosen), _) => chosen.clone(),
            (None, _) => match decode.until(&policy.tokenizer) {
                Some(until) => until.text(&response.tokens)?,
                None => policy.tokenizer.decode(&response.tokens)?,
            },
        };
        if let Some(dialogue) = &mut going.dialogue {
            dialogue.answer(&response.tokens);
        }
        let row = response.row(&going.shown.ids);
        let cut = response.finish == Finish::Length;
        let sample = Some(Sample { row, logp: response.logp, entropy: response.entropy });
        Ok(Action { response: text, chosen, cut, sample, answered: false, logprobs: None })
    }

    /// Tells the environment; true when the episode is over.
    fn act(&mut self, going: &mut Going, action: Action) -> bool {
        let environment = self.rollout.environment;
        let told = environment.action(action.chosen.as_ref().unwrap_or(&action.response));
        let step = match self.games[going.game].step(&told) {
            Ok(step) => step,
            Err(error) => {
                going.episode.ending = Ending::Failed(error.to_string());
                return true;
            }
        };
        let formed = environment.play.valid.as_ref().is_none_or(|v| v.holds(&action.response));
        let entropy = action.sample.as_ref().filter(|s| !s.entropy.is_empty());
        let entropy = entropy.map(|s| s.entropy.iter().map(|&e| f64::from(e)).sum::<f64>() / s.entropy.len() as f64);
        let reward = step.reward * environment.play.success_reward;
        let keep = self.rollout.keep_prompts;
        going.episode.turns.push(Turn {
            observation: going.observation.clone(),
            response: (told != action.response).then(|| action.response.clone()),
            action: told.clone(),
            prompt_data: if keep { data(&going.prompt) } else { Vec::new() },
            prompt: keep.then(|| going.prompt.text().to_string()),
            admissible: keep.then(|| std::mem::take(&mut going.admissible)),
            label: going.label.take().map(|response| label(environment, response)),
            reward,
            valid: formed && step.valid,
            prompt_cut: (action.sample.is_some() || action.answered) && going.shown.cut,
            response_cut: action.cut,
            entropy,
            logprobs: action.logprobs,
            answered: action.answered,
            sample: action.sample,
        });
        let observation = std::mem::take(&mut going.observation);
        going.history.push(HistoryEntry { observation, response: action.response, action: told });
        going.observation = step.observation;
        going.episode.score += reward;
        going.episode.success = step.success;
        if step.terminated {
            going.episode.ending = Ending::Terminated;
        }
        let over = step.terminated || step.truncated || going.episode.turns.len() >= environment.play.max_turns.0;
        if over {
            self.finish(going);
        }
        over
    }

    /// Hears what the environment has to say at the end.
    fn finish(&mut self, going: &mut Going) {
        let figures = self.games[going.game].figures();
        going.episode.figures = figures.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    }
}
