import ArgumentParser
import CharacterModel
import Cluster
import Glibc
import LinearAlgebra
import RecurrentNetwork
import Tokenization
import Training

/// A command that a launcher can start as several ranks, which work together. Of other commands only rank 0 runs.
package protocol LaunchedCommand: ParsableCommand {}

extension LaunchedCommand {
    /// Runs a body as one of the ranks of a launch; `cluster` is nil for a process that was started alone. The ranks other
    /// than 0 then serve its engines, with this many threads, until it has finished.
    ///
    /// Rank 0's error is reported as usual, and ends all.
    package func asRank(threads: Int, _ body: (_ cluster: Cluster?) throws -> Void) throws {
        Interruption.isQuiet.store(isFollower, ordering: .relaxed)
        let cluster = try Cluster.join(signal: { Interruption.signal }, onSignal: { Interruption.receive($0) })
        guard let cluster else { return try body(nil) }
        let service = EngineService<Float>(cluster.communicator, threads: threads)
        func finish() throws {
            if cluster.isLeader { EngineService<Float>.dismiss(cluster.communicator) } else { try service.run() }
            cluster.communicator.leave()
        }
        let result = Result {
            _ = try cluster.together(facts: { $0 }, { Self.identity })
            try body(cluster)
        }
        if case .failure(let error) = result, cluster.communicator.failure != nil || !cluster.isAtOne {
            end(cluster, because: cluster.communicator.failure ?? error)
        }
        do { try finish() } catch { end(cluster, because: error) }
        try result.get()
    }

    /// What must be equal for equal results.
    private static var identity: [Cluster.Fact] {
        let unicode = UnicodeVersions.current
        return [
            Cluster.Fact("version", versionText),
            Cluster.Fact("compiler", KernelLevel.compiler),
            Cluster.Fact("kernel level", "\(KernelLevel.inUse)"),
            Cluster.Fact("C library", KernelLevel.library),
            Cluster.Fact("ICU", "\(unicode.icu)"),
            Cluster.Fact("arguments", comparable(CommandLine.arguments.dropFirst()).joined(separator: " ")),
        ]
    }

    /// Arguments without the number of threads, which each rank may have its own of.
    static func comparable(_ arguments: some Sequence<String>) -> [String] {
        var rest: [String] = []
        var isValue = false
        for argument in arguments {
            defer { isValue = argument == "--threads" }
            if !isValue && argument != "--threads" && !argument.hasPrefix("--threads=") { rest.append(argument) }
        }
        return rest
    }

    /// Ends all ranks at once. Rank 0 says why; if it cannot, rank 1 does.
    private func end(_ cluster: Cluster, because error: any Error) -> Never {
        let isSpeaker = cluster.rank < 2 || !(error is ClusterError)
        StandardError.isMuted.store(!isSpeaker, ordering: .relaxed)
        let code = Self.conclude(error)
        // A launcher ends the others at once, also the one that speaks.
        if cluster.rank > 1 { sleep(2) }
        cluster.communicator.abort(code)
        Glibc._exit(code)
    }
}
