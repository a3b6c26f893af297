// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "Escriba", path: "..")],
    targets: [
        .executableTarget(
            name: "benchmarks",
            dependencies: [
                .product(name: "CharacterModel", package: "Escriba"),
                .product(name: "Tokenization", package: "Escriba"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
