#!/usr/bin/env bash
# A pack of a run: the `rocrate` package of PyPI reads it; unpacked on an empty folder it verifies, re-runs and is packed again to the same bytes; a changed
# byte is named; ten gigabytes of zeros are refused at once. Without arguments of a small run that it makes; else of a run of these runs:
#
#     scripts/pack-check.sh [RUNS RUN]
#
# Needs an epo-run (PROGRAM, or the release build) and Python with rocrate; `PYTHON` names it, else it is installed below target/.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${PROGRAM:-target/release/epo-run}")
# shellcheck source=scripts/python.sh
. scripts/python.sh
python_with rocrate rocrate
smallest=$PWD/scripts/smallest.epo
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
if [ $# -eq 2 ]; then
    runs=$(realpath "$1")
    run=$2
else
    runs=$place/runs
    run=smallest
    "$program" --quiet --runs "$runs" "$smallest" > "$place/said"
fi

echo "-- packed twice: the same bytes"
"$program" --runs "$runs" pack "$run" --date 2026-11-29 --output "$place/a.zip"
"$program" --runs "$runs" pack "$run" --date 2026-11-29 --output "$place/b.zip"
cmp "$place/a.zip" "$place/b.zip"

echo "-- rocrate reads it"
"$PYTHON" - "$place/a.zip" <<'PY'
import json
import sys
import zipfile

from rocrate.rocrate import ROCrate

crate = ROCrate(sys.argv[1])
with zipfile.ZipFile(sys.argv[1]) as archive:
    names = set(archive.namelist()) - {"ro-crate-metadata.json"}
    packed = json.loads(archive.read("pack.json"))
entities = {entity.id: entity for entity in crate.data_entities}
assert set(entities) == names, set(entities) ^ names
assert crate.mainEntity.id == packed["recipe"]["root"], crate.mainEntity.id
assert crate.root_dataset["datePublished"] == "2026-11-29", crate.root_dataset["datePublished"]
for name, mark in packed["files"].items():
    if name != "ro-crate-metadata.json":
        assert int(entities[name]["contentSize"]) == mark["bytes"], name
run = crate.dereference("#run")
assert run["instrument"]["version"] == packed["version"] and len(run["result"]) > 0
print(f"{len(names)} files, {crate.name}: {crate.description!r}")
PY

echo "-- unpacked on an empty folder: verified, made again, and run and packed to the same bytes"
mkdir "$place/elsewhere"
cd "$place/elsewhere"
"$PYTHON" -m zipfile -e ../a.zip unpacked
"$program" verify unpacked
time "$program" verify unpacked --rerun
"$program" --quiet unpacked > ../said
name=$(cd runs && find . -mindepth 2 -maxdepth 2 -type d -not -path './tasks/*' | sed 's,^\./,,')
"$program" pack "$name" --date 2026-11-29 --output again.zip
cmp ../a.zip again.zip

echo "-- a changed byte is named"
for file in plan.json README.md library/std/prelude.epo; do
    cp "unpacked/$file" kept
    printf 'x' | dd of="unpacked/$file" bs=1 seek=20 conv=notrunc status=none
    if "$program" verify unpacked > said; then
        echo "$file was changed, and nobody saw it" >&2
        exit 1
    fi
    grep "^$file: does not have the hash" said
    mv kept "unpacked/$file"
done

echo "-- ten gigabytes of zeros, and links, are refused at once"
"$PYTHON" - ../a.zip zeros.zip link.zip <<'PY'
import shutil
import struct
import sys
import zipfile
import zlib

good, zeros, link = sys.argv[1:]
shutil.copy(good, link)
with zipfile.ZipFile(link, "a") as archive:
    info = zipfile.ZipInfo("source/passwd")
    info.external_attr = 0o120777 << 16
    archive.writestr(info, "/etc/passwd")

# A block of zeros that ends at a whole byte, again and again: what zipfile would write, in a moment.
SIZE, BLOCK = 10 << 30, 1 << 20
press = zlib.compressobj(9, zlib.DEFLATED, -15)
first = press.compress(bytes(BLOCK)) + press.flush(zlib.Z_FULL_FLUSH)
again = press.compress(bytes(BLOCK)) + press.flush(zlib.Z_FULL_FLUSH)
body = first + again * (SIZE // BLOCK - 1) + press.flush()
name = b"source/zeros.epo"
extra = struct.pack("<HHQQ", 1, 16, SIZE, len(body))
fields = (45, 0, 8, 0, 33, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra))
local = b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", *fields) + name + extra
central = b"PK\x01\x02" + struct.pack("<HHHHHHIIIHHHHHII", 45, *fields, 0, 0, 0, 0, 0) + name + extra
start = len(local) + len(body)
end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), start, 0)
open(zeros, "wb").write(local + body + central + end)
PY
for pack in zeros.zip link.zip; do
    ls -l $pack
    # Within a gigabyte of memory and some seconds.
    if (ulimit -v 1048576; timeout 20 "$program" verify $pack 2> said); then
        echo "$pack was not refused" >&2
        exit 1
    fi
    cat said
    grep -q "is refused" said
done
if compgen -G 'runs/.rerun-*'; then
    echo "a comparison was left behind" >&2
    exit 1
fi
echo "packs hold what they promise"
