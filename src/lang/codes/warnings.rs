//! Codes of warnings. A warning does not stop a run; `--deny-warnings` makes it.

use super::Code;

pub(super) const ROWS: &[Code] = &[
    Code {
        code: "W0033",
        title: "the text holds characters that are not seen",
        explanation: "\
Control characters and marks that turn the direction of writing let a text look otherwise than it is read. They are kept in strings, and shown
as U+FFFD in messages. Write them as escapes: `\\u{202e}`.",
        wrong: "",
        right: "",
    },
    Code {
        code: "W0110",
        title: "nothing reads this line",
        explanation: "\
A line of a pipeline that nothing reads is likely to be a mistake: it looks as if it mattered. Inherited and imported names are exempt,
because a library defines more than one file needs.",
        wrong: "pipeline ppo {\n  old_rate = 1e-5\n  stages { page = report { of = [] } }\n}",
        right: "pipeline ppo {\n  stages { page = report { of = [] } }\n}",
    },
    Code {
        code: "W0203",
        title: "a model's revision may move",
        explanation: "\
`hub:NAME@REVISION` means the same model tomorrow if the revision is a commit (7 to 40 hexadecimal digits). A branch such as `main`, or a tag,
may be moved by its owner.",
        wrong: "",
        right: "",
    },
    Code {
        code: "W0301",
        title: "a term reaches no parameter",
        explanation: "\
A summand of the equation that is minimised reaches no parameter of a model: its gradient is 0 everywhere, so it shows in the logged value
and changes nothing else. Comparisons, `sign`, `floor`, `stop`, `top` and the condition of `where` end the path of a gradient.
(An indicator, `where(entropy > high, 1, 0)`, has none; a hinge, `relu(entropy - high)`, has one.)",
        wrong: "pipeline a {\n  loss { minimize = mean(logp) + mean(where(entropy > 2, 1, 0)) }\n}",
        right: "pipeline a {\n  loss { minimize = mean(logp) + mean(relu(entropy - 2)) }\n}",
    },
    Code {
        code: "W0302",
        title: "a reward is counted once for every turn",
        explanation: "\
With `by = episode` rewards are added up over the turns of an episode. `outcome` and `score` say the whole episode's score on every turn,
so it would be counted once for each; `reward` is the reward of the turn.",
        wrong: "pipeline a {\n  advantage = gae(outcome, value, by = episode)\n}",
        right: "pipeline a {\n  advantage = gae(reward, value, by = episode)\n}",
    },
    Code {
        code: "W0303",
        title: "a group of one has nothing to compare",
        explanation: "\
A group is the episodes on one task. With `group_size = 1` each is alone: a mean over the group is the value itself, a deviation is 0, and
`grpo()` leaves the score as it is. Give the stage a `group_size` of 2 or more, or compare over the whole batch.",
        wrong: "",
        right: "",
    },
    Code {
        code: "W0304",
        title: "parts of a sum cancel",
        explanation: "\
The same part is added and taken away, so it is in the text and not in the equation. Most often a sign is wrong.",
        wrong: "pipeline a {\n  loss {\n    explore  = mean(entropy)\n    minimize = mean(logp) + explore - explore\n  }\n}",
        right: "pipeline a {\n  loss {\n    explore  = mean(entropy)\n    minimize = mean(logp) - explore\n  }\n}",
    },
    Code {
        code: "W0305",
        title: "a coefficient is always 0",
        explanation: "\
A part of the equation is multiplied by 0, or by a schedule that is 0 all along the run, so it changes nothing.",
        wrong: "pipeline a {\n  loss { minimize = mean(logp) - floor(progress) * mean(entropy) }\n}",
        right: "pipeline a {\n  loss { minimize = mean(logp) - progress * mean(entropy) }\n}",
    },
    Code {
        code: "W0306",
        title: "a model is not trained",
        explanation: "\
The policy is reached by `logp` and `entropy`, the critic by `value`. If `minimize` reaches only one of them, the other stays as it began: an
advantage from a critic that nothing trains is made of its first guesses.",
        wrong: "",
        right: "",
    },
    Code {
        code: "W0307",
        title: "a sign is turned round",
        explanation: "\
What is minimised is looked at on a small batch: it makes tokens with a high advantage less likely, drives the policy away from its
reference, or the critic away from the returns. Papers often write an objective that is to grow; here it is minimised with a minus.",
        wrong: "pipeline a {\n  advantage = score\n  loss { minimize = mean(advantage * logp) }\n}",
        right: "pipeline a {\n  advantage = score\n  loss { minimize = -mean(advantage * logp) }\n}",
    },
    Code {
        code: "W0308",
        title: "a critic that no equation uses",
        explanation: "\
A critic is trained where the equations mention `value`, `old_value` or `returns`. None does, so none is made, and the stage gives no
`critic`. Leave the line out, or take the advantage from the critic: `gae(outcome, value)`.",
        wrong: "",
        right: "",
    },
    Code {
        code: "W0401",
        title: "nothing uses what a stage gives",
        explanation: "\
A stage that no other stage and no report uses costs time and shows nothing. Use it, show it in a report, or take it out.",
        wrong: "pipeline a {\n  stages { train = rl { } }\n}",
        right: "pipeline a {\n  stages {\n    train = rl { }\n    page = report { of = [train] }\n  }\n}",
    },
    Code {
        code: "W0402",
        title: "models that do not fit",
        explanation: "\
A task's models, with their gradients and what their optimisers keep, are more than the memory that is free now: it would end where it begins, with
what runs before it done in vain. `epo-run plan` says of every task what it takes. Take a smaller model, train an adapter in place of all weights, or a
machine with more memory. What is kept between forward and backward passes is not counted here: of that as much is kept as there is room for.",
        wrong: "",
        right: "",
    },
];
