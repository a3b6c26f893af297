import Concurrency
import Foundation
import LinearAlgebra
import TestSupport
import Testing

@testable import RecurrentNetwork

@Suite("Cells")
struct CellTests {
    @Test(
        "A cell that computes a window at once gives the same results as the step-by-step one", arguments: [0, 3],
        [1, 3])
    func scan(embedding: Int, layers: Int) throws {
        func run<Scalar: KernelScalar>(_ kind: CellKind, as type: Scalar.Type) throws -> (Double, [Scalar], [Scalar]) {
            let model = try ModelConfiguration(
                cell: kind, layers: layers, hidden: 7, embedding: embedding, vocabularySize: 11, dropout: 0.3)
            let fixture = NetworkFixture<Scalar>(model, steps: 13, batch: 9, seed: 11)
            let engine = fixture.makeEngine()
            let loss = fixture.loss(engine)
            return (loss, engine.gradient.elements, engine.laneState.values.flatMap { $0.flatMap { $0 } })
        }
        func compare<Scalar: KernelScalar>(_ type: Scalar.Type, tolerance: Double) throws {
            let (steps, scan) = (try run(.mingru, as: type), try run(CellKind(ScanCell()), as: type))
            #expect(abs(steps.0 - scan.0) < tolerance)
            #expect(difference(steps.1, scan.1, relative: tolerance, absolute: tolerance) == nil)
            #expect(difference(steps.2, scan.2, relative: tolerance, absolute: tolerance) == nil)
            #expect(steps.1.contains { abs($0) > 1e-3 })
        }
        try compare(Double.self, tolerance: 1e-12)
        try compare(Float.self, tolerance: 1e-5)
    }

    @Test("A cell's gates, states, tensors and tasks fit each other", arguments: CellKind.allCases)
    func declarations(kind: CellKind) {
        let cell = kind.cell
        #expect(!cell.gates.isEmpty && Set(cell.gates).count == cell.gates.count)
        #expect(!cell.states.isEmpty && Set(cell.states).count == cell.states.count)
        #expect(CellKind(rawValue: cell.name) == kind && !cell.title.isEmpty)
        for isOneHot in [false, true] {
            let layer = LayerShape(input: 70, hidden: 50, isOneHot: isOneHot, nonlinearity: .tanh)
            let tensors = cell.tensors(of: layer)
            #expect(Set(tensors.map(\.name)).count == tensors.count)
            #expect(cell.uses.contains(.weightDropout) == tensors.contains { $0.role == .recurrentWeight })
            // Each output of each tensor is summed by one task.
            for (index, tensor) in tensors.enumerated() {
                let covered = cell.gradientTasks(of: layer).filter { $0.tensors.contains(index) }.flatMap(\.outputs)
                #expect(covered == Array(0..<tensor.outputs), "\(tensor.name)")
            }
            let memory = MemoryLedger()
            let window: any CellWindow<Float> = cell.makeWindow(
                WindowShape(layer: layer, lanes: 3, steps: 5, learns: true), from: memory)
            #expect(window.states.map(\.view.rows) == cell.states.map { _ in 18 })
            #expect(window.gateValues.view.rows == 15 && window.gateValues.view.columns == cell.gates.count * 50)
        }
    }

    @Test("The memory estimate of a window is exact", arguments: CellKind.allCases)
    func memory(kind: CellKind) throws {
        let model = try ModelConfiguration(
            cell: kind, layers: 2, hidden: 30, embedding: 4, vocabularySize: 9, dropout: 0.1)
        let (dry, real) = (MemoryLedger(isDry: true), MemoryLedger())
        for precision in Precision.allCases {
            _ = Shard<Float>(model, lanes: 5, steps: 7, learns: true, precision: precision, from: dry)
            let shard = Shard<Float>(model, lanes: 5, steps: 7, learns: true, precision: precision, from: real)
            #expect(dry.bytes == real.bytes && dry.bytes > Double(4 * shard.logits.view.rows * 9))
        }
        // The largest that can be asked for is counted, and not made.
        let huge = try ModelConfiguration(
            cell: kind, layers: 64, hidden: 32_768, embedding: 32_768, vocabularySize: 16_777_216)
        let bytes = trainingMemory(huge, optimizer: .adamw, batch: 65_536, window: 65_536, restarts: true, threads: 2)
        #expect(bytes > 5e13 && bytes.isFinite)
    }

    /// In a process of its own, since Linux counts for a whole process.
    @Test("The memory estimate equals what is allocated from the system", arguments: CellKind.allCases.map(\.rawValue))
    func allocation(kind: String) async {
        await #expect(processExitsWith: .success) { [kind = kind as String] in
            /// What the process has asked for so far, in bytes.
            func data() throws -> Double {
                let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
                let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmData:") })
                return 1_024 * (try #require(Double(line.split(whereSeparator: \.isWhitespace)[1])))
            }
            let model = try ModelConfiguration(
                cell: try #require(CellKind(rawValue: kind)), layers: 2, hidden: 512, embedding: 64,
                vocabularySize: 300, dropout: 0.1)
            let ledger = MemoryLedger()
            let before = try data()
            let shard = Shard<Float>(model, lanes: 8, steps: 128, learns: true, from: ledger)
            let bytes = try data() - before
            // Pages and headers around some dozens of buffers.
            try #require(bytes > 0.99 * ledger.bytes && bytes < 1.02 * ledger.bytes + 400_000)
            withExtendedLifetime(shard) {}
        }
    }

    @Test("Options that a cell does not use are refused")
    func uses() {
        #expect(throws: ConfigurationError.self) {
            try ModelConfiguration(cell: .mingru, vocabularySize: 9, weightDropout: 0.1)
        }
        #expect(!CellKind.mingru.uses("weight-dropout") && CellKind.mingru.uses("dropout"))
        #expect(CellKind.rnn.uses("nonlinearity") && !CellKind.gru.uses("nonlinearity"))
    }
}
