//! Packs: made, verified, run, and packed again.

use crate::archive::entries;
use crate::support::{Place, SMALL};
use std::fs;
use std::path::Path;

/// With a file of its own and one of the library, two pipelines, and a line that is changed on the command line.
fn recipe() -> Vec<(&'static str, String)> {
    let text = SMALL
        .replacen("prompt look", "import \"parts/bits.epo\"\nimport \"std/losses.epo\"\nprompt look", 1)
        .replace("max_turns = 4", "max_turns = most_turns");
    let other = "\npipeline other from small { title = \"Other\" }\n";
    vec![("recipe/small.epo", text + other), ("recipe/parts/bits.epo", "most_turns = 3\n".into())]
}

fn place_with(files: &[(&str, String)]) -> Place {
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Place::new(&files)
}

fn packed() -> Place {
    let place = place_with(&recipe());
    let said = place.epo(&["--quiet", "recipe/small.epo", "--only", "small", "--set", "small.title=\"Changed\""]);
    assert_eq!(said.code, 0, "{}", said.err);
    let said = place.epo(&["pack", "small", "--output", "a.zip"]);
    assert_eq!((said.code, said.out.as_str()), (0, "a.zip\n"), "{}", said.err);
    place
}

fn unpack(archive: &Path, folder: &Path) {
    for (name, bytes) in entries(archive) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
}

#[test]
fn a_pack_verifies_runs_and_is_packed_again_to_the_same_bytes_elsewhere() {
    let (here, elsewhere) = (packed(), Place::new(&[]));
    let names: Vec<String> = entries(&here.path("a.zip")).into_keys().collect();
    for name in [
        "README.md",
        "machine.json",
        "pack.json",
        "plan.json",
        "resolved.epo",
        "ro-crate-metadata.json",
        "source/small.epo",
        "source/parts/bits.epo",
        "library/std/losses.epo",
        "library/std/prelude.epo",
    ] {
        assert!(names.iter().any(|known| known == name), "{name} is not in {names:?}");
    }
    fs::copy(here.path("a.zip"), elsewhere.path("got.zip")).expect("a copy");
    let said = elsewhere.epo(&["verify", "got.zip"]);
    assert!(said.code == 0 && said.out.contains(" files as they were packed; the texts come to the plan "), "{said:?}");
    assert!(!elsewhere.path("runs").exists());

    let said = elsewhere.epo(&["verify", "got.zip", "--rerun"]);
    assert!(
        said.code == 0 && said.out.ends_with("agrees: 3 tasks to the byte, 0 within their intervals, 0 of other bytes, 0 otherwise\n"),
        "{said:?}"
    );
    assert!(said.out.contains("small.chance: the same to the byte\n"), "{}", said.out);
    let left: Vec<_> = fs::read_dir(elsewhere.path("runs")).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");

    unpack(&here.path("a.zip"), &elsewhere.path("unpacked"));
    let said = elsewhere.epo(&["verify", "unpacked"]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = elsewhere.epo(&["plan", "got.zip"]);
    assert!(said.out.contains("small: Changed\n") && !said.out.contains("other"), "{}", said.out);
    let said = elsewhere.epo(&["--quiet", "unpacked"]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = elsewhere.epo(&["pack", "small", "--output", "again.zip"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(fs::read(elsewhere.path("again.zip")).expect("a file"), fs::read(here.path("a.zip")).expect("a file"));
    let said = elsewhere.epo(&["pack", "small", "--output", "again.zip"]);
    assert!(said.code == 2 && said.err.contains("`again.zip` is already there"), "{said:?}");
}

#[test]
fn a_recipe_is_packed_without_results() {
    let place = place_with(&recipe());
    let said = place.epo(&["pack", "recipe/small.epo", "--date", "2026-11-29"]);
    assert_eq!(said.code, 0, "{said:?}");
    let name = said.out.trim_end();
    assert!(name.starts_with("small-") && name.ends_with(".zip"), "{name}");
    let said = place.epo(&["verify", name]);
    assert!(said.code == 0 && said.out.contains("; it holds no results\n"), "{said:?}");
    let said = place.epo(&["verify", name, "--rerun"]);
    assert!(said.code == 1 && said.err.contains("a recipe alone"), "{said:?}");
    let files = entries(&place.path(name));
    assert!(!files.contains_key("machine.json"));
    let metadata: serde_json::Value = serde_json::from_slice(&files["ro-crate-metadata.json"]).expect("JSON");
    assert_eq!(metadata["@graph"][1]["datePublished"], "2026-11-29");
    let said = place.epo(&["--quiet", name]);
    assert_eq!(said.code, 0, "{said:?}");
    place
        .epo(&["pack", "recipe/small.epo", "--date", "today"])
        .refuses("error: `today` is no day\n  = help: a day is written 2026-11-29\n");
}

#[test]
fn what_cannot_be_packed_is_said() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let said = place.epo(&["pack", "nothing"]);
    assert!(said.code == 1 && said.err.contains("there is no file `nothing`, and no such run"), "{said:?}");
    place.epo(&["--quiet", "small.epo"]);
    for (changed, because) in [("recipe.json", "which of its texts is the first"), ("source", "is not in the run's folder as it was read")]
    {
        let folder = fs::read_dir(place.path("runs/small")).expect("a folder").next().expect("a run").expect("a run").path();
        fs::rename(folder.join(changed), folder.join("aside")).expect("a name");
        let said = place.epo(&["pack", "small"]);
        assert!(said.code == 1 && said.err.contains(because), "{said:?}");
        fs::rename(folder.join("aside"), folder.join(changed)).expect("a name");
    }
    let tasks = place.path("runs/tasks");
    for task in fs::read_dir(&tasks).expect("tasks").map(|task| task.expect("a task").path()) {
        fs::remove_dir_all(task.join("outputs")).expect("outputs");
    }
    let said = place.epo(&["pack", "small"]);
    assert!(said.code == 2 && said.err.contains("is damaged"), "{said:?}");
    let said = place.epo(&["pack", "small.epo", "--weights"]);
    assert!(said.code == 1 && said.err.contains("the recipe alone"), "{said:?}");
}

const LEARNED: &str = r#"prompt look = "{observation}"

house = household {
  receptacles = 5, objects = 4, families = [put], max_turns = 4, success_reward = 1
  prompt = windowed { then = look, max_tokens = 100 }
  train  = games { split = "train", count = 4 }
}

pipeline learned {
  policy = decoder { tokenizer = words, layers = 1, width = 16, heads = 1, context = 160, decode = choose { from = admissible } }
  stages {
    words = tokenizer { on = house.train, vocabulary = 320 }
    shown = collect { on = house.train, actor = expert, episodes = 4 }
    warm  = sft { episodes = shown, minibatch = 4, optimizer = adamw { lr = 1e-3 } }
    end   = evaluate { policy = warm, on = house.train }
    out   = export { policy = warm }
  }
}
"#;

#[test]
fn weights_travel_if_they_are_wanted() {
    let place = Place::new(&[("learned.epo", LEARNED)]);
    let said = place.epo(&["--quiet", "learned.epo"]);
    assert_eq!(said.code, 0, "{said:?}");
    for (name, flags) in [("light.zip", &[][..]), ("heavy.zip", &["--weights"][..])] {
        let said = place.epo(&[&["pack", "learned", "--output", name][..], flags].concat());
        assert_eq!(said.code, 0, "{said:?}");
        let said = place.epo(&["verify", name]);
        assert_eq!(said.code, 0, "{said:?}");
        let weights = entries(&place.path(name)).keys().filter(|name| name.ends_with(".safetensors")).count();
        assert_eq!(weights, if flags.is_empty() { 0 } else { 2 });
    }
    let (name, card) =
        entries(&place.path("heavy.zip")).into_iter().find(|(name, _)| name.ends_with("/outputs/folder/README.md")).expect("a card");
    let card = String::from_utf8(card).expect("a text");
    assert!(name.starts_with("tasks/learned.out/"), "{name}");
    assert!(
        card.starts_with("---\nlibrary_name: transformers\n")
            && card.contains("| began as | new weights |\n")
            && card.contains("a stage `sft`"),
        "{card}"
    );
    let said = place.epo(&["verify", "light.zip", "--rerun", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    assert_eq!(found["agrees"], true, "{found}");
    let order: Vec<&str> = found["tasks"].as_array().expect("tasks").iter().filter_map(|task| task["task"].as_str()).collect();
    assert_eq!(order.len(), 5);
    assert!(order.iter().position(|name| *name == "learned.words") < order.iter().position(|name| *name == "learned.warm"), "{order:?}");
}

/// The state of a training in the middle: weights and moments.
#[test]
fn a_state_travels_with_the_weights() {
    let halves = "
pipeline whole from learned {
  advantage = score
  loss { surrogate = -mean(advantage * logp), minimize = surrogate }
  stages { train = rl { on = house.train, policy = warm, iterations = 2, groups = 2 } }
}

pipeline half from whole { train.from = whole.train.at(1) }
";
    let place = Place::new(&[("halves.epo", &format!("{LEARNED}{halves}"))]);
    let said = place.epo(&["--quiet", "halves.epo", "--only", "half"]);
    assert_eq!(said.code, 0, "{said:?}");
    for (name, flags) in [("light.zip", &[][..]), ("heavy.zip", &["--weights"][..])] {
        let said = place.epo(&[&["pack", "halves", "--output", name][..], flags].concat());
        assert_eq!(said.code, 0, "{said:?}");
        let said = place.epo(&["verify", name]);
        assert_eq!(said.code, 0, "{said:?}");
        let files = entries(&place.path(name));
        let states = files.keys().filter(|name| name.contains("/outputs/state/") && name.ends_with(".safetensors")).count();
        assert_eq!(states > 0, !flags.is_empty(), "{:?}", files.keys());
        assert_eq!(files.keys().any(|name| name.ends_with(".safetensors")), !flags.is_empty());
    }
}
