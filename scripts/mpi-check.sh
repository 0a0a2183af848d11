#!/usr/bin/env bash
# One training by 1, 2 and 4 processes of MPI: the same bytes; a process killed, and gone on with 3; each message that ranks can end with.
#
#     scripts/mpi-check.sh
#
# As root with apt-get it installs what it needs: Open MPI, and libclang for its bindings. `PROGRAM` is a binary with the feature `mpi`, which is built otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."

if command -v apt-get > /dev/null && [ "$(id -u)" = 0 ] && ! { command -v mpicc && command -v mpirun && command -v clang; } > /dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libopenmpi-dev openmpi-bin libclang-dev clang
fi
if [ -z "${PROGRAM:-}" ]; then
    cargo build --locked --release --features mpi --target-dir target/with-mpi
    PROGRAM=target/with-mpi/release/epo-run
fi
epo=$(realpath "$PROGRAM")
work=$(mktemp -d)
launched=
trap '[ -z "$launched" ] || kill -9 "$launched" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
# Open MPI refuses root otherwise.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 EPO_THREADS=1

cat > common.epo <<'END'
prompt scene = "{task}\n{observation}\n>"
house = household {
  kinds = [study], receptacles = 5, objects = 3, families = [put], max_turns = 4
  prompt = windowed { then = scene, max_tokens = 100 }
  train  = games { split = "train", count = 10 }
  seen   = games { split = "seen", count = 2 }
}
END
cat > house.epo <<'END'
import "std/losses.epo"
import "std/advantages.epo"
import "common.epo"

pipeline house_of_ranks {
  policy     = decoder { tokenizer = words, layers = 2, width = 16, heads = 2, kv_heads = 1, context = 192 }
  critic     = value_head { }
  optimizer  = adamw { lr = 1e-3, clip_norm = 1 }
  iterations = 5
  advantage  = whiten(gae(outcome, value, gamma = 1, lambda = 1, by = turn))
  loss {
    surrogate = mean(ppo_clip(0.2))
    fit       = mean(value_clip(0.2))
    near      = mean(kl_to_reference)
    minimize  = surrogate + 0.5 * fit + 0.01 * near - 0.01 * mean(entropy)
  }
  stages {
    words = tokenizer { on = house.train, vocabulary = 300, episodes = 6 }
    shown = collect { on = house.train, actor = expert, episodes = 6 }
    warm  = sft { episodes = shown, epochs = 1, minibatch = 16, optimizer = adamw { lr = 3e-3 } }
    train = rl {
      on = house.train, policy = warm, groups = 3, group_size = 3, minibatch = 16, checkpoint_every = 1
      select_on = house.seen, evaluate_every = 2
    }
    end   = evaluate { policy = train, on = house.seen }
    out   = export { policy = train }
    page  = report { of = [warm, train, end] }
  }
}
END
# A pretrained model is a folder in the layout of Hugging Face: here the small one that is exported above.
cat > pretrained.epo <<'END'
import "std/losses.epo"
import "std/advantages.epo"
import "common.epo"

pipeline adapted {
  policy     = causal_lm { weights = "model", chat = false, decode = choose { from = admissible }, context = 192, adapter = lora { rank = 4 } }
  optimizer  = adamw { lr = 1e-3, clip_norm = 1 }
  iterations = 2
  advantage  = grpo()
  loss       { minimize = mean(ppo_clip(0.2)) + 0.01 * mean(kl_k3()) }
  stages {
    train = rl { on = house.train, groups = 3, group_size = 3, minibatch = 16, checkpoint_every = 1 }
    page  = report { of = [train] }
  }
}
END

ranks() {
    local count=$1
    shift
    mpirun --oversubscribe -np "$count" "$epo" "$@"
}

# Every file of every task, but for locks.
same() {
    diff -r --exclude=.lock "$1/tasks" "$2/tasks"
    echo "   the same $(find "$1/tasks" -type f ! -name .lock | wc -l) files"
}

seconds() { awk -v a="$1" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f s", b - a }'; }

check() {
    local file=$1
    for count in 1 2 4; do
        local start
        start=$(date +%s.%N)
        ranks "$count" --quiet --runs "$file.$count" "$file.epo" > /dev/null
        echo "-- $file: $count ranks, $(seconds "$start")"
        [ "$count" = 1 ] || same "$file.1" "$file.$count"
    done
    # What one process makes without MPI.
    "$epo" --quiet --runs "$file.alone" "$file.epo" > /dev/null
    same "$file.1" "$file.alone"
}

# The process that is a rank of the launcher that was started last.
process() {
    local pid
    for pid in $(pgrep -x epo-run); do
        if grep -qz "^OMPI_COMM_WORLD_RANK=$1\$" "/proc/$pid/environ" && grep -qz "^RANKS_CHECK=$work\$" "/proc/$pid/environ"; then
            echo "$pid"
            return
        fi
    done
    return 1
}
export RANKS_CHECK=$work

# Starts, kills a rank when there are so many checkpoints of `rl`, and looks at how that ends.
killed() {
    local rank=$1 count=$2 iteration=$3
    ranks "$count" --runs killed house.epo > said 2>&1 &
    launched=$!
    until compgen -G "killed/tasks/*/checkpoints/iteration-000$iteration/critic.safetensors" > /dev/null; do
        kill -0 "$launched" || { cat said; exit 1; }
        sleep 0.05
    done
    kill -9 "$(process "$rank")"
    local code=0
    wait "$launched" || code=$?
    launched=
    echo "-- rank $rank of $count killed after iteration $iteration: exit code $code"
    [ "$code" != 0 ]
    grep -E "process rank $rank with PID|rank $rank is gone" said
    ! compgen -G "killed/tasks/*/outputs/critic/manifest.json" > /dev/null
}

check house
killed 2 4 1
killed 0 2 3
ranks 3 --runs killed house.epo > said 2>&1
grep -E "house_of_ranks.train .*going on at iteration" said
echo "-- gone on with 3 ranks"
same house.1 killed

model=$(echo house.1/house_of_ranks/*/tasks/house_of_ranks.out/outputs/folder)
cp -rL "$model" model
check pretrained

echo "-- what two ranks put into a shared store, four take"
export EPO_STORE=file:$work/team
for count in 2 4; do
    ranks "$count" --quiet --runs "shared.$count" house.epo > /dev/null
    diff -r --exclude=.lock --exclude=checkpoints house.1/tasks "shared.$count/tasks"
done
[ "$(grep -c '"event":"task_taken"' shared.4/house_of_ranks/*/events.jsonl)" = "$(grep -c '"event":"task_finished"' shared.2/house_of_ranks/*/events.jsonl)" ]
! grep -q '"event":"task_started"' shared.4/house_of_ranks/*/events.jsonl
unset EPO_STORE

echo "-- what is said of ranks that are not alike"
sed 's/lr = 1e-3/lr = 2e-3/' house.epo > other.epo
said=$(mpirun --oversubscribe -np 1 "$epo" --runs other house.epo : -np 1 "$epo" --runs other other.epo 2>&1 > /dev/null) && exit 1
grep -F "rank 1 failed: its plan is another one" <<< "$said"
said=$(mpirun --oversubscribe -np 1 "$epo" --runs other house.epo : -np 1 "$epo" --runs other none.epo 2>&1 > /dev/null) && exit 1
grep -F "rank 1 failed: it cannot plan this file" <<< "$said"
said=$(mpirun --oversubscribe -np 1 "$epo" --runs other house.epo : -np 1 "$epo" --runs elsewhere house.epo 2>&1 > /dev/null) && exit 1
grep -F "all ranks need the same run folder" <<< "$said"
said=$(ranks 2 --runs other none.epo 2>&1 > /dev/null) && exit 1
[ "$(grep -c "none.epo" <<< "$said")" = 1 ]
echo "all of it holds: $SECONDS s"
