//! Codes of messages about runs.

use super::Code;

pub(super) const ROWS: &[Code] = &[
    Code {
        code: "E0501",
        title: "a stage failed",
        explanation: "\
The stage at the mark stopped with the error that the message gives. What was done before it is kept: when the reason is gone, the same
command goes on from there.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0502",
        title: "the run folder",
        explanation: "\
The folder of the runs could not be read or written: it is locked by another command, full, not writable, damaged, or of a newer format.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0503",
        title: "the run was interrupted",
        explanation: "What was done is kept. The same command goes on where it stopped, with the same results as if it had not stopped.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0504",
        title: "a gradient is not finite",
        explanation: "\
The gradient of an update became NaN or infinite, so the update is not made. Usually the learning rate is too high; `clip_norm` bounds the
length of a gradient, but cannot mend one that is not finite.",
        wrong: "",
        right: "",
    },
];
