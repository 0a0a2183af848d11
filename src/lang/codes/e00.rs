//! Codes of messages about syntax (E0001 to E0039) and files (E0040 to E0049).

use super::Code;

pub(super) const ROWS: &[Code] = &[
    Code {
        code: "E0001",
        title: "a value is missing",
        explanation: "\
After `=`, after an operator, and between brackets and commas stands a value. A line ends at its newline: `=` does not carry it over
to the next line, other operators do.",
        wrong: "lambda =\nrate = 2 *",
        right: "lambda = 0.001\nrate = 2 *\n  lambda",
    },
    Code {
        code: "E0002",
        title: "a comma or a closing bracket is missing",
        explanation: "\
Inside `( )` and `[ ]` newlines are space, so arguments and elements are separated by commas. A comma after the last one is allowed.",
        wrong: "seeds = [0 1 2]",
        right: "seeds = [0, 1, 2]",
    },
    Code {
        code: "E0003",
        title: "a bracket is not closed",
        explanation: "\
Every `(`, `[` and `{` needs its partner. The message shows where the bracket was opened and what came instead of its partner. If a `}`
stands at another indentation than the line of its `{`, that pair is shown too: there the missing `}` may belong.",
        wrong: "pipeline ppo {\n  loss {\n    minimize = mean(entropy)\n}",
        right: "pipeline ppo {\n  loss {\n    minimize = mean(entropy)\n  }\n}",
    },
    Code {
        code: "E0004",
        title: "a bracket closes nothing",
        explanation: "There is a `)`, `]` or `}` whose partner is missing or was closed before.",
        wrong: "rate = max(1, 2))",
        right: "rate = max(1, 2)",
    },
    Code {
        code: "E0005",
        title: "a string is not closed",
        explanation: "\
A string begins and ends with `\"` on one line. A `\"` inside is written `\\\"`. A text over several lines stands between `\"\"\"` and
`\"\"\"`.",
        wrong: "title = \"PPO + EPO",
        right: "title = \"PPO + EPO\"",
    },
    Code {
        code: "E0006",
        title: "a text is not closed",
        explanation: "A text that begins with `\"\"\"` goes on to the next `\"\"\"`, whatever stands between.",
        wrong: "prompt first = \"\"\"\nYou see: {observation}",
        right: "prompt first = \"\"\"\nYou see: {observation}\n\"\"\"",
    },
    Code {
        code: "E0007",
        title: "this is no number",
        explanation: "\
Numbers are written in base ten: `150`, `1_000`, `0.001`, `5e-6`. Digits stand on both sides of a decimal point, `_` only between two
digits. A number may carry a unit of time or size.",
        wrong: "lr = .5e-6",
        right: "lr = 0.5e-6",
    },
    Code {
        code: "E0008",
        title: "unknown unit",
        explanation: "\
Durations are written with `ms`, `s`, `min`, `h` or `d`, sizes with `kB`, `MB`, `GB`, `TB` (powers of 1000) or `KiB`, `MiB`, `GiB`,
`TiB` (powers of 1024). The unit stands directly after its number.",
        wrong: "limit = 30mins",
        right: "limit = 30min",
    },
    Code {
        code: "E0009",
        title: "unknown escape",
        explanation: "\
In a string, `\\n` is a new line, `\\t` a tab, `\\\"` a quote and `\\\\` a backslash. `\\u{1b}` is the character with that number
in base sixteen. Between triple quotes there are no escapes: a backslash is
a backslash.",
        wrong: "end = \"\\d\"",
        right: "end = \"\\\\d\"",
    },
    Code {
        code: "E0010",
        title: "this word cannot be a name",
        explanation: "\
`and`, `or` and `not` are operators, `true` and `false` are values. All other words may be names, also `pipeline`, `prompt` or `from`:
these mean something only at the beginning of a line.",
        wrong: "not = 3",
        right: "negated = 3",
    },
    Code {
        code: "E0011",
        title: "unknown kind of line",
        explanation: "\
A line is `name = value`, `name { … }`, or begins with `import`, `fn`, `prompt`, `without` or `pipeline`.",
        wrong: "pipelin ppo { }",
        right: "pipeline ppo { }",
    },
    Code {
        code: "E0012",
        title: "a new line is missing",
        explanation: "\
Each line says one thing. Inside `{ }` a comma ends a line too; at the top of a file only a newline does.",
        wrong: "optimizer = adamw { lr = 5e-6 clip_norm = 1 }",
        right: "optimizer = adamw { lr = 5e-6, clip_norm = 1 }",
    },
    Code {
        code: "E0013",
        title: "this sign is not part of the language",
        explanation: "\
The message says what is written instead. Texts copied from a PDF often hold look-alikes of `-`, `\"` or the space.",
        wrong: "lr: 5e-6",
        right: "lr = 5e-6",
    },
    Code {
        code: "E0014",
        title: "how a pipeline is written",
        explanation: "\
A pipeline is `pipeline name { … }`, or `pipeline name from other { … }` if it inherits every line of another. The `{` stands on the
same line.",
        wrong: "pipeline ppo form ppo_epo { }",
        right: "pipeline ppo from ppo_epo { }",
    },
    Code {
        code: "E0015",
        title: "how a function is written",
        explanation: "\
A function is one expression: `fn name(a, b = 1) = value`. A parameter with `=` has a default, which may use the parameters before it.",
        wrong: "fn beta(k) { 1 + exp(-k) }",
        right: "fn beta(k) = 1 + exp(-k)",
    },
    Code {
        code: "E0016",
        title: "how an import is written",
        explanation: "\
`import \"file.epo\"` makes the names of the other file visible; with `as name` they are reached as `name.other`. The path is taken from
the folder of the importing file, then from the compiled-in files.",
        wrong: "import std.losses",
        right: "import \"std/losses.epo\"",
    },
    Code {
        code: "E0017",
        title: "how a prompt is written",
        explanation: "\
A prompt is a name and one text: `prompt name = \"\"\"…\"\"\"`. Its placeholders, like `{observation}`, are filled in by the environment.",
        wrong: "prompt first = opening",
        right: "prompt first = \"\"\"\nYou see: {observation}\n\"\"\"",
    },
    Code {
        code: "E0018",
        title: "how a line is removed",
        explanation: "`without path` removes one line that a pipeline has from another.",
        wrong: "pipeline a from b { without critic = none }",
        right: "pipeline a from b { without critic }",
    },
    Code {
        code: "E0019",
        title: "comparisons and ranges cannot be chained",
        explanation: "\
`a < b < c` would compare a truth value with `c`. Say both comparisons. A range has two ends, `low..high`.",
        wrong: "inside = 0 < x < 1",
        right: "inside = 0 < x and x < 1",
    },
    Code {
        code: "E0020",
        title: "an argument without a name after one with a name",
        explanation: "Arguments without names fill the parameters in order, so they stand before those with names.",
        wrong: "smooth = clip(low = 0, x)",
        right: "smooth = clip(x, low = 0)",
    },
    Code {
        code: "E0021",
        title: "a line in the wrong place",
        explanation: "\
Imports and pipelines stand at the top level of a file. `without` stands inside a pipeline. Inside a component, `kind { … }`, stand only
fields: `name = value` and blocks.",
        wrong: "policy = decoder {\n  fn double(x) = 2 * x\n  layers = double(2)\n}",
        right: "fn double(x) = 2 * x\npolicy = decoder {\n  layers = double(2)\n}",
    },
    Code {
        code: "E0022",
        title: "`=` is missing",
        explanation: "A value is given with `name = value`.",
        wrong: "lambda 0.001",
        right: "lambda = 0.001",
    },
    Code {
        code: "E0023",
        title: "a line begins with a name",
        explanation: "\
What stands here can begin no line. Names are written without quotes, and a comma stands only behind a line, not before it.",
        wrong: "optimizer = adamw { \"lr\" = 5e-6 }",
        right: "optimizer = adamw { lr = 5e-6 }",
    },
    Code {
        code: "E0024",
        title: "brackets are nested too deep",
        explanation: "\
Brackets may be nested 64 deep. The bound keeps a hostile file from exhausting the program; no experiment comes near it. Inner parts can
be given names on lines of their own.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0025",
        title: "a file is too large",
        explanation: "\
A file of the language may have 1 MiB. Data belongs into files of their own, which environments and stages read.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0026",
        title: "an expression is too large",
        explanation: "\
At most 256 operators and brackets may stand around one value. The bound keeps a hostile file from exhausting the program. Parts of a
large expression can be given names on lines of their own.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0027",
        title: "another version of the language",
        explanation: "\
A file may begin with `language = 1`. A program that does not know the version refuses the file, rather than read it as something that
was not meant.",
        wrong: "language = 2",
        right: "language = 1",
    },
    Code {
        code: "E0028",
        title: "the version of the language is no number, or not the first line",
        explanation: "`language = 1` is the first line of a file or is left out. The version is a plain number.",
        wrong: "title = \"PPO\"\nlanguage = 1",
        right: "language = 1\ntitle = \"PPO\"",
    },
    Code {
        code: "E0029",
        title: "this is no name",
        explanation: "\
A name is made of the letters a to z and A to Z, digits and `_`, does not begin with a digit, and has at most 128 of them. The parts of a
path are joined by `.` without spaces: `train.best`.",
        wrong: "pipeline ppo-epo { }",
        right: "pipeline ppo_epo { }",
    },
    Code {
        code: "E0030",
        title: "only a name can be called or have fields",
        explanation: "\
`f(x)` calls a function and `kind { field = value }` makes a component; a number, a text or an expression cannot stand in their place.
Lists have no numbered parts.",
        wrong: "first = seeds[0]",
        right: "seeds = [0, 1]",
    },
    Code {
        code: "E0031",
        title: "`=` in the wrong place",
        explanation: "\
`=` gives a value to the name at the beginning of a line, to an argument or to a parameter's default. Equality is `==`.",
        wrong: "same = a = b",
        right: "same = a == b",
    },
    Code {
        code: "E0032",
        title: "more mistakes follow",
        explanation: "Only the first hundred mistakes of a file are shown.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0040",
        title: "a file cannot be read",
        explanation: "The file is missing, is a folder or a device, or may not be read by you.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0041",
        title: "an imported file is missing",
        explanation: "\
An import is looked up beside the importing file, then among the compiled-in files of `std/` and `lib/`. Its path is relative and stays inside
the folder of the file that was named on the command line, also where links lead. So an experiment can be moved to another machine together
with its files, and a stranger's cannot read others.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0042",
        title: "a file is no text",
        explanation: "A file of the language is written in UTF-8 and holds no NUL.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0043",
        title: "a file imports itself",
        explanation: "\
Imports may not lead in a circle: neither file could be read before the other. What both need belongs into a third file. The message shows
every import on the way.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0044",
        title: "too many imports",
        explanation: "\
An experiment may consist of 256 files, and 32 imports may lead to one. The bounds keep a hostile file from exhausting the program.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0045",
        title: "an import from elsewhere is not pinned",
        explanation: "\
A text may be imported out of a repository on a hub, `hub:OWNER/NAME@REVISION/FILE.epo`, or out of a pack in the folder of the first file,
`pack:NAME.zip/FILE.epo`. Which bytes are meant says `epo.lock` beside the first file: `epo-run lock FILE` fetches what is missing and writes its
hash there. Nothing else fetches a text, and one of another hash is refused.",
        wrong: "",
        right: "",
    },
];
