#!/bin/bash
# Prints the licences of Escriba and of all that its programs link, for share/doc/escriba/copyright.
set -euo pipefail
debian() { sed 's/^/    /' "/usr/share/doc/$1/copyright" 2> /dev/null || echo "    see the package $1"; }
gcc=$(dpkg-query -S "$(gcc -print-file-name=libstdc++.a)" | cut -d: -f1)
swift=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")/share/swift/LICENSE.txt

cat <<'END'
Escriba and its corpora, but for names/languages.txt:

END
sed 's/^/    /' LICENSE
cat <<'END'

corpora/names/languages.txt: names from ISO 639-3, by way of Debian's iso-codes; LGPL 2.1 or later (names are facts). On Debian the
text is in /usr/share/common-licenses/LGPL-2.1.

Linked into the programs, not changed:

Swift's runtime and Foundation, swift-argument-parser, swift-numerics (Copyright Apple Inc. and the Swift project authors):

END
sed 's/^/    /' "$swift"
for library in "ICU:libicu-dev" "zlib:zlib1g-dev" "OpenSSL (SHA-256):libssl-dev" "GCC's libstdc++ and libgcc:$gcc"; do
    printf '\n%s, as Debian packages it:\n\n' "${library%:*}"
    debian "${library#*:}"
done
