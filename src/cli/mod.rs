//! The command line: one file a verb. stdout is the answer, stderr is talk.

mod args;
mod check;
mod compare;
mod compiled;
mod completions;
mod device;
mod diff;
mod elsewhere;
mod env;
mod explain;
mod fmt;
mod here;
mod import;
mod input;
mod kinds;
mod lock;
mod lsp;
mod man;
mod model;
mod new;
mod pack;
mod plan;
mod play;
mod probe;
mod ranks;
pub mod reference;
mod report;
mod run;
mod runs;
mod serve;
mod settings;
mod settings_of_engines;
mod settings_of_servers;
mod settings_verb;
mod show;
#[cfg(feature = "serve")]
mod stop;
mod surroundings;
mod task;
mod verify;
mod watch;
mod world;

pub(crate) use settings::Settings;

use crate::extend::Additions;
use crate::lang::{is_hidden, visible};
use args::{Cli, Verb};
use clap::Parser;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// Done, warnings included.
pub const DONE: u8 = 0;
/// The user's input is wrong.
pub const WRONG_INPUT: u8 = 1;
/// The run failed.
pub const FAILED: u8 = 2;
/// Interrupted; the same command goes on.
pub const INTERRUPTED: u8 = 130;

/// Runs the command and gives its exit code.
pub fn main() -> ExitCode {
    main_with(&Additions::NONE)
}

/// As [`main`], of a program that depends on this crate: with its own environments and files of functions.
pub fn main_with(additions: &Additions) -> ExitCode {
    additions.install();
    // A write beyond the limit on the size of files then fails, and is told like a full disk.
    #[cfg(unix)]
    // SAFETY: nothing else runs yet, and to ignore a signal runs no code when it comes.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { WRONG_INPUT } else { DONE };
            // What is repeated of the command line may be the name of a stranger's file.
            let words = error.render();
            if visible(&words.to_string()) != words.to_string() {
                tell(words.to_string().trim_end());
                return ExitCode::from(code);
            }
            written(error.print());
            return ExitCode::from(whole(code));
        }
    };
    if let (Some(_), Some(word)) = (&cli.verb, cli.run.without_a_verb()) {
        return ExitCode::from(complain_with(
            &format!("`{word}` cannot stand before a verb"),
            Some("it belongs to `epo-run FILE`; settings (`--runs DIR`) may stand anywhere"),
        ));
    }
    let code = whole(dispatch(&cli));
    ranks::speak();
    ExitCode::from(code)
}

/// What was done is not done if its answer is lost.
fn whole(code: u8) -> u8 {
    if code == DONE && LOST.load(Ordering::SeqCst) { FAILED } else { code }
}

fn dispatch(cli: &Cli) -> u8 {
    if let Ok(program) = std::env::current_exe() {
        crate::model::pretrained::looked_at_by(program, model::LOOK);
    }
    if matches!(cli.verb, None | Some(Verb::Task(_))) {
        ranks::hush();
    }
    let settings = match Settings::load(&cli.settings) {
        Ok(settings) => settings,
        Err(message) => return complain(&message),
    };
    settings.warnings.iter().for_each(|line| tell(&format!("warning: {line}")));
    match &cli.verb {
        None => match &cli.run.file {
            Some(file) => match misspelt(file) {
                Some(verb) => {
                    complain_with(&format!("there is no file `{}`", file.display()), Some(&format!("did you mean `epo-run {verb}`?")))
                }
                None => run::run(file, &cli.run, &settings),
            },
            None => {
                let _ = <Cli as clap::CommandFactory>::command().print_help();
                WRONG_INPUT
            }
        },
        Some(Verb::Check(args)) => check::run(args, &settings),
        Some(Verb::Plan(args)) => plan::run(args, &settings),
        Some(Verb::Show(args)) => show::run(args, &settings),
        Some(Verb::Probe(args)) => probe::run(args, &settings),
        Some(Verb::Fmt(args)) => fmt::run(args),
        Some(Verb::New(args)) => new::run(args),
        Some(Verb::Kinds(args)) => kinds::run(args, &settings),
        Some(Verb::Explain(args)) => explain::run(args),
        Some(Verb::Settings(args)) => settings_verb::run(args, &settings),
        Some(Verb::Completions(args)) => completions::run(args),
        Some(Verb::Man(args)) => man::run(args),
        Some(Verb::Runs(args)) => runs::run(args, &settings),
        Some(Verb::Import(args)) => import::run(args, &settings),
        Some(Verb::Lock(args)) => lock::run(args, &settings),
        Some(Verb::Pack(args)) => pack::run(args, &settings),
        Some(Verb::Verify(args)) => verify::run(args, &settings),
        Some(Verb::Report(args)) => report::run(args, &settings),
        Some(Verb::Diff(args)) => diff::run(args, &settings),
        Some(Verb::Compare(args)) => compare::run(args, &settings),
        Some(Verb::Env(args)) => env::run(args, &settings),
        Some(Verb::Play(args)) => play::run(args, &settings),
        Some(Verb::Model(args)) => model::run(args, &settings),
        Some(Verb::Lsp(args)) => lsp::run(args, &settings),
        Some(Verb::Serve(args)) => serve::run(args, &settings),
        Some(Verb::Watch(args)) => watch::run(args, &settings),
        Some(Verb::Task(args)) => task::run(args, &settings),
    }
}

/// The verb that was meant, where a bare word names no file but is nearly a verb.
fn misspelt(file: &std::path::Path) -> Option<String> {
    let word = file.to_str().filter(|word| !word.contains(['.', '/', '\\']) && !file.exists())?;
    let command = <Cli as clap::CommandFactory>::command();
    let verbs: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    crate::lang::diagnostic::closest(word, verbs).map(str::to_string)
}

/// Says on stderr what is wrong with the user's input.
pub(crate) fn complain(message: &str) -> u8 {
    tell(&format!("error: {message}"));
    WRONG_INPUT
}

/// A line of talk on stderr; as with [`answer`], nobody need listen.
pub(crate) fn tell(line: &str) {
    use std::io::Write;
    if ranks::hold(line) {
        return;
    }
    let _ = writeln!(std::io::stderr(), "{}", visible(line));
}

/// Whether a part of an answer could not be written.
static LOST: AtomicBool = AtomicBool::new(false);

/// Prints the answer, without what a terminal would obey. A reader that has gone away (`epo-run kinds | head`) is no mistake; a full disk is, and
/// the command then ends with 2.
pub(crate) fn answer(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    written(out.write_all(visible(text).as_bytes()).and_then(|()| out.flush()));
}

/// Prints a value for programs, whole: what a terminal would obey is escaped.
pub(crate) fn answer_json(value: &serde_json::Value) {
    answer(&escaped(&format!("{value:#}\n")));
}

/// JSON that means the same.
fn escaped(json: &str) -> String {
    json.chars().map(|c| if c != '\n' && is_hidden(c) { format!("\\u{:04x}", c as u32) } else { c.to_string() }).collect()
}

fn written(result: std::io::Result<()>) {
    if let Err(error) = result
        && error.kind() != std::io::ErrorKind::BrokenPipe
        && !LOST.swap(true, Ordering::SeqCst)
    {
        complain(&format!("the answer cannot be written: {error}"));
    }
}

/// Says on stderr what is wrong, and what to do next.
pub(crate) fn complain_with(message: &str, help: Option<&str>) -> u8 {
    complain(message);
    if let Some(help) = help {
        tell(&format!("  = help: {help}"));
    }
    WRONG_INPUT
}
