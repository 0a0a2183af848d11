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
        title: "a gradient or a weight is not finite",
        explanation: "\
The gradient of an update became NaN or infinite, so the update is not made; or weights did by the update, and are not saved. Usually the learning rate is too high; `clip_norm` bounds the
length of a gradient, but cannot mend one that is not finite.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0505",
        title: "something outside is missing",
        explanation: "\
Before the first stage runs, everything that the stages to be run need from outside is looked at once: models with their configuration,
tokenizer and chat template, games, Java and archives. The message says what is missing or cannot be used, and which stages need it.
Nothing was run.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0506",
        title: "half done with another model",
        explanation: "\
The stage at the mark was interrupted, and a folder or file of a model that it is made of holds something else since then. Going on
would mix two models. With the old content in its place the same command goes on; `--fresh` begins anew with the new one.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0507",
        title: "an engine that tasks are handed to",
        explanation: "\
The setting `engine` hands tasks to Slurm or Ray, which is not there, cannot be reached, or refuses them with the words of the message.
Jobs that it has already stay with it; the same command finds them again.",
        wrong: "",
        right: "",
    },
];
