#!/bin/sh
# Two acts: names of languages that do not exist, and a book of a town by a river. With arguments, files or folders, it learns them
# instead. Installed as escriba-demo beside escriba; otherwise ESCRIBA is the program and CORPORA the folder of texts.
set -eu
case ${1:-} in
-h | --help)
    echo "usage: escriba demo [FILE|FOLDER ...]"
    echo "Shows what escriba does, in a minute and a half; with your texts, if you name them. Writes into checkpoints/demo."
    exit
    ;;
-*)
    echo "error: $1 is not an option; see escriba demo --help" >&2
    exit 64
    ;;
esac
here=$(dirname "$(readlink -f "$0")")
program=${ESCRIBA:-$here/escriba}
corpora=${CORPORA:-$here/../share/escriba/corpora}
names=$corpora/names/languages.txt
other=$corpora/el-cuaderno.txt
out=checkpoints/demo
mkdir -p $out

say() { printf '\n== %s\n' "$*"; }
run() {
    printf '$ escriba'
    for word; do case $word in *[!A-Za-z0-9./_-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac; done
    printf '\n'
    "$program" "$@"
}

if [ $# = 0 ]; then
    set -- "$corpora/book"
    say "Names: learn those of 5,912 languages for 15 seconds"
    run train "$names" --records line --time-limit 15s --output $out/names.safetensors --overwrite
    say "Twenty languages that it invents; those that exist already are marked"
    run sample $out/names --count 20 --temperature 0.8 --seed 1 --quiet |
        awk 'NR == FNR { known[$0]; next } { print $0 ($0 in known ? "   (exists)" : "") }' "$names" -
fi
say "The book: learn it for 45 seconds, and write as it learns"
run train "$@" --time-limit 45s --sample-every 15s --output $out/book.safetensors --overwrite --report $out/training.html
say "Write: a likely text, and a freer one"
run sample $out/book --temperature 0.5 --length 400 --seed 1
echo
run sample $out/book --temperature 0.9 --length 400 --seed 1
echo
say "Measure: how well it predicts another book, which it has not read"
run perplexity $out/book "$other" --html $out/surprisal.html
[ "$(command -v escriba || true)" = "$program" ] && program=escriba
cat <<END

Pages for the browser:
  $out/training.html    how it learned
  $out/surprisal.html   what it finds improbable
What to try next:
  $program train YOUR-TEXT.txt --time-limit 3m
  $program inspect $out/book $other --html inside.html
  $program --help
END
