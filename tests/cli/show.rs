//! `show`: the same file in its different forms.

use crate::support::{Place, SMALL};

const EQUATIONS: &str = r#"import "std/losses.epo"
pipeline a {
  lambda = sweep(0.1, 0.2)
  advantage = whiten(gae(outcome, value, by = turn))
  loss {
    surrogate = mean(-advantage * exp(logp - old_logp))
    drift = mean(kl_k2())
    minimize = surrogate + lambda * drift
  }
  seeds = [0, 1]
}
pipeline b { loss { minimize = mean(entropy) } }
"#;

#[test]
fn resolved_text_with_origins() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let expected = "\
prompt look = \"{observation}\"  # small.epo:1

house = household {                                               # small.epo:3
  receptacles     = 5                                             # small.epo:4
  objects         = 4                                             # small.epo:4
  families        = [put]                                         # small.epo:4
  max_turns       = 4                                             # small.epo:5
  success_reward  = 1                                             # small.epo:5
  prompt          = windowed {                                    # small.epo:6
    then       = look                                             # small.epo:6
    history    = 2                                                # default
    max_tokens = 2048                                             # default
    cut        = left                                             # default
  }
  seen            = games {                                       # small.epo:7
    split = \"seen\"                                                # small.epo:7
    count = 3                                                     # small.epo:7
  }
  rooms           = 1                                             # default
  kinds           = [bathroom, bedroom, kitchen, lounge, study]   # default
  openable        = 0.4                                           # default
  world_seed      = 0                                             # default
  # action = whole { … }  (default)
  case            = keep                                          # default
  invalid_penalty = 0                                             # default
}

pipeline small {                # small.epo:10
  title = \"Small\"               # small.epo:11
  stages {                      # small.epo:12
    chance = evaluate {         # small.epo:13
      actor   = random          # small.epo:13
      on      = house.seen      # small.epo:13
      repeats = 3               # <command line>
      keep    = examples        # default
    }
    oracle = evaluate {         # small.epo:14
      actor   = expert          # small.epo:14
      on      = house.seen      # small.epo:14
      repeats = 1               # default
      keep    = examples        # default
    }
    page   = report {           # small.epo:15
      of = [chance, oracle]     # small.epo:15
    }
  }
}
";
    let said = place.epo(&["show", "small.epo", "--set", "small.chance.repeats=3"]);
    // columns follow the longest line; what stands in them is the matter here
    let words = |text: &str| text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert_eq!(words(&said.out), words(expected), "{}", said.out);
    place.write("again.epo", &said.out);
    place.epo(&["check", "again.epo", "--deny-warnings"]).answers("again.epo: no mistakes\n");
}

#[test]
fn equations_in_full_and_as_latex() {
    let place = Place::new(&[("e.epo", EQUATIONS), ("small.epo", SMALL)]);
    place.epo(&["show", "e.epo", "--objective"]).answers(
        "\
a[lambda=0.1]
  advantage = whiten(gae(outcome, value, 1, 1, by = turn, per = token))
  surrogate = mean(-advantage * exp(logp - old_logp))
  drift     = mean((logp - ref_logp) ^ 2 / 2)
  minimize  = surrogate + 0.1 * drift

a[lambda=0.2]
  advantage = whiten(gae(outcome, value, 1, 1, by = turn, per = token))
  surrogate = mean(-advantage * exp(logp - old_logp))
  drift     = mean((logp - ref_logp) ^ 2 / 2)
  minimize  = surrogate + 0.2 * drift

b
  minimize = mean(entropy)
",
    );
    place.epo(&["show", "e.epo", "b", "--objective"]).answers("b\n  minimize = mean(entropy)\n");
    place.epo(&["show", "e.epo", "a[lambda=0.2]", "--latex"]).answers(
        r"% a[lambda=0.2]
\begin{align}
  \hat{A} &= \operatorname{whiten}\!\left(\operatorname{gae}_{\mathrm{turn,token}}\!\left(R,\, V,\, 1,\, 1\right)\right) \\
  \mathrm{surrogate} &= \mathop{\mathbb{E}}\left[-\hat{A} \, e^{\log \pi_\theta - \log \pi_{\mathrm{old}}}\right] \\
  \mathrm{drift} &= \mathop{\mathbb{E}}\left[\frac{\left(\log \pi_\theta - \log \pi_{\mathrm{ref}}\right)^{2}}{2}\right] \\
  \mathcal{L} &= \mathrm{surrogate} + 0.2 \, \mathrm{drift}
\end{align}
",
    );
    place.epo(&["show", "e.epo", "c", "--objective"]).refuses("error: there is no pipeline `c` in e.epo\n  = help: did you mean `a`?\n");
    place
        .epo(&["show", "small.epo", "small", "--objective"])
        .refuses("error[E0301]: the pipeline `small` has neither a `loss` nor an `advantage`\n1 error\n");
}

#[test]
fn where_gradients_go() {
    let text = r#"
import "std/losses.epo"
pipeline epo {
  advantage = gae(reward, value, gamma = 1, lambda = 1)
  loss {
    surrogate = mean(ppo_clip(0.2))
    fit       = mean((value - returns) ^ 2)
    explore   = trajectory_mean(entropy)
    smooth    = trajectory_mean(corridor_indicator(entropy, around = 1))
    both      = surrogate + 0.5 * fit - 0.01 * explore
    unused    = mean(entropy)
    beta      = phase(iteration, iterations)
    minimize  = both + beta * smooth
  }
}
"#;
    let place = Place::new(&[("g.epo", text)]);
    let expected = "\
epo
  surrogate -> policy, through logp
  fit       -> critic, through value
  explore   -> policy, through entropy
  smooth    -> nothing
  both      -> policy, through logp and entropy; critic, through value
  beta      -> nothing
  minimize  -> policy, through logp and entropy; critic, through value
";
    place.epo(&["show", "g.epo", "--gradients"]).answers(expected);
    let with_equations = place.epo(&["show", "g.epo", "--objective", "--gradients"]);
    assert!(
        with_equations.out.contains("  beta      = ") && with_equations.out.ends_with(&expected["epo\n".len()..]),
        "{}",
        with_equations.out
    );
}

#[test]
fn other_forms() {
    let place = Place::new(&[
        ("small.epo", SMALL),
        ("e.epo", EQUATIONS),
        ("tree.epo", "language = 1\nx = -f(a, b = [1, \"t\"]) ^ 2\n"),
        ("wrong.epo", "x = y\n"),
    ]);
    place.epo(&["show", "tree.epo", "--as", "ast"]).answers(
        "\
language 1            1:12
assign x              2:1
  operator -          2:5
    operator ^        2:6
      call f          2:6
        path a        2:8
        argument b    2:11
          list        2:15
            number 1  2:16
            text \"t\"  2:19
      number 2        2:27
",
    );
    let spec: serde_json::Value = serde_json::from_str(&place.epo(&["show", "small.epo", "--as", "spec"]).out).expect("JSON");
    assert_eq!(
        (spec[0]["name"].as_str(), spec[0]["stages"][2]["inputs"][1]["from"].as_str()),
        (Some("small"), Some("small.oracle.results"))
    );
    let plan = place.epo(&["show", "small.epo", "small", "--as", "plan"]);
    assert!(plan.code == 0 && plan.out.contains("small: Small\n  chance  evaluate\n"), "{plan:?}");
    place.epo(&["show", "small.epo", "smal"]).refuses("error: there is no pipeline `smal` in small.epo\n  = help: did you mean `small`?\n");
    let said = place.epo(&["show", "nothing.epo"]);
    said.refuses("error[E0040]: there is no file `nothing.epo`\n  = help: the path is taken from the current folder\n1 error\n");
    let said = place.epo(&["show", "e.epo", "a"]);
    assert!(said.out.contains("lambda    = sweep(0.1, 0.2)"), "{}", said.out);
}

/// What is long and stands in several places gets a name; switches that are set are taken.
#[test]
fn equations_are_readable() {
    let text = "import \"std/losses.epo\"\nimport \"std/advantages.epo\"\n\
                pipeline a { advantage = dr_grpo(), loss { u = mean(logp), x = mean(ppo_clip(0.2, dual = 3)), minimize = 1 * x + u } }\n";
    let place = Place::new(&[("e.epo", text)]);
    place.epo(&["show", "e.epo", "--objective"]).answers(
        "\
a
  advantage = score - where(count(score + 0, by = group) > 1, mean(score, by = group), 0)
  u         = mean(logp)
  v         = exp(clip(logp - old_logp, -20, 20))
  w         = max(-advantage * v, -advantage * clip(v, 0.8, 1.2))
  x         = mean(where(advantage < 0, min(w, -advantage * 3), w))
  minimize  = x + u
",
    );
    place.epo(&["show", "e.epo", "--latex"]).answers(
        r"% a
\begin{align}
  \hat{A} &= \mathrm{score} - \begin{cases} \mathop{\mathbb{E}}_{\mathrm{group}}\left[\mathrm{score}\right] & \text{if } \operatorname{count}_{\mathrm{group}}\!\left(\mathrm{score} + 0\right) > 1 \\ 0 & \text{otherwise} \end{cases} \\
  u &= \mathop{\mathbb{E}}\left[\log \pi_\theta\right] \\
  v &= e^{\operatorname{clip}\!\left(\log \pi_\theta - \log \pi_{\mathrm{old}},\, -20,\, 20\right)} \\
  w &= \max\!\left(-\hat{A} \, v,\, -\hat{A} \, \operatorname{clip}\!\left(v,\, 0.8,\, 1.2\right)\right) \\
  x &= \mathop{\mathbb{E}}\left[\begin{cases} \min\!\left(w,\, -\hat{A} \, 3\right) & \text{if } \hat{A} < 0 \\ w & \text{otherwise} \end{cases}\right] \\
  \mathcal{L} &= x + u
\end{align}
",
    );
}
