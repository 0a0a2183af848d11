//! Every `tests/diagnostics/NAME.epo` gets exactly the words of `NAME.txt`: the whole check, as `epo-run check` shows it.
//! `UPDATE=1 cargo test --test diagnostics` rewrites them; read what it wrote before committing it.

#[path = "common/places.rs"]
mod places;
#[path = "common/repository.rs"]
mod repository;

use epo::lang::load::Root;
use epo::lang::render;
use epo::plan::check;
use epo::spec::Request;
use repository::REPOSITORY;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// What the user sees for a file, named from the crate's folder.
fn messages(file: &Path, overrides: &[&str]) -> String {
    let overrides: Vec<String> = overrides.iter().map(|o| o.to_string()).collect();
    let (sources, diagnostics) = check(&Request { root: Root::File(file), overrides: &overrides, library: &REPOSITORY });
    // with the compiled-in library, whose text is the same, files have their names in it
    let said = render::render_all(&sources, &diagnostics, false);
    let said = said.replace("pipelines/std/", "std/").replace("pipelines/lib/", "lib/");
    said.replace("in the library `pipelines`", "among the compiled-in files")
}

fn golden(name: &Path, found: &str, wrong: &mut String) {
    let found = places::without_library_lines(found);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(name, &found).expect("a writable corpus");
        return;
    }
    let expected = fs::read_to_string(name).unwrap_or_default();
    if found != expected || found.is_empty() {
        let _ = writeln!(wrong, "==== {}\n---- expected\n{expected}---- found\n{found}", name.display());
    }
}

#[test]
fn messages_are_as_written() {
    // Tests run in the crate's folder.
    let folder = Path::new("tests/diagnostics");
    let mut files: Vec<_> = fs::read_dir(folder).expect("the corpus").filter_map(|e| e.ok()).map(|e| e.path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "epo"));
    files.sort();
    let mut wrong = String::new();
    for file in &files {
        golden(&file.with_extension("txt"), &messages(file, &[]), &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(files.len() >= 105, "the corpus shrank to {} files", files.len());
}

/// What is wrong on the command line.
#[test]
fn overrides() {
    let file = Path::new("tests/diagnostics/imports/house.epo");
    let given = [
        "bse.train.groups=3",
        "base.train.gruops=3",
        "base.train.groups=0",
        "base.train.groups=lots",
        "base.loss.minimize=surogate",
        "base",
        "groups=3",
        "base.train.groups=",
        "base.train.groups==3",
        "base.train.groups=(3",
        "base.train.groups=\"3\"",
        "without base.train",
        "base.polcy=3",
        "base.train.groups.more=3",
        "",
    ];
    let mut found = String::new();
    for text in given {
        let _ = writeln!(found, "---- --set '{text}'\n{}", messages(file, &[text]));
    }
    let _ = writeln!(found, "---- all at once\n{}", messages(file, &["bse.x=1", "base.train.gruops=3", "base.train.groups=0"]));
    let mut wrong = String::new();
    golden(Path::new("tests/diagnostics/overrides.txt"), &found, &mut wrong);
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(messages(file, &["base.train.groups=3", "base.lambda=0.1"]).matches("W0110").count(), 1, "only `lambda` is read by nothing");
}

#[test]
fn five_mistakes_get_five_messages() {
    let text = messages(Path::new("tests/diagnostics/five_mistakes.epo"), &[]);
    assert_eq!(text.matches("error[").count(), 5, "{text}");
    assert_eq!(text.matches("warning[").count(), 0, "{text}");
}

/// A file that asks for too much is refused with a code, and soon.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of files")]
fn hostile_files() {
    let loss = |lines: &str| {
        format!(
            "import \"house.epo\"\npipeline a from base {{\n  critic = value_head {{ }}\n  loss {{\n{lines}\n  }}\n  stages {{ page = report {{ of = [train] }} }}\n}}\n"
        )
    };
    let many = |n: usize, line: &dyn Fn(usize) -> String| (0..n).map(line).collect::<String>();
    let page = "pipeline a { stages { page = report { of = [] } } }\n";
    let files = [
        (
            "chain of lines",
            format!("{}n3000 = 1\n{}", many(3000, &|i| format!("n{i} = n{} + 1\n", i + 1)), page.replace("[]", "n0")),
            "E0118",
        ),
        (
            "chain of lines of a pipeline",
            format!(
                "pipeline a {{\n{}  n3000 = 1\n  stages {{ page = report {{ of = [] }} }}\n}}\n",
                many(3000, &|i| format!("  n{i} = n{} + 1\n", i + 1))
            ),
            "E0118",
        ),
        (
            "functions that double",
            many(40, &|i| format!("fn f{i}(x) = f{}(f{}(x))\n", i + 1, i + 1)) + "fn f40(x) = x + logp\n" + &loss("minimize = mean(f0(1))"),
            "E0118",
        ),
        (
            "functions that add twice",
            many(40, &|i| format!("fn f{i}(x) = f{0}(x) + f{0}(x)\n", i + 1)) + "fn f40(x) = x + logp\n" + &loss("minimize = mean(f0(1))"),
            "E0118",
        ),
        (
            "arguments that double",
            many(60, &|i| format!("fn f{i}(x) = f{}(x + x)\n", i + 1)) + "fn f60(x) = x\n" + &loss("minimize = mean(f0(logp))"),
            "E0118",
        ),
        (
            "functions in functions",
            many(3000, &|i| format!("fn f{i}(x) = f{}(x) + 1\n", i + 1)) + "fn f3000(x) = x + logp\n" + &loss("minimize = mean(f0(1))"),
            "E0118",
        ),
        (
            "terms that double",
            loss(&format!("t0 = logp\n{}minimize = mean(t59)", many(59, &|i| format!("t{} = t{i} + t{i}\n", i + 1)))),
            "E0118",
        ),
        (
            "a chain of terms",
            loss(&format!("t0 = logp\n{}minimize = mean(t20000)", many(20000, &|i| format!("t{}=t{i}+1\n", i + 1)))),
            "E0118",
        ),
        (
            "lists that double",
            format!("a0 = [1, 2]\n{}{}", many(60, &|i| format!("a{} = [a{i}, a{i}]\n", i + 1)), page.replace("[]", "a60")),
            "E0118",
        ),
        (
            "components that double",
            format!(
                "a0 = adamw {{ }}\n{}{}",
                many(60, &|i| format!("a{} = adamw {{ lr = a{i}, eps = a{i} }}\n", i + 1)),
                page.replace("[]", "a60")
            ),
            "E0118",
        ),
        (
            "components that change one another",
            format!("a0 = adamw {{ }}\n{}{}", many(3000, &|i| format!("a{} = a{i} {{ lr = {i} }}\n", i + 1)), page.replace("[]", "a3000")),
            "E0118",
        ),
        (
            "a component of itself",
            format!("a = a {{ lr = 1 }}\nb = adamw {{ lr = b }}\nc = c {{ x = c {{ y = c }} }}\n{}", page.replace("[]", "[a, b, c]")),
            "E0103",
        ),
        (
            "sweeps of sweeps",
            format!("pipeline a {{\n{}stages {{ page = report {{ of = [] }} }} }}\n", many(70, &|i| format!("n{i} = sweep(1, 2)\n"))),
            "E0122",
        ),
        (
            "a ring of stages",
            format!("pipeline a {{ stages {{\n{}}} }}\n", many(1000, &|i| format!("s{i} = report {{ of = s{} }}\n", (i + 1) % 1000))),
            "E0401",
        ),
        (
            "coefficients that are 0 and terms that cancel",
            loss(&format!(
                "{}minimize = mean(logp){}",
                many(60, &|i| format!(
                    "t{i} = {}\n",
                    many(20, &|j| format!("{}relu(progress - 1) * mean(entropy - {j})", if j > 0 { " + " } else { "" }))
                )),
                many(60, &|i| format!(" + t{i} - t{i}"))
            )),
            "W0305",
        ),
        ("10,000 unknown names", loss(&format!("{}minimize = n1", many(10000, &|i| format!("n{i} = m{i}\n")))), "E0101"),
        (
            "10,000 unknown fields",
            format!("pipeline a {{ stages {{ page = report {{ of = []\n{}}} }} }}\n", many(10000, &|i| format!("n{i} = m{i}\n"))),
            "E0104",
        ),
        (
            "10,000 unread lines",
            format!("pipeline a {{\n{}stages {{ page = report {{ of = [] }} }} }}\n", many(10000, &|i| format!("n{i} = {i}\n"))),
            "W0110",
        ),
        (
            "a chain of pipelines",
            format!("pipeline p0 {{ x = 1 }}\n{}", many(1000, &|i| format!("pipeline p{} from p{i} {{ title = 3 }}\n", i + 1))),
            "E0201",
        ),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy("tests/diagnostics/imports/house.epo", folder.path().join("house.epo")).expect("a copy");
    // unoptimised, and beside other tests
    let patience = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });
    for (name, text, code) in files {
        let file = folder.path().join("hostile.epo");
        fs::write(&file, text).expect("a file");
        let began = Instant::now();
        let found = messages(&file, &[]);
        let took = began.elapsed();
        assert!(found.contains(code), "{name}: expected {code}, found {}", found.chars().take(2000).collect::<String>());
        assert!(took < patience, "{name}: {took:?}");
    }
}
