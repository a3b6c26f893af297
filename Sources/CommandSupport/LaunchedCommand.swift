import ArgumentParser
import CharacterModel
import Cluster
import Concurrency
import Glibc
import LinearAlgebra
import RecurrentNetwork
import Synchronization
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
        guard let cluster = try join() else { return try body(nil) }
        watch(cluster)
        let result = Result {
            _ = try cluster.together(facts: { $0 }, { Self.identity })
            try body(cluster)
        }
        if case .failure(let error) = result, cluster.communicator.failure != nil || !cluster.isAtOne {
            end(cluster, because: cluster.communicator.failure ?? error)
        }
        do throws(ClusterError) {
            if cluster.isLeader {
                EngineService<Float>.dismiss(cluster.communicator)
            } else {
                try EngineService<Float>(cluster.communicator, threads: threads).run()
            }
            if !cluster.communicator.leave() {
                throw cluster.communicator.failure
                    ?? .transport(library: cluster.communicator.name, reason: "a rank has not ended with the others")
            }
        } catch {
            end(cluster, because: error)
        }
        try result.get()
    }

    private func join() throws -> Cluster? {
        do {
            return try Cluster.join(signal: { Interruption.signal }, onSignal: { Interruption.receive($0) })
        } catch  where isFollower {
            // Rank 0 speaks first, if it has the same trouble, and its launcher then ends this rank.
            sleep(2)
            StandardError.isMuted.store(false, ordering: .relaxed)
            throw error
        }
    }

    /// Ends all ranks when one has failed, even while this one calculates; it first has some seconds to end by itself.
    private func watch(_ cluster: Cluster) {
        _ = startThread {
            guard let failure = cluster.communicator.waitForFailure() else { return }
            sleep(5)
            Self.end(cluster, because: failure)
        }
    }

    /// What must be equal for equal results.
    private static var identity: [Cluster.Fact] {
        let unicode = UnicodeVersions.current
        let arguments = comparable(CommandLine.arguments.dropFirst())
        // Each rank tunes for itself, and would choose the precision by its own processor.
        let isChosen =
            arguments.contains { $0.hasPrefix("--tune") } && !arguments.contains { $0.hasPrefix("--precision") }
        return [
            Cluster.Fact("version", versionLine),
            Cluster.Fact("compiler", KernelLevel.compiler),
            Cluster.Fact("kernel level", "\(KernelLevel.inUse.arithmetic)"),
            Cluster.Fact("C library", KernelLevel.library),
            Cluster.Fact("ICU", "\(unicode.icu)"),
            Cluster.Fact("arguments", arguments.joined(separator: " ")),
            Cluster.Fact("choice of precision", isChosen ? "\(KernelLevel.inUse)" : ""),
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

    /// Ends all ranks at once. Rank 0 says why; of its silence rank 1 does, of an error of its own any rank.
    private static func end(_ cluster: Cluster, because error: any Error) -> Never {
        guard isEnding.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else {
            // Another thread of this rank does it.
            while true { sleep(1) }
        }
        let isOwn = !(error is ClusterError)
        // What troubles all ranks, rank 0 says, and its launcher then ends the others.
        if cluster.rank > 1 || cluster.rank == 1 && isOwn { sleep(2) }
        StandardError.isMuted.store(cluster.rank > 1 && !isOwn, ordering: .relaxed)
        let code = conclude(error)
        // The launcher's SIGTERM that follows is no news.
        Interruption.isQuiet.store(true, ordering: .relaxed)
        cluster.communicator.abort(code)
        Glibc._exit(code)
    }

    private func end(_ cluster: Cluster, because error: any Error) -> Never { Self.end(cluster, because: error) }
}

/// Whether a thread of this process ends all ranks.
private let isEnding = Atomic(false)
