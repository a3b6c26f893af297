#!/bin/bash
# Makes each kind of page, drives it in headless Chromium as a reader would, in light and dark, at the width of a phone and of a desk,
# and takes pictures. Usage: check-pages.sh FOLDER-OF-COMMANDS FOLDER-FOR-PICTURES
set -euo pipefail
PATH="$1:$PATH"
mkdir -p "$2"
out=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
corpus="$here/../corpora/el-cuaderno.txt"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

train "$corpus" --steps 600 --evaluate-every 60 --hidden 64 --layers 2 --report report.html --output m.safetensors --quiet > log
train --report reports.html --report-with m.jsonl --report-with m.jsonl
perplexity m "$corpus" --html surprisal.html --baseline "$corpus" > log
{ head -c 3000 "$corpus"; for i in $(seq 60); do printf 'שלום (%s) לכולם, مرحبا "بكم" <script>alert(1)</script>\n' "$i"; done; } > odd.txt
perplexity m odd.txt --html odd.html > log
inspect m "$corpus" --html inside.html --baseline "$corpus" --lags 64 > log
for cell in lstm rnn mingru; do
	train odd.txt --steps 50 --hidden 8 --embedding 4 --cell $cell --output $cell.safetensors --quiet > log
	inspect $cell odd.txt --html $cell.html --lags 16 > log
done
for language in en es; do
	lecture "$corpus" --plan toy --language $language --output lecture.html 2> log
	mv lecture.html lecture-$language.html
done

failed=0
for page in report reports surprisal odd inside lstm rnn mingru lecture-en lecture-es; do
	{
		echo '<script>window.pageErrors=[];for(const n of ["error","unhandledrejection","securitypolicyviolation"])'
		echo 'addEventListener(n,e=>pageErrors.push(n+": "+(e.message||e.reason||e.violatedDirective)))</script>'
		cat $page.html
		echo '<script>'
		cat "$here/check-pages.js"
		echo '</script>'
	} > driven.html
	for scheme in 1:light 0:dark; do
		for width in 1200 390; do
			options=(--headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=$width,2400 --virtual-time-budget=20000
				--blink-settings=preferredColorScheme=${scheme%%:*})
			# A window has at least 500 pixels; a frame may be narrower.
			cat > frame.html <<-END
				<iframe src=driven.html style="border:0;width:${width}px;height:2400px"></iframe><pre id=checked></pre>
				<script>addEventListener("message",e=>checked.textContent=e.data)</script>
			END
			result=$("$browser" "${options[@]}" --dump-dom "file://$work/frame.html" 2> console |
				sed -n 's/.*<pre id="checked">\(.*\)<\/pre>.*/\1/p')
			echo "$page, ${scheme##*:}, $width: ${result:-no answer}"
			[ "$result" = "all is well" ] || failed=1
			if grep CONSOLE console; then failed=1; fi
			# As above: some work lets real time pass until all is drawn.
			{ cat $page.html; echo '<script>let n=0;setInterval(()=>{if(n++<15)for(let k=0;k<1e8;k++);},100)</script>'; } > shown.html
			"$browser" "${options[@]}" --screenshot="$out/$page-${scheme##*:}-$width.png" "file://$work/shown.html" 2> console
		done
	done
done
echo "the pictures are in $out"
exit $failed
