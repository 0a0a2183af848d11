//! Codes of messages about types and values.

use super::Code;

pub const ROWS: &[Code] = &[
    Code {
        code: "E0201",
        title: "another type of value is expected",
        explanation: "The field takes something else: the message says what it takes and what was found.",
        wrong: "optimizer = adamw { lr = \"fast\" }",
        right: "optimizer = adamw { lr = 5e-6 }",
    },
    Code {
        code: "E0202",
        title: "the value is out of range",
        explanation: "The type is right, but the value makes no sense here: the message says which values do.",
        wrong: "optimizer = adamw { lr = -1 }",
        right: "optimizer = adamw { lr = 5e-6 }",
    },
    Code {
        code: "E0203",
        title: "this cannot be calculated with",
        explanation: "Operators and functions work on numbers and truth values.",
        wrong: "a = \"x\" + 1",
        right: "a = 2 + 1",
    },
    Code {
        code: "E0204",
        title: "the value is no finite number",
        explanation: "A division by zero or an overflow has no value that a run could use.",
        wrong: "a = 1 / 0",
        right: "a = 1 / 2",
    },
    Code {
        code: "E0206",
        title: "a placeholder of a prompt",
        explanation: "\
A placeholder is a name in braces that the environment offers, like `{observation}`. A brace itself is written `{{` or `}}`.",
        wrong: "prompt first = \"You see: {observatoin}\"",
        right: "prompt first = \"You see: {observation}\"",
    },
];
