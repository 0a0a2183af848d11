//! Codes of messages about types and values.

use super::Code;

pub(super) const ROWS: &[Code] = &[
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
        code: "E0205",
        title: "a stage gives something else",
        explanation: "\
Stages are joined by the values they use, and every value has a type: a field that takes a policy cannot be given metrics. The message says
what the field takes, and which output of that stage would fit.",
        wrong: "pipeline ppo {\n  stages {\n    train = rl { }\n    seen = evaluate { policy = train.metrics }\n  }\n}",
        right: "pipeline ppo {\n  stages {\n    train = rl { }\n    seen = evaluate { policy = train.policy }\n  }\n}",
    },
    Code {
        code: "E0206",
        title: "a placeholder of a prompt",
        explanation: "\
A placeholder is a name in braces that the environment offers, like `{observation}`. A brace itself is written `{{` or `}}`.",
        wrong: "prompt first = \"You see: {observatoin}\"",
        right: "prompt first = \"You see: {observation}\"",
    },
    Code {
        code: "E0208",
        title: "several stages where one is taken",
        explanation: "\
A pipeline with seeds or a sweep has one stage for each of its instances. Another pipeline means the one with its own seed; if it has other
seeds, or the stage is swept, that is several. A report takes them all, other stages take one.",
        wrong: "pipeline a {\n  lambda = sweep(1, 2)\n  stages { train = rl { } }\n}\npipeline b {\n  stages { seen = evaluate { policy = a.train } }\n}",
        right: "pipeline a {\n  stages { train = rl { } }\n}\npipeline b {\n  stages { seen = evaluate { policy = a.train } }\n}",
    },
    Code {
        code: "E0209",
        title: "policies of different vocabularies",
        explanation: "\
A `reference` and a `teacher` are asked what they make of the policy's tokens, one by one, so they have to read and write the same tokens. Policies that are
trained from scratch have those of their `tokenizer` stage: give both the same one. A published model brings its own.",
        wrong: "pipeline a {\n  teacher = causal_lm { weights = \"hub:a/b@c\" }\n  policy  = decoder { tokenizer = words }\n}",
        right: "pipeline a {\n  teacher = larger\n  policy  = decoder { tokenizer = words }\n}",
    },
];
