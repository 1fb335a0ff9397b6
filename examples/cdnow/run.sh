#!/bin/sh
# Grades the customers of CDNOW as of 1998-07-01 and proves every figure by an independent computation.
#   run.sh TIERD FOLDER
# FOLDER is made, and may be used again: the download and the virtual environment are kept in it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tierd=$1
folder=$2

python3 "$here/prepare.py" "$folder"
rm -rf "$folder/rules" "$folder"/tierd.ledger*
cp -R "$here/tierd.toml" "$here/rules" "$folder/"

"$tierd" -C "$folder" check --deny-warnings
"$tierd" -C "$folder" run --as-of 1998-07-01
metrics=$(sed 's/[^ ]* */--metric &/g' "$here/metrics.txt")
for set in rfm momentum habit; do
    # shellcheck disable=SC2086 # one word per argument is what is wanted
    "$tierd" -C "$folder" export --set "$set" $metrics --output csv >"$folder/export-$set.csv"
done

"$here/compare.sh" "$folder"
"$here/compare.sh" --self-test "$folder"
