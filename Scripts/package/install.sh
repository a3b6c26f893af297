#!/bin/bash
# Installs the program as escriba with its links, manual pages, completions, corpora and licences.
# Usage: install.sh PROGRAM MANUAL-TOOL LICENCES ROOT PREFIX (the files go into ROOT/PREFIX)
set -euo pipefail
program=$1 manual=$2 licences=$3 root=$4$5
umask 022
commands="train sample perplexity inspect"

install -d "$root/bin"
install -m 755 "$program" "$root/bin/escriba"
install -m 755 Scripts/demo.sh "$root/bin/escriba-demo"
# What `make serve` has put beside the program.
if [ -f "$(dirname "$program")/escriba-serve" ]; then install -m 755 "$(dirname "$program")/escriba-serve" "$root/bin/escriba-serve"; fi
for command in $commands; do ln -sf escriba "$root/bin/escriba-$command"; done
# The plug-ins that `make mpi` has put beside the program.
for plugin in "$(dirname "$program")"/libescriba-*.so; do
    if [ -f "$plugin" ]; then install -D -m 644 "$plugin" "$root/lib/escriba/$(basename "$plugin")"; fi
done

# What an earlier `make install` put there under names that other programs have too, if it says that it is ours.
for command in $commands; do
    old=$root/bin/$command
    if [ -f "$old" ] && grep -q CharacterModel "$old" && "$old" --version 2> /dev/null | grep -qxE '0\.1\.0|escriba .*'; then
        rm "$old" && echo "removed $old, now escriba $command"
    fi
done

# The date of the commit, so that builds can be repeated.
day=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || date +%s)}" +%Y-%m-%d)
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
"$manual" "$root/bin/escriba" --multi-page --date "$day" --authors "the Escriba authors" --output-directory "$pages"
install -d "$root/share/man/man1"
for page in escriba $(printf 'escriba.%s ' $commands demo); do
    # Names as of the links; a paragraph for each empty line, and lines of examples as they are.
    sed -E -e 's/escriba\.([a-z]+)/escriba-\1/g; s/ESCRIBA\.([A-Z]+)/ESCRIBA-\1/g; /escriba-help/d' \
        -e '/^  escriba /s/"/\\(dq/g; s/^$/.Pp/; s/^  (escriba .*)$/.Dl \1/; s/^(EXAMPLES):$/.Em \1/' \
        -e "s/^\.Nm\$/.Nm \"${page/./ }\"/" -e '/^\.Sh NAME/,/^\.Sh SYNOPSIS/s/^\.Nm "escriba (.*)"/.Nm escriba-\1/' "$pages/$page.1" > "$pages/edited"
    install -m 644 "$pages/edited" "$root/share/man/man1/${page/./-}.1"
done

bash=$root/share/bash-completion/completions zsh=$root/share/zsh/${ZSH_FUNCTIONS:-site-functions} fish=$root/share/fish/vendor_completions.d
install -d "$bash" "$zsh" "$fish"
for name in escriba $(printf 'escriba-%s ' $commands); do
    "$root/bin/$name" --generate-completion-script bash | grep -v '^#!' > "$bash/$name"
    "$root/bin/$name" --generate-completion-script zsh > "$zsh/_$name"
    "$root/bin/$name" --generate-completion-script fish > "$fish/$name.fish"
    chmod 644 "$bash/$name" "$zsh/_$name" "$fish/$name.fish"
done

install -d "$root/share/escriba/corpora/book" "$root/share/escriba/corpora/names"
for text in el-cuaderno.txt book/the-river-year.txt book/el-ano-del-rio.txt names/languages.txt README.md; do
    install -m 644 "corpora/$text" "$root/share/escriba/corpora/$text"
done
lgpl=/usr/share/common-licenses/LGPL-2.1
if [ -r $lgpl ]; then install -m 644 $lgpl "$root/share/escriba/corpora/names/LGPL-2.1.txt"; fi
install -d "$root/share/doc/escriba"
install -m 644 README.md CHANGELOG.md "$root/share/doc/escriba"
install -m 644 "$licences" "$root/share/doc/escriba/copyright"
