#!/bin/sh
# Trains on the text in this repository, samples at two temperatures, and measures. BIN is where the commands are.
set -eu
model=checkpoints/demo.safetensors
text=corpora/el-cuaderno.txt

say() { printf '\n== %s\n' "$*"; }
run() {
    name=$1
    shift
    printf '$ %s' "$name"
    for word; do case $word in *[!A-Za-z0-9./_-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac; done
    printf '\n'
    "$BIN/$name" "$@"
}

say "Train a model on a small book in English and Spanish (one minute)"
run train $text --time-limit 60s --output $model --overwrite
say "Sample conservatively (temperature 0.5)"
run sample $model --prompt 'The scribe ' --temperature 0.5 --length 400 --seed 1
say "Sample freely (temperature 0.9)"
run sample $model --prompt "—" --temperature 0.9 --length 400 --seed 1
say "Measure how well it predicts the book it learned, and a text it never saw"
run perplexity $model $text
echo
run perplexity $model README.md
cat <<EOF

What to try next:
  $BIN/sample $model --prompt 'El río ' --temperature 0.7 --min-p 0.05
  $BIN/train YOUR-TEXT.txt --time-limit 10m
  $BIN/train --help
EOF
