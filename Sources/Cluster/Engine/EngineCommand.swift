import LinearAlgebra
import RecurrentNetwork

/// What rank 0 asks of the other ranks, in a few numbers; larger things follow as messages of their own.
enum EngineCommand: Sendable, Equatable {
    /// Make an engine, in place of the last one. The description has this many bytes, and a state follows.
    case begin(bytes: Int)
    /// Run a window of so many steps, whose lanes follow, with this many symbols in all lanes of the batch.
    case window(steps: Int, symbols: Int, step: Int)
    case update(step: Int, scale: Double, rate: Double, decay: Double)
    case clearState
    /// Send the states of the lanes.
    case laneState
    /// Continue from a state, which follows.
    case restore
    /// There is no more to do.
    case quit

    /// The length of a message.
    private static let words = 5

    /// Memory for a message.
    static func memory() -> Matrix<UInt64> { Matrix(rows: 1, columns: words) }

    private var words: [UInt64] {
        func word(_ count: Int) -> UInt64 { UInt64(bitPattern: Int64(count)) }
        switch self {
        case .begin(let bytes): return [0, word(bytes)]
        case .window(let steps, let symbols, let step): return [1, word(steps), word(symbols), word(step)]
        case .update(let step, let scale, let rate, let decay):
            return [2, word(step), scale.bitPattern, rate.bitPattern, decay.bitPattern]
        case .clearState: return [3]
        case .laneState: return [4]
        case .restore: return [5]
        case .quit: return [6]
        }
    }

    var message: Message { Message(words + Array(repeating: 0, count: Self.words - words.count)) }

    /// - Parameter words: those of a message.
    init?(_ words: [UInt64]) {
        guard words.count == Self.words else { return nil }
        func count(_ index: Int) -> Int { Int(Int64(bitPattern: words[index])) }
        func number(_ index: Int) -> Double { Double(bitPattern: words[index]) }
        switch words[0] {
        case 0: self = .begin(bytes: count(1))
        case 1: self = .window(steps: count(1), symbols: count(2), step: count(3))
        case 2: self = .update(step: count(1), scale: number(2), rate: number(3), decay: number(4))
        case 3: self = .clearState
        case 4: self = .laneState
        case 5: self = .restore
        case 6: self = .quit
        default: return nil
        }
    }
}

/// What an engine of another rank is made of.
struct EngineDescription: Codable {
    var model: ModelConfiguration
    var optimizer: Optimizer
    var precision: Precision
    var batch: Int
    var window: Int
    var restarts: Bool
    var seed: UInt64
    var measuresHalves: Bool
}

/// The groups of lanes of each rank: consecutive, and as equal as can be.
func sharedGroups(batch: Int, ranks: Int) throws(ClusterError) -> [Range<Int>] {
    let groups = LaneGroups(batch: batch).ranges.count
    guard groups >= ranks else {
        throw .tooManyRanks(ranks: ranks, batch: batch, needed: LaneGroups.smallestBatch(groups: ranks))
    }
    return (0..<ranks).map { $0 * groups / ranks..<($0 + 1) * groups / ranks }
}
