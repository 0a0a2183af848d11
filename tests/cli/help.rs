//! Verbs that speak of the engine itself, and wrong usage of all.

use crate::support::Place;

#[test]
fn without_arguments_it_says_what_it_can() {
    let said = Place::new(&[]).epo(&[]);
    assert_eq!(said.code, 1);
    assert!(
        said.out.starts_with("A declarative pipeline engine for reinforcement learning of LLM agents\n\nUsage: epo-run"),
        "{}",
        said.out
    );
    for verb in [
        "check",
        "plan",
        "show",
        "probe",
        "fmt",
        "new",
        "kinds",
        "explain",
        "settings",
        "completions",
        "man",
        "runs",
        "import",
        "lock",
        "pack",
        "verify",
        "report",
        "diff",
        "env",
        "play",
        "model",
        "lsp",
        "serve",
    ] {
        assert!(said.out.contains(&format!("\n  {verb} ")), "{verb}: {}", said.out);
    }
    assert!(said.out.contains("Exit codes: 0 done, 1 the input is wrong, 2 the run failed, 130 interrupted"), "{}", said.out);
}

#[test]
fn help_and_version_are_answers() {
    let place = Place::new(&[]);
    let version = place.epo(&["--version"]);
    version.answers(&format!("epo-run {}\n", env!("CARGO_PKG_VERSION")));
    for args in [vec!["--help"], vec!["help", "probe"], vec!["show", "--help"]] {
        let said = place.epo(&args);
        assert!(said.code == 0 && said.out.contains("Usage: epo-run") && said.err.is_empty(), "{said:?}");
    }
}

#[test]
fn wrong_usage_is_refused() {
    let place = Place::new(&[]);
    for args in [
        vec!["check"],
        vec!["plan"],
        vec!["show"],
        vec!["show", "a.epo", "--as", "nothing"],
        vec!["show", "a.epo", "--objective", "--as", "ast"],
        vec!["probe", "a.epo"],
        vec!["fmt"],
        vec!["new"],
        vec!["explain"],
        vec!["completions", "nothing"],
        vec!["report"],
        vec!["runs", "rm"],
        vec!["diff", "a.epo"],
        vec!["env"],
        vec!["env", "bench"],
        vec!["play"],
        vec!["settings", "--threads", "many"],
        vec!["a.epo", "--nothing"],
    ] {
        let said = place.epo(&args);
        assert!(said.code == 1 && said.out.is_empty() && !said.err.is_empty(), "{args:?}: {said:?}");
    }
}

#[test]
fn a_misspelt_verb_is_no_file() {
    let said = Place::new(&[]).epo(&["chek"]);
    said.refuses("error: there is no file `chek`\n  = help: did you mean `epo-run check`?\n");
}

#[test]
fn explains_codes() {
    let place = Place::new(&[]);
    let expected = "\
E0105: a field is missing

The kind has no default for this field. Fields that a stage takes over from its pipeline (`policy`, `loss`, `advantage`, …) may also be
given as lines of the pipeline.

Wrong:

    optimizer = adamw { }

Right:

    optimizer = adamw { lr = 5e-6 }
";
    for code in ["E0105", "e105", "105"] {
        place.epo(&["explain", code]).answers(expected);
    }
    place.epo(&["explain", "E0999"]).refuses("error: there is no code `E0999`\n");
    place.epo(&["explain", "E01044"]).refuses("error: there is no code `E01044`; did you mean `E0044`?\n");
}

#[test]
fn kinds_are_listed_and_described() {
    let place = Place::new(&[]);
    let list = place.epo(&["kinds"]);
    assert!(list.code == 0 && list.err.is_empty());
    assert!(list.out.starts_with("stages\n  tokenizer       Trains a byte-level BPE tokenizer"), "{}", list.out);
    assert!(list.out.contains("\noptimizers\n  adamw           AdamW "), "{}", list.out);
    assert!(list.out.lines().all(|l| l.is_empty() || !l.starts_with("  ") || l.ends_with('.') || l.ends_with('`')), "{}", list.out);
    let one = place.epo(&["kinds", "last"]);
    assert!(
        one.out.ends_with("\nFields:\n  characters  a whole number of 1 or more (required)\n                How many characters.\n"),
        "{}",
        one.out
    );
    let stage = place.epo(&["kinds", "rl"]);
    for line in [
        "  on                a split of an environment, such as `house.train` (required)\n",
        "  policy            a policy: a stage that gives one, or a new one such as `decoder { … }` (the pipeline's line)\n",
        "  iterations        a whole number of 1 or more (the pipeline's line; default: 100)\n",
        "  select_on         a split of an environment, such as `house.train` (optional)\n",
        "  seed              a whole number of 0 or more (optional)\n",
    ] {
        assert!(stage.out.contains(line), "{line}{}", stage.out);
    }
    let json = place.epo(&["kinds", "adamw", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!((value["name"].as_str(), value["category"].as_str()), (Some("adamw"), Some("optimizers")));
    assert_eq!(value["fields"][0]["default"], "0.001");
    let all: serde_json::Value = serde_json::from_str(&place.epo(&["kinds", "--json"]).out).expect("JSON");
    assert!(all.as_array().is_some_and(|kinds| kinds.len() > 15));
    place.epo(&["kinds", "adamv"]).refuses("error: there is no kind `adamv`\n  = help: did you mean `adamw`?\n");
    place.epo(&["kinds", "shampoo"]).refuses("error: there is no kind `shampoo`\n  = help: `epo-run kinds` lists all kinds\n");
}

/// Whatever may be mentioned in a file is explained by its name.
#[test]
fn every_word_is_described() {
    let place = Place::new(&[]);
    for (name, wanted) in [
        ("gae", "gae (a function)\n\ngae(reward, value, "),
        ("logp", "logp (a quantity)\n\nLog-probability of the token"),
        ("ppo_clip", "ppo_clip (a function of std/losses.epo)\n\nfn ppo_clip("),
        ("+", "+ (an operator)\n"),
        ("turn", "turn (a key)\n\nOne value a turn"),
        ("anchors", "anchors (a key)\n\nanchors(n)\n"),
        ("{admissible}", "{admissible} (a placeholder of prompts)\n\nThe possible actions"),
        ("seeds", "seeds (a line of a pipeline)\n\nA list"),
        ("shaping", "shaping (a line of a pipeline)\n"),
        ("stages", "stages (a line of a pipeline)\n"),
        ("group_size", "group_size (a field of rl)\n\nEpisodes on each of them.\n\nTakes a whole number"),
        ("sweep", "sweep (a word of the language)\n\nsweep(A, B, …)\n"),
        ("from", "from (a word of the language)\n"),
    ] {
        let said = place.epo(&["kinds", name]);
        assert!(said.code == 0 && said.out.contains(wanted), "{name}: {said:?}");
    }
    // of two things with one name, both
    let both = place.epo(&["kinds", "rewards"]).out;
    assert!(both.starts_with("rewards (rewards)\n") && both.contains("\nrewards (a line of a pipeline)\n"), "{both}");
    place.epo(&["kinds", "entrpy"]).refuses("error: there is no kind `entrpy`\n  = help: did you mean `entropy`?\n");
    place.epo(&["kinds", "grop_size"]).refuses("error: there is no kind `grop_size`\n  = help: did you mean `group_size`?\n");
    place.epo(&["kinds", "gae", "--json"]).refuses("error: there is no kind `gae`\n  = help: `epo-run kinds` lists all kinds\n");
}

/// Every placeholder that a prompt may have is explained.
#[test]
fn every_placeholder_is_described() {
    let place = Place::new(&[]);
    let windowed = place.epo(&["kinds", "windowed"]).out;
    let doc = windowed.split("Fields:").next().unwrap_or_default();
    let holes: Vec<&str> = doc.split("`{").skip(1).filter_map(|rest| rest.split('}').next()).collect();
    assert!(holes.len() >= 7, "{holes:?}");
    for hole in holes {
        assert_eq!(place.epo(&["kinds", &format!("{{{hole}}}")]).code, 0, "{hole}");
    }
}

#[test]
fn settings_have_origins() {
    let place =
        Place::new(&[("epo.toml", "threads = 3\n[data]\nalfworld = \"/games\"\n"), (".config/epo/epo.toml", "runs = \"elsewhere\"\n")]);
    let said = place.epo_with(&["settings", "--device", "cpu"], "", &[("EPO_DATA__OTHER", "there")]);
    let (user, own) = (place.path(".config/epo/epo.toml"), place.path("epo.toml"));
    let (user, own) = (user.display(), own.display());
    let lines: Vec<Vec<&str>> = said.out.lines().map(|l| l.split_whitespace().collect()).collect();
    let expected = [
        format!("runs elsewhere {user}"),
        format!("threads 3 {own}"),
        "device cpu --device".to_string(),
        "library (compiled in) default".to_string(),
        "engine local default".to_string(),
        format!("data.alfworld /games {own}"),
        "data.other there EPO_DATA__OTHER".to_string(),
        format!("data.scienceworld {} default", place.path(".local/share/epo/scienceworld").display()),
    ];
    let found: Vec<String> = lines.iter().map(|l| l.join(" ")).collect();
    assert_eq!((said.code, said.err.as_str(), found), (0, "", expected.to_vec()));
    let json: serde_json::Value = serde_json::from_str(&place.epo(&["settings", "--json"]).out).expect("JSON");
    assert_eq!(json["threads"]["value"], 3);
    place
        .epo(&["settings", "--device", "tpu"])
        .refuses("error: the setting `device` (from --device) is `tpu`; it takes `auto`, `cpu` or `cuda`\n");
}

#[test]
fn completions_for_every_shell() {
    let place = Place::new(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = place.epo(&["completions", shell]);
        assert!(said.code == 0 && said.err.is_empty() && said.out.contains("epo-run") && said.out.contains("probe"), "{shell}");
    }
}

/// A page for the program and for each of its verbs, in roff: a title, a name and an outline each, and no day, so that a build gives the same bytes.
#[test]
fn manual_pages() {
    let place = Place::new(&[]);
    let said = place.epo(&["man"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    place.epo(&["man", "--output", "pages"]).answers("pages\n");
    assert_eq!(place.read("pages/epo-run.1"), said.out);
    assert!(said.out.contains("epo\\-run\\-check(1)"), "{}", said.out);
    for verb in ["check", "runs", "runs-rm", "man"] {
        let text = place.read(&format!("pages/epo-run-{verb}.1"));
        assert!(text.contains("\n.SH NAME\n") && text.contains("\n.SH SYNOPSIS\n"), "{text}");
        assert!(text.contains(&format!("\n.TH epo-run-{verb} 1  \"epo-run {}\" \n", env!("CARGO_PKG_VERSION"))), "{text}");
    }
    place.write("taken", "");
    place.epo(&["man", "--output", "taken"]).refuses("error: cannot write manual pages into taken: File exists (os error 17)\n");
}
