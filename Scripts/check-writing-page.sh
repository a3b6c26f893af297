#!/bin/bash
# Drives the page to write with: with a model of a book, one that is written from right to left, and one whose vocabulary is hostile.
# Usage: check-writing-page.sh FOLDER-OF-COMMANDS FOLDER-FOR-PICTURES
set -euo pipefail
bin=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for i in $(seq 40); do printf 'שלום לכולם, זהו ספר קטן על נהר ועל גשם.\nהסופר כתב על לחם ועל ים, ושוב על הנהר.\n'; done > hebrew.txt
for i in $(seq 60); do printf 'a<script>window.hacked=1</script><img src=x onerror="window.hacked=1">&amp;%d\n' "$i"; done > hostile.txt
"$bin/train" "$here/../corpora/book/the-river-year.txt" --time-limit 20s --output a-book.safetensors --quiet 2> log
for name in hebrew hostile; do "$bin/train" $name.txt --steps 200 --hidden 32 --output $name.safetensors --quiet 2> log; done
bash "$here/with-server.sh" "$bin/escriba-serve" a-book hebrew hostile -- \
	sh -c "python3 '$here/check-writing-page.py' \"\$URL/\" '$out' hebrew hostile"
