#!/usr/bin/env bash
# A policy evaluated by itself, and served and evaluated through an endpoint, plays the same episodes. Needs an epo-run with `serve` (PROGRAM, or the
# release build) and python3; takes two minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
run=$(realpath "${PROGRAM:-target/release/epo-run}")
place=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$place"' EXIT
cd "$place"

world='
prompt look = """
{task}
{observation}
You can: {admissible}
>"""
house = household {
  receptacles = 5, objects = 4, families = [put], max_turns = 6, success_reward = 1
  prompt = windowed { then = look }
  train = games { split = "train", count = 200 }
  seen  = games { split = "seen", count = 40 }
}
how = sample { temperature = 0.7, max_tokens = 24, stop = ["\n"] }
'
cat > own.epo <<EPO
$world
pipeline own {
  policy = decoder { tokenizer = words, context = 1024, decode = how }
  stages {
    words = tokenizer { on = house.train, vocabulary = 400 }
    shown = collect { on = house.train, actor = expert }
    warm  = sft { episodes = shown, epochs = 10, optimizer = adamw { lr = 3e-3 } }
    end   = evaluate { policy = warm, on = house.seen, keep = all }
    page  = report { of = [end] }
  }
}
EPO
cat > served.epo <<EPO
$world
pipeline served {
  policy = endpoint { name = "own", model = "warm", decode = how }
  stages {
    end  = evaluate { on = house.seen, keep = all }
    page = report { of = [end] }
  }
}
EPO
"$run" own.epo
"$run" serve own:own.warm --name warm --port 0 > served.log 2>&1 &
server=$!
for _ in $(seq 300); do
    url=$(grep -o 'http://[0-9.]*:[0-9]*' served.log | head -n 1) && break
    sleep 0.1
done
[ -n "${url:-}" ] || { cat served.log >&2; echo "the server does not say where it is" >&2; exit 1; }
EPO_ENDPOINT__OWN__URL="$url/v1" "$run" served.epo

python3 - <<'PY'
import glob, json

def played(pipeline):
    """Of each episode what was seen and done, without what only one of the two knows."""
    [path] = glob.glob(f"runs/{pipeline}/*/tasks/{pipeline}.end/episodes.jsonl")
    episodes = [json.loads(line)["episode"] for line in open(path)]
    for episode in episodes:
        for turn in episode["turns"]:
            turn.pop("entropy", None)
    return episodes

own, served = played("own"), played("served")
turns = sum(len(episode["turns"]) for episode in own)
same = sum(a == b for a, b in zip(own, served))
won = sum(episode["success"] for episode in own)
print(f"{same} of {len(own)} episodes are the same ({turns} turns, {won} successes)")
for number, (a, b) in enumerate(zip(own, served)):
    if a != b:
        print(number, next(((x, y) for x, y in zip(a["turns"], b["turns"]) if x != y), (a["ending"], b["ending"])))
        break
raise SystemExit(0 if own == served and turns > 40 else 1)
PY
