//! Pages that show the command at work: what stands under `$ epo-run …` is what it says.

use std::fs;
use std::process::Command;

const PAGES: [&str; 1] = ["docs/readings.md"];

#[test]
fn commands_say_what_the_pages_show() {
    for page in PAGES {
        let text = fs::read_to_string(page).expect(page);
        let mut shown = 0;
        let mut expected = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            expected += &format!("{line}\n");
            if line != "```console" {
                continue;
            }
            let command =
                lines.next().and_then(|l| l.strip_prefix("$ epo-run ")).unwrap_or_else(|| panic!("{page}: no command in a block"));
            expected += &format!("$ epo-run {command}\n{}```\n", said(command));
            lines.by_ref().find(|l| *l == "```").unwrap_or_else(|| panic!("{page}: a block is not closed"));
            shown += 1;
        }
        assert!(shown >= 6, "{page} shows only {shown} commands");
        super::fresh(page, &expected);
    }
}

/// What a command says on either stream. The library's files are not at hand, so their lines are left out.
fn said(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_epo-run")).args(command.split(' ')).env("NO_COLOR", "1").output().expect("the command");
    assert!(output.status.code().is_some_and(|code| code <= 1), "{command}: {output:?}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    super::places::without_library_lines(&(text(&output.stdout) + &text(&output.stderr)))
}
