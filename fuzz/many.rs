//! Many inputs, fast: mutations of the files of some folders, such as the corpus that a guided run found, without counting what they reach.
//!
//! `cargo run --release --manifest-path fuzz/Cargo.toml --bin many -- TARGET COUNT SEED FOLDER…`
//!
//! Input `i` of a seed is always the same. A panic or an input that takes more than five seconds is written to `found-TARGET-SEED-I` and told; exit code 1.

#[path = "cases/alfworld.rs"]
mod alfworld;
#[path = "cases/batch.rs"]
mod batch;
#[path = "../tests/common/faithful.rs"]
mod check;
#[path = "cases/language.rs"]
mod language;
#[path = "cases/model.rs"]
mod model;
#[path = "cases/run_folder.rs"]
mod run_folder;

use epo::spec::on_deep_stack;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is done with an input, and the most bytes that it has.
type Target = (fn(&[u8]), usize);

fn target(name: &str) -> Option<Target> {
    Some(match name {
        "alfworld" => (alfworld::run, 65_536),
        "batch" => (batch::run, 4096),
        "language" => (language::run, 4096),
        "model" => (model::run, 131_072),
        "run_folder" => (run_folder::try_out, 65_536),
        _ => return None,
    })
}

const PATIENCE: Duration = Duration::from_secs(5);

/// What texts of the language, JSON and run folders are made of, and what readers of numbers and brackets stumble over.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "import", "from", "pipeline", "prompt", "fn", "without", "seeds", "sweep", "stages", "loss", "advantage", "minimize", "by =", "history(",
    "mean(", "where(", "grpo(", "gae(", "{", "}", "(", ")", "[", "]", "\"", "\"\"\"", "\\", "#", "\n", "\r\n", "\t", ",", "=", "..", ".", "+", "-",
    "*", "/", "^", "<", "<=", "==", "!=", "and", "or", "not", "true", "false", "none", "0", "1", "-1", "1e308", "1e-400", "0.1", "NaN", "inf",
    "9007199254740993", "18446744073709551616", "30min", "4GiB", "std/losses.epo", "../", "/etc/passwd", "train.best", "iteration", "é", "\u{202e}",
    "\u{feff}", "\0", "日本", "null", "[]", "{}", "\":", "\n=== R/", "\n=== T0/", "\n-> file", "\n-> folder", "{{", "{%", "%}",
];

/// A deterministic stream of numbers (SplitMix64).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..start + self.below((length - start).min(200) + 1)
    }
}

fn input(corpus: &[Vec<u8>], longest: usize, seed: u64, number: u64) -> Vec<u8> {
    let mut draws = Draws(seed ^ number.wrapping_mul(0xD6E8_FEB8_6659_FD93));
    let mut text = corpus[draws.below(corpus.len())].clone();
    for _ in 0..=draws.below(4) {
        let at = draws.below(text.len() + 1);
        match draws.below(8) {
            0 => {
                if let Some(byte) = text.get_mut(at) {
                    *byte ^= 1 << draws.below(7);
                }
            }
            1 | 2 => drop(text.splice(at..at, WORDS[draws.below(WORDS.len())].bytes())),
            3 => {
                let word = WORDS[draws.below(WORDS.len())].bytes();
                let end = (at + draws.below(12)).min(text.len());
                drop(text.splice(at..end, word));
            }
            4 => drop(text.drain(draws.range(text.len()))),
            5 => {
                let copied = text[draws.range(text.len())].to_vec();
                drop(text.splice(at..at, copied));
            }
            6 => {
                let other = &corpus[draws.below(corpus.len())];
                let part = other[draws.range(other.len())].to_vec();
                drop(text.splice(at..at, part));
            }
            _ => {
                let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
                let (one, other) = (draws.below(lines.len()), draws.below(lines.len()));
                let mut lines = lines;
                if !lines.is_empty() {
                    lines.swap(one, other);
                }
                text = lines.concat();
            }
        }
    }
    text.truncate(longest);
    text
}

fn corpus(folder: &Path, longest: usize, found: &mut Vec<Vec<u8>>) -> std::io::Result<()> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.sort();
    for path in paths {
        let text = std::fs::read(path)?;
        if !text.is_empty() && text.len() <= longest {
            found.push(text);
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, count, seed, folders @ ..] = arguments.as_slice() else { return Err("TARGET COUNT SEED FOLDER…".into()) };
    let Some((run, limit)) = target(name) else { return Err(format!("no target is called {name}").into()) };
    let (count, seed): (u64, u64) = (count.parse()?, seed.parse()?);
    let mut texts = Vec::new();
    for folder in folders {
        corpus(Path::new(folder), limit, &mut texts)?;
    }
    println!("{name}: {count} inputs from {} texts, seed {seed}", texts.len());
    let (next, done, bad, over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let threads = std::thread::available_parallelism()?.get();
    let busy: Vec<Mutex<Option<(Instant, u64)>>> = (0..threads).map(|_| Mutex::new(None)).collect();
    let longest = Mutex::new((Duration::ZERO, 0));
    let tell = |number: u64, what: &str| {
        bad.fetch_add(1, Ordering::Relaxed);
        println!("input {number}: {what}");
        std::fs::write(format!("found-{name}-{seed}-{number}"), input(&texts, limit, seed, number)).ok();
    };
    let work = |place: usize| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let text = input(&texts, limit, seed, number);
            let start = Instant::now();
            *busy[place].lock().expect("no thread panics here") = Some((start, number));
            if catch_unwind(|| run(&text)).is_err() {
                tell(number, "panicked");
            }
            let mut slot = busy[place].lock().expect("no thread panics here");
            let took = start.elapsed();
            if took > PATIENCE && slot.is_some() {
                tell(number, "took too long");
            }
            *slot = None;
            let mut longest = longest.lock().expect("no thread panics here");
            *longest = (*longest).max((took, number));
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let start = Instant::now();
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_secs(1));
                for slot in &busy {
                    let mut slot = slot.lock().expect("no thread panics here");
                    if let Some((_, number)) = slot.take_if(|(start, _)| start.elapsed() > PATIENCE) {
                        tell(number, "takes too long");
                    }
                }
                if start.elapsed().as_secs() % 60 == 0 {
                    println!("{} done in {} s", done.load(Ordering::Relaxed), start.elapsed().as_secs());
                }
            }
        });
        let work = &work;
        let workers: Vec<_> = (0..threads).map(|place| scope.spawn(move || on_deep_stack(|| work(place)))).collect();
        for worker in workers {
            worker.join().ok();
        }
        over.store(true, Ordering::Relaxed);
    });
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown").to_string();
    let (took, number) = *longest.lock().expect("no thread panics here");
    println!(
        "{} inputs, {} findings; the longest took {:.2} s (input {number}); {peak}",
        done.load(Ordering::Relaxed),
        bad.load(Ordering::Relaxed),
        took.as_secs_f64()
    );
    std::process::exit(i32::from(bad.load(Ordering::Relaxed) > 0));
}
