"""How pip makes the wheel: by maturin, and beside the program its manual pages, its completions and the module `epo_env`.

The pages and completions are what the program prints, so that they need no copy in the repository. Arguments of cargo stand in MATURIN_PEP517_ARGS
(`--features cuda`); the wheel is for this machine alone, unless `pip wheel --config-settings compatibility=manylinux_2_28 .` names older ones.
"""

import json
import os
import pathlib
import shlex
import shutil
import subprocess

import maturin
from describe import describe
from maturin import build_sdist, get_requires_for_build_sdist, get_requires_for_build_wheel  # noqa: F401

ARGUMENTS = shlex.split(os.environ.get("MATURIN_PEP517_ARGS", "--locked --features parquet"))
# Named in pyproject.toml, so it has to be there.
DATA = pathlib.Path("target/wheel")


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    DATA.mkdir(parents=True, exist_ok=True)
    return maturin.prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    shutil.rmtree(DATA, ignore_errors=True)
    describe(program(), DATA / "data")
    (DATA / "purelib").mkdir()
    shutil.copy("python/epo_env.py", DATA / "purelib")
    compatibility = (config_settings or {}).get("compatibility", "off")
    return maturin.build_wheel(wheel_directory, {"build-args": [*ARGUMENTS, "--compatibility", compatibility]}, metadata_directory)


def program():
    """Builds it."""
    command = ["cargo", "build", "--release", "--bin", "epo-run", "--message-format", "json-render-diagnostics", *ARGUMENTS]
    messages = map(json.loads, subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines())
    return next(m["executable"] for m in messages if m["reason"] == "compiler-artifact" and m["executable"])
