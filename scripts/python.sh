# shellcheck shell=bash
# `python_with NAME PACKAGE…`: PYTHON is a Python that has these packages of PyPI. One that is named already has them; else they are installed below target/tmp/NAME. To be
# sourced in the root of the repository; needs Python 3.9 with pip.

python_with() {
    local place=$PWD/target/tmp/$1
    shift
    [ -z "${PYTHON:-}" ] || return 0
    [ -x "$place/bin/python" ] || python3 -m venv "$place"
    PYTHON=$place/bin/python
    "$PYTHON" -m pip install -q "$@"
}
