#!/bin/sh
# Two acts: names of languages that do not exist, and a book of a town by a river. BIN is where the commands are; TEXT is a file or a
# folder to use instead of the book.
set -eu
names=corpora/names/languages.txt
book=${TEXT:-corpora/book}
mkdir -p checkpoints

say() { printf '\n== %s\n' "$*"; }
run() {
    name=$1
    shift
    printf '$ %s' "$name"
    for word; do case $word in *[!A-Za-z0-9./_-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac; done
    printf '\n'
    "$BIN/$name" "$@"
}

if [ -z "${TEXT:-}" ]; then
    say "Names: learn those of 5,912 languages for 15 seconds"
    run train $names --records line --time-limit 15s --output checkpoints/demo-names.safetensors --overwrite
    say "Twenty languages; those that exist are reported below"
    run sample checkpoints/demo-names --count 20 --temperature 0.8 --seed 1 --novelty $names 2>checkpoints/demo-novelty.txt
    grep 'whole record' checkpoints/demo-novelty.txt || true
    rm -f checkpoints/demo-novelty.txt
fi
say "The book: learn it for 45 seconds, and write as it learns"
run train "$book" --time-limit 45s --sample-every 15s --output checkpoints/demo.safetensors --overwrite \
    --report checkpoints/demo-training.html
say "Write: a likely text, and a freer one"
run sample checkpoints/demo --temperature 0.5 --length 400 --seed 1
echo
run sample checkpoints/demo --temperature 0.9 --length 400 --seed 1
echo
say "Measure: how well it predicts another book, which it has not read"
run perplexity checkpoints/demo corpora/el-cuaderno.txt --html checkpoints/demo-surprisal.html
cat <<END

Pages for the browser:
  checkpoints/demo-training.html   how it learned
  checkpoints/demo-surprisal.html  what it finds improbable
What to try next:
  make demo TEXT=YOUR-TEXT.txt
  $BIN/inspect checkpoints/demo corpora/el-cuaderno.txt --html inside.html
  $BIN/train --help
END
