"""`python -m epo …` is `epo-run …`, of the installation that this interpreter looks into."""

import os
import subprocess
import sys
import sysconfig

NAME = "epo-run.exe" if os.name == "nt" else "epo-run"


def program():
    """Where pip has put it: with this interpreter, or with `pip install --user` or `--target`, elsewhere."""
    here = os.path.dirname(os.path.abspath(__file__))
    folders = [sysconfig.get_path("scripts"), os.path.join(here, "..", "bin")]
    user = sysconfig.get_preferred_scheme("user") if sys.version_info >= (3, 10) else f"{os.name}_user"
    folders.append(sysconfig.get_path("scripts", user))
    for path in (os.path.join(folder, NAME) for folder in folders):
        if os.path.isfile(path):
            return path
    sys.exit(f"error: there is no {NAME} in {', '.join(map(os.path.normpath, folders))}")


def main():
    command = [program(), *sys.argv[1:]]
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


main()
