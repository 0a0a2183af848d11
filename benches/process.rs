//! What it costs that an environment is played in another program: `cargo bench --bench process` (`PYTHON` names the interpreter).
//!
//! A game in Python that does nothing is stepped through the pipe, by one thread and by 16 and 64 at once, and in Python itself; the difference is the pipe's.

use epo::env::process::Process;
use epo::env::{Program, World};
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const STEPS: usize = 20_000;

/// What the pipe may cost, in seconds a step.
const AIM: f64 = 50e-6;

fn main() -> Result<(), Box<dyn Error>> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let here = |path: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string();
    let command = vec![python, here("benches/process.py"), here("python")];
    let said = Command::new(&command[0]).args(&command[1..]).arg("here").output()?;
    let own: f64 = String::from_utf8(said.stdout)?.trim().parse()?;
    println!("in Python itself: {:.1} µs a step", 1e6 * own);

    let process = Process::start("nothing", "1", &[], Program::new(command))?;
    for threads in [1, 16, 64] {
        let games = (0..threads).map(|_| process.instance()).collect::<Result<Vec<_>, _>>()?;
        let each = STEPS / threads;
        let mut times: Vec<f64> = Vec::new();
        let begin = Instant::now();
        std::thread::scope(|scope| {
            let players: Vec<_> = games.into_iter().map(|mut game| scope.spawn(move || played(&mut *game, each))).collect();
            for player in players {
                times.extend(player.join().map_err(|_| "a thread stopped")??);
            }
            Ok::<_, Box<dyn Error>>(())
        })?;
        let wall = begin.elapsed().as_secs_f64() / times.len() as f64;
        times.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| 1e6 * times[(share * (times.len() - 1) as f64) as usize];
        println!(
            "{threads:2} episodes at once: {:.1} µs a step, of which {:.1} µs are the pipe's ({} {:.0}); each waits {:.1} µs in the median, {:.1} µs in 99 of 100",
            1e6 * wall,
            1e6 * (wall - own),
            if wall - own < AIM { "below" } else { "NOT BELOW" },
            1e6 * AIM,
            at(0.5),
            at(0.99)
        );
    }
    Ok(())
}

fn played(game: &mut dyn epo::env::Environment, steps: usize) -> Result<Vec<f64>, String> {
    let task = epo::env::Task { id: "train/0".into(), family: String::new() };
    game.reset(&task, 0).map_err(|error| error.to_string())?;
    let mut times = Vec::with_capacity(steps);
    for _ in 0..steps {
        let begin = Instant::now();
        game.step("look").and_then(|_| game.admissible()).map_err(|error| error.to_string())?;
        times.push(begin.elapsed().as_secs_f64());
    }
    Ok(times)
}
