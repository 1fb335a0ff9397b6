#!/bin/sh
# Fuzzes the host for so many seconds, half of them each target, with any toolchain and without a sanitizer. What is new stays out of the
# corpus; a finding lies in artifacts/, and ends this with an error.
#   run.sh SECONDS
#   run.sh build        # only builds it
set -eu
cd "$(dirname "$0")"
host=$(rustc -vV | sed -n 's/^host: //p')
programs=${CARGO_TARGET_DIR:-target}/$host/release
# instrument.sh leaves what is built without `--target` as it is.
RUSTC_WRAPPER=$PWD/instrument.sh cargo build --quiet --locked --release --target "$host"
[ "$1" != build ] || exit 0
each=$(($1 / 2))
for target in bytes plugins; do
    mkdir -p "artifacts/$target"
    new=$(mktemp -d)
    "$programs/$target" -max_total_time="$each" -max_len=16384 -timeout=20 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="artifacts/$target/" "$new" "corpus/$target"
    rm -r "$new"
done
