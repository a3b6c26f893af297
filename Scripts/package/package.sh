#!/bin/bash
# Makes dist/: the Debian package, that of its debug symbols, the archive that runs from any folder, and their SHA-256 sums.
# Usage: package.sh SCRATCH MANUAL-TOOL
set -euo pipefail
scratch=$(cd "$1" && pwd)
manual=$2
version=$(sed -n 's/^public let escribaVersion = "\(.*\)"$/\1/p' Sources/CommandSupport/Version.swift)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2> /dev/null || date +%s)
export SOURCE_DATE_EPOCH
maintainer=${MAINTAINER:-The Escriba authors <maintainers@escriba.invalid>}
dist=$PWD/dist
rm -rf "$dist" "$scratch/deb" "$scratch/symbols" "$scratch/archive"
mkdir -p "$dist"
umask 022

# What was built from what.
versions() {
    echo "escriba $version, commit ${ESCRIBA_COMMIT:-unknown}"
    swift --version 2> /dev/null | head -1
    gcc=$(dpkg-query -S "$(gcc -print-file-name=libstdc++.a)" | cut -d: -f1)
    dpkg-query -W -f '${source:Package} ${Version} (Debian)\n' libicu-dev zlib1g-dev libssl-dev "$gcc"
    sed -n 's/.*"\(identity\|version\)" : "\(.*\)".*/\2/p' "$scratch/Package.resolved" | paste -d' ' - -
}

# seal ROOT PACKAGE SECTION DESCRIPTION [FIELD...]: adds what every package has, and packs it.
seal() {
    local root=$1 package=$2 section=$3 description=$4
    shift 4
    install -d "$root/DEBIAN"
    # Not what `du` says, which depends on the file system.
    local kilobytes
    kilobytes=$(find "$root" -type f -printf '%s\n' | awk '{ n += int(($1 + 1023) / 1024) } END { print n }')
    (cd "$root" && find . -path ./DEBIAN -prune -o -type f -print | sort | cut -c3- | xargs -d '\n' md5sum) > "$root/DEBIAN/md5sums"
    {
        printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: %s\n' "$package" "$version" "$maintainer"
        printf 'Section: %s\nPriority: optional\n' "$section"
        printf 'Installed-Size: %s\n' "$kilobytes"
        [ $# = 0 ] || printf '%s\n' "$@"
        printf 'Description: %s\n' "$description"
    } > "$root/DEBIAN/control"
    find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz -z9 --build "$root" "$dist/${package}_${version}_amd64.deb" > /dev/null
}

# changelog FOLDER PACKAGE: Debian's form.
changelog() {
    {
        printf 'escriba (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n' "$version"
        printf ' -- %s  %s\n' "$maintainer" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"
    } | gzip -9n > "$1/changelog.gz"
}

licences=$scratch/copyright
bash Scripts/package/licences.sh > "$licences"

# The Debian package.
root=$scratch/deb
ZSH_FUNCTIONS=vendor-completions bash Scripts/package/install.sh "$scratch/escriba" "$manual" "$licences" "$root" /usr
gzip -9n "$root"/usr/share/man/man1/*
changelog "$root/usr/share/doc/escriba" escriba
versions > "$root/usr/share/doc/escriba/versions.txt"
seal "$root" escriba science "recurrent character models: train, write, measure
 Trains a recurrent neural network (GRU, LSTM, RNN or minGRU) on your own
 text, on this machine, in any writing system; writes new text with it, and
 measures how well it predicts a text. No GPU is needed.
 .
 'escriba demo' shows what it does in a minute and a half." "Depends: libc6 (>= 2.35)"

# The plug-ins for MPI libraries, for those who want them.
for library in openmpi mpich; do
    root=$scratch/$library
    install -d "$root/usr/lib/escriba" "$root/usr/share/doc"
    "mpicc.$library" -O2 -Wall -Wextra -Werror -Wno-stringop-overflow -fPIC -shared -ffile-prefix-map="$PWD=." -Wl,-z,relro \
        -I Sources/CMPI/include Plugins/mpi.c -o "$root/usr/lib/escriba/libescriba-$library.so"
    strip --strip-unneeded "$root/usr/lib/escriba/libescriba-$library.so"
    ln -s escriba "$root/usr/share/doc/escriba-$library"
    runtime=$(dpkg-query -S "$(ldd "$root/usr/lib/escriba/libescriba-$library.so" | sed -n 's/.*libmpi[a-z]*\.so.* => \([^ ]*\) .*/\1/p' | xargs realpath)" | cut -d: -f1)
    seal "$root" "escriba-$library" science "escriba on several machines, by $(case $library in openmpi) echo Open MPI ;; *) echo MPICH ;; esac)
 Lets 'escriba train' and 'escriba perplexity' run under the launcher of this
 MPI library, as several processes on one or more machines." "Depends: escriba (= $version), libc6 (>= 2.35), $runtime"
done

# Its debug symbols, where debuggers look for them.
root=$scratch/symbols
id=$(readelf -n "$scratch/escriba" | sed -n 's/.*Build ID: //p')
install -D -m 644 "$scratch/escriba.debug" "$root/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug"
install -d "$root/usr/share/doc"
ln -s escriba "$root/usr/share/doc/escriba-dbgsym"
seal "$root" escriba-dbgsym debug "debug symbols for escriba" "Depends: escriba (= $version)" "Build-Ids: $id" \
    "Auto-Built-Package: debug-symbols"

# The archive.
name=escriba-$version-linux-x86_64
root=$scratch/archive
bash Scripts/package/install.sh "$scratch/escriba" "$manual" "$licences" "$root/" "$name"
versions > "$root/$name/share/doc/escriba/versions.txt"
install -m 644 README.md CHANGELOG.md LICENSE "$root/$name"
tar -C "$root" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=gnu -c "$name" |
    xz -9e -T1 > "$dist/$name.tar.xz"

(cd "$dist" && sha256sum ./*.deb ./*.tar.xz | sed 's|\./||' > SHA256SUMS)
for root in "$scratch/deb" "$scratch/archive"; do du -k --apparent-size -s "$root"; done
ls -l "$dist"
cat "$dist/SHA256SUMS"
