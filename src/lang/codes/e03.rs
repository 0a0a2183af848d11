//! Codes of messages about objectives: E0301 to E0349 before a run, E0350 and on while an equation is evaluated.

use super::Code;

pub(super) const ROWS: &[Code] = &[
    Code {
        code: "E0301",
        title: "the loss does not say what is minimised",
        explanation: "\
A `loss` block holds a line `minimize = expression` that combines its terms. The other lines only name terms.",
        wrong: "pipeline a {\n  loss { explore = mean(entropy) }\n}",
        right: "pipeline a {\n  loss { explore = mean(entropy), minimize = -explore }\n}",
    },
    Code {
        code: "E0302",
        title: "this must be one number for the whole batch",
        explanation: "\
An equation that is minimised, and a schedule, must be one number. A quantity of a token, a turn, an episode or a group is reduced
first: `mean(x)` counts every token alike, `mean(mean(x, by = turn))` every turn, `mean(mean(mean(x, by = turn), by = episode))` every
episode.",
        wrong: "pipeline a {\n  loss { minimize = -entropy }\n}",
        right: "pipeline a {\n  loss { minimize = -mean(entropy) }\n}",
    },
    Code {
        code: "E0303",
        title: "there is nothing to reduce",
        explanation: "\
A reduction makes one value out of several. `mean(x, by = turn)` of something that has one value a turn already, or a coarser level, would
reduce nothing. The levels are token ⊂ turn ⊂ episode ⊂ group ⊂ batch, turn ⊂ anchor ⊂ group and turn ⊂ turn_index ⊂ batch; coarser values
are broadcast to finer ones by themselves.",
        wrong: "pipeline a {\n  loss { minimize = mean(mean(mean(logp), by = turn)) }\n}",
        right: "pipeline a {\n  loss { minimize = mean(mean(logp, by = turn)) }\n}",
    },
    Code {
        code: "E0304",
        title: "a number is no condition",
        explanation: "\
A comparison gives a condition, which `where`, `and`, `or`, `not` and `count` take. `where(condition, 1, 0)` makes a number of it, and
`x > 0` a condition of a number.",
        wrong: "pipeline a {\n  loss { minimize = mean((entropy > 2) * entropy) }\n}",
        right: "pipeline a {\n  loss { minimize = mean(where(entropy > 2, entropy, 0)) }\n}",
    },
    Code {
        code: "E0305",
        title: "a quantity is not known here",
        explanation: "\
An `advantage` is evaluated once an iteration on the collected batch, from what is known then: `old_logp`, not `logp`. A schedule knows no
more than `iteration`, `iterations` and `progress`. A loss can mention only what its stage can give: no `value` without a critic.",
        wrong: "pipeline a {\n  advantage = whiten(logp)\n}",
        right: "pipeline a {\n  advantage = whiten(old_logp)\n}",
    },
    Code {
        code: "E0306",
        title: "`returns` needs one `gae` in the advantage",
        explanation: "\
`returns` is the unwhitened `gae` of the pipeline's `advantage` line plus `old_value`; so that line must hold exactly one `gae`.",
        wrong: "pipeline a {\n  advantage = whiten(outcome)\n  loss { minimize = mean((value - returns) ^ 2) }\n}",
        right: "pipeline a {\n  advantage = whiten(gae(outcome, value))\n  loss { minimize = mean((value - returns) ^ 2) }\n}",
    },
    Code {
        code: "E0307",
        title: "a history of a history",
        explanation: "\
`history(x)` keeps one number an iteration. What it averages may not itself look back, because the past of a past is not kept.",
        wrong: "pipeline a {\n  loss { minimize = mean(entropy - history(mean(entropy) - history(mean(entropy)))) }\n}",
        right: "pipeline a {\n  loss { minimize = mean(entropy - history(mean(entropy))) }\n}",
    },
    Code {
        code: "E0308",
        title: "a constant is out of range",
        explanation: "\
The function means nothing for this number: a fraction lies above 0 and not above 1, a discount from 0 to 1, a window is a whole number of
iterations, 1 or more.",
        wrong: "pipeline a {\n  loss { minimize = mean(where(top(entropy, 20), entropy, 0)) }\n}",
        right: "pipeline a {\n  loss { minimize = mean(where(top(entropy, 0.2), entropy, 0)) }\n}",
    },
    Code {
        code: "E0310",
        title: "nothing can be learned from this equation",
        explanation: "\
Nothing in the equation that is minimised reaches a parameter of a model, so no update would change anything. Gradients start at `logp`,
`entropy` and `value`; comparisons, `sign`, `floor`, `stop`, `top`, `count`, `history` and the condition of `where` end them.",
        wrong: "pipeline a {\n  loss { minimize = mean(where(entropy > 2, 1, 0)) }\n}",
        right: "pipeline a {\n  loss { minimize = mean(relu(entropy - 2)) }\n}",
    },
    Code {
        code: "E0311",
        title: "an argument has too many values",
        explanation: "\
`gamma`, `lambda` and fractions are one number for the whole batch. With `per = turn`, rewards and values have one value a turn. `history`
keeps one number an iteration, or with `by = turn_index` one a turn number.",
        wrong: "pipeline a {\n  loss { minimize = mean(entropy - history(entropy)) }\n}",
        right: "pipeline a {\n  loss { minimize = mean(entropy - history(mean(entropy))) }\n}",
    },
    Code {
        code: "E0312",
        title: "an expression is nested too deeply",
        explanation: "\
The engine evaluates expressions of a limited depth, counted after library functions were replaced by their meaning. A long sum is
shorter when its parts stand in brackets.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0313",
        title: "`by` with two values",
        explanation: "`min` and `max` either compare two values element by element, or reduce one with `by`; not both at once.",
        wrong: "pipeline a {\n  loss { minimize = mean(min(logp, old_logp, by = turn)) }\n}",
        right: "pipeline a {\n  loss { minimize = mean(min(min(logp, old_logp), by = turn)) }\n}",
    },
    Code {
        code: "E0314",
        title: "a value is added up once for every finer one",
        explanation: "\
A coarser value is given to every finer one that it meets. In a sum with a finer value, which `gae`, `discount` or a statistic of an
advantage adds up in its turn, it would be counted as often as there are finer ones: the outcome of a turn once for every token. Say where
it belongs: `on_last(outcome)` is a turn's value on its last token and 0 on the others, `on_last(score, by = episode)` an episode's at its
end. Or make one value of the finer ones: `score - sum(x, by = episode)`.",
        wrong: "pipeline a {\n  advantage = gae(outcome - 0.05 * (old_logp - ref_logp), old_value)\n  loss { minimize = -mean(advantage * logp) }\n}",
        right: "pipeline a {\n  advantage = gae(on_last(outcome) - 0.05 * (old_logp - ref_logp), old_value)\n  loss { minimize = -mean(advantage * logp) }\n}",
    },
    Code {
        code: "E0315",
        title: "a text that cannot be looked for",
        explanation: "\
`matches` and `match_count` take a regular expression as the Rust crate `regex` reads it: without references back and without looking
around, so that the time is bounded by the length of the text. A pattern has at most 10000 characters, and 20000 parts (letters, ranges of letters)
with its repetitions written out. In a string a backslash is written twice, \"\\\\d\", and between triple quotes once. The empty text stands in every text.",
        wrong: "pipeline a {\n  loss { minimize = -mean(matches(response, \"<think>(.*\") * logp) }\n}",
        right: "pipeline a {\n  loss { minimize = -mean(matches(response, \"<think>(.*)\") * logp) }\n}",
    },
    Code {
        code: "E0351",
        title: "the batch lacks something",
        explanation: "\
The equation mentions something that this batch does not have: a quantity, the ids by which rows belong to episodes, groups or anchor
states, or the past that `history` averages.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0352",
        title: "an expression could not be computed",
        explanation: "The tensors refused an operation. The message names the expression.",
        wrong: "",
        right: "",
    },
    Code {
        code: "E0353",
        title: "a term is not finite",
        explanation: "\
A term became NaN or infinite, so no update is made from it. The message names the innermost expression whose value is not finite though
its arguments are: most often an `exp` of a large difference of log-probabilities (clip the difference first), a division by a deviation
that is 0 (add a small number), or the logarithm of 0.",
        wrong: "",
        right: "",
    },
];
