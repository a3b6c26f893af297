#!/bin/bash
# Installs the packages of a folder in bare Debian systems without Swift or ICU, uses every command, upgrades, removes, and compares what
# is left; and unpacks the archive there as an ordinary user. Needs root. Usage: check.sh DIST [SUITE ...]
set -euo pipefail
dist=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
suites=("$@")
[ $# -gt 0 ] || suites=(bookworm trixie)
version=$(basename "$dist"/escriba_*_amd64.deb _amd64.deb | cut -d_ -f2)
work=$(mktemp -d)
mounted=()
finish() {
    for place in "${mounted[@]}"; do umount "$place" || true; done
    rm -rf --one-file-system "$work"
}
trap finish EXIT

(cd "$dist" && sha256sum -c SHA256SUMS)
lintian --fail-on error,warning --suppress-tags-from-file "$here/lintian.txt" "$dist"/*.deb
echo "lintian: nothing but what lintian.txt explains"

# The same program under an older number, to upgrade from.
dpkg-deb -R "$dist/escriba_${version}_amd64.deb" "$work/old"
sed -i 's/^Version: .*/Version: 0.0.1/' "$work/old/DEBIAN/control"
echo old > "$work/old/usr/share/escriba/only-in-the-old-one"
dpkg-deb --root-owner-group -Znone --build "$work/old" "$work/old.deb" > /dev/null

# inside COMMAND...: runs in the system under test.
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
files() { (cd "$root" && find . -xdev \( -path ./proc -o -path ./tmp -o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/log \) -prune -o -print | sort); }

for suite in "${suites[@]}"; do
    root=$work/$suite
    echo "== $suite"
    debootstrap --variant=minbase --include=man-db,bash-completion,xz-utils "$suite" "$root" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    mount -t proc proc "$root/proc"
    mounted+=("$root/proc")
    # Minimal systems leave out manual pages.
    rm -f "$root"/etc/dpkg/dpkg.cfg.d/*
    cp "$dist"/* "$work/old.deb" "$here/use.sh" "$here/../../corpora/el-cuaderno.txt" "$root/tmp"
    if inside sh -c 'command -v swift || ls /usr/lib/*/libicu*' 2> /dev/null; then echo "error: not a bare system" >&2; exit 1; fi
    grep PRETTY_NAME "$root/etc/os-release"
    files > "$work/before"

    inside apt-get install -qq -y --no-install-recommends /tmp/old.deb > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    inside dpkg-query -W escriba
    inside apt-get install -qq -y --no-install-recommends "/tmp/escriba_${version}_amd64.deb" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    inside dpkg-query -W escriba
    if [ -e "$root/usr/share/escriba/only-in-the-old-one" ]; then echo "error: a file of the old version is left" >&2; exit 1; fi
    inside dpkg --verify escriba
    inside ldd /usr/bin/escriba
    inside env HOME=/root bash /tmp/use.sh /usr/bin

    inside apt-get remove --purge -qq -y escriba > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    files > "$work/after"
    diff "$work/before" "$work/after" || { echo "error: these files are left" >&2; exit 1; }
    echo "removed without leftovers"

    inside useradd -m reader
    inside su reader -c "mkdir '/home/reader/my programs' && cd '/home/reader/my programs' && tar xf /tmp/escriba-$version-linux-x86_64.tar.xz"
    inside su reader -c "bash /tmp/use.sh '/home/reader/my programs/escriba-$version-linux-x86_64/bin'"
done
echo "all is well"
