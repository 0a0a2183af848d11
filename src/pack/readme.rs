//! `README.md`: what a person finds who unpacks a pack.

use super::description::{Description, PackedTask};
use super::{DESCRIPTION, LIBRARY, MACHINE, METADATA, PLAN, RESOLVED, SOURCE, TASKS};
use crate::lang::on_one_line;
use std::fmt::Write;

/// `description` without the hash of this text.
pub(super) fn readme(title: &str, description: &Description) -> String {
    let mut out = format!("# {}\n\n", plain(title));
    let _ = writeln!(
        out,
        "A recipe of epo-run {} and what it came to. The plan is `{}`; the first text is `{}`.\n",
        description.version, description.plan, description.recipe.root
    );
    out.push_str("```sh\nepo-run verify PACK            # are its files what was packed, and does the recipe come to this plan?\n");
    out.push_str("epo-run verify PACK --rerun    # are its results those of the recipe?\nepo-run PACK                   # run it\n```\n\n");
    out.push_str("`PACK` is the archive, or the folder into which it was unpacked.\n\n");
    for (name, what) in [
        (SOURCE, "the texts as they were read"),
        (LIBRARY, "the texts that the program brought along"),
        (RESOLVED, "the pipelines without imports, inheritance and functions"),
        (PLAN, "the tasks, and what each is the hash of"),
        (MACHINE, "what it ran on, if it ran"),
        (TASKS, "of each task its metrics, tables and pages"),
        (DESCRIPTION, "what is needed, what came out, and the hash of every file"),
        (METADATA, "the same for catalogues, in the words of RO-Crate"),
    ] {
        let _ = writeln!(out, "- `{name}`: {what}");
    }
    if !description.needs.is_empty() {
        out.push_str("\n## Needed from outside\n\n");
        for need in &description.needs {
            let hashes: Vec<String> = need
                .contents
                .values()
                .map(|hash| hash.as_ref().map_or("of an unknown content".into(), |hash| format!("content `{hash}`")))
                .collect();
            let hashes = if hashes.is_empty() { String::new() } else { format!(": {}", hashes.join(", ")) };
            let _ = writeln!(out, "- {}{hashes}", plain(&need.what));
        }
    }
    rates(&mut out, &description.tasks);
    out
}

fn rates(out: &mut String, tasks: &[PackedTask]) {
    let rows = || tasks.iter().flat_map(|task| task.rates.iter().map(move |rate| (task, rate)));
    if rows().next().is_none() {
        return;
    }
    out.push_str("\n## Successes\n\n| task | split | successes | episodes | 95 % interval |\n|---|---|---|---|---|\n");
    for (task, rate) in rows() {
        let (name, split) = (plain(&task.name), plain(&rate.split));
        let _ = writeln!(out, "| {name} | {split} | {} | {} | {:.3} to {:.3} |", rate.successes, rate.episodes, rate.low, rate.high);
    }
}

/// Words of a recipe: no Markdown and no HTML.
fn plain(text: &str) -> String {
    on_one_line(text).chars().flat_map(|c| ['\\', c].into_iter().skip(usize::from(!"\\`*_[]<>|#&!".contains(c)))).collect()
}
