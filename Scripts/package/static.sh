#!/bin/bash
# Collects the static libraries that the packages link, with ICU's data cut to what is used. Usage: static.sh FOLDER
set -euo pipefail
mkdir -p "$1/data"
out=$(cd "$1" && pwd)
libraries=$(dirname "$(gcc -print-file-name=libicuuc.a)")
version=$(pkg-config --modversion icu-uc)
major=${version%%.*}

# ICU's data is one object of a package whose name is in every item, so the file must have that name.
package=icudt${major}l
(cd "$out/data" && ar x "$libraries/libicudata.a")
objcopy -O binary --only-section=.rodata "$out"/data/*.o "$out/data/all.dat"
mv "$out/data/all.dat" "$out/data/$package.dat"
mkdir -p "$out/cut"
icupkg -l "$out/data/$package.dat" > "$out/data/items.txt"
# Character sets, normal forms, and where characters and words end; no languages, currencies or calendars.
grep -vE '^brkitr/|\.cnv$|\.nrm$|^(cnvalias|uemoji|ulayout)\.icu$' "$out/data/items.txt" > "$out/data/remove.txt"
icupkg -r "$out/data/remove.txt" "$out/data/$package.dat" "$out/cut/$package.dat"
cat > "$out/data.S" <<ASSEMBLY
    .section .rodata
    .balign 16
    .global icudt${major}_dat
    .type icudt${major}_dat, @object
    .size icudt${major}_dat, . - icudt${major}_dat
icudt${major}_dat:
    .incbin "$out/cut/$package.dat"
    .section .note.GNU-stack,"",@progbits
ASSEMBLY
gcc -c "$out/data.S" -o "$out/data.o"

# GCC 12's libstdc++ calls glibc 2.36's arc4random; older systems have getrandom.
gcc -O2 -fPIC -ffile-prefix-map="$PWD=." -c Scripts/package/arc4random.c -o "$out/arc4random.o"

rm -f "$out"/*.a
ar rcsD "$out/libicudata.a" "$out/data.o"
ln -s "$libraries/libicui18n.a" "$libraries/libz.a" "$libraries/libcrypto.a" "$(gcc -print-file-name=libstdc++.a)" "$out"
# One library that is four: archives are searched in order, and only once.
echo "GROUP ( $libraries/libicuuc.a $out/libicudata.a $out/libstdc++.a $out/arc4random.o )" > "$out/libicuuc.a"
for name in zlib:z libcrypto:crypto; do
    printf 'Name: %s\nDescription: static\nVersion: %s\nLibs: -L%s -l%s\n' "${name%:*}" \
        "$(pkg-config --modversion "${name%:*}")" "$out" "${name#*:}" > "$out/${name%:*}.pc"
done
rm -rf "$out/data"
