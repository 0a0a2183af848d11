//! Codes of messages about names and fields.

use super::Code;

pub(super) const ROWS: &[Code] = &[
    Code {
        code: "E0101",
        title: "nothing has this name",
        explanation: "\
A name is looked up among the parameters of the function, the lines of the block, of the pipeline, of the file and of the files it
imports, then among the quantities of a batch.",
        wrong: "rate = 1e-5\nwarm = rat * 2",
        right: "rate = 1e-5\nwarm = rate * 2",
    },
    Code {
        code: "E0102",
        title: "two imports define this name",
        explanation: "Neither import is preferred to the other. Give one of the files a name of its own, and reach its names through it.",
        wrong: "import \"lib/a.epo\"\nimport \"lib/b.epo\"\nx = house",
        right: "import \"lib/a.epo\"\nimport \"lib/b.epo\" as b\nx = b.house",
    },
    Code {
        code: "E0103",
        title: "a line is defined in terms of itself",
        explanation: "The value of a line may not depend on that same line, also not through others: it could never be calculated.",
        wrong: "a = b + 1\nb = a * 2",
        right: "a = 3\nb = a * 2",
    },
    Code {
        code: "E0104",
        title: "unknown field",
        explanation: "The kind has no field of this name. `epo-run kinds NAME` lists the fields of a kind.",
        wrong: "optimizer = adamw { lr = 5e-6, weight_decai = 0.01 }",
        right: "optimizer = adamw { lr = 5e-6, weight_decay = 0.01 }",
    },
    Code {
        code: "E0105",
        title: "a field is missing",
        explanation: "\
The kind has no default for this field. Fields that a stage takes over from its pipeline (`policy`, `loss`, `advantage`, …) may also be
given as lines of the pipeline.",
        wrong: "optimizer = adamw { }",
        right: "optimizer = adamw { lr = 5e-6 }",
    },
    Code {
        code: "E0106",
        title: "given twice",
        explanation: "A name, a field, a parameter or an argument is given a value once. A pipeline may replace a line that it has from another.",
        wrong: "fn double(x, x) = 2 * x",
        right: "fn double(x) = 2 * x",
    },
    Code {
        code: "E0107",
        title: "unknown kind",
        explanation: "\
Before `{ … }` stands the name of a kind (`epo-run kinds` lists them), or of a component whose fields are to be changed.",
        wrong: "optimizer = adam { lr = 5e-6 }",
        right: "optimizer = adamw { lr = 5e-6 }",
    },
    Code {
        code: "E0108",
        title: "a function calls itself",
        explanation: "Functions are total: neither they nor what they call may lead back to them.",
        wrong: "fn f(x) = f(x - 1)",
        right: "fn f(x) = x - 1",
    },
    Code {
        code: "E0109",
        title: "there is no pipeline to inherit from",
        explanation: "After `from` stands a pipeline of this file, or of an imported one.",
        wrong: "pipeline a from base { }",
        right: "pipeline base { }\npipeline a from base { }",
    },
    Code {
        code: "E0110",
        title: "nothing reads this line, but a name is close to it",
        explanation: "\
A line of a pipeline that nothing reads, and whose name is nearly one that would be read, is taken for a typing mistake. So is a setting of
another tool, which would change nothing: `clip_ratio`, `kl_coef`.",
        wrong: "pipeline ppo {\n  iteration_s = 150\n}",
        right: "pipeline ppo {\n  iterations = 150\n}",
    },
    Code {
        code: "E0111",
        title: "no such part",
        explanation: "A path goes into a component by its fields, and into a pipeline by its stages. There is none of this name.",
        wrong: "pipeline a { stages { train = rl { } } }\npipeline b { stages { page = report { of = [a.trian] } } }",
        right: "pipeline a { stages { train = rl { } } }\npipeline b { stages { page = report { of = [a.train] } } }",
    },
    Code {
        code: "E0112",
        title: "there is nothing to leave out",
        explanation: "`without path` removes a line that the pipeline has from another, by its full path.",
        wrong: "pipeline a { lambda = 1 }\npipeline b from a { without lambada }",
        right: "pipeline a { lambda = 1 }\npipeline b from a { without lambda }",
    },
    Code {
        code: "E0113",
        title: "this name is taken",
        explanation: "\
The quantities of a batch (`logp`, `entropy`, `value`, …) and the functions keep their meaning everywhere: a line of that name would
change what other lines say.",
        wrong: "pipeline ppo { entropy = 0.01 }",
        right: "pipeline ppo { entropy_weight = 0.01 }",
    },
    Code {
        code: "E0114",
        title: "this has no fields",
        explanation: "Only components have fields that can be read or changed.",
        wrong: "pipeline a { rate = 1 }\npipeline b from a { rate.warmup = 2 }",
        right: "pipeline a { optimizer = adamw { lr = 1 } }\npipeline b from a { optimizer.lr = 2 }",
    },
    Code {
        code: "E0115",
        title: "a function where a value is expected, or the other way round",
        explanation: "A function is called, `f(x)`; a value is not. Imported files and pipelines are neither.",
        wrong: "a = 3\nb = a(2)",
        right: "fn a(x) = 3 * x\nb = a(2)",
    },
    Code {
        code: "E0116",
        title: "a block in the wrong place",
        explanation: "`loss { … }` and `stages { … }` are blocks of a pipeline (`loss` also of a stage). Everything else is `name = value`.",
        wrong: "loss { minimize = mean(entropy) }",
        right: "pipeline a { loss { minimize = mean(entropy) } }",
    },
    Code {
        code: "E0117",
        title: "wrong arguments",
        explanation: "The function has no such parameter, too many arguments were given, or one without a default is missing.",
        wrong: "fn double(x) = 2 * x\na = double(1, 2)",
        right: "fn double(x) = 2 * x\na = double(1)",
    },
    Code {
        code: "E0118",
        title: "a calculation is too long or too deep",
        explanation: "The evaluation of a file is bounded in steps and depth, so that a stranger's file is safe to check.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0119",
        title: "pipelines inherit in a circle",
        explanation: "A pipeline may not have its lines from one that has them from it.",
        wrong: "pipeline a from b { }\npipeline b from a { }",
        right: "pipeline a { }\npipeline b from a { }",
    },
    Code {
        code: "E0120",
        title: "a sweep outside of a pipeline",
        explanation: "`sweep(a, b)` unfolds the pipeline in which it stands into one instance for each value.",
        wrong: "lambda = sweep(1, 2)",
        right: "pipeline a { lambda = sweep(1, 2) }",
    },
    Code {
        code: "E0121",
        title: "how `--set` is written",
        explanation: "`--set PIPELINE.PATH=VALUE` replaces one line of a pipeline of the file, as a pipeline made `from` it would.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0122",
        title: "too many instances",
        explanation: "Seeds and sweeps multiply. A pipeline may unfold into 1000 instances.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0123",
        title: "seeds are a list",
        explanation: "\
`seeds = 3` may be the one seed 3 or three seeds; other tools take it for either. A list says which: `[3]`, or `[0, 1, 2]`.",
        wrong: "",
        right: "",
    },
];
