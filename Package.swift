// swift-tools-version: 6.2
import PackageDescription

let swift: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let c: [CSetting] = [.treatAllWarnings(as: .error)]
let real: Target.Dependency = .product(name: "RealModule", package: "swift-numerics")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "Escriba",
    products: [
        .library(name: "Tokenization", targets: ["Tokenization"]),
        .library(name: "CharacterModel", targets: ["CharacterModel"]),
        .executable(name: "train", targets: ["train"]),
        .executable(name: "sample", targets: ["sample"]),
        .executable(name: "perplexity", targets: ["perplexity"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-numerics", exact: "1.1.1"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    ],
    targets: [
        // MARK: C libraries
        .target(
            name: "CICU", cSettings: c,
            linkerSettings: [.linkedLibrary("icui18n"), .linkedLibrary("icuuc")]),
        .target(name: "CKernels", cSettings: c, linkerSettings: [.linkedLibrary("m")]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

        // MARK: Modules
        .target(
            name: "LinearAlgebra",
            dependencies: ["CKernels", real], swiftSettings: swift),
        .target(name: "Tokenization", dependencies: ["CICU", "COpenSSL", "CZlib"], swiftSettings: swift),
        .target(
            name: "CharacterModel", dependencies: ["LinearAlgebra", "Tokenization", "CZlib", real],
            swiftSettings: swift),
        .target(
            name: "TensorBoard", dependencies: [protobuf], exclude: ["event.proto"], swiftSettings: swift),
        .target(name: "CommandSupport", dependencies: ["CharacterModel", arguments], swiftSettings: swift),

        // MARK: Commands
        .executableTarget(
            name: "train", dependencies: ["CommandSupport", "TensorBoard", arguments], swiftSettings: swift),
        .executableTarget(
            name: "sample", dependencies: ["CommandSupport", "LinearAlgebra", arguments], swiftSettings: swift),
        .executableTarget(name: "perplexity", dependencies: ["CommandSupport", arguments], swiftSettings: swift),

        // MARK: Tests
        .target(
            name: "TestSupport", dependencies: ["LinearAlgebra", "Tokenization", "CharacterModel"],
            path: "Tests/TestSupport",
            swiftSettings: swift),
        .testTarget(
            name: "LinearAlgebraTests", dependencies: ["LinearAlgebra", "TestSupport", "CKernels"],
            swiftSettings: swift),
        .testTarget(name: "TokenizationTests", dependencies: ["Tokenization", "TestSupport"], swiftSettings: swift),
        .testTarget(
            name: "CharacterModelTests", dependencies: ["CharacterModel", "LinearAlgebra", "TestSupport"],
            resources: [.copy("Fixtures")], swiftSettings: swift),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "CommandSupport", "CharacterModel", "TensorBoard", "TestSupport", "train", "sample", "perplexity",
            ],
            resources: [.copy("Help")],
            swiftSettings: swift),
    ],
    swiftLanguageModes: [.v6]
)

// libFuzzer's targets (`make fuzz`): they link with its own flags only.
if Context.environment["ESCRIBA_FUZZ"] != nil {
    package.targets += [
        .systemLibrary(name: "CFuzzer", path: "Fuzz/CFuzzer"),
        .executableTarget(
            name: "fuzz", dependencies: ["CharacterModel", "Tokenization", "CZlib", "CFuzzer"], path: "Fuzz/fuzz",
            swiftSettings: swift),
    ]
}
