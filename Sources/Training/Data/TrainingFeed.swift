import CharacterModel
import Concurrency
import LinearAlgebra
import Randomness
import RecurrentNetwork
import Tokenization

/// Feeds the lanes of a training text to an engine, one window at a time. Records are reshuffled in each epoch.
final class TrainingFeed {
    private let original: EncodedText
    /// The text in the order of the current epoch.
    private var text: EncodedText
    private var ordered: Int?
    /// The units that are shuffled: records; empty for a text without records.
    private let groups: [Range<Int>]
    let schedule: LaneSchedule
    private let unknowns: UnknownRule
    /// nil with records, which already have beginnings.
    private let coldStarts: ColdStarts?
    private let seed: UInt64
    private let input: LaneWindow

    init(_ data: TrainingData, _ schedule: LaneSchedule, window: Int, ngrams: Int = 0, seed: UInt64) {
        original = data.training
        text = data.training
        groups = data.vocabulary.records != nil ? text.groups() : []
        self.schedule = schedule
        self.seed = seed
        coldStarts = data.vocabulary.records != nil ? nil : ColdStarts(text: text, seed: seed)
        unknowns = UnknownRule(text: text, vocabularySize: data.vocabulary.count, seed: seed)
        input = LaneWindow(lanes: schedule.lanes.count, steps: window, ngrams: ngrams)
    }

    /// A window of an epoch.
    ///
    /// - Parameter step: selects the engine's random numbers.
    func window(_ number: Int, epoch: Int, step: Int, using workers: Workers) -> TrainingWindow {
        if groups.count > 1 && ordered != epoch {
            var generator = SplitMix64(seed: seed, stream: RandomStream.order, UInt64(epoch))
            text = original.shuffled(groups, using: &generator)
            ordered = epoch
        }
        let (steps, symbols) = (schedule.steps(ofWindow: number), schedule.symbols(ofWindow: number))
        let lanes = schedule.lanes
        let parts = workers.count
        let predicted = Matrix<Int>(rows: 1, columns: parts)
        workers.forEach(parts) { [text, input, unknowns, coldStarts] part in
            let range = part * lanes.count / parts..<(part + 1) * lanes.count / parts
            predicted.view[0, part] = input.fill(
                lanes[range], from: range.lowerBound, of: text, first: steps.lowerBound, steps: steps.count,
                replaces: { unknowns.replaces($0, epoch: epoch) },
                begins: { lane, before in
                    coldStarts?.begins(
                        lane: range.lowerBound + lane, before: before, of: text, epoch: epoch,
                        step: steps.lowerBound) ?? false
                })
        }
        precondition(predicted.elements.reduce(0, +) == symbols, "the lanes do not hold \(symbols) targets")
        return TrainingWindow(input, steps: steps.count, symbols: symbols, step: step)
    }
}
