#!/bin/bash
# Symbols a second and latencies of a running server at 1, 8, 32 and 128 clients, whole and streamed; needs wrk.
# Usage: bench-server.sh URL [SECONDS [SYMBOLS-OF-A-TEXT]]
set -euo pipefail
url=$1 seconds=${2:-10} symbols=${3:-300}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
total() { curl -s "$url/metrics" | awk -v name="$1" '$1 ~ "^escriba_" name "[{]" { sum += $2 } $1 == "escriba_" name { sum += $2 } END { printf "%.6f", sum }'; }
for stream in false true; do
	cat > "$work/ask.lua" <<-END
		wrk.method = "POST"
		wrk.headers["Content-Type"] = "application/json"
		local count = 0
		local base = math.random(1, 1000000)
		request = function()
			count = count + 1
			return wrk.format(nil, "/v1/completions", nil,
				string.format('{"prompt":"The ","max_tokens":$symbols,"stream":$stream,"seed":%d}', base + count))
		end
	END
	for clients in 1 8 32 128; do
		before=$(total symbols_total) products=$(total products_total) first=$(total first_symbol_seconds_sum) texts=$(total first_symbol_seconds_count)
		wrk -t 1 -c "$clients" -d "${seconds}s" --timeout 60s --latency -s "$work/ask.lua" "$url" > "$work/log"
		after=$(total symbols_total) products=$(echo "$(total products_total) $products" | awk '{ print $1 - $2 }')
		first=$(echo "$(total first_symbol_seconds_sum) $first $(total first_symbol_seconds_count) $texts" | awk '{ print 1000 * ($1 - $2) / ($3 - $4) }')
		awk -v c="$clients" -v s="$stream" -v n="$(echo "$after $before" | awk '{ print $1 - $2 }')" -v d="$seconds" -v p="$products" -v f="$first" '
			/50%/ { median = $2 } /99%/ { high = $2 } /Socket errors|Non-2xx/ { bad = $0 }
			END { printf "%s, %3d clients: %7.0f symbols/s, %5.1f rows a product, first symbol after %.1f ms, whole text: median %s, 99 %% %s %s\n",
				s == "true" ? "streamed" : "whole   ", c, n / d, n / p, f, median, high, bad }' "$work/log"
	done
done
