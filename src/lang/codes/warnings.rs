//! Codes of warnings. A warning does not stop a run; `--deny-warnings` makes it.

use super::Code;

pub const ROWS: &[Code] = &[Code {
    code: "W0110",
    title: "nothing reads this line",
    explanation: "\
A line of a pipeline that nothing reads is likely to be a mistake: it looks as if it mattered. Inherited and imported names are exempt,
because a library defines more than one file needs.",
    wrong: "pipeline ppo {\n  old_rate = 1e-5\n  stages { page = report { of = [] } }\n}",
    right: "pipeline ppo {\n  stages { page = report { of = [] } }\n}",
}];
