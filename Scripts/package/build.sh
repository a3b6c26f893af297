#!/bin/bash
# Builds the program that the packages hold: everything static but glibc. The result is SCRATCH/escriba, stripped, and SCRATCH/escriba.debug.
# Usage: build.sh SCRATCH
set -euo pipefail
mkdir -p "$1"
scratch=$(cd "$1" && pwd)
bash Scripts/package/static.sh "$scratch/static"

# Two builds of one commit give the same bytes: no path of this machine is in them.
flags=(-c release --static-swift-stdlib --scratch-path "$scratch/build"
    -Xswiftc -file-prefix-map -Xswiftc "$PWD=." -Xcc "-ffile-prefix-map=$PWD=."
    -Xlinker "-L$scratch/static" -Xlinker --no-export-dynamic -Xlinker -z -Xlinker now -Xlinker "-Map=$scratch/link.map"
    -Xswiftc -Xclang-linker -Xswiftc -static-libgcc)
export PKG_CONFIG_PATH=$scratch/static
swift build "${flags[@]}" --product escriba
program=$(swift build "${flags[@]}" --show-bin-path)/escriba

# Foundation's own ICU would double the size.
if grep -E 'lib(_FoundationICU|Foundation|FoundationInternationalization)\.a\(' "$scratch/link.map" | head -3 | grep .; then
    echo "error: the program contains Foundation's ICU; a module imports Foundation instead of FoundationEssentials" >&2
    exit 1
fi
grep -q 'libicuuc\.a(' "$scratch/link.map" || { echo "error: link.map names no library; is it another linker's?" >&2 && exit 1; }
highest=$(objdump -T "$program" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -1)
if [ "$(printf '%s\n' "$highest" GLIBC_2.35 | sort -V | tail -1)" != GLIBC_2.35 ]; then
    echo "error: the program needs $highest; packages promise 2.35" >&2
    exit 1
fi
objcopy --only-keep-debug "$program" "$scratch/escriba.debug"
strip -o "$scratch/escriba" "$program"
# SwiftPM's search path for libraries is of no use without libraries.
chrpath -d "$scratch/escriba" > /dev/null
ldd "$scratch/escriba"
