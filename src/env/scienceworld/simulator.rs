//! One simulator, alone in its class loader: its random generator, object numbers and simplifications are static.

use super::client::{Client, Target};
use super::error::Failure;
use super::jvm::{Jvm, Limits, Seat};
use super::wire::{Arg, Handle};
use std::time::Duration;

const INTERFACE: &str = "scienceworld.runtime.pythonapi.PythonInterface";

/// The calls, one to one, and nothing kept here: what they return depends on all calls since [`Simulator::load`].
#[derive(Debug)]
pub(super) struct Simulator {
    client: Client,
    instance: Option<Handle>,
    seat: Seat,
    time_out: Duration,
    expert_time_out: Duration,
}

impl Simulator {
    /// 1 to 2 s, nearly all of it work: Java loads and interprets every class anew. A first game is part of it, so that the games played
    /// here answer in milliseconds from the beginning.
    pub(super) fn new(seat: Seat, limits: &Limits) -> Result<Self, Failure> {
        let mut client = seat.jvm().connect()?;
        let url = client.construct("java.net.URL", &[Arg::Text(&format!("file:{}", in_url(&seat.jvm().jar().to_string_lossy())))])?;
        let urls = client.new_array("java.net.URL", &[&url])?;
        let system = client.object(Target::Class("java.lang.ClassLoader"), "getSystemClassLoader", &[])?;
        let parent = client.object(Target::Object(&system), "getParent", &[])?;
        let loader = client.construct("java.net.URLClassLoader", &[Arg::Object(&urls), Arg::Object(&parent)])?;
        let class = client.object(Target::Object(&loader), "loadClass", &[Arg::Text(INTERFACE)])?;
        let instance = client.object(Target::Object(&class), "newInstance", &[])?;
        drop((url, urls, system, parent, loader, class));
        client.release()?;
        let mut simulator =
            Self { client, instance: Some(instance), seat, time_out: limits.time_out, expert_time_out: limits.expert_time_out };
        simulator.load("boil", 0, "easy")?;
        simulator.step("look around")?;
        simulator.objects()?;
        Ok(simulator)
    }

    pub(super) fn jvm(&self) -> &Jvm {
        self.seat.jvm()
    }

    /// Whether its connection is in order and its process runs.
    pub(super) fn is_usable(&self) -> bool {
        !self.client.is_lost() && self.instance.is_some() && self.jvm().is_alive()
    }

    /// Sets up a game; what the simulator says where it refuses (an unknown task, a variation out of range).
    pub(super) fn load(&mut self, task: &str, variation: u32, simplification: &str) -> Result<Option<String>, Failure> {
        self.load_with(task, variation, simplification, false, self.time_out)
    }

    /// The expert's way through a game, and the end of the one that was going on.
    pub(super) fn gold_path(&mut self, task: &str, variation: u32, simplification: &str) -> Result<Vec<String>, Failure> {
        self.forget_tours()?;
        if self.load_with(task, variation, simplification, true, self.expert_time_out)?.is_some() {
            return Ok(Vec::new());
        }
        self.strings("getGoldActionSequence")
    }

    /// The path finder keeps the tours of all rooms that it has found, and there are several as good: without this, a way would depend on the games
    /// whose ways were asked for before.
    fn forget_tours(&mut self) -> Result<(), Failure> {
        let (client, instance) = self.parts()?;
        let class = client.object(instance, "getClass", &[])?;
        let loader = client.object(Target::Object(&class), "getClassLoader", &[])?;
        let finder = client.object(Target::Object(&loader), "loadClass", &[Arg::Text("scienceworld.goldagent.PathFinder$")])?;
        let field = client.object(Target::Object(&finder), "getField", &[Arg::Text("MODULE$")])?;
        // Of a static field, whose it is does not matter.
        let finder = client.object(Target::Object(&field), "get", &[Arg::Object(&finder)])?;
        let tours = client.object(Target::Object(&finder), "precomputedExhaustivePaths", &[])?;
        client.call(Target::Object(&tours), "clear", &[]).map(drop)
    }

    fn load_with(
        &mut self,
        task: &str,
        variation: u32,
        simplification: &str,
        gold: bool,
        time_out: Duration,
    ) -> Result<Option<String>, Failure> {
        let variation = Arg::Int(i32::try_from(variation).unwrap_or(i32::MAX));
        self.client.set_time_out(time_out);
        let said = self.text("load", &[Arg::Text(task), variation, Arg::Text(simplification), Arg::Bool(gold)]);
        self.client.set_time_out(self.time_out);
        Ok(Some(said?).filter(|said| !said.is_empty()))
    }

    pub(super) fn step(&mut self, action: &str) -> Result<String, Failure> {
        self.text("step", &[Arg::Text(action)])
    }

    /// -1 to 1. Before the first step of a game, still that of the game before.
    pub(super) fn score(&mut self) -> Result<f64, Failure> {
        let (client, instance) = self.parts()?;
        client.number(instance, "getScore")
    }

    pub(super) fn completed(&mut self) -> Result<bool, Failure> {
        let (client, instance) = self.parts()?;
        client.flag(instance, "getCompleted")
    }

    pub(super) fn moves(&mut self) -> Result<u32, Failure> {
        let (client, instance) = self.parts()?;
        Ok(client.number(instance, "getNumMoves")? as u32)
    }

    /// Without the heading that the free action puts before it.
    pub(super) fn goal(&mut self) -> Result<String, Failure> {
        self.text("getTaskDescription", &[])
    }

    /// The words of the action `task`; changes nothing.
    pub(super) fn goal_with_heading(&mut self) -> Result<String, Failure> {
        self.text("freeActionTaskDesc", &[])
    }

    /// Changes nothing.
    pub(super) fn look(&mut self) -> Result<String, Failure> {
        self.text("freeActionLook", &[])
    }

    /// Changes nothing.
    pub(super) fn inventory(&mut self) -> Result<String, Failure> {
        self.text("freeActionInventory", &[])
    }

    /// Kinds of action, with `OBJ` where an object belongs; the same throughout a game.
    pub(super) fn templates(&mut self) -> Result<Vec<String>, Failure> {
        self.strings("getPossibleActions")
    }

    /// Draws random numbers to name what would be named alike.
    pub(super) fn objects(&mut self) -> Result<Vec<String>, Failure> {
        self.strings("getPossibleObjects")
    }

    /// Draws random numbers, and costs twice as much as a step.
    pub(super) fn valid_actions(&mut self) -> Result<Vec<String>, Failure> {
        self.strings("getValidActionObjectCombinations")
    }

    fn text(&mut self, method: &str, args: &[Arg]) -> Result<String, Failure> {
        let (client, instance) = self.parts()?;
        client.text(instance, method, args)
    }

    fn strings(&mut self, method: &str) -> Result<Vec<String>, Failure> {
        let (client, instance) = self.parts()?;
        client.strings(instance, method)
    }

    fn parts(&mut self) -> Result<(&mut Client, Target<'_>), Failure> {
        match &self.instance {
            Some(instance) => Ok((&mut self.client, Target::Object(instance))),
            None => Err(Failure::Closed { call: "simulator".into(), reason: "it has been released".into() }),
        }
    }
}

impl Drop for Simulator {
    /// The process may live on with other simulators: let it forget this one with its classes.
    fn drop(&mut self) {
        self.instance = None;
        self.client.set_time_out(Duration::from_secs(1));
        let _ = self.client.release();
    }
}

/// Java takes the text after `file:` apart as an address.
fn in_url(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => out.push(byte as char),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_path_with_spaces_in_an_address() {
        assert_eq!(super::in_url("/data/my games/ä#1%.jar"), "/data/my%20games/%C3%A4%231%25.jar");
    }
}
