//! How fast the official ALFWorld games are played: `cargo bench --bench alfworld [-- FOLDER]`.
//!
//! The games: `FOLDER`, else `$ALFWORLD_DATA`, else the archive of the reference data (`EPO_SHARED`), unpacked once into the target folder.

#[path = "../tests/common/reference.rs"]
mod reference;

use epo::env::alfworld::{Alfworld, AlfworldConfig};
use epo::env::measure;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let world = Alfworld::new(AlfworldConfig { data: Some(games()?), ..AlfworldConfig::default() })?;
    let found = measure(&world, Duration::from_secs(10))?;
    print!("{found}");
    println!(
        "a game read and worked out: {:.2} ms; a new episode of one played before: {:.3} ms",
        1e3 / found.loads_per_second,
        1e3 / found.resets_per_second
    );
    if let Some(bytes) = found.bytes_per_environment {
        println!("128 environments at once, each another game: {:.1} MiB", 128.0 * bytes as f64 / f64::from(1 << 20));
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
    let bytes = std::fs::read(reference::reference("alfworld/games.tar.zst"))?;
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let place = target.join(format!("alfworld-{}", &blake3::hash(&bytes).to_hex()[..16]));
    if !place.is_dir() {
        let next = tempfile::tempdir_in(&target)?;
        tar::Archive::new(ruzstd::decoding::StreamingDecoder::new(bytes.as_slice())?).unpack(next.path())?;
        std::fs::rename(next.path(), &place)?;
    }
    Ok(place)
}
