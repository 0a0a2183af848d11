//! A server from its beginning to its end.

use super::answer::now;
use super::body::Model;
use super::chat::Chat;
use super::find::Found;
use super::http::{App, router};
use super::lane::Lanes;
use super::queue::Queue;
use crate::http::{Stop, listen};
use crate::model::{Generator, ModelError};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// What may be told a server; nothing of it changes an answer.
#[derive(Debug)]
pub(crate) struct Options {
    /// Without it, anybody who reaches the server is answered.
    pub key: Option<String>,
    /// Responses that are made at the same time.
    pub slots: usize,
    /// Responses that may wait.
    pub queue: usize,
    /// The most tokens of a prompt and its response together; by default the model's own, up to [`CONTEXT`].
    pub context: Option<usize>,
    /// Bytes of a body.
    pub max_body: usize,
    /// Of a request, waiting included.
    pub time_limit: Duration,
    pub threads: usize,
}

/// The most that a model's own context is made use of without being asked to: every slot has room for it.
const CONTEXT: usize = 4096;
/// The most threads that lanes are for.
const MOST_LANES: usize = 64;
/// Connections beyond those whose requests have a place: to hear that there is none.
const MORE_CONNECTIONS: usize = 64;
/// Threads that read requests.
const READERS: usize = 2;

/// A server that could begin.
pub(crate) struct Serve {
    app: Arc<App>,
    listener: TcpListener,
    slots: usize,
    lanes: usize,
    threads: usize,
}

impl Serve {
    /// # Errors
    /// If there is no memory for so many responses.
    pub(crate) fn new(found: Found, listener: TcpListener, options: Options) -> Result<Serve, ModelError> {
        let Found { policy, name, decode } = found;
        let own = policy.weights.config().context;
        let context = options.context.unwrap_or(CONTEXT).clamp(2, own.max(2));
        // What a slot answers depends on the others of its lane where there are no kernels, but not on how many lanes there are.
        let most = if policy.weights.device().is_cpu() { options.threads.clamp(1, MOST_LANES) } else { 1 };
        let lanes = options.slots.clamp(1, most);
        let slots = options.slots.div_ceil(lanes).max(1);
        Generator::fits(&policy.weights, lanes * slots, context)?;
        let queue = Arc::new(Queue::new(lanes, slots, options.queue));
        let chat = Chat::of(&policy);
        let model = Model { chat, name, decode, context, places: queue.places(), policy };
        let loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
        let key = options.key.map(|key| blake3::hash(key.as_bytes()));
        let (max_body, time_limit) = (options.max_body, options.time_limit);
        let app = Arc::new(App { model, queue, created: now(), key, loopback, max_body, time_limit });
        let threads = options.threads / lanes;
        Ok(Serve { app, listener, slots, lanes, threads })
    }

    /// Where it can be reached.
    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What those who begin it may want to know.
    pub(crate) fn notes(&self) -> Vec<String> {
        let Model { context, chat, places, .. } = &self.app.model;
        let slots = self.slots * self.lanes;
        let mut notes =
            vec![format!("{slots} responses at a time of up to {context} tokens with their prompts; {} may wait", places - slots)];
        notes.extend(chat.problem().map(|problem| format!("warning: no chat with this model: {problem}")));
        if self.app.key.is_none() && !self.app.loopback {
            notes.push("warning: others can reach this server, and it has no key".into());
        }
        notes
    }

    /// Answers until it is to stop.
    ///
    /// # Errors
    /// If the system gives no thread or no connections, or there can be no generator.
    pub(crate) fn run(self, stop: &Stop) -> Result<(), String> {
        let Serve { app, listener, slots, lanes, threads } = self;
        let (queue, connections) = (app.queue.clone(), app.queue.places() + MORE_CONNECTIONS);
        let shared = Lanes { policy: &app.model.policy, queue: &queue, slots, context: app.model.context, threads };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(READERS).build();
        let runtime = runtime.map_err(|error| format!("cannot listen: {error}"))?;
        // A lane that cannot work ends the server.
        let work = |number: usize| {
            shared.run(number).map_err(|error| {
                stop.request();
                error.to_string()
            })
        };
        let work = &work;
        std::thread::scope(|scope| {
            let started: Result<Vec<_>, _> =
                (0..lanes).map(|number| std::thread::Builder::new().spawn_scoped(scope, move || work(number))).collect();
            let heard = match &started {
                Ok(_) => runtime.block_on(listen(listener, router(app.clone()), connections, stop, &*queue)),
                Err(error) => Err(format!("no thread can be started: {error}")),
            };
            queue.abandon();
            let ended = started.into_iter().flatten().map(|lane| lane.join().unwrap_or_else(|_| Err("a lane broke down".into())));
            ended.collect::<Vec<_>>().into_iter().chain([heard]).collect()
        })
    }
}
