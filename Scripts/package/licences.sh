#!/bin/bash
# Prints the licences of Escriba and of all that its programs link, for share/doc/escriba/copyright. Fails, after printing the others, if
# one of them is not on this system.
set -uo pipefail
missing=0
# indented FILE NAME
indented() {
    if [ -r "$1" ]; then sed 's/^/    /' "$1"; else
        printf '    (the licence of %s is not on the system that built this)\n' "$2"
        echo "warning: no licence of $2 at ${1:-any place}" >&2
        missing=1
    fi
}
resources=$(swift -print-target-info 2> /dev/null | sed -n 's/.*"runtimeResourcePath" *: *"\(.*\)".*/\1/p')
gcc=$(dpkg-query -S '*/libstdc++.a' 2> /dev/null | tail -1 | cut -d: -f1)

cat <<'END'
Escriba and its corpora, but for names/languages.txt:

END
indented LICENSE Escriba
cat <<'END'

corpora/names/languages.txt: names from ISO 639-3, by way of Debian's iso-codes; LGPL 2.1 or later, whose text is beside it (names are
facts).

Linked into the programs; nothing is changed, but ICU's data is cut to what is used:

Swift's runtime and Foundation, swift-argument-parser, swift-numerics (Copyright Apple Inc. and the Swift project authors):

END
indented "$resources/../../share/swift/LICENSE.txt" Swift
for library in "ICU:libicu-dev" "zlib:zlib1g-dev" "OpenSSL (SHA-256):libssl-dev" "GCC's libstdc++ and libgcc:$gcc"; do
    printf '\n%s, as Debian packages it:\n\n' "${library%:*}"
    indented "/usr/share/doc/${library#*:}/copyright" "${library%:*}"
done
exit $missing
