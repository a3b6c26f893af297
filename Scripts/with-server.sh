#!/bin/bash
# Runs a command while a server runs; the command finds URL and SERVER (its process) in its environment.
# Usage: with-server.sh ESCRIBA-SERVE MODEL... -- COMMAND...
set -euo pipefail
server=$1
shift
models=()
while [ "$1" != -- ]; do
	models+=("$1")
	shift
done
shift
log=$(mktemp)
"$server" "${models[@]}" --port 0 2> "$log" &
SERVER=$!
trap 'kill $SERVER 2> /dev/null || true; wait $SERVER || true; rm -f "$log"' EXIT
for _ in $(seq 600); do
	URL=$(sed -nE 's/^to write: (http:[^ ]*[0-9]).*/\1/p' "$log")
	[ -z "$URL" ] || break
	kill -0 $SERVER 2> /dev/null || { cat "$log" >&2; exit 1; }
	sleep 0.1
done
[ -n "$URL" ] || { cat "$log" >&2; exit 1; }
export URL SERVER
"$@"
