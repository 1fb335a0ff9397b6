#!/bin/sh
# Grades the guests of a hotel group by plugins in JavaScript and Python, built here from their sources, and compares what comes out
# with what is kept in expected/.
#   run.sh TIERD FOLDER
# FOLDER is made, and may be used again: compiled plugins are kept in it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tierd=$(realpath "$1")
folder=$2
. "$here/../graded.sh"

"$here/../../plugins/build.sh" hotel-path scorecard
mkdir -p "$folder"
rm -rf "$folder/rules" "$folder/pack" "$folder/tierd.ledger" "$folder/tierd.ledger.decisions"
cp -R "$here/tierd.toml" "$here/rules" "$folder/"
cp "$here/../../plugins/dist/hotel-path.wasm" "$here/../../plugins/dist/scorecard.wasm" "$folder/rules/"
"$tierd" demo --pack hotel --customers 2000 --as-of 2026-06-30 --dir "$folder/pack" --quiet >/dev/null
mv "$folder/pack/hotel.db" "$folder/hotel.db"

graded 69
