#!/bin/bash
# Builds the program that the packages hold: everything static but glibc. Into OUT go escriba, stripped, and escriba.debug.
# Usage: build.sh OUT
set -euo pipefail
mkdir -p "$1"
out=$(cd "$1" && pwd)

# Two builds of one commit should give the same bytes. The compiler puts hashes of paths into what it makes, so this is always the
# same folder; and some of its sets are ordered by address, so addresses are the same too, where the system allows it.
place=/var/tmp/escriba-package-build
mkdir "$place" || { echo "error: another build is using $place; if not, remove it" >&2; exit 1; }
trap 'rm -rf "$place"' EXIT
files=(Package.swift Sources Tests Scripts)
if [ -f Package.resolved ]; then files+=(Package.resolved); fi
tar -c "${files[@]}" | tar -x -C "$place"
cd "$place"
steady=(setarch --addr-no-randomize)
"${steady[@]}" true 2> /dev/null || steady=()
bash Scripts/package/static.sh static

flags=(-c release --static-swift-stdlib
    -Xswiftc -Xfrontend -Xswiftc -no-clang-module-breadcrumbs
    -Xswiftc -file-prefix-map -Xswiftc "$place=." -Xcc "-ffile-prefix-map=$place=."
    -Xlinker "-L$place/static" -Xlinker --no-export-dynamic -Xlinker -z -Xlinker now -Xlinker "-Map=$out/link.map"
    -Xswiftc -Xclang-linker -Xswiftc -static-libgcc)
export PKG_CONFIG_PATH=$place/static
"${steady[@]}" swift build "${flags[@]}" --product escriba
program=$(swift build "${flags[@]}" --show-bin-path)/escriba
cp Package.resolved "$out"

# Foundation's own ICU would double the size.
if grep -E 'lib(_FoundationICU|Foundation|FoundationInternationalization)\.a\(' "$out/link.map" | head -3 | grep .; then
    echo "error: the program contains Foundation's ICU; a module imports Foundation instead of FoundationEssentials" >&2
    exit 1
fi
grep -q 'libicuuc\.a(' "$out/link.map" || { echo "error: link.map names no library; is it another linker's?" >&2; exit 1; }
highest=$(objdump -T "$program" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -1)
if [ "$(printf '%s\n' "$highest" GLIBC_2.35 | sort -V | tail -1)" != GLIBC_2.35 ]; then
    echo "error: the program needs $highest; packages promise 2.35" >&2
    exit 1
fi
objcopy --only-keep-debug "$program" "$out/escriba.debug"
strip -o "$out/escriba" "$program"
# SwiftPM's search path for libraries is of no use without libraries.
chrpath -d "$out/escriba" > /dev/null
ldd "$out/escriba"
