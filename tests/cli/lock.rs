//! Texts from elsewhere: pinned in `epo.lock`, and found without a network.

use crate::support::{Place, SMALL, Said};

/// With `turns` from a repository, which imports a text beside itself and one of the library, and `scores` from a pack.
fn recipe() -> String {
    let imports = "import \"hub:someone/parts@v1/lib/turns.epo\"\nimport \"pack:packs/scores.zip/scores.epo\"\nprompt look";
    SMALL
        .replacen("prompt look", imports, 1)
        .replace("max_turns = 4", "max_turns = most_turns")
        .replace("success_reward = 1", "success_reward = worth")
}

/// With a cache of the hub that has the repository, and a pack.
fn place() -> Place {
    let place = Place::new(&[("small.epo", &recipe())]);
    hub(&place, "lib/turns.epo", "import \"std/losses.epo\"\nimport \"more.epo\"\nmost_turns = two + 1\n");
    hub(&place, "lib/more.epo", "two = 2\n");
    let scores = format!("{}\nworth = 3\n", SMALL.replace("pipeline small", "pipeline scored"));
    place.write(
        "other/scores.epo",
        &scores
            .replace("house =", "room =")
            .replace("house.", "room.")
            .replace("prompt look", "prompt other_look")
            .replace("then = look", "then = other_look"),
    );
    let said = place.epo(&["pack", "other/scores.epo", "--output", "scores.zip"]);
    assert_eq!(said.code, 0, "{said:?}");
    std::fs::create_dir(place.path("packs")).expect("a folder");
    std::fs::rename(place.path("scores.zip"), place.path("packs/scores.zip")).expect("a name");
    place
}

fn hub(place: &Place, file: &str, text: &str) {
    let repository = "hf/hub/datasets--someone--parts";
    place.write(&format!("{repository}/refs/v1"), "abc");
    place.write(&format!("{repository}/snapshots/abc/{file}"), text);
}

/// Without a network.
fn epo(place: &Place, args: &[&str]) -> Said {
    let cache = place.path("hf").display().to_string();
    place.epo_with(args, "", &[("HF_HOME", &cache), ("HF_HUB_OFFLINE", "1")])
}

#[test]
fn what_is_imported_from_elsewhere_is_pinned_and_found_again() {
    let place = place();
    let said = epo(&place, &["check", "small.epo"]);
    assert!(said.code == 1 && said.err.contains("error[E0045]: `hub:someone/parts@v1/lib/turns.epo` is not in `epo.lock`"), "{said:?}");
    assert!(!place.path("epo.lock").exists());
    let said = epo(&place, &["lock", "small.epo"]);
    let names = "hub:someone/parts@v1/lib/more.epo\nhub:someone/parts@v1/lib/turns.epo\npack:packs/scores.zip/scores.epo\n";
    assert_eq!((said.code, said.out.as_str()), (0, names), "{}", said.err);
    let lock = place.read("epo.lock");
    assert_eq!(lock.lines().filter(|line| line.contains(" blake3:")).count(), 3, "{lock}");
    let said = epo(&place, &["check", "small.epo"]);
    assert_eq!((said.code, said.out.as_str()), (0, "small.epo: no mistakes\n"), "{}", said.err);
    let said = epo(&place, &["show", "small.epo"]);
    assert!(said.code == 0 && said.out.contains("max_turns       = 3 "), "{said:?}");
    assert_eq!(epo(&place, &["lock", "small.epo"]).code, 0);
    assert_eq!(place.read("epo.lock"), lock);

    // A pack has the texts; nothing else is needed.
    let said = epo(&place, &["--quiet", "small.epo"]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = epo(&place, &["pack", "small", "--output", "whole.zip"]);
    assert_eq!(said.code, 0, "{said:?}");
    let elsewhere = Place::new(&[]);
    std::fs::copy(place.path("whole.zip"), elsewhere.path("whole.zip")).expect("a copy");
    let said = elsewhere.epo(&["verify", "whole.zip", "--rerun"]);
    assert!(said.code == 0 && said.out.contains("agrees: 3 tasks to the byte"), "{said:?}");
}

#[test]
fn another_text_under_the_same_name_is_refused() {
    let place = place();
    assert_eq!(epo(&place, &["lock", "small.epo"]).code, 0);
    hub(&place, "lib/more.epo", "two = 5\n");
    let said = epo(&place, &["check", "small.epo"]);
    assert!(said.code == 1 && said.err.contains("cannot import `hub:someone/parts@v1/lib/more.epo`: it has the hash blake3:"), "{said:?}");
    let said = epo(&place, &["lock", "small.epo"]);
    assert!(said.code == 1 && said.err.contains("`--update` takes what is there now"), "{said:?}");
    assert_eq!(epo(&place, &["lock", "small.epo", "--update"]).code, 0);
    assert_eq!(epo(&place, &["check", "small.epo"]).code, 0);
    place.remove("packs/scores.zip");
    let said = epo(&place, &["check", "small.epo"]);
    assert!(said.code == 1 && said.err.contains("there is no pack `packs/scores.zip` beside the first file"), "{said:?}");
    place.write("epo.lock", "hub:someone/parts@v1/lib/turns.epo blake3:1\n");
    let said = epo(&place, &["check", "small.epo"]);
    assert!(said.code == 1 && said.err.contains("epo.lock: line 1 is none of a lock"), "{said:?}");
}

#[test]
fn what_is_not_there_is_not_fetched_by_anything_else() {
    let place = place();
    assert_eq!(epo(&place, &["lock", "small.epo"]).code, 0);
    std::fs::remove_dir_all(place.path("hf")).expect("a folder");
    let said = epo(&place, &["check", "small.epo"]);
    assert!(said.code == 1 && said.err.contains("HF_HUB_OFFLINE forbids to fetch it"), "{said:?}");
    let cache = place.path("hf").display().to_string();
    let said = place.epo_with(&["check", "small.epo"], "", &[("HF_HOME", &cache)]);
    assert!(said.code == 1 && said.err.contains("it is not in the cache of the hub's files"), "{said:?}");
    for (name, help) in
        [("hub:someone/parts/x.epo", "write `hub:OWNER/NAME@REVISION/FILE.epo`"), ("pack:../x.zip/a.epo", "write `pack:NAME.zip/FILE.epo`")]
    {
        place.write("bad.epo", &format!("import \"{name}\"\n"));
        let said = epo(&place, &["check", "bad.epo"]);
        assert!(said.code == 1 && said.err.contains("E0045") && said.err.contains(help), "{said:?}");
        assert_eq!(epo(&place, &["lock", "bad.epo"]).code, 1);
    }
}
