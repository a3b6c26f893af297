// swift-tools-version: 6.2
import PackageDescription

let swift: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let c: [CSetting] = [.treatAllWarnings(as: .error)]
let real: Target.Dependency = .product(name: "RealModule", package: "swift-numerics")
// Who wants the libraries alone (`traits: []`) does not fetch what only the commands need.
let commands: TargetDependencyCondition? = .when(traits: ["Commands"])
let arguments: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser", condition: commands)
// For --version; the Makefile sets it.
let commit = Context.environment["ESCRIBA_COMMIT"] ?? ""

let package = Package(
    name: "Escriba",
    products: [
        .library(name: "Tokenization", targets: ["Tokenization"]),
        .library(name: "CharacterModel", targets: ["CharacterModel"]),
        .library(name: "RecurrentNetwork", targets: ["RecurrentNetwork"]),
        .library(name: "Training", targets: ["Training"]),
        // For the package in Server.
        .library(name: "Reports", targets: ["Reports"]),
        .library(name: "CommandSupport", targets: ["CommandSupport"]),
        .executable(name: "escriba", targets: ["escriba"]),
        .executable(name: "train", targets: ["train"]),
        .executable(name: "sample", targets: ["sample"]),
        .executable(name: "perplexity", targets: ["perplexity"]),
        .executable(name: "inspect", targets: ["inspect"]),
        .executable(name: "lecture", targets: ["lecture"]),
    ],
    traits: [
        .trait(name: "Commands", description: "The commands train, sample, perplexity and inspect."),
        .default(enabledTraits: ["Commands"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    ],
    targets: [
        // MARK: C libraries
        .target(
            name: "CICU", cSettings: c,
            linkerSettings: [.linkedLibrary("icui18n"), .linkedLibrary("icuuc")]),
        .target(name: "CKernels", cSettings: c, linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CMPI", cSettings: c),
        .target(name: "CVersion", cSettings: c + [.define("ESCRIBA_COMMIT", to: "\"\(commit)\"")]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

        // MARK: Numbers
        .target(name: "Concurrency", swiftSettings: swift),
        .target(name: "Randomness", dependencies: [real], swiftSettings: swift),
        .target(name: "LinearAlgebra", dependencies: ["CKernels", "Randomness", real], swiftSettings: swift),
        .target(
            name: "RecurrentNetwork", dependencies: ["Concurrency", "LinearAlgebra", "Randomness", real],
            swiftSettings: swift),

        .target(
            name: "Cluster", dependencies: ["CMPI", "Concurrency", "LinearAlgebra", "RecurrentNetwork"],
            swiftSettings: swift),

        // MARK: Texts and models
        .target(name: "Tokenization", dependencies: ["CICU", "COpenSSL", "CZlib"], swiftSettings: swift),
        .target(
            name: "CharacterModel",
            dependencies: [
                "Cluster", "Concurrency", "CZlib", "LinearAlgebra", "Randomness", "RecurrentNetwork", "Tokenization",
                real,
            ],
            swiftSettings: swift),
        .target(
            name: "Training",
            dependencies: [
                "CharacterModel", "Cluster", "Concurrency", "LinearAlgebra", "Randomness", "RecurrentNetwork",
                "Tokenization", real,
            ],
            swiftSettings: swift),
        .target(name: "TensorBoard", swiftSettings: swift),
        .target(
            name: "Reports",
            dependencies: ["CZlib", "CharacterModel", "RecurrentNetwork", "TensorBoard", "Tokenization", "Training"],
            swiftSettings: swift),

        // MARK: Commands
        .target(
            name: "CommandSupport",
            dependencies: [
                "CharacterModel", "Cluster", "Concurrency", "CVersion", "LinearAlgebra", "RecurrentNetwork", "Reports",
                "Tokenization",
                "Training", arguments,
            ],
            swiftSettings: swift),
        .target(
            name: "Commands",
            dependencies: [
                "CharacterModel", "Cluster", "CommandSupport", "Concurrency", "RecurrentNetwork", "Reports",
                "TensorBoard",
                "Tokenization", "Training", arguments,
            ],
            swiftSettings: swift),
        .executableTarget(name: "escriba", dependencies: ["Commands"], swiftSettings: swift),
        .executableTarget(name: "train", dependencies: ["Commands"], swiftSettings: swift),
        .executableTarget(name: "sample", dependencies: ["Commands"], swiftSettings: swift),
        .executableTarget(name: "perplexity", dependencies: ["Commands"], swiftSettings: swift),
        .executableTarget(name: "inspect", dependencies: ["Commands"], swiftSettings: swift),

        // MARK: The lecture
        .target(
            name: "Study",
            dependencies: [
                "CharacterModel", "Randomness", "RecurrentNetwork", "Reports", "Tokenization", "Training", real,
            ],
            swiftSettings: swift),
        .executableTarget(
            name: "lecture",
            dependencies: [
                "CharacterModel", "CommandSupport", "LinearAlgebra", "Reports", "Study", "Tokenization", arguments,
            ],
            swiftSettings: swift),

        // MARK: Tests
        .target(
            name: "TestSupport",
            dependencies: [
                "CZlib", "CharacterModel", "Cluster", "Concurrency", "LinearAlgebra", "Randomness", "RecurrentNetwork",
                "Tokenization", "Training",
            ],
            path: "Tests/TestSupport", swiftSettings: swift),
        .testTarget(
            name: "LinearAlgebraTests", dependencies: ["CKernels", "LinearAlgebra", "Randomness", "TestSupport"],
            swiftSettings: swift),
        .testTarget(
            name: "RecurrentNetworkTests",
            dependencies: ["Concurrency", "LinearAlgebra", "Randomness", "RecurrentNetwork", "TestSupport"],
            resources: [.copy("Fixtures")], swiftSettings: swift),
        .testTarget(
            name: "ClusterTests",
            dependencies: ["Cluster", "Concurrency", "LinearAlgebra", "RecurrentNetwork", "TestSupport"],
            swiftSettings: swift),
        .testTarget(name: "TokenizationTests", dependencies: ["TestSupport", "Tokenization"], swiftSettings: swift),
        .testTarget(
            name: "CharacterModelTests",
            dependencies: [
                "CharacterModel", "Cluster", "LinearAlgebra", "RecurrentNetwork", "TestSupport", "Training",
            ],
            resources: [.copy("Fixtures")], swiftSettings: swift),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "CharacterModel", "Cluster", "LinearAlgebra", "RecurrentNetwork", "TestSupport", "Training",
            ],
            resources: [.copy("Fixtures")], swiftSettings: swift),
        .testTarget(
            name: "StudyTests",
            dependencies: [
                "CVersion", "Commands", "Randomness", "Study", "TestSupport", "Tokenization", "CharacterModel",
                "RecurrentNetwork",
            ], swiftSettings: swift),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "CharacterModel", "Cluster", "CommandSupport", "Commands", "Reports", "TensorBoard", "TestSupport",
                "Tokenization",
                "Training", "escriba", "train", "sample", "perplexity", "inspect", "lecture",
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
            name: "fuzz", dependencies: ["CFuzzer", "CharacterModel", "CZlib", "Tokenization"], path: "Fuzz/fuzz",
            swiftSettings: swift),
    ]
}

// The reference pages (`make docs`).
if Context.environment["ESCRIBA_DOCS"] != nil {
    package.dependencies.append(.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"))
}
