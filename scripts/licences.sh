#!/usr/bin/env bash
# Whether all dependencies are what `deny.toml` allows. Without cargo-deny: licences and sources, as the crates declare them; advisories are then not
# looked up. Needs Python 3.11 where cargo-deny is not installed.
set -euo pipefail
cd "$(dirname "$0")/.."

if cargo deny --version > /dev/null 2>&1; then
    exec cargo deny --locked check
fi
python3 - <(cargo metadata --locked --format-version 1 --all-features) <<'END'
import collections, json, re, sys, tomllib

rules = tomllib.load(open("deny.toml", "rb"))
licences = set(rules["licenses"]["allow"])
sources = {"registry+" + url for url in rules["sources"]["allow-registry"]}


def permitted(expression):
    """Of an expression such as `(MIT OR Apache-2.0) AND Unicode-3.0`, or `MIT/Apache-2.0` as it once was written."""
    truth = lambda found: found[0].lower() if found[0] in ("AND", "OR") else str(found[0] in licences)
    return eval(re.sub(r"[\w.+-]+( WITH [\w.-]+)?", truth, expression.replace("/", " OR ")), {"__builtins__": {}})


crates = [crate for crate in json.load(open(sys.argv[1]))["packages"] if crate["source"]]
wrong, versions = [], collections.defaultdict(list)
for crate in crates:
    name = f"{crate['name']} {crate['version']}"
    versions[crate["name"]].append(crate["version"])
    if not crate["license"] or not permitted(crate["license"]):
        wrong.append(f"{name}: the licence {crate['license']} is not allowed")
    if crate["source"] not in sources:
        wrong.append(f"{name}: the source {crate['source']} is not allowed")
for name, found in sorted(versions.items()):
    if len(found) > 1:
        print(f"warning: {name} in several versions: {', '.join(found)}")
print(f"{len(crates)} crates, {len(wrong)} complaints")
sys.exit("\n".join(wrong) or None)
END
