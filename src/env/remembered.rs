//! An episode that outlives what it is played in, a process or a session: it is remembered as it is played, and where that breaks down, played again to where
//! it was.

use super::EnvError;
use super::recovery::{GivenUp, Try, recover};
use serde::Serialize;

/// What was played, to be played again.
#[derive(Debug)]
pub(super) struct Played {
    pub split: String,
    /// Of the split.
    pub task: usize,
    pub seed: u64,
    actions: Vec<String>,
    /// Of the scene after the reset and after each action.
    digests: Vec<[u8; 32]>,
}

/// What is asked next.
#[derive(Clone, Copy)]
pub(super) enum Question<'a> {
    /// To begin the play.
    Begin,
    Act(&'a str),
    Expert,
}

/// Why it is not answered.
pub(super) enum Trouble {
    Breakdown {
        cause: String,
        hung: bool,
    },
    /// Asking elsewhere would do no better; in words.
    Hopeless(String),
}

/// What plays episodes: a program, or a server.
pub(super) trait Host {
    /// Where an episode is played; as long as it lasts.
    type Seat;
    /// The turn to play alone.
    type Turn<'a>
    where
        Self: 'a;
    /// What is seen after the reset and after each action.
    type Scene: Serialize;

    /// Of what a seat is part: `process`.
    const SEAT: &'static str;
    /// Who says whether it is deterministic: `the program`.
    const SAYS: &'static str;
    /// Whether one who asks for a seat has waited already when there is none, so that asking again is of no use.
    const WAITS: bool;

    /// # Errors
    /// In words.
    fn seat(&self) -> Result<Self::Seat, String>;

    /// A seat whose breakdown is no other episode's doing.
    ///
    /// # Errors
    /// In words.
    fn alone(&self) -> Result<(Self::Seat, Self::Turn<'_>), String>;

    /// An answer as it came.
    fn ask(&self, seat: &mut Self::Seat, played: &Played, question: Question<'_>) -> Result<Vec<u8>, Trouble>;

    /// The scene in an answer.
    ///
    /// # Errors
    /// In words.
    fn scene(&self, answer: &[u8]) -> Result<Self::Scene, String>;

    /// Whether the same actions are the same episode.
    fn repeats(&self) -> bool;
}

impl Played {
    pub(super) fn new(split: &str, task: usize, seed: u64) -> Self {
        Self { split: split.into(), task, seed, actions: Vec::new(), digests: Vec::new() }
    }

    /// Remembers what the reset has led to.
    pub(super) fn begun(&mut self, scene: &impl Serialize) {
        self.digests = vec![digest(scene)];
    }

    /// Remembers an action and what it has led to.
    pub(super) fn acted(&mut self, action: &str, scene: &impl Serialize) {
        self.actions.push(action.into());
        self.digests.push(digest(scene));
    }
}

fn digest(scene: &impl Serialize) -> [u8; 32] {
    *blake3::hash(&serde_json::to_vec(scene).unwrap_or_default()).as_bytes()
}

/// The answer to a question that is asked in `seat`; where that breaks down, in another one, in which what was played is played again first.
///
/// # Errors
/// [`EnvError::Broken`] with the reason.
pub(super) fn answer<H: Host, T>(
    host: &H,
    seat: &mut Option<H::Seat>,
    played: &Played,
    question: Question<'_>,
    read: impl Fn(&[u8]) -> Result<T, String>,
) -> Result<T, EnvError> {
    let ask = |seat: &mut H::Seat| host.ask(seat, played, question).and_then(|answer| read(&answer).map_err(Trouble::Hopeless));
    let first = match seat {
        Some(seat) => ask(seat),
        None => match host.seat() {
            Ok(new) => ask(seat.insert(new)),
            Err(cause) if H::WAITS => Err(Trouble::Hopeless(cause)),
            Err(cause) => Err(Trouble::Breakdown { cause, hung: false }),
        },
    };
    let (cause, hung) = match first {
        Ok(answer) => return Ok(answer),
        Err(Trouble::Hopeless(why)) => return Err(EnvError::Broken(why)),
        Err(Trouble::Breakdown { cause, hung }) => (cause, hung),
    };
    *seat = None;
    if !(host.repeats() || matches!(question, Question::Begin)) {
        let says = H::SAYS;
        return Err(EnvError::Broken(format!("{cause}; what was played cannot be played again: {says} says that it is not deterministic")));
    }
    let again = |seat: &mut H::Seat| match played_again(host, seat, played, question).and_then(|()| ask(seat)) {
        Ok(answer) => Try::Back(answer),
        Err(Trouble::Breakdown { cause, .. }) => Try::Breakdown(cause),
        Err(Trouble::Hopeless(why)) => Try::Hopeless(why),
    };
    let none = |cause: String| if H::WAITS { Try::Hopeless(cause) } else { Try::NoProcess(cause) };
    let among_others = || match host.seat() {
        Ok(new) => again(seat.insert(new)),
        Err(cause) => none(cause),
    };
    let alone = || match host.alone() {
        Ok((mut new, _turn)) => again(&mut new),
        Err(cause) => none(cause),
    };
    recover(H::SEAT, cause, hung, among_others, alone).map_err(|given_up| match given_up {
        GivenUp::Breakdowns(reason) | GivenUp::Hopeless(reason) => EnvError::Broken(reason),
    })
}

/// Plays from the beginning to where the question is asked; every scene has to be what it was.
fn played_again<H: Host>(host: &H, seat: &mut H::Seat, played: &Played, question: Question<'_>) -> Result<(), Trouble> {
    if matches!(question, Question::Begin) {
        return Ok(());
    }
    let questions = std::iter::once(Question::Begin).chain(played.actions.iter().map(|action| Question::Act(action)));
    for (turn, (question, known)) in questions.zip(&played.digests).enumerate() {
        let scene = host.scene(&host.ask(seat, played, question)?).map_err(Trouble::Hopeless)?;
        if digest(&scene) != *known {
            let says = H::SAYS;
            return Err(Trouble::Hopeless(format!(
                "played again, turn {turn} came out otherwise, though {says} says that it is deterministic"
            )));
        }
    }
    Ok(())
}

/// What is said where there is nothing to go on with.
pub(super) fn not_playing() -> EnvError {
    EnvError::Broken("no episode is being played".into())
}

/// The split and the number in an id.
///
/// # Errors
/// If it is none.
pub(super) fn split_and_number(id: &str) -> Result<(&str, usize), EnvError> {
    let wrong = || EnvError::Task(format!("there is no task `{id}`; ids are like `train/17`"));
    let (split, number) = id.rsplit_once('/').ok_or_else(wrong)?;
    Ok((split, number.parse().map_err(|_| wrong())?))
}
