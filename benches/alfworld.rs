//! How fast the official ALFWorld games are played: `cargo bench --bench alfworld [-- FOLDER]`.
//!
//! The games: `FOLDER`, else `$ALFWORLD_DATA`, else the archive of the reference data (`EPO_SHARED`, or `../shared`), unpacked once into the
//! target folder.

use epo::env::alfworld::{Alfworld, AlfworldConfig, bench};
use std::error::Error;
use std::path::{Path, PathBuf};

const GAMES: usize = 50;
const STEPS: usize = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let world = Alfworld::new(AlfworldConfig { data: Some(games()?), ..AlfworldConfig::default() })?;
    let found = bench(&world, "train", GAMES, STEPS, 0)?;
    let [least, median, most] = found.steps_per_second;
    println!("one thread, {GAMES} games, {STEPS} random admissible steps each, with admissible commands and texts");
    println!("steps a second: median {median:.0} (lowest {least:.0}, highest {most:.0})");
    println!("a game read and worked out: {:.2} ms ({:.0} a second)", 1e3 / found.loads_per_second, found.loads_per_second);
    println!("a new episode of a game played before: {:.3} ms", found.reset_ms);
    match found.memory_of_128_mib {
        Some(mib) => println!("128 environments at once, each another game: {mib:.1} MiB"),
        None => println!("memory of 128 environments: this system does not tell"),
    }
    Ok(())
}

fn games() -> Result<PathBuf, Box<dyn Error>> {
    if let Some(folder) = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).map(PathBuf::from) {
        return Ok(folder);
    }
    if let Some(folder) = std::env::var_os("ALFWORLD_DATA") {
        return Ok(folder.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("EPO_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let archive = shared.join("data/alfworld/games.tar.zst");
    let bytes = std::fs::read(&archive).map_err(|error| format!("no games: name a folder, or `{}`: {error}", archive.display()))?;
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let place = target.join(format!("alfworld-{}", &blake3::hash(&bytes).to_hex()[..16]));
    if !place.is_dir() {
        let next = tempfile::tempdir_in(&target)?;
        tar::Archive::new(ruzstd::decoding::StreamingDecoder::new(bytes.as_slice())?).unpack(next.path())?;
        std::fs::rename(next.path(), &place)?;
    }
    Ok(place)
}
