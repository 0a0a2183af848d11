#!/usr/bin/env bash
# Whether transformers loads what `export` writes, and says of it what we say: a policy trained in full, one trained by an adapter (merged into the
# weights, and by itself through PEFT), both small, from nothing; with an argument, that model below an adapter as well:
#
#     scripts/exports.sh [SOURCE]
#
# Needs the release build, and Python with torch, transformers and peft; `PYTHON` names it.
set -euo pipefail
cd "$(dirname "$0")/.."
epo=$PWD/target/release/epo-run
python=${PYTHON:-python3}
reference=$PWD/scripts/reference.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > common.epo <<'END'
import "std/losses.epo"
import "std/advantages.epo"

prompt scene = "{task}\n{observation}\n>"
house = household {
  kinds = [study], receptacles = 5, objects = 3, families = [put], max_turns = 6
  prompt = windowed { then = scene, max_tokens = 200 }
  train  = games { split = "train", count = 20 }
}

pipeline full {
  policy = decoder { tokenizer = words, layers = 2, width = 64, heads = 4, kv_heads = 2, context = 256 }
  stages {
    words = tokenizer { on = house.train, vocabulary = 400 }
    shown = collect { on = house.train, actor = expert, episodes = 20 }
    warm  = sft { episodes = shown, epochs = 2, minibatch = 16, optimizer = adamw { lr = 3e-3 } }
    out   = export { policy = warm }
  }
}
END

# The name of a run's exported folder.
folder() { (cd runs/"$1"/*/tasks/"$1".out/outputs/folder && pwd); }

# Compares a folder with what transformers says of it.
check() {
    echo "-- $1"
    "$python" "$reference" "$2" reference.json
    "$epo" model check "$2" --reference reference.json
}

"$epo" --quiet common.epo
check "trained in full" "$(folder full)"
cp -r "$(folder full)" base

# Writes and runs a pipeline that trains an adapter: its name, the model, the number of demonstrations.
adapter() {
    cat > "$1.epo" <<END
import "common.epo"
pipeline $1 {
  policy = causal_lm {
    weights = "$2", chat = false, context = 256, decode = choose { from = admissible }
    adapter = lora { rank = 4, alpha = 8, targets = [q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj] }
  }
  optimizer = adamw { lr = 3e-3 }
  stages {
    shown = collect { on = house.train, actor = expert, episodes = $3 }
    warm  = sft { episodes = shown, minibatch = 8, micro_batch = 4 }
    out   = export { policy = warm }
  }
}
END
    "$epo" --quiet "$1.epo"
}

adapter small base 20
check "an adapter merged" "$(folder small)"
cp -r "$(folder small)/adapter" adapter
echo "-- the model below it, which has to differ"
"$python" "$reference" base reference.json
if "$epo" model check "$(folder small)" --reference reference.json > /dev/null; then
    echo "the adapter changes nothing" >&2
    exit 1
fi
echo "-- an adapter through PEFT"
"$python" "$reference" base reference.json --adapter adapter
"$epo" model check "$(folder small)" --reference reference.json

if [ $# -gt 0 ]; then
    adapter large "$1" 1
    check "$1 with an adapter merged" "$(folder large)"
fi
