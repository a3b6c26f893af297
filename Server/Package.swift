// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nobody who trains or samples builds or needs the server's dependencies.
let swift: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "escriba-server",
    dependencies: [
        .package(name: "escriba", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.90.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.30.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
    ],
    targets: [
        .target(
            name: "Completions",
            dependencies: [
                .product(name: "CharacterModel", package: "escriba"),
                .product(name: "Tokenization", package: "escriba"),
            ],
            swiftSettings: swift),
        .target(
            name: "Serving",
            dependencies: [
                "Completions", .product(name: "Reports", package: "escriba"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ],
            resources: [.embedInCode("Resources")],
            swiftSettings: swift),
        .executableTarget(
            name: "escriba-serve",
            dependencies: [
                "Completions", "Serving", .product(name: "CommandSupport", package: "escriba"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .testTarget(
            name: "ServingTests",
            dependencies: [
                "Completions", "Serving", "escriba-serve", .product(name: "CharacterModel", package: "escriba"),
                .product(name: "Training", package: "escriba"), .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swift),
        .testTarget(name: "CompletionsTests", dependencies: ["Completions"], swiftSettings: swift),
    ],
    swiftLanguageModes: [.v6]
)
