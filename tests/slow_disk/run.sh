#!/bin/sh
# MILLISECONDS COMMAND…: does it as on a slow disk, where each sync takes so much longer. Nothing but the time may be different.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 MILLISECONDS COMMAND…" >&2; exit 64; }
milliseconds=$1
shift
library=$(mktemp --suffix=.so)
trap 'rm -f "$library"' EXIT
cc -shared -fPIC -O1 -o "$library" "$(dirname "$0")/slow_sync.c" -ldl
# Also for those of other users that the command starts.
chmod 755 "$library"
LD_PRELOAD=$library SLOW_SYNC_MS=$milliseconds "$@"
