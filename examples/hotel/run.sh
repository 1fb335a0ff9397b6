#!/bin/sh
# Grades the guests of a hotel group by plugins in JavaScript and Python, built here from their sources, and compares what comes out
# with what is kept in expected/.
#   run.sh TIERD FOLDER
# FOLDER is made, and may be used again: compiled plugins are kept in it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tierd=$(realpath "$1")
folder=$2

"$here/../../plugins/build.sh" hotel-path scorecard
mkdir -p "$folder"
rm -rf "$folder/rules" "$folder/pack" "$folder/tierd.ledger" "$folder/tierd.ledger.decisions"
cp -R "$here/tierd.toml" "$here/rules" "$folder/"
cp "$here/../../plugins/dist/hotel-path.wasm" "$here/../../plugins/dist/scorecard.wasm" "$folder/rules/"
"$tierd" demo --pack hotel --customers 2000 --as-of 2026-06-30 --dir "$folder/pack" --quiet >/dev/null
mv "$folder/pack/hotel.db" "$folder/hotel.db"

cd "$folder"
"$tierd" check --deny-warnings
"$tierd" test --min-coverage 100
"$tierd" run --as-of 2026-06-30
"$tierd" levels --output csv >levels.csv
# The revision goes by the bytes of plugins, and another version of npm or pip may make others of the same sources.
"$tierd" explain 69 | sed 's/revision [0-9a-f]*/revision …/' >explain.txt
for file in levels.csv explain.txt; do
    diff -u "$here/expected/$file" "$file" || { echo "examples/hotel: $file isn't what is expected" >&2; exit 1; }
done
echo "examples/hotel: levels and explanation are as expected"
