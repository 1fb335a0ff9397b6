#!/bin/sh
# Finds the big customers of a telecom company, whose credit the plugin `credit` scores in C by how they pay, and compares what comes out
# with what is kept in expected/.
#   run.sh TIERD FOLDER
# FOLDER is made, and may be used again: the compiled plugin is kept in it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tierd=$(realpath "$1")
folder=$2
. "$here/../graded.sh"

mkdir -p "$folder"
rm -rf "$folder/rules" "$folder/pack" "$folder/tierd.ledger" "$folder/tierd.ledger.decisions"
cp -R "$here/tierd.toml" "$here/rules" "$folder/"
cp "$here/../../plugins/credit/credit.wasm" "$folder/rules/"
"$tierd" demo --pack telecom-big --customers 2000 --as-of 2026-06-30 --dir "$folder/pack" --quiet >/dev/null
mv "$folder/pack/big.db" "$folder/big.db"
python3 - "$folder/big.db" "$here/paid.sql" <<'PYTHON'
import pathlib, sqlite3, sys
database, script = sys.argv[1:]
sqlite3.connect(database).executescript(pathlib.Path(script).read_text(encoding="utf-8"))
PYTHON

graded 366
