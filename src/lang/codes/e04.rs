//! Codes of messages about plans.

use super::Code;

pub(super) const ROWS: &[Code] = &[
    Code {
        code: "E0401",
        title: "stages need one another in a circle",
        explanation: "\
A stage runs after all stages whose outputs it uses, so none may need itself, also not through others. The message shows every use on the
way.",
        wrong: "pipeline a {\n  stages {\n    x = sft { policy = y.policy }\n    y = sft { policy = x.policy }\n  }\n}",
        right: "pipeline a {\n  stages {\n    x = sft { }\n    y = sft { policy = x.policy }\n  }\n}",
    },
    Code {
        code: "E0402",
        title: "there is no such stage",
        explanation: "A path to the output of a stage names a stage of this pipeline, or of another one by `pipeline.stage`.",
        wrong: "pipeline a {\n  stages {\n    train = rl { }\n    seen = evaluate { policy = trian.policy }\n  }\n}",
        right: "pipeline a {\n  stages {\n    train = rl { }\n    seen = evaluate { policy = train.policy }\n  }\n}",
    },
    Code {
        code: "E0403",
        title: "there is no such pipeline",
        explanation: "`--only NAME` names a pipeline of the file, or one instance of it, like `ppo[seed=1]`.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0404",
        title: "a stage cannot go on from the middle of another",
        explanation: "\
`from = train.at(40)` takes over weights and moments. So the model and its start (`policy`), the kind of the `optimizer` and that of the `critic` are the
other stage's, and there must be iterations left: they count from the beginning. Equations, rewards, rates, tasks and seeds may differ.",
        wrong: "pipeline a {\n  iterations = 40\n  stages {\n    train = rl { }\n    on = rl { from = train.at(39), iterations = 30 }\n  }\n}",
        right: "pipeline a {\n  iterations = 40\n  stages {\n    train = rl { }\n    on = rl { from = train.at(39), iterations = 50 }\n  }\n}",
    },
];
