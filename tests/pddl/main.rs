//! Games of our own in PDDL, against the reference interpreter's play of them (textworld 1.7.0 with fast-downward-textworld
//! 20.6.4, recorded once; the folders beside this file), and what the readers say about mistakes.

mod language;
mod messages;
mod recorded;
