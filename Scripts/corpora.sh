#!/bin/bash
# Makes the texts that corpora/README.md describes from Debian's packages, and checks them against the hashes there.
set -eu
cd "$(dirname "$0")/../corpora"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ "$(id -u)" = 0 ]; then run=""; else run=sudo; fi
$run apt-get update -qq
chmod 755 "$work"
for package in bible-kjv fortunes-zh installation-guide-amd64; do
    (cd "$work" && apt-get download -qq "$package" 2>"$work/log" || { cat "$work/log" >&2; exit 1; })
done
# The program that prints the Bible has the path of its data built in, so that package is installed; the others are only unpacked.
command -v bible >/dev/null || $run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends bible-kjv
for package in fortunes-zh installation-guide-amd64; do dpkg-deb -x "$work/$package"_*.deb "$work"; done

bible -f 'Gen1:1-Rev22:21' | cut -d' ' -f2- > king-james.txt
# Removes terminal colours.
for poems in tang300 song100; do
    sed 's/\x1b\[[0-9;]*m//g' "$work/usr/share/games/fortunes/$poems" > $poems-zh.txt
done
for language in el es ja ko ru vi; do
    gzip -dc "$work/usr/share/doc/installation-guide-amd64/$language/install.$language.txt.gz" > guide-$language.txt
done

status=0
while read -r hash file; do
    if ! echo "$hash  $file" | sha256sum --check --quiet --status; then
        echo "error: corpora/$file is not the text that corpora/README.md describes; the package may have changed" >&2
        status=1
    fi
done < <(sed -n 's/^| `\([^`]*\)` .*| `\([0-9a-f]\{64\}\)` |$/\2 \1/p' README.md)
ls -l ./*.txt
exit $status
