//! What a stage reads that lies outside of the store: models, games, files, programs, servers. It is looked at before the first stage runs.

use super::data::{Pin, Source};
use super::seat::server;
use crate::env::Machine;
use crate::kind::{Identity, Part};
use crate::play::{Form, SplitField};
use crate::policy::{ActorInput, Endpoint, PolicyInput, PolicyKind, Talk};
use crate::remote;
use crate::rollout::talk;
use serde_json::{Value, json};
use std::path::Path;

/// One thing outside of the store.
#[derive(Clone, Debug)]
pub struct Outside<'a>(What<'a>);

#[derive(Clone, Debug)]
enum What<'a> {
    /// A policy that is made of files, and what a conversation will ask of it.
    Policy(&'a Part<dyn PolicyKind>, Option<Talk>),
    /// A server that has to know a model.
    Endpoint(&'a Endpoint),
    /// Games of an environment that needs data or programs, and whether its expert will be asked.
    Games(&'a SplitField, bool),
    /// Files of episodes, and their hash.
    Data(&'a Source, &'a Pin),
}

/// Where to look, and whether to get what can be got.
pub struct Place<'a> {
    /// What settings say of it.
    pub machine: &'a Machine,
    /// Whether what is not there is fetched.
    pub fetch: bool,
    /// Hears what is being done.
    pub say: &'a mut dyn FnMut(&str),
}

impl<'a> Outside<'a> {
    pub(crate) fn policy(given: &'a PolicyInput) -> Option<Self> {
        match given {
            PolicyInput::New(part) => part.outside().is_some().then_some(Self(What::Policy(part, None))),
            PolicyInput::Stage(_) => None,
        }
    }

    pub(crate) fn actor(given: &'a ActorInput) -> Option<Self> {
        match given {
            ActorInput::Policy(policy) => Self::policy(policy),
            ActorInput::Plain(_) => given.endpoint().map(|endpoint| Self(What::Endpoint(endpoint))),
        }
    }

    /// A policy that plays on a split.
    pub(crate) fn on(mut self, split: &SplitField) -> Self {
        if let (What::Policy(_, asked), Form::Conversation(limits)) = (&mut self.0, split.environment.play.prompt.form()) {
            *asked = Some(talk(&limits));
        }
        self
    }

    pub(crate) fn games(split: &'a SplitField) -> Option<Self> {
        split.environment.world.is_outside().then_some(Self(What::Games(split, false)))
    }

    /// Games in which the environment's expert will be asked.
    pub(crate) fn asking_the_expert(mut self, asked: bool) -> Self {
        if let What::Games(_, expert) = &mut self.0 {
            *expert = asked;
        }
        self
    }

    pub(crate) fn data(source: &'a Source, pin: &'a Pin) -> Self {
        Self(What::Data(source, pin))
    }

    /// Equal for what need be looked at once.
    pub(crate) fn key(&self) -> String {
        match &self.0 {
            What::Policy(part, talk) => json!({ "policy": part.identity(), "talk": talk.map(|talk| [talk.system, talk.anew]) }),
            What::Endpoint(endpoint) => json!({ "endpoint": [endpoint.name, endpoint.model] }),
            What::Games(split, expert) => json!({ "games": [split.environment.world.identity(), split.games.identity(), expert] }),
            What::Data(source, pin) => json!({ "data": [source.written(), pin.text()] }),
        }
        .to_string()
    }

    /// What tells it from others, with the hashes that it is pinned by.
    pub(crate) fn identity(&self) -> Value {
        match &self.0 {
            What::Policy(part, _) => part.identity(),
            What::Endpoint(endpoint) => json!({ "endpoint": endpoint.name, "model": endpoint.model }),
            What::Games(split, _) => json!({ "kind": split.environment.world.kind, "environment": split.environment.world.identity() }),
            What::Data(source, pin) => json!({ "data": source.written(), "hash": pin.text() }),
        }
    }

    /// As it is spoken of.
    pub(crate) fn name(&self) -> String {
        match &self.0 {
            What::Policy(part, _) => part.outside().unwrap_or_default(),
            What::Endpoint(endpoint) => format!("the endpoint `{}` with the model `{}`", endpoint.name, endpoint.model),
            What::Games(split, _) => format!("the games of `{}` ({})", split.name, split.environment.world.kind),
            What::Data(source, _) => format!("`{}`", source.written()),
        }
    }

    /// Folders and files whose content is part of the identity.
    pub(crate) fn contents(&self) -> Vec<&'a Path> {
        match &self.0 {
            What::Policy(part, _) => part.value.contents(),
            What::Endpoint(_) | What::Games(..) | What::Data(..) => Vec::new(),
        }
    }

    /// What is there, in words.
    ///
    /// # Errors
    /// What is missing or cannot be used.
    pub(crate) fn look(&self, place: &mut Place<'_>) -> Result<String, String> {
        match &self.0 {
            What::Policy(part, talk) => {
                let models = place.machine.folder("models").map_or_else(crate::model::pretrained::cache_folder, Path::to_path_buf);
                part.look(&models, place.fetch, *talk, place.say).map_err(|error| error.to_string())
            }
            What::Endpoint(endpoint) => remote::look(server(place.machine, endpoint)?, &endpoint.model),
            What::Games(split, expert) => split.look(place.machine, *expert).map_err(|error| error.to_string()),
            What::Data(source, pin) => {
                let Some(files) = source.files(|name| place.machine.data.get(name).cloned(), place.fetch, place.say)? else {
                    return Ok("is fetched first".into());
                };
                pin.refusal(&Pin::of_files(&files)?).map_or(Ok(()), Err)?;
                let bytes: u64 = files.iter().filter_map(|file| file.path.metadata().ok()).map(|data| data.len()).sum();
                Ok(format!("{} of {bytes} bytes", if files.len() == 1 { "a file".to_string() } else { format!("{} files", files.len()) }))
            }
        }
    }
}
