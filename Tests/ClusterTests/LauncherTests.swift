import Foundation
import RecurrentNetwork
import TestSupport
import Testing

@testable import Cluster

@Suite("Launchers")
struct LauncherTests {
    @Test("The environment tells a rank of a launch from a process that was started alone")
    func environments() {
        func launcher(_ text: String) -> Launcher? {
            let pairs = text.split(separator: " ").map { $0.split(separator: "=").map(String.init) }
            return Launcher(environment: Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) }))
        }
        let table: [(String, (processes: Int, rank: Int, first: Launcher.Library)?, String)] = [
            ("HOME=/", nil, "a terminal"),
            ("OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=2 PMIX_RANK=2", (4, 2, .openMPI), "Open MPI's mpirun"),
            ("PMI_SIZE=3 PMI_RANK=0 PMI_FD=5", (3, 0, .mpich), "MPICH's mpirun"),
            ("OMPI_COMM_WORLD_SIZE=1 OMPI_COMM_WORLD_RANK=0", nil, "one process needs no messages"),
            ("SLURM_JOB_ID=7 SLURM_NTASKS=8 SLURM_PROCID=0", nil, "the script of sbatch"),
            (
                "SLURM_JOB_ID=7 SLURM_NTASKS=8 SLURM_PROCID=0 SLURM_STEP_ID=4294967290 SLURM_STEP_NUM_TASKS=1", nil,
                "salloc"
            ),
            (
                "SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=8 SLURM_PROCID=5 PMIX_NAMESPACE=slurm.7 PMIX_RANK=5",
                (8, 5, .openMPI),
                "srun --mpi=pmix"
            ),
            (
                "SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=8 SLURM_PROCID=5 PMI_SIZE=8 PMI_RANK=5", (8, 5, .mpich),
                "srun --mpi=pmi2"
            ),
            ("SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=8 SLURM_PROCID=5", (8, 5, .openMPI), "srun without MPI: told later"),
        ]
        for (environment, expected, what) in table {
            let found = launcher(environment)
            #expect(found?.processes == expected?.processes && found?.rank == expected?.rank, "\(what)")
            #expect(found?.libraries.first == expected?.first, "\(what)")
        }
    }

    @Test("Each rank gets consecutive groups of lanes; the smallest batch for too many is told")
    func groups() throws {
        for (batch, ranks) in [(16, 2), (64, 3), (128, 16), (26, 4), (100, 5)] {
            let shared = try sharedGroups(batch: batch, ranks: ranks)
            let sizes = shared.map(\.count)
            #expect(shared.flatMap { Array($0) } == Array(LaneGroups(batch: batch).ranges.indices))
            #expect(sizes.min()! >= 1 && sizes.max()! - sizes.min()! <= 1, "\(batch), \(ranks)")
        }
        #expect(throws: ClusterError.tooManyRanks(ranks: 3, batch: 16, needed: 24)) {
            try sharedGroups(batch: 16, ranks: 3)
        }
        _ = try sharedGroups(batch: 24, ranks: 3)
    }

    @Test("Without a plug-in, the file that is missing is named")
    func plugin() throws {
        let folder = try TemporaryFolder()
        let launcher = try #require(Launcher(environment: ["PMI_SIZE": "2", "PMI_RANK": "1"]))
        #expect(throws: ClusterError.noPlugin(library: "MPICH", file: "libescriba-mpich.so")) {
            try MPITransport.plugin(for: launcher, in: folder.file("bin"), environment: [:])
        }
        // Beside the program, or where packages put it.
        for place in ["lib/escriba/libescriba-mpich.so", "bin/libescriba-mpich.so"] {
            let path = folder.file(place)
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
            try FileManager.default.createDirectory(
                atPath: folder.file("bin"), withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: path))
            let found = try MPITransport.plugin(for: launcher, in: folder.file("bin"), environment: [:])
            #expect(URL(fileURLWithPath: found).standardizedFileURL.path == path)
        }
        #expect(try MPITransport.plugin(for: launcher, environment: ["ESCRIBA_MPI": "/x.so"]) == "/x.so")
        #expect(throws: ClusterError.self) { try MPITransport(plugin: "/nowhere/x.so") }
        // A library that is none of ours.
        #expect(throws: ClusterError.badPlugin(path: "libm.so.6", reason: "it is not a plug-in for Escriba")) {
            try MPITransport(plugin: "libm.so.6")
        }
    }

    @Test("Commands of an engine are read as they were written")
    func commands() {
        let all: [EngineCommand] = [
            .begin(bytes: 5), .window(steps: 64, symbols: 1 << 40, step: 3),
            .update(step: 7, scale: 0.1, rate: .pi, decay: -0.0), .clearState, .laneState, .restore, .quit,
        ]
        for command in all {
            let message = command.message
            let words = withExtendedLifetime(message) { Array(message.bytes.bindMemory(to: UInt64.self)) }
            #expect(EngineCommand(words) == command && words.count == EngineCommand.memory().elements.count)
        }
        #expect(EngineCommand([9, 0, 0, 0, 0]) == nil && EngineCommand([0]) == nil)
    }
}
