//! The codes of messages about objectives, with what `explain` says about each.

pub const CODES: &[(&str, &str)] = &[
    (
        "E0301",
        "A `loss` block must say what is minimised: a line `minimize = expression` that combines its terms. The other lines only name terms.",
    ),
    (
        "E0302",
        "An equation that is minimised, and a schedule, must be one number for the whole batch. A quantity of a token, a turn, an episode or a group must be reduced \
         first: `mean(x)` counts every token alike, `mean(mean(x, by = turn))` every turn, `mean(mean(mean(x, by = turn), by = episode))` every episode.",
    ),
    (
        "E0303",
        "A reduction makes one value out of several. `mean(x, by = turn)` of something that already has one value a turn, or a coarser level, would reduce nothing. \
         The levels are token ⊂ turn ⊂ episode ⊂ group ⊂ batch, turn ⊂ anchor ⊂ group and turn ⊂ turn_index ⊂ batch; coarser values are broadcast to finer ones by themselves.",
    ),
    (
        "E0304",
        "Numbers and conditions are different things. A comparison gives a condition, which `where`, `and`, `or`, `not` and `count` take; \
         `where(condition, 1, 0)` makes a number of it, and `x > 0` a condition of a number.",
    ),
    (
        "E0305",
        "Not every quantity is known everywhere. An `advantage` is evaluated once an iteration on the collected batch, from what is known then: `old_logp`, not `logp`. \
         A schedule knows no more than `iteration`, `iterations` and `progress`. A loss can mention only what its stage can give: no `value` without a critic.",
    ),
    (
        "E0306",
        "`returns` is the unwhitened `gae` of the pipeline's `advantage` line plus `old_value`; so that line must hold exactly one `gae`.",
    ),
    (
        "E0307",
        "`history(x)` keeps one number an iteration. What it averages may not itself look back, because the past of a past is not kept: name the inner history in the equation instead.",
    ),
    (
        "E0308",
        "A constant lies outside the range in which the function means something: a fraction in (0, 1], a discount in [0, 1], a window of 1 or more whole iterations.",
    ),
    (
        "E0309",
        "A term of a loss may not be called like a quantity or a function: every other line that mentions the name would silently mean something else.",
    ),
    (
        "E0310",
        "Nothing in the equation that is minimised reaches a parameter of a model, so no update would change anything. Gradients start at `logp`, `entropy` and `value`; comparisons, `sign`, \
         `floor`, `stop`, `top`, `count`, `history` and the condition of `where` end them.",
    ),
    (
        "E0311",
        "An argument has a finer level than the function can use: `gamma`, `lambda` and fractions are one number for the whole batch; with `per = turn` rewards and values have \
         one value a turn; `history` keeps one number an iteration (or, with `by = turn_index`, one a turn number).",
    ),
    ("E0312", "An expression is nested more deeply than the engine evaluates. Long sums can be split over named terms."),
    ("E0313", "`min` and `max` either compare two values element by element or reduce one with `by`; not both at once."),
    (
        "E0351",
        "A batch lacks something that the equation mentions: a quantity, the ids by which rows belong to episodes, groups or anchor states, or the past that `history` averages.",
    ),
    ("E0352", "The tensors refused an operation of the equation. The message names the expression."),
    (
        "E0353",
        "A term became NaN or infinite, so no update is made from it. The message names the innermost expression whose value is not finite though its arguments are: most often an `exp` of a \
         large difference of log-probabilities (clip it before), a division by a deviation that is 0 (add a small number), or a logarithm of 0.",
    ),
    (
        "W0301",
        "A summand of the equation that is minimised reaches no parameter of a model: its gradient is 0 everywhere, so it shows in the logged value and changes nothing else. \
         Comparisons, `sign`, `floor`, `stop`, `top` and the condition of `where` end the path of a gradient. (An indicator, `where(entropy > high, 1, 0)`, has none; a hinge, `relu(entropy - high)`, has one.)",
    ),
    (
        "W0302",
        "With `by = episode` a reward is added up over the turns of an episode. `outcome` and `score` say the whole episode's score on every turn, so it would be counted once for each; \
         `reward` is the reward of the turn.",
    ),
];
