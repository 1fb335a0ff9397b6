#!/bin/sh
# Proves that the `.wasm` files kept here are what their sources say: builds these anew, and compares what both give for the same data, function by
# function.
#   verify.sh TIERD FOLDER
# The same bytes say it at once. Another compiler, or another folder, makes others (TIERD_RUST=debian does in any case), so that it is values that are
# compared then: texts exactly, numbers to 1e-9.
set -eu
tierd=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
cd "$(dirname "$0")"

main() {
    ./build.sh clv credit offers standing
    if differs clv; then
        same clv alive
        same clv expected_purchases '{"horizon": 52}'
        same clv expected_value
        same clv lifetime_value '{"horizon": 52, "period": 4, "discount": 0.01}'
    fi
    if differs credit; then
        same credit score
        same credit grade
    fi
    if differs offers; then
        same offers keep
    fi
    if differs standing; then
        same standing score
    fi
}

differs() { # NAME
    ! cmp -s "$1/$1.wasm" "dist/$1.wasm" || { echo "$1: the same bytes" && false; }
}

same() { # NAME FUNCTION [CONFIG]
    name=$1 function=$2 config=${3:-'{}'}
    for which in kept built; do
        file=$name/$name.wasm
        [ $which = kept ] || file=dist/$name.wasm
        "$tierd" plugin run "$file" --function "$function" --input "$name/example.csv" --config "$config" --as-of 2026-06-30T09:00:00 --output csv \
            >"$folder/$name-$function-$which.csv"
    done
    awk -F , -v what="$name $function" '
        function is_number(text) { return text ~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/ }
        function near(a, b) { d = a - b; if (d < 0) d = -d; m = a < 0 ? -a : a; return d <= 1e-9 * (m > 1 ? m : 1) }
        NR == FNR { kept[FNR] = $NF; rows = FNR; next }
        !(kept[FNR] == $NF || is_number(kept[FNR]) && is_number($NF) && near(kept[FNR], $NF)) {
            print what ", line " FNR ": " kept[FNR] " was kept, " $NF " is built"; differences++
        }
        END {
            if (rows < 2 || FNR != rows) { print what ": " rows " lines and " FNR; differences++ }
            if (!differences) print what ": " rows - 1 " rows alike"
            exit differences > 0
        }' "$folder/$name-$function-kept.csv" "$folder/$name-$function-built.csv"
}

main
