#!/bin/sh
# Runs compare.py in a virtual environment of its own, with pinned versions.
#   compare.sh TIERD PLUGIN FOLDER
# FOLDER is made, and may be used again: the environment is kept in it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=$3/venv
mkdir -p "$3"
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/installed.txt"
fi
exec "$venv/bin/python" "$here/compare.py" "$@"
