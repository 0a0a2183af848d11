//! Games written in PDDL (the rules and one situation) with a grammar (the words): read, worked out once, played fast.
//!
//! ```
//! use epo::env::pddl::{Loader, PlainNames};
//!
//! let domain = "(define (domain lamps)
//!     (:types lamp)
//!     (:predicates (lit ?l - lamp))
//!     (:action light :parameters (?l - lamp) :precondition (not (lit ?l)) :effect (lit ?l)))";
//! let grammar = r##"
//!     grammar :: """ { "intro": [ { "rhs": "It is dark." } ] } """;
//!     action light { template :: "light {l}"; feedback :: "{l.definite} {l.name} shines."; }"##;
//! let problem = "(define (problem one) (:domain lamps)
//!     (:objects lamp_1 lamp_2 - lamp) (:init) (:goal (lit lamp_2)))";
//!
//! let game = Loader::new().load(domain, grammar, problem, &PlainNames)?;
//! let mut state = game.initial();
//! assert_eq!(game.opening(&state).unwrap(), "It is dark.");
//! assert_eq!(game.admissible_texts(&state), ["light lamp_1", "light lamp_2"]);
//! assert_eq!(game.act(&mut state, " light lamp_2\n").unwrap().as_deref(), Some("the lamp_2 shines."));
//! assert_eq!(game.act(&mut state, "light lamp_2").unwrap(), None);
//! assert!(game.won(&state));
//! # Ok::<(), epo::env::pddl::PddlError>(())
//! ```
//!
//! # What can be called
//! - [`Loader::load`]`(domain, grammar, problem, naming) -> Result<Game, PddlError>`. One loader for all games of a kind: it
//!   keeps parsed domains and grammars by their text. A [`Game`] is immutable; share it in an `Arc`.
//! - [`Game::initial`], [`Game::opening`], [`Game::admissible`] (numbers of commands, ascending = sorted by text),
//!   [`Game::command`], [`Game::act`] (by text), [`Game::play`] (by number), [`Game::advance`] (no text, for search),
//!   [`Game::won`], [`Game::facts`] and [`Game::holds`] (for experts and tests).
//! - [`State`]: some hundred bytes; `Clone`, `Eq`, `Hash`.
//! - [`Naming`] gives objects their names; [`PlainNames`] writes blanks for underscores. Objects that stand in no fact of the
//!   first state are called by their id (as `lamp_1` above).
//! - [`Game::warnings`]: for authors, what is legal in a domain or a grammar but looks like a slip.
//!
//! # Which PDDL
//! Types, constants, actions with `and or not imply exists forall =` in conditions and `and not forall when` in effects,
//! `increase` (read and forgotten). Case does not count. Not supported, and said so: numbers, time, preferences, derived
//! predicates, `either`, predicates of more than 8 arguments.
//!
//! # Rules that may surprise
//! - An action that can make no difference whatever (its effects are all among its preconditions) is no action, as for the
//!   planner behind the reference. An action that only shows something needs an effect: a fact that nobody looks at will do.
//! - If an action makes a fact both true and false, it is true.
//! - Conditional effects are all asked of the state before the action.
//! - A variable whose type nobody declares fits no object; this is a warning, not an error.
//! - A command that could mean several actions means the first possible one, by order in the domain, then by objects.
//! - The wording of a command may depend on facts, but only on such as never change.

mod cond;
mod domain;
mod effect;
mod error;
mod explore;
mod formula;
mod game;
mod ground;
mod index;
mod load;
mod names;
mod problem;
mod relation;
mod sexpr;
mod state;
mod table;
mod types;
mod view;

pub use error::{Part, PddlError, PlayError};
pub use game::{CommandId, Game};
pub use load::Loader;
pub use names::{Name, Naming, PlainNames};
pub use state::State;
