#!/bin/sh
# Finds the big customers of a telecom company, whose credit the plugin `credit` scores in C by how they pay, and compares what comes out
# with what is kept in expected/.
#   run.sh TIERD FOLDER
# FOLDER is made, and may be used again: the compiled plugin is kept in it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tierd=$(realpath "$1")
folder=$2

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

cd "$folder"
"$tierd" check --deny-warnings
"$tierd" test --min-coverage 100
"$tierd" run --as-of 2026-06-30
"$tierd" levels --output csv >levels.csv
# The revision goes by every byte of rules and plugin, comments included.
"$tierd" explain 366 | sed 's/revision [0-9a-f]*/revision …/' >explain.txt
for file in levels.csv explain.txt; do
    diff -u "$here/expected/$file" "$file" || { echo "examples/telecom-credit: $file isn't what is expected" >&2; exit 1; }
done
echo "examples/telecom-credit: levels and explanation are as expected"
