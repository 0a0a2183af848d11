//! Imports: where they are looked up, and what is said when that fails.

use epo::lang::load::{Library, MAX_FILES, Program, Root, load};
use epo::lang::{Diagnostics, SourceMap, render};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

static LIBRARY: Library = Library::compiled(&[
    ("std/losses.epo", "import \"helpers.epo\"\nfn a(x) = b(x)\n"),
    ("std/helpers.epo", "fn b(x) = x\n"),
    ("lib/house.epo", "import \"std/losses.epo\"\nhouse = 1\n"),
]);

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
    folder
}

fn read(path: &Path) -> (Option<Program>, Diagnostics, SourceMap) {
    let mut sources = SourceMap::default();
    let (program, messages) = load(Root::File(path), &LIBRARY, &mut sources);
    (program, messages, sources)
}

/// The messages about `main.epo` among these files; the temporary folder's name is left out.
fn messages(files: &[(&str, &[u8])]) -> String {
    let folder = folder(files);
    let (_, messages, sources) = read(&folder.path().join("main.epo"));
    render::render_all(&sources, &messages, false).replace(&format!("{}/", folder.path().display()), "")
}

fn names(program: &Program, sources: &SourceMap, folder: &TempDir) -> Vec<String> {
    let prefix = format!("{}/", folder.path().display());
    program.files.iter().map(|f| sources.get(f.source).name.replace(&prefix, "")).collect()
}

#[test]
fn beside_the_file_then_in_the_library_and_each_once() {
    let folder = folder(&[
        ("main.epo", b"import \"lib/a.epo\"\nimport \"std/losses.epo\" as l\nimport \"lib/house.epo\"\nx = 1\n"),
        ("lib/a.epo", b"import \"../b.epo\" as bee\nimport \"./house.epo\"\n"),
        ("lib/house.epo", b"import \"../b.epo\"\n"),
        ("b.epo", b"y = 1\n"),
    ]);
    let (program, messages, sources) = read(&folder.path().join("main.epo"));
    assert!(messages.is_empty(), "{}", render::render_all(&sources, &messages, false));
    let program = program.expect("a program");
    assert_eq!(
        names(&program, &sources, &folder),
        ["main.epo", "lib/a.epo", "b.epo", "lib/house.epo", "std/losses.epo", "std/helpers.epo"]
    );
    let imports: Vec<Vec<(Option<&str>, usize)>> =
        program.files.iter().map(|f| f.imports.iter().map(|i| (i.alias.as_ref().map(|a| a.name.as_str()), i.file)).collect()).collect();
    assert_eq!(
        imports,
        [vec![(None, 1), (Some("l"), 4), (None, 3)], vec![(Some("bee"), 2), (None, 3)], vec![], vec![(None, 2)], vec![(None, 5)], vec![]]
    );
    assert_eq!(program.root, 0);
}

#[test]
fn a_text_in_no_file_and_a_prelude() {
    let mut sources = SourceMap::default();
    let root = Root::Text { name: "probe", text: "import \"lib/house.epo\"\n" };
    let (program, messages) = load(root, &LIBRARY, &mut sources);
    assert!(messages.is_empty());
    let mut program = program.expect("a program");
    assert_eq!(program.files.len(), 4);
    let (prelude, messages) = program.add_library("std/losses.epo", &LIBRARY, &mut sources);
    assert!(messages.is_empty());
    assert_eq!((prelude, program.files.len()), (Some(2), 4));
    let (missing, messages) = load(Root::Text { name: "probe", text: "import \"near.epo\"" }, &LIBRARY, &mut sources);
    assert!(missing.is_some_and(|p| p.files.len() == 1));
    assert_eq!(messages.0.iter().map(|m| m.code).collect::<Vec<_>>(), ["E0041"]);
}

#[test]
fn a_missing_import() {
    let found = messages(&[
        ("main.epo", b"import \"std/loses.epo\"\nimport \"lib/alfworld\"\nimport \"house.epo\"\nimport \"gone\"\n"),
        ("lib/alfworld.epo", b""),
    ]);
    let expected = "\
error[E0041]: there is no file `std/loses.epo`
 --> main.epo:1:8
  |
1 | import \"std/loses.epo\"
  |        ^^^^^^^^^^^^^^^
  = help: did you mean `std/losses.epo`?
  = help: looked for `std/loses.epo`, then among the compiled-in files

error[E0041]: there is no file `lib/alfworld`
 --> main.epo:2:8
  |
2 | import \"lib/alfworld\"
  |        ^^^^^^^^^^^^^^
  = help: did you mean `lib/alfworld.epo`?
  = help: looked for `lib/alfworld`, then among the compiled-in files

error[E0041]: there is no file `house.epo`
 --> main.epo:3:8
  |
3 | import \"house.epo\"
  |        ^^^^^^^^^^^
  = help: did you mean `lib/house.epo`?
  = help: looked for `house.epo`, then among the compiled-in files

error[E0041]: there is no file `gone`
 --> main.epo:4:8
  |
4 | import \"gone\"
  |        ^^^^^^
  = help: looked for `gone`, then among the compiled-in files
";
    assert_eq!(found, expected);
}

#[test]
fn cycles_show_every_import() {
    let found = messages(&[
        ("main.epo", b"import \"main.epo\"\nimport \"lib/a.epo\"\n"),
        ("lib/a.epo", b"x = 1\nimport \"b.epo\"\n"),
        ("lib/b.epo", b"import \"../main.epo\"\nimport \"a.epo\"\n"),
    ]);
    let expected = "\
error[E0043]: `main.epo` imports itself
 --> main.epo:1:8
  |
1 | import \"main.epo\"
  |        ^^^^^^^^^^ leads back to it
  = help: put what both files need into a third one that imports neither

error[E0043]: `main.epo` imports itself through other files
 --> lib/b.epo:1:8
  |
1 | import \"../main.epo\"
  |        ^^^^^^^^^^^^^ leads back to it
 ::: main.epo:2:8
  |
2 | import \"lib/a.epo\"
  |        ----------- leads here
 ::: lib/a.epo:2:8
  |
2 | import \"b.epo\"
  |        ------- leads here
  = help: put what both files need into a third one that imports neither

error[E0043]: `lib/a.epo` imports itself through other files
 --> lib/b.epo:2:8
  |
2 | import \"a.epo\"
  |        ^^^^^^^ leads back to it
 ::: lib/a.epo:2:8
  |
2 | import \"b.epo\"
  |        ------- leads here
  = help: put what both files need into a third one that imports neither
";
    assert_eq!(found, expected);
}

#[test]
fn files_that_are_no_texts() {
    let found = messages(&[
        ("main.epo", b"import \"a.bin\"\nimport \"b.epo\"\nimport \"lib\"\nimport \"/etc/passwd\"\nimport \"\"\nimport \"a.bin\"\n"),
        ("a.bin", b"\x7fELF\x00\x01"),
        ("b.epo", b"x = \"\xe9\"\n"),
        ("lib/a.epo", b""),
    ]);
    let expected = "\
error[E0042]: `a.bin` is no text: byte 4 is 0
 --> main.epo:1:8
  |
1 | import \"a.bin\"
  |        ^^^^^^^
  = help: an experiment is a text file, usually `NAME.epo`

error[E0042]: `b.epo` is not written in UTF-8: see byte 5
 --> main.epo:2:8
  |
2 | import \"b.epo\"
  |        ^^^^^^^
  = help: save it as UTF-8

error[E0040]: `lib` is a folder
 --> main.epo:3:8
  |
3 | import \"lib\"
  |        ^^^^^
  = help: name a file in it

error[E0041]: cannot import `/etc/passwd`
 --> main.epo:4:8
  |
4 | import \"/etc/passwd\"
  |        ^^^^^^^^^^^^^
  = help: a file that can be mailed names other files from its own folder: `lib/file.epo`

error[E0041]: cannot import ``
 --> main.epo:5:8
  |
5 | import \"\"
  |        ^^
  = help: write the path of a file, from the folder of this one
";
    assert_eq!(found, expected);
}

#[test]
fn a_root_that_cannot_be_read() {
    assert_eq!(messages(&[]), "error[E0040]: there is no file `main.epo`\n  = help: the path is taken from the current folder\n");
    let folder = folder(&[("main.epo/x", b"")]);
    let (program, messages, sources) = read(folder.path());
    assert!(program.is_none());
    assert!(render::render_all(&sources, &messages, false).contains("is a folder"));
    let (_, messages, sources) = read(Path::new("/dev/zero"));
    assert!(render::render_all(&sources, &messages, false).contains("`/dev/zero` is no regular file"));
}

#[test]
fn ten_megabytes_of_brackets() {
    let started = std::time::Instant::now();
    let found = messages(&[("main.epo", &vec![b'('; 10_000_000])]);
    assert!(started.elapsed().as_millis() < 500, "{:?}", started.elapsed());
    assert_eq!(
        found,
        "error[E0025]: `main.epo` has more than 1 MiB\n  = help: an experiment is a page of text: data belongs into files of their own\n"
    );
}

#[test]
fn too_many_files_and_too_long_chains() {
    let mut files: Vec<(String, Vec<u8>)> = (0..300).map(|i| (format!("f{i}.epo"), Vec::new())).collect();
    let main: String = (0..300).map(|i| format!("import \"f{i}.epo\"\n")).collect();
    files.push(("main.epo".to_owned(), main.into_bytes()));
    let borrowed: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    let folder = folder(&borrowed);
    let (program, messages, _) = read(&folder.path().join("main.epo"));
    assert_eq!(program.map(|p| p.files.len()), Some(MAX_FILES));
    assert_eq!(messages.0.iter().map(|m| m.code).collect::<Vec<_>>(), ["E0044"]);

    let chain: Vec<(String, Vec<u8>)> = (0..100)
        .map(|i| (if i == 0 { "main.epo".to_owned() } else { format!("f{i}.epo") }, format!("import \"f{}.epo\"", i + 1).into_bytes()))
        .collect();
    let borrowed: Vec<(&str, &[u8])> = chain.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    let found = self::messages(&borrowed);
    assert!(found.starts_with("error[E0044]: more than 32 imports lead to this one\n --> f31.epo:1:8\n"), "{found}");
    assert_eq!(found.matches("error[").count(), 1);
}

#[test]
fn mistakes_of_imported_files_are_shown_with_their_name() {
    let found = messages(&[("main.epo", b"import \"lib/a.epo\"\nx = "), ("lib/a.epo", b"\ny = 3 3\n")]);
    let places: Vec<&str> = found.lines().filter(|l| l.contains("-->")).collect();
    assert_eq!(places, [" --> main.epo:2:3", " --> lib/a.epo:2:7"]);
}

#[test]
fn lines_of_the_command_line() {
    let read = |text: &str| {
        let mut sources = SourceMap::default();
        let (line, messages) = epo::lang::parser::parse_override(&mut sources, text);
        (line.is_some(), render::render_all(&sources, &messages, false))
    };
    assert_eq!(read("ppo.lambda=0.003"), (true, String::new()));
    assert_eq!(read("ppo.optimizer = adamw { lr = 1, b = 2 }"), (true, String::new()));
    let expected = "\
error[E0001]: expected a value after `=`
 --> <command line>:1:11
  |
1 | ppo.lambda=
  |           ^
";
    assert_eq!(read("ppo.lambda="), (false, expected.to_owned()));
    let expected = "\
error[E0008]: unknown unit `mins`
 --> <command line>:1:12
  |
1 | ppo.limit=30mins
  |             ^^^^
  = help: did you mean `30min`?
";
    let expected = expected.replace(":1:12", ":1:13");
    assert_eq!(read("ppo.limit=30mins"), (false, expected));
    for text in ["", "a = 1\nb = 2", "pipeline x { }", "import \"a.epo\""] {
        let (some, messages) = read(text);
        assert!(!some && messages.starts_with("error[E0121]: expected PIPELINE.PATH=VALUE\n --> <command line>:1:1\n"), "{messages}");
    }
    assert!(read("ppo.lambda").1.contains("expected `=` and a value after"));
}

/// Otherwise a program that was not built anew would be tested with another library than its own.
#[test]
fn the_compiled_in_library_is_the_folder_of_the_repository() {
    let folder = Library::read(Path::new("pipelines"), &epo::spec::LIBRARY).expect("the library of the repository");
    let compiled: Vec<(&str, &str)> = epo::spec::LIBRARY.files().collect();
    assert_eq!(folder.files().collect::<Vec<_>>(), compiled);
}

#[test]
fn a_library_from_a_folder() {
    let library = [("std/losses.epo", "fn a(x) = x\n"), ("std/helpers.epo", "fn b(x) = oops(\n"), ("std/more.epo", "fn c(x) = x\n")];
    let files: Vec<(&str, &[u8])> = library.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let place = folder(&files);
    let missing = Library::read(place.path(), &LIBRARY).expect_err("a file is missing");
    assert_eq!(missing, format!("there is no file `{}`", place.path().join("lib/house.epo").display()));
    let nowhere = place.path().join("nowhere");
    assert_eq!(Library::read(&nowhere, &LIBRARY).expect_err("no folder"), format!("`{}` is no folder", nowhere.display()));

    fs::create_dir(place.path().join("lib")).expect("a folder");
    fs::write(place.path().join("lib/house.epo"), "import \"../std/more.epo\"\n").expect("a file");
    let library = Library::read(place.path(), &LIBRARY).expect("a library");
    assert_eq!(library.names().collect::<Vec<_>>(), ["std/losses.epo", "std/helpers.epo", "lib/house.epo", "std/more.epo"]);
    let mut sources = SourceMap::default();
    let text = "import \"std/more.epo\"\nimport \"lib/house.epo\"\nimport \"std/helpers.epo\"\nimport \"std/gone.epo\"\n";
    let (program, messages) = load(Root::Text { name: "probe", text }, &library, &mut sources);
    // a file that two others import is one file
    let names = |program: Program| program.files.iter().map(|f| sources.get(f.source).name.clone()).collect::<Vec<_>>();
    assert_eq!(program.map(names).expect("a program"), ["probe", "std/more.epo", "lib/house.epo", "std/helpers.epo"]);
    let said = render::render_all(&sources, &messages, false).replace(&place.path().display().to_string(), "FOLDER");
    assert!(said.contains(" --> FOLDER/std/helpers.epo:1:"), "{said}");
    assert!(said.contains("= help: looked in the library `FOLDER`\n"), "{said}");
}
