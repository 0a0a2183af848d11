//! What is printed of a text means the same: what `show --as resolved` writes, and what `fmt` writes.

use epo::lang::format::format;
use epo::lang::load::{Library, Root};
use epo::lang::render::render_all;
use epo::plan::Plan;
use epo::spec::{Compiled, Request, compile};

fn compiled(text: &str, library: &Library) -> Compiled {
    compile(&Request { root: Root::Text { name: "text.epo", text }, overrides: &[], library })
}

/// The digests of all tasks; why not, where there is a mistake.
fn tasks(compiled: &Compiled) -> Result<Vec<String>, String> {
    if compiled.diagnostics.has_errors() {
        return Err(render_all(&compiled.sources, &compiled.diagnostics, false));
    }
    let plan = Plan::new(&compiled.pipelines).map_err(|errors| render_all(&compiled.sources, &errors, false))?;
    let mut digests: Vec<String> = plan.tasks.iter().map(|task| task.digest.hex().to_string()).collect();
    digests.sort();
    Ok(digests)
}

/// Whether a text has a plan, and what of it is printed with another meaning.
pub(crate) fn faithful(text: &str, library: &Library) -> Result<bool, String> {
    let first = compiled(text, library);
    let Ok(expected) = tasks(&first) else { return Ok(false) };
    let formatted = format(text).map_err(|_| format!("what can be read cannot be formatted\n{text}"))?;
    let resolved = [true, false].map(|origins| first.resolved.text(&[], origins));
    for (how, printed) in [("formatted", &formatted), ("resolved, with origins", &resolved[0]), ("resolved", &resolved[1])] {
        let found = tasks(&compiled(printed, library)).map_err(|messages| format!("{how}:\n{messages}\n{printed}\nof\n{text}"))?;
        if found != expected {
            return Err(format!("{how}, other tasks: {expected:?} became {found:?}\n{printed}\nof\n{text}"));
        }
    }
    Ok(true)
}
