//! Playing episodes: many at once, with results that do not depend on how many threads there are.
//!
//! Episodes are dealt to lanes. A lane is sequential and belongs to one thread at a time; it has slots, each with an
//! environment of its own. A slot whose response is finished steps its environment and asks for the next response while the others go on
//! decoding; a finished episode frees its slot at once for the next. So every generated turn is a turn of some episode.
//! Where a server answers, a lane plays one episode at a time and waits; there are as many lanes as requests may be under way.

mod among;
mod chat;
mod deal;
mod dialogue;
mod episode;
#[cfg(test)]
pub(crate) mod fake;
mod lane;
#[cfg(test)]
mod tests;

pub(crate) use deal::{Assignment, Labels, Player, Rollout, RolloutError, prompt_ids, response_room, slots_at_once};
pub(crate) use dialogue::{Dialogue, talk};
pub(crate) use episode::{Conversation, Ending, Episode, Sample, Turn};
