//! Every code of a message, with what `epo-run explain CODE` says about it. One file per hundred: to add a code, add a row.

mod e00;
mod e01;
mod e02;
mod e03;
mod e04;
mod e05;
mod warnings;

use super::diagnostic::closest;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `E0104`
    pub code: &'static str,
    /// A few words.
    pub title: &'static str,
    /// A few lines: what the rule is, and why.
    pub explanation: &'static str,
    /// A text that has the mistake. Empty where none is short enough, or it needs more than one file.
    pub wrong: &'static str,
    /// The same text without the mistake.
    pub right: &'static str,
}

/// By code.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [e00::ROWS, e01::ROWS, e02::ROWS, e03::ROWS, e04::ROWS, e05::ROWS, warnings::ROWS].into_iter().flatten()
}

/// The row of a code; `e104` and `104` mean `E0104`.
pub fn find(code: &str) -> Option<&'static Code> {
    let upper = code.to_uppercase();
    let (letter, digits) = match upper.split_at_checked(1) {
        Some((letter @ ("E" | "W"), digits)) => (letter, digits),
        _ => ("E", upper.as_str()),
    };
    let wanted = format!("{letter}{digits:0>4}");
    all().find(|row| row.code == wanted)
}

/// What `epo-run explain` prints.
///
/// # Errors
/// Words for the user if there is no such code.
pub fn explain(code: &str) -> Result<String, String> {
    let Some(row) = find(code) else {
        let near =
            closest(&code.to_uppercase(), all().map(|row| row.code)).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("there is no code `{code}`{near}"));
    };
    let mut text = format!("{}: {}\n\n{}\n", row.code, row.title, row.explanation.trim());
    for (head, example) in [("Wrong", row.wrong), ("Right", row.right)] {
        if !example.is_empty() {
            let indented: Vec<String> =
                example.lines().map(|line| if line.is_empty() { String::new() } else { format!("    {line}") }).collect();
            text += &format!("\n{head}:\n\n{}\n", indented.join("\n"));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
