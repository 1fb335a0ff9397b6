#!/usr/bin/env bash
# Asks a real daemon everything that its OpenAPI document describes, with values made up by schemathesis: no server error, and no status,
# content type or answer that the document doesn't describe.
#
#   tests/http/schemathesis.sh TIERD FOLDER
#
# TIERD is the program; FOLDER is made, and holds the example project and schemathesis itself.
set -euo pipefail
mkdir -p "$2"
tierd=$(realpath "$1")
folder=$(realpath "$2")
version=4.32.5
seconds=100

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"

"$tierd" demo --quiet --customers 1000 --dir "$folder/shop" > "$folder/demo.log"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
token=$(python3 -c 'import secrets; print(secrets.token_hex(16))')
(umask 077 && printf '%s\n' "$token" > "$folder/shop/token")
printf '\n[http]\nlisten = "127.0.0.1:%s"\ntoken_file = "token"\n' "$port" >> "$folder/shop/tierd.toml"

"$tierd" -C "$folder/shop" serve 2> "$folder/serve.log" &
daemon=$!
stop() {
    kill "$daemon" 2> /dev/null || true
    wait "$daemon" 2> /dev/null || true
}
trap stop EXIT

url=http://127.0.0.1:$port
for _ in $(seq 100); do
    if python3 -c "import urllib.request; urllib.request.urlopen('$url/-/ready')" 2> /dev/null; then break; fi
    if ! kill -0 "$daemon" 2> /dev/null; then cat "$folder/serve.log" >&2; exit 1; fi
    sleep 0.1
done

# It leaves a folder of its own where it runs.
cd "$folder"
"$folder/venv/bin/schemathesis" run "$url/api/v1/openapi.json" \
    --header "Authorization: Bearer $token" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --phases coverage,fuzzing --max-examples 20 --max-time "$seconds" --request-timeout 60 \
    --generation-database none --no-color --warnings off

# The daemon has survived it, and says so itself.
python3 -c "import urllib.request; urllib.request.urlopen('$url/-/ready')"
