#!/usr/bin/env bash
# OpenEnv's own server (openenv-core of PyPI) and this program: the environment of docs/openenv.md, 100 episodes, the server killed and started again in between,
# and the environment that the package itself makes. Takes a minute beside the installation. PROGRAM is epo-run, PYTHON an interpreter that has the package.
set -euo pipefail
cd "$(dirname "$0")/.."

epo=$(realpath "${PROGRAM:-target/release/epo-run}")
# shellcheck source=scripts/python.sh
. scripts/python.sh
python_with openenv openenv-core==0.3.0
recipes=$PWD/pipelines/openenv
place=$(mktemp -d)
server=
trap 'stop; rm -rf "$place"' EXIT
cd "$place"

stop() {
    [ -n "$server" ] || return 0
    kill -9 "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}
# serve FOLDER APPLICATION LOG
serve() {
    "$PYTHON" -m uvicorn --app-dir "$1" "$2" --port "$port" > "$3" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        ! "$PYTHON" -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/metadata')" 2>/dev/null || return 0
        kill -0 "$server" || { cat "$3"; exit 1; }
        sleep 0.2
    done
    echo "the server does not answer" >&2; exit 1
}
sessions() { grep -c 'WebSocket /ws.*accepted' "$1" || true; }
port=$("$PYTHON" -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
export EPO_ENV__GUESS__URL=http://127.0.0.1:$port EPO_ENV__ECHO__URL=http://127.0.0.1:$port

echo "== promises"
serve "$recipes" guess:app first.log
"$epo" env check "$recipes/guess.epo:numbers" | tee said
grep -q '^promised: ' said

echo "== 100 episodes"
sed '/^pipeline /,$d; s/^  train .*/  few = games { split = "train", count = 100 }/' "$recipes/guess.epo" > hundred.epo
cat >> hundred.epo <<'R'
pipeline hundred {
  stages {
    chance = evaluate { actor = random, on = numbers.few, keep = all }
    page   = report { of = chance }
  }
}
R
"$epo" --runs calm hundred.epo | tee said

echo "== the same, the server killed in between"
before=$(sessions first.log)
"$epo" --runs shaken hundred.epo > said 2>&1 &
run=$!
# 65 sessions see whether there is room; then some of the episodes.
until [ "$(sessions first.log)" -ge $((before + 66 + 40)) ] || ! kill -0 "$run" 2>/dev/null; do sleep 0.01; done
kill -0 "$run"
stop
serve "$recipes" guess:app second.log
wait "$run" || { cat said; exit 1; }
cat said
again=$(sessions second.log)
echo "$again sessions after the restart"
[ "$again" -gt 0 ]
if grep -q "broke down" said; then exit 1; fi
for file in episodes.jsonl outputs/results/results.json; do
    cmp calm/hundred/*/tasks/hundred.chance/$file shaken/hundred/*/tasks/hundred.chance/$file
done
stop

echo "== the environment that the package makes: one session, and no more"
"$PYTHON" -m openenv.cli init echo_env > said 2>&1 || { cat said; exit 1; }
serve echo_env server.app:app echo.log
cat > echo.epo <<'R'
prompt heard = "{observation}"
echo = openenv {
  name = "echo", version = "1.0.0", splits = ["train"], tasks = [10]
  observation_key = "echoed_message", action_key = "message", success_of = sum, sessions = 1
  prompt = windowed { then = heard, history = 0 }
  train = games { split = "train" }
}
R
"$epo" env check echo.epo:echo | tee said
grep -q '^promised: ' said
sed -i 's/sessions = 1/sessions = 2/' echo.epo
! "$epo" env install echo.epo:echo 2> said
cat said
grep -q 'the server allows 1 session at once, and the recipe has 2 at once' said
