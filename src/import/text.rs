//! The recipe that an import comes to.

use super::equations::{Equations, equations};
use super::given::{Given, Source, Unplaced};
use super::keys::Slot;
use crate::lang::on_one_line;
use std::fmt::Write;

/// Environments that are built in: how the source calls them, the library with its component, and the splits to be judged on.
const BUILT_IN: &[(&str, &str, &str, [&str; 2])] =
    &[("alfworld", "lib/alfworld.epo", "house", ["seen", "unseen"]), ("sciworld", "lib/scienceworld.epo", "lab_paper", ["l0", "l1"])];

/// What is played.
struct World {
    /// Lines before the pipeline.
    text: String,
    import: Option<&'static str>,
    judged: Vec<String>,
}

pub(super) fn write(given: &mut Given, shown: &str) -> String {
    let prompt_tokens = given.count(Slot::PromptTokens, 512);
    let response_tokens = given.count(Slot::ResponseTokens, 512);
    let world = world(given, &prompt_tokens);
    let equations = equations(given);
    let sampling = sampling(given, &response_tokens);
    let judging = judging(given, response_tokens.0);
    let policy = policy(given, prompt_tokens.0 + response_tokens.0);
    let iterations = iterations(given);
    let optimizer = optimizer(given);
    let critic = equations.has_critic.then(|| critic(given));
    let train = train(given, &world, judging.is_some());
    let seeds = given.text(Slot::Seed).filter(|(seed, _)| seed.parse::<u64>().is_ok());
    given.leave_unused();

    let mut out = String::new();
    let _ = writeln!(out, "# Written by `epo-run import` from settings of {}: {}", given.source.name(), cut(shown));
    out.push_str("# Behind a line stands the key that it comes from; what has no place here, and why, stands at the end.\n\n");
    out.push_str("import \"std/losses.epo\"\nimport \"std/advantages.epo\"\n");
    if equations.released {
        out.push_str("import \"lib/epo_released.epo\"\n");
    }
    if let Some(import) = world.import {
        let _ = writeln!(out, "import \"{import}\"");
    }
    let _ = write!(out, "\n{}\n{sampling}", world.text);
    out.push_str(&judging.unwrap_or_default());
    out.push_str("\npipeline imported {\n");
    if let Some((seed, key)) = seeds {
        let _ = writeln!(out, "  seeds = [{seed}]  # {key}");
    }
    let _ = writeln!(out, "{iterations}{policy}{optimizer}{}", critic.unwrap_or_default());
    let Equations { advantage: (advantage, key), loss, .. } = equations;
    let _ = writeln!(out, "  advantage = {advantage}  # {key}\n\n  loss {{");
    for (name, term, key) in loss {
        let comment = if key.is_empty() { String::new() } else { format!("  # {key}") };
        let _ = writeln!(out, "    {name} = {term}{comment}");
    }
    let _ = writeln!(out, "  }}\n\n  stages {{\n{train}");
    for split in &world.judged {
        let decode = if given.source == Source::Verl { ", decode = judging" } else { "" };
        let _ = writeln!(out, "    {split} = evaluate {{ policy = train, on = world.{split}{decode} }}");
    }
    let _ = writeln!(out, "    page = report {{ of = [train, {}] }}\n  }}\n}}", world.judged.join(", "));
    lists(&mut out, &given.unplaced);
    out
}

fn world(given: &mut Given, prompt: &(u64, String)) -> World {
    let default = if given.has(Slot::Environment) { 50 } else { 1 };
    let (turns, turns_key) = given.count(Slot::Turns, default);
    let name = given.text(Slot::Environment);
    let penalized = given.is_true(Slot::Penalized, name.is_some());
    let (penalty, penalty_key) = given.number(Slot::Penalty, 0.1);
    let penalty = if penalized { penalty } else { 0.0 };
    let history = given.has(Slot::History).then(|| given.number(Slot::History, 2.0));
    let cut = given.text(Slot::Cut);
    if let Some((way, key)) = cut.as_ref().filter(|(way, _)| !["left", "right"].contains(&way.as_str())) {
        given.note(&format!("{key} = {way}"), "a prompt that is too long is cut, on the left where nothing else is said");
    }
    let cut = cut.map(|(way, _)| way).filter(|way| way == "right").unwrap_or("left".into());
    let known = name.as_ref().and_then(|(name, _)| BUILT_IN.iter().find(|(begin, ..)| name.to_lowercase().starts_with(begin)));
    let mut text = String::new();
    if let Some((_, import, base, judged)) = known {
        let _ = writeln!(text, "world = {base} {{");
        let _ = writeln!(text, "  max_turns = {turns}  # {turns_key}\n  invalid_penalty = {penalty}  # {penalty_key}");
        let _ = writeln!(text, "  prompt.max_tokens = {}  # {}\n  prompt.cut = {cut}", prompt.0, prompt.1);
        if let Some((history, key)) = history {
            let _ = writeln!(text, "  prompt.history = {history}  # {key}");
        }
        text.push_str("}\n");
        return World { text, import: Some(import), judged: judged.iter().map(|split| (*split).to_owned()).collect() };
    }
    let plain = name.as_ref().map_or("task".to_owned(), |(name, _)| plain(name));
    match &name {
        Some((name, key)) => given.note(
            &format!("{key} = {name}"),
            "this environment is not built in: a program that plays it is named by the setting `env.NAME.command` (docs/process.md); look at its prompt too",
        ),
        None => given.note(
            "the tasks and their rewards",
            "they are a dataset and functions there; here a program of yours plays them, named by the setting `env.task.command` (docs/process.md)",
        ),
    }
    text.push_str("prompt scene = \"\"\"\n{task}\n{history}{observation}\n\"\"\"\n\n");
    let _ = writeln!(text, "world = process {{\n  name = \"{plain}\", version = \"1\"\n  max_turns = {turns}  # {turns_key}");
    if penalty > 0.0 {
        let _ = writeln!(text, "  invalid_penalty = {penalty}  # {penalty_key}");
    }
    let history = history.map_or(2.0, |(history, _)| history);
    let _ = writeln!(
        text,
        "  prompt = windowed {{ then = scene, history = {history}, max_tokens = {}, cut = {cut} }}  # {}",
        prompt.0, prompt.1
    );
    text.push_str("  train = games { split = \"train\" }\n  test = games { split = \"test\" }\n}\n");
    World { text, import: None, judged: vec!["test".into()] }
}

fn sampling(given: &mut Given, tokens: &(u64, String)) -> String {
    let (temperature, key) = given.number(Slot::Temperature, 1.0);
    let mut fields = format!("temperature = {temperature}, max_tokens = {}", tokens.0);
    let (top_p, _) = given.number(Slot::TopP, 1.0);
    let (top_k, _) = given.number(Slot::TopK, 0.0);
    let (min_p, _) = given.number(Slot::MinP, 0.0);
    if top_p > 0.0 && top_p < 1.0 {
        let _ = write!(fields, ", top_p = {top_p}");
    }
    if top_k >= 1.0 {
        let _ = write!(fields, ", top_k = {top_k}");
    }
    if min_p > 0.0 {
        let _ = write!(fields, ", min_p = {min_p}");
    }
    format!("sampling = sample {{ {fields} }}  # {key}, {}\n", tokens.1)
}

/// How verl's evaluations decode.
fn judging(given: &mut Given, tokens: u64) -> Option<String> {
    if given.source == Source::Trl {
        return None;
    }
    let (temperature, key) = given.number(Slot::JudgedTemperature, 0.0);
    let temperature = if given.is_true(Slot::JudgedSampled, false) { temperature } else { 0.0 };
    Some(format!("judging = sample {{ temperature = {temperature}, max_tokens = {tokens} }}  # {key}\n"))
}

fn policy(given: &mut Given, context: u64) -> String {
    let (model, key) = given.text(Slot::Model).unwrap_or_else(|| {
        given.note("the model", "the source names none; write it as `weights`");
        ("a-model".into(), "not named".into())
    });
    let revision = given.text(Slot::Revision).map(|(revision, _)| revision);
    let local = model.starts_with(['/', '.', '~', '$']) || model.matches('/').count() != 1 || model.contains(['$', ' ']);
    let weights = if local { model.clone() } else { format!("hub:{model}@{}", revision.as_deref().unwrap_or("main")) };
    if !local && revision.is_none() {
        given.note(&format!("{key} = {model}"), "`main` moves: write the commit in its place, so that it means the same model tomorrow");
    }
    if weights.contains('$') || weights.starts_with('~') {
        given.note(&format!("{key} = {model}"), "only a shell knows what this stands for: write the folder");
    }
    let weights = weights.replace('\\', "\\\\").replace('"', "\\\"");
    let (rank, rank_key) = given.number(Slot::Rank, 0.0);
    let adapter = if rank >= 1.0 { adapter(given, rank, &rank_key) } else { String::new() };
    format!(
        "  policy = causal_lm {{\n    weights = \"{}\"  # {key}\n    context = {context}, decode = sampling\n{adapter}  }}\n",
        on_one_line(&weights)
    )
}

const MATRICES: [&str; 7] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

fn adapter(given: &mut Given, rank: f64, key: &str) -> String {
    let (alpha, _) = given.number(Slot::Alpha, 16.0);
    let targets = given.text(Slot::Targets);
    let named = |text: &str| MATRICES.iter().copied().filter(|matrix| text.contains(matrix)).collect::<Vec<_>>();
    let targets = match &targets {
        Some((text, _)) if !named(text).is_empty() => named(text),
        _ if given.source == Source::Trl && targets.is_none() => vec!["q_proj", "v_proj"],
        _ => MATRICES.to_vec(),
    };
    format!("    adapter = lora {{ rank = {rank}, alpha = {alpha}, targets = [{}] }}  # {key}\n", targets.join(", "))
}

fn iterations(given: &mut Given) -> String {
    let steps = given.has(Slot::Steps).then(|| given.number(Slot::Steps, -1.0)).filter(|(steps, _)| *steps >= 1.0);
    let epochs = given.has(Slot::Iterations).then(|| given.text(Slot::Iterations)).flatten();
    match (steps, epochs) {
        (Some((steps, key)), _) => format!("  iterations = {steps}  # {key}\n"),
        (None, Some((epochs, key))) if given.source == Source::Verl && given.has(Slot::Environment) && epochs.parse::<u32>().is_ok() => {
            format!("  iterations = {epochs}  # {key}: an epoch there is one batch of games\n")
        }
        (None, epochs) => {
            let what = epochs.map_or("the number of iterations".into(), |(epochs, key)| format!("{key} = {epochs}"));
            given.note(
                &what,
                "an epoch is as many iterations as its dataset has batches, and the dataset is not here: write the number of iterations",
            );
            "  iterations = 100  # not known: see the end\n".into()
        }
    }
}

fn rate(given: &mut Given, (rate, schedule, warmup): (Slot, Slot, Slot), default: f64) -> (String, String) {
    let (peak, key) = given.number(rate, default);
    let (share, _) = given.number(warmup, 0.0);
    let (steps, _) = if rate == Slot::Rate { given.number(Slot::WarmupSteps, 0.0) } else { (0.0, String::new()) };
    let (floor, _) = if rate == Slot::Rate { given.number(Slot::RateFloor, 0.0) } else { (0.0, String::new()) };
    let warmup = if steps >= 1.0 { format!("{steps} / iterations") } else { f64::max(share, steps).max(0.0).to_string() };
    let other = if given.source == Source::Trl { "linear" } else { "constant" };
    let kind = given.text(schedule).map_or(other.to_owned(), |(kind, _)| kind.trim_start_matches("SchedulerType.").to_lowercase());
    let line = match kind.as_str() {
        "cosine" | "linear" => format!("{kind}({peak:e}, warmup = {warmup}, floor = {floor})"),
        "constant" | "constant_with_warmup" if warmup == "0" => format!("{peak:e}"),
        "constant" | "constant_with_warmup" => format!("{peak:e} * warmed({warmup}, 1)"),
        other => {
            given.note(
                &format!("schedule {other}"),
                "a schedule is an expression over `progress`: `linear`, `cosine`, or your own; the rate is constant in its place",
            );
            format!("{peak:e}")
        }
    };
    (line, key)
}

fn optimizer(given: &mut Given) -> String {
    let (rate, key) = rate(given, (Slot::Rate, Slot::Schedule, Slot::WarmupShare), 1e-6);
    let (decay, _) = given.number(Slot::WeightDecay, if given.source == Source::Trl { 0.0 } else { 0.01 });
    let (norm, _) = given.number(Slot::ClipNorm, 1.0);
    format!("  optimizer = adamw {{ lr = {rate}, weight_decay = {decay}, clip_norm = {norm} }}  # {key}\n")
}

fn critic(given: &mut Given) -> String {
    let (rate, key) = rate(given, (Slot::CriticRate, Slot::CriticSchedule, Slot::CriticWarmupShare), 1e-5);
    let (decay, _) = given.number(Slot::CriticWeightDecay, 0.01);
    format!("  critic = value_head {{ optimizer = adamw {{ lr = {rate}, weight_decay = {decay}, clip_norm = 1 }} }}  # {key}\n")
}

fn train(given: &mut Given, world: &World, judged: bool) -> String {
    let (epochs, epochs_key) = given.count(Slot::Passes, 1);
    let mut lines = Vec::new();
    if given.source == Source::Verl {
        let (groups, key) = given.count(Slot::Prompts, 1024);
        let (responses, responses_key) = given.count(Slot::Responses, 1);
        let games = given.has(Slot::GroupOfGames).then(|| given.number(Slot::GroupOfGames, 1.0)).filter(|(size, _)| *size >= 1.0);
        let (size, size_key) = games.unwrap_or((responses as f64, responses_key));
        lines.push(format!("groups = {groups}  # {key}"));
        lines.push(format!("group_size = {size}  # {size_key}"));
        let (minibatch, key) = given.count(Slot::Minibatch, 256);
        let times = if responses > 1 { format!(" times the {responses} responses") } else { String::new() };
        lines.push(format!("minibatch = {}  # {key}{times}", minibatch.saturating_mul(responses)));
        if given.has(Slot::Microbatch) {
            let (micro, key) = given.count(Slot::Microbatch, 1);
            lines.push(format!("micro_batch = {micro}  # {key}"));
        }
    } else {
        let (device, device_key) = given.count(Slot::DeviceBatch, 8);
        let (accumulated, _) = given.count(Slot::Accumulation, 1);
        let (steps, _) = given.count(Slot::StepsPerGeneration, accumulated);
        let (batch, key) = given.count(Slot::GenerationBatch, device.saturating_mul(steps));
        let (size, size_key) = given.count(Slot::Responses, 8);
        lines.push(format!("groups = {}  # {key} over {size_key}, of one process", (batch / size).max(1)));
        lines.push(format!("group_size = {size}  # {size_key}"));
        lines.push(format!("minibatch = {}  # {device_key} times gradient_accumulation_steps", device.saturating_mul(accumulated)));
        lines.push(format!("micro_batch = {device}  # {device_key}"));
        given.note(
            "the number of processes",
            "a batch there is that of one process times their number, which no file says: `groups` and `minibatch` are those of one",
        );
    }
    lines.push(format!("epochs = {epochs}  # {epochs_key}"));
    let every = given.has(Slot::JudgedEvery).then(|| given.number(Slot::JudgedEvery, -1.0)).filter(|(every, _)| *every >= 1.0);
    if let (Some((every, key)), Some(split)) = (every, world.judged.first()) {
        lines.push(format!("select_on = world.{split}, evaluate_every = {every}  # {key}"));
        if judged {
            lines.push("evaluate_decode = judging".into());
        }
    }
    format!("    train = rl {{\n      on = world.train\n      {}\n    }}", lines.join("\n      "))
}

/// What is ignored there, then what has no place here, each once.
fn lists(out: &mut String, unplaced: &[Unplaced]) {
    for (ignored, title) in [(true, "Ignored by the source itself:"), (false, "Without a place here:")] {
        let rows: Vec<&Unplaced> = unplaced.iter().filter(|row| row.ignored == ignored).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = write!(out, "\n# {title}\n#\n");
        for row in rows {
            let _ = write!(out, "#   {}\n#     {}\n", cut(&row.what), row.why);
        }
    }
}

/// On one line, and not longer than a line is.
fn cut(text: &str) -> String {
    let line = on_one_line(text);
    let short: String = line.chars().take(110).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

/// A name that `process` takes.
fn plain(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let plain: String = last.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' }).take(40).collect();
    let plain = plain.trim_matches('_').to_owned();
    if plain.starts_with(|c: char| c.is_ascii_lowercase()) { plain } else { "task".into() }
}
