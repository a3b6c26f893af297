#!/bin/bash
# Sixteen clients ask a running server for some minutes; its memory and open files are printed every half minute. Needs wrk.
# Usage: soak-server.sh URL PROCESS-ID [MINUTES]
set -euo pipefail
url=$1 process=$2 minutes=${3:-10}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/ask.lua" <<-'END'
	wrk.method = "POST"
	wrk.headers["Content-Type"] = "application/json"
	local count = 0
	request = function()
		count = count + 1
		local prompt = string.rep("The scribe ", count % 50) .. count
		if count % 5 == 0 then
			return wrk.format(nil, "/v1/perplexity", nil, string.format('{"text":"%s"}', prompt))
		end
		return wrk.format(nil, "/v1/completions", nil, string.format(
			'{"prompt":"%s","max_tokens":%d,"stream":%s,"logprobs":%d}', prompt, count % 400, count % 2 == 0, count % 6))
	end
END
wrk -t 1 -c 16 -d "${minutes}m" --timeout 60s -s "$work/ask.lua" "$url" > "$work/log" &
for _ in $(seq $((minutes * 2))); do
	sleep 30
	awk '/VmRSS|VmHWM/ { printf "%s %d MB  ", $1, $2 / 1024 } END { printf "" }' "/proc/$process/status"
	echo "files $(ls "/proc/$process/fd" | wc -l)"
done
wait
cat "$work/log"
