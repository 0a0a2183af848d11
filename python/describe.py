"""What the program says of itself, as files of an installation: manual pages and completions. `python3 describe.py PROGRAM PREFIX`."""

import pathlib
import subprocess
import sys

COMPLETIONS = {
    "bash": "share/bash-completion/completions/epo-run",
    "zsh": "share/zsh/site-functions/_epo-run",
    "fish": "share/fish/vendor_completions.d/epo-run.fish",
}


def describe(program, prefix):
    """Puts manual pages and completions where they belong below `prefix`."""
    subprocess.run([program, "man", "--output", prefix / "share/man/man1"], check=True, stdout=subprocess.DEVNULL)
    for shell, place in COMPLETIONS.items():
        script = subprocess.run([program, "completions", shell], check=True, stdout=subprocess.PIPE).stdout
        (prefix / place).parent.mkdir(parents=True)
        (prefix / place).write_bytes(script)


if __name__ == "__main__":
    describe(sys.argv[1], pathlib.Path(sys.argv[2]))
