#!/bin/bash
# Uses each command as a person would, in a folder of its own. Usage: use.sh FOLDER-OF-COMMANDS
set -euo pipefail
bin=$1
cd "$(mktemp -d)"
# grep -q would close the pipe early, which ends the command before it.
has() { grep "$@" > /dev/null; }
fail() {
    echo "error: $*" >&2
    exit 1
}

"$bin/escriba" --version
"$bin/escriba" train /tmp/el-cuaderno.txt --steps 60 --hidden 64 --output m.safetensors --quiet > trained
grep -q 'bits per character' trained
# What it says to try next, works.
eval "$(sed -n 's/^try: //p' trained) --length 200 --seed 1 --quiet" > sampled
[ "$(wc -m < sampled)" -ge 200 ] || fail "too short: $(cat sampled)"
"$bin/escriba-perplexity" m /tmp/el-cuaderno.txt --html page.html --format json > score.json
grep -q '"perplexity"' score.json || fail "no perplexity"
grep -q '<html' page.html || fail "no page"
"$bin/escriba-inspect" m /tmp/el-cuaderno.txt --lags 16 > inspected
grep -qi 'memory' inspected
"$bin/escriba-sample" m --seed 1 --length 50 --quiet > /dev/null
"$bin/escriba-train" --help | has 'USAGE: escriba-train'
"$bin/escriba" demo --help | has 'USAGE: escriba demo'

if [ "$bin" = /usr/bin ]; then
    "$bin/escriba" demo > demo.txt 2>&1 || fail "the demo: $(cat demo.txt)"
    grep -q 'What to try next' demo.txt || fail "the demo did not end"
    [ -s checkpoints/demo/surprisal.html ] || fail "no page of surprisal"
    [ -s checkpoints/demo/training.html ] || fail "no page of the training"
fi

# ICU's data, cut as it is, has charsets, normal forms and the rules for characters.
printf '\x93\xfa\x96{\x8c\xea\n%.0s' {1..200} > sjis.txt
"$bin/escriba" train sjis.txt --encoding shift_jis --normalization nfkc --steps 3 --hidden 8 --output j.safetensors --quiet > /dev/null
"$bin/escriba" perplexity j --info | has 'nfkc' || fail "no NFKC"
printf 'नमस्ते दुनिया 👨‍👩‍👧‍👦 ﬁ\n%.0s' {1..100} > marks.txt
"$bin/escriba" train marks.txt --steps 3 --hidden 8 --output g.safetensors --quiet > /dev/null
"$bin/escriba" perplexity g marks.txt --format json | tr -d ' \n' | has '"tokens":1200' || fail "other characters than 12 a line"
"$bin/escriba" train --encoding list | has -i 'koi8-r' || fail "no charsets"

# Manual pages and completions, where the shell would look for them.
share=$(dirname "$bin")/share
for page in escriba escriba-train escriba-sample escriba-perplexity escriba-inspect escriba-demo; do
    if [ "$bin" = /usr/bin ]; then man "$page"; else man -M "$share/man" "$page"; fi > page.txt 2> warnings
    grep -q 'SYNOPSIS' page.txt || fail "no manual page $page"
    [ ! -s warnings ] || fail "$page: $(cat warnings)"
done
complete_words() {
    local COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT COMPREPLY=()
    COMP_POINT=${#COMP_LINE}
    . "$share/bash-completion/completions/$1"
    "_${1//-/_}" "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}" 2> /dev/null || true
    printf '%s\n' "${COMPREPLY[@]}"
}
shopt -s extglob progcomp
complete_words escriba tra | has -x 'train *' || fail "no completion of train"
complete_words escriba train --cell l | has -x 'lstm *' || fail "no completion of a cell"
echo "each command, its manual page and its completion work in $bin"
