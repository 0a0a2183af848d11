//! The tables of a run: at its end, and again with `epo-run report`.

use super::{DONE, FAILED, Settings, answer, complain, complain_with};
use crate::exec::Outcome;
use crate::plan::Plan;
use crate::store::Store;
use clap::Args;
use std::path::{Path, PathBuf};

/// The width that a table may take.
const WIDTH: usize = 120;

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// `ppo_epo/7f3a9c41`, the beginning of its digest, or a name that but one run has.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// As Markdown, with how entropy moved while each method learned.
    #[arg(long)]
    pub markdown: bool,
}

pub(super) fn run(args: &ReportArgs, settings: &Settings) -> u8 {
    let store = Store::new(&settings.values.runs);
    let found = match store.find_run(&args.run) {
        Ok(found) => found,
        Err(error) => return super::runs::wrong(&error),
    };
    let pages = pages(&found.path);
    if pages.is_empty() {
        let why = if found.done < found.tasks.len() { "it is not finished" } else { "its pipelines have no `report` stage" };
        return complain(&format!("the run {} has no report: {why}", found.id));
    }
    let mut code = DONE;
    for page in &pages {
        let name = page.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(problem) = store.page_problem(&found, name) {
            complain_with(&format!("{}: {problem}", page.display()), Some("run the same command again: it is then copied anew"));
            code = FAILED;
            continue;
        }
        if let Err(message) = if args.markdown { print_markdown(page) } else { print(page) } {
            complain(&message);
            code = FAILED;
        }
    }
    code
}

/// Prints each report's table on stdout, and where its page lies.
pub(super) fn print_tables(_plan: &Plan, outcome: &Outcome) {
    for page in &outcome.pages {
        if let Err(message) = print(page) {
            complain(&message);
        }
    }
}

/// `report.html`, `report.json`, `report.a.page.html`, …, each page before its table's data.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let names = std::fs::read_dir(folder).into_iter().flatten().filter_map(|e| e.ok()).map(|e| e.path());
    let is_page = |path: &PathBuf| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        name.starts_with("report.") && path.extension().is_some_and(|e| e == "html" || e == "json")
    };
    let mut pages: Vec<PathBuf> = names.filter(is_page).collect();
    pages.sort();
    pages
}

fn print_markdown(page: &Path) -> Result<(), String> {
    if page.extension().is_some_and(|e| e == "json") {
        answer(&crate::report::markdown(&read(page)?));
    }
    Ok(())
}

fn read(page: &Path) -> Result<crate::report::ReportData, String> {
    let text = std::fs::read_to_string(page).map_err(|error| format!("cannot read {}: {error}", page.display()))?;
    crate::report::from_json(&text).map_err(|error| format!("{}: {error}", page.display()))
}

fn print(page: &Path) -> Result<(), String> {
    if page.extension().is_none_or(|e| e != "json") {
        answer(&format!("{}\n", page.display()));
        return Ok(());
    }
    answer(&format!("{}\n", crate::report::text(&read(page)?, WIDTH)));
    Ok(())
}
