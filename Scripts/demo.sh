#!/bin/sh
# Two acts: names of languages that do not exist, and a book of a town by a river. With arguments, files or folders, it learns them
# instead. Installed as escriba-demo beside escriba; otherwise ESCRIBA is the program and CORPORA the folder of texts.
set -eu
here=$(dirname "$(readlink -f "$0")")
program=${ESCRIBA:-$here/escriba}
corpora=${CORPORA:-$(dirname "$here")/share/escriba/corpora}
names=$corpora/names/languages.txt
other=$corpora/el-cuaderno.txt
out=checkpoints/demo
# Called by its own name, without escriba's parser.
case ${1:-} in
-h | --help) exec "$program" demo --help ;;
-*)
    echo "error: unknown option $1; see escriba demo --help" >&2
    exit 64
    ;;
esac
mkdir -p $out

[ "$(command -v escriba || true)" != "$program" ] || program=escriba

say() { printf '\n== %s\n' "$*"; }
# Words as a shell reads them back.
quote() {
    for word; do case $word in
        *[!A-Za-z0-9./_-]*) printf "'%s' " "$(printf %s "$word" | sed "s/'/'\\\\''/g")" ;;
        *) printf '%s ' "$word" ;;
    esac done
}
show() { printf '$ %s\n' "$(quote "$program" "$@")"; }
run() {
    show "$@"
    "$program" "$@"
}

if [ $# = 0 ]; then
    set -- "$corpora/book"
    title="The book, in English and Spanish: learn it" measure="how well it predicts another book, which it has not read"
    say "Names: learn those of 5,912 languages for 15 seconds"
    run train "$names" --records line --time-limit 15s --output $out/names.safetensors --overwrite
    say "Twenty languages that it invents; those that exist already are marked"
    show sample $out/names --count 20 --temperature 0.8 --seed 1
    "$program" sample $out/names --count 20 --temperature 0.8 --seed 1 --quiet > $out/names.txt
    awk 'NR == FNR { known[$0]; next } { print $0 ($0 in known ? "   (exists)" : "") }' "$names" $out/names.txt
else
    title="Your text: learn it" measure="how well it predicts the end of your text, which was held out" other=
    for text; do :; done
    # The last tenth, from the beginning of a line.
    if [ -f "$text" ]; then
        tenth=$(($(wc -c < "$text") / 10))
        tail -c $((tenth < 100000 ? tenth : 100000)) "$text" | sed 1d > $out/held-out.txt
        [ ! -s $out/held-out.txt ] || other=$out/held-out.txt
    fi
fi
say "$title for 45 seconds, and write as it learns"
run train "$@" --time-limit 45s --sample-every 15s --output $out/book.safetensors --overwrite --report $out/training.html
say "Write: a likely text, and a freer one"
run sample $out/book --temperature 0.5 --length 400 --seed 1
echo
run sample $out/book --temperature 0.9 --length 400 --seed 1
echo
if [ -n "$other" ]; then
    say "Measure: $measure"
    # The end of a compressed text, for one, cannot be read alone.
    run perplexity $out/book "$other" --html $out/surprisal.html || other=
fi
cat <<END

Pages for the browser:
  $out/training.html    how it learned
${other:+  $out/surprisal.html   what it finds improbable
}What to try next:
  $(quote "$program")train YOUR-TEXT.txt --time-limit 3m
${other:+  $(quote "$program" inspect $out/book "$other" --html inside.html)
}  $(quote "$program")--help
END
