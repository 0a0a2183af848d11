//! `diff`: two pipelines, line by line.

use crate::support::{Place, SMALL};

#[test]
fn settings_equations_and_prompts() {
    let equations = "pipeline a { lambda = 0.1, loss { x = mean(logp), minimize = lambda * x }, advantage = outcome }\n\
                     pipeline b from a { lambda = 0.2, loss.y = mean(entropy), without advantage }\n";
    let changed =
        SMALL.replace("receptacles = 5", "receptacles = 6").replace("{observation}", "{task}").replace("actor = expert", "actor = random");
    let place = Place::new(&[("small.epo", SMALL), ("other.epo", &changed), ("e.epo", equations)]);
    place.epo(&["diff", "small.epo", "small.epo"]).answers("no differences\n");
    place.epo(&["diff", "small.epo:small", "other.epo"]).is(
        1,
        "\
--- small.epo:small
+++ other.epo
- prompt look = \"{observation}\"
+ prompt look = \"{task}\"
- house.receptacles = 5
+ house.receptacles = 6
- oracle.actor = expert
+ oracle.actor = random
",
        "",
    );
    place.epo(&["diff", "e.epo:a", "e.epo:b"]).is(
        1,
        "\
--- e.epo:a
+++ e.epo:b
- loss.minimize = 0.1 * x
+ loss.minimize = 0.2 * x
- advantage = outcome
+ loss.y = mean(entropy)
",
        "",
    );
    place.epo(&["diff", "e.epo:c", "e.epo:b"]).refuses("error: there is no pipeline `c` in e.epo\n  = help: did you mean `a`?\n");
    place.epo(&["diff", "nothing/1234", "e.epo"]).refuses("error: there are no runs in `runs`\n");
}
