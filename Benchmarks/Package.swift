// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "Escriba", path: "..")],
    targets: [
        .target(name: "CProbe", cSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "benchmarks",
            dependencies: [
                "CProbe",
                .product(name: "CharacterModel", package: "Escriba"),
                .product(name: "RecurrentNetwork", package: "Escriba"),
                .product(name: "Tokenization", package: "Escriba"),
                .product(name: "Training", package: "Escriba"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(name: "torture", swiftSettings: [.treatAllWarnings(as: .error)]),
    ],
    swiftLanguageModes: [.v6]
)
