//! A house as the problem of its domain, in PDDL.

use super::layout::Layout;
use super::words::{Family, Receptacle};
use std::fmt::{self, Write};

impl Layout {
    /// The text of the problem: the objects `mug_1`, `shelf_2`, `kitchen`, what holds at the beginning, and the goal.
    pub(super) fn problem(&self) -> String {
        let mut text = String::with_capacity(8192);
        // Writing to a string does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        out.push_str("(define (problem house)\n(:domain household)\n(:objects");
        self.rooms.iter().try_for_each(|room| write!(out, " {room} - room"))?;
        self.spots.iter().try_for_each(|spot| write!(out, " {} - receptacle", spot.id()))?;
        self.things.iter().try_for_each(|thing| write!(out, " {} - item", thing.id()))?;
        out.push_str(")\n(:init (free)");
        write!(out, " (at {0}) (here {0})", self.start)?;
        for (from, to) in self.rooms.iter().flat_map(|from| self.rooms.iter().map(move |to| (from, to))).filter(|(from, to)| from != to) {
            write!(out, " (door {from} {to})")?;
        }
        for spot in &self.spots {
            let id = spot.id();
            write!(out, "\n(stands {id} {})", spot.room)?;
            match spot.class {
                class if class.lamp() => write!(out, " (lamp {id})")?,
                class if class.openable() => write!(out, " (openable {id})")?,
                _ => write!(out, " (open {id})")?,
            }
            match spot.class {
                Receptacle::Sink => write!(out, " (washes {id})")?,
                Receptacle::Microwave => write!(out, " (heats {id})")?,
                Receptacle::Fridge => write!(out, " (cools {id})")?,
                _ => {}
            }
        }
        for thing in &self.things {
            let id = thing.id();
            out.push('\n');
            if let Some(spot) = self.spots.get(thing.spot) {
                write!(out, "(in {id} {})", spot.id())?;
            }
            let abilities =
                [(thing.class.cleanable(), "cleanable"), (thing.class.heatable(), "heatable"), (thing.class.coolable(), "coolable")];
            for (_, word) in abilities.iter().filter(|(able, _)| *able) {
                write!(out, " ({word} {id})")?;
            }
            for spot in self.spots.iter().filter(|spot| thing.class.fits(spot.class)) {
                write!(out, " (fits {id} {})", spot.id())?;
            }
        }
        out.push_str(")\n(:goal ");
        self.write_goal(out)?;
        out.push_str("))\n");
        Ok(())
    }

    /// Spelt out for the objects and receptacles that the goal can mean.
    fn write_goal(&self, out: &mut String) -> fmt::Result {
        let things: Vec<String> = self.things.iter().filter(|thing| thing.class == self.goal.object).map(|thing| thing.id()).collect();
        out.push_str("(or");
        for spot in self.spots.iter().filter(|spot| spot.class == self.goal.receptacle && spot.room == self.goal.room) {
            let to = spot.id();
            if self.family == Family::Two {
                let pairs = things.iter().enumerate().flat_map(|(i, one)| things.iter().skip(i + 1).map(move |two| (one, two)));
                pairs.clone().try_for_each(|(one, two)| write!(out, " (and (in {one} {to}) (in {two} {to}))"))?;
                continue;
            }
            for thing in &things {
                match self.family {
                    Family::Clean => write!(out, " (and (in {thing} {to}) (clean {thing}))")?,
                    Family::Cool => write!(out, " (and (in {thing} {to}) (cold {thing}))")?,
                    Family::Heat => write!(out, " (and (in {thing} {to}) (hot {thing}))")?,
                    Family::Look => write!(out, " (and (holds {thing}) (at {to}) (lit {to}))")?,
                    Family::Put | Family::Two => write!(out, " (in {thing} {to})")?,
                }
            }
        }
        out.push(')');
        Ok(())
    }
}
