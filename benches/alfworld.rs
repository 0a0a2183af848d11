//! How fast the official ALFWorld games are played: `cargo bench --bench alfworld -- FOLDER` (or `ALFWORLD_DATA`).

use epo::env::alfworld::{Alfworld, AlfworldConfig, bench};

fn main() {
    let folder = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let config = AlfworldConfig { data: folder.map(Into::into), ..AlfworldConfig::default() };
    let measured = Alfworld::new(config).map_err(|error| error.to_string()).and_then(|world| {
        let bench = bench(&world, "train", 50, 2000, 0).map_err(|error| error.to_string())?;
        serde_json::to_string_pretty(&bench).map_err(|error| error.to_string())
    });
    match measured {
        Ok(text) => println!("{text}"),
        Err(error) => eprintln!("nothing measured: {error}"),
    }
}
