#!/bin/bash
# A package outside this one builds and runs against the libraries: by path, and by a tag in a clone. Without the trait for the
# commands, it must not fetch packages that only they need.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

git clone -q "$root" "$scratch/escriba"
git -C "$scratch/escriba" -c user.name=check -c user.email=check@localhost tag -f -a -m check 99.0.0 > /dev/null
cp "$root/Tests/CharacterModelTests/Fixtures/v1-lstm.safetensors" "$scratch/model.safetensors"
cp "$root/corpora/el-cuaderno.txt" "$scratch/text.txt"

# check NAME DEPENDENCY: makes the package, builds and runs it.
check() {
    mkdir -p "$scratch/$1/Sources/reader"
    cat > "$scratch/$1/Package.swift" <<PACKAGE
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "reader",
    dependencies: [$2],
    targets: [
        .executableTarget(
            name: "reader",
            dependencies: [
                .product(name: "CharacterModel", package: "escriba"), .product(name: "Tokenization", package: "escriba"),
                .product(name: "Training", package: "escriba"),
            ])
    ])
PACKAGE
    cp "$root/Scripts/check-library.swift" "$scratch/$1/Sources/reader/main.swift"
    (cd "$scratch/$1" && swift build -c release -q && .build/release/reader "$scratch/model.safetensors" "$scratch/text.txt")
    package=swift-argument-parser
    if grep -q "$package" "$scratch/$1/Package.resolved" || [ -e "$scratch/$1/.build/checkouts/$package" ]; then
        echo "error: $1 fetches $package, which the libraries do not need" >&2
        exit 1
    fi
    echo "$1: built, run, and fetched nothing that only the commands need"
}

check by-path ".package(path: \"$scratch/escriba\", traits: [])"
check by-tag ".package(url: \"file://$scratch/escriba\", from: \"99.0.0\", traits: [])"
