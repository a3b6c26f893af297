import LinearAlgebra
import RealModule
import RecurrentNetwork
import Tokenization

/// What a model knows after it has read some symbols: its states, and its logits of the next symbol.
///
/// Reading is the same to the bit however the symbols are divided among calls, so that a long prompt can be read a part at a
/// time, and the state after a common beginning can be copied and read on.
public final class TextState {
    let model: LanguageModel
    /// Whether the weights, and what they are multiplied by, are used at full precision.
    let isExact: Bool
    let network: Network<Float>
    let states: LaneStates<Float>
    private(set) var networkLogits: [Float]
    /// The last symbols read, of which n-grams consist; the last one first.
    private var before: [Int] = []
    /// Reads one symbol at a time; made when it is needed.
    private var reader: Shard<Float>?
    private var mixer: CountMixer?
    /// Symbols that one pass of the network reads at most.
    private static let capacity = 64

    /// The state at the beginning of a text.
    public init(_ model: LanguageModel, isExact: Bool = false) {
        (self.model, self.isExact) = (model, isExact)
        network = isExact ? model.network : model.roundedNetwork
        mixer = model.mixture.map { CountMixer($0, lanes: 1) }
        states = LaneStates(model.configuration, lanes: 1)
        networkLogits = [Float](repeating: 0, count: model.vocabulary.count)
        read(model.vocabulary.boundary)
    }

    private init(_ other: TextState) {
        (model, isExact, network) = (other.model, other.isExact, other.network)
        (states, networkLogits, before) = (other.states.copy(), other.networkLogits, other.before)
        mixer = other.mixer?.copy()
    }

    /// Another state that reads on by itself.
    public func copy() -> TextState { TextState(self) }

    /// Returns to the beginning of a text.
    func restart() {
        states.clear()
        before = []
        mixer?.reset()
        read(model.vocabulary.boundary)
    }

    /// Reads symbols, by id.
    public func read(_ ids: some Collection<Int>) {
        var rest = ids[...]
        guard !rest.isEmpty else { return }
        let shard = Shard<Float>(model.configuration, lanes: 1, steps: min(Self.capacity, rest.count), learns: false)
        while !rest.isEmpty {
            read(rest.prefix(shard.capacity), in: shard)
            rest = rest.dropFirst(shard.capacity)
        }
    }

    /// Reads a symbol.
    func read(_ id: Int) {
        let reader = reader ?? Shard(model.configuration, lanes: 1, steps: 1, learns: false)
        self.reader = reader
        read(CollectionOfOne(id), in: reader)
    }

    /// Reads symbols, and tells what was predicted in the place of each: its index, -ln p, and the likeliest symbols.
    func read(
        _ ids: some Collection<Int>, telling body: (_ index: Int, _ nats: Double, _ prediction: Prediction) -> Void
    ) {
        guard !ids.isEmpty else { return }
        let shard = Shard<Float>(model.configuration, lanes: 1, steps: min(Self.capacity, ids.count), learns: false)
        var (rest, index) = (ids[...], 0)
        var logits = [Float](repeating: 0, count: model.vocabulary.count)
        while !rest.isEmpty {
            let part = rest.prefix(shard.capacity)
            pass(part, in: shard)
            for (step, id) in part.enumerated() {
                readLogits(into: &logits, longestCopy: .max)
                let (nats, prediction) = Prediction.ofLogits(logits, target: id)
                body(index + step, nats, prediction)
                take(shard.logits.view.rows(step..<step + 1), after: CollectionOfOne(id))
            }
            (rest, index) = (rest.dropFirst(part.count), index + part.count)
        }
    }

    private func read(_ inputs: some Collection<Int>, in shard: Shard<Float>) {
        pass(inputs, in: shard)
        take(shard.logits.view.rows(inputs.count - 1..<inputs.count), after: inputs)
    }

    /// Passes symbols through the network; its logits are then in the shard, a row for each.
    private func pass(_ inputs: some Collection<Int>, in shard: Shard<Float>) {
        for (step, id) in inputs.enumerated() { shard.input.ids.view[0, step] = Int32(id) }
        shard.input.setBefore(before, lane: 0)
        shard.begin(with: states)
        shard.forward(network, steps: inputs.count)
        shard.end(inputs.count, into: states)
    }

    /// Takes what the network says of the symbol after some.
    private func take(_ logits: MatrixView<Float>, after inputs: some Collection<Int>) {
        logits.read(into: &networkLogits)
        let reach = model.configuration.ngramLengths
        if reach > 0 { before = Array((inputs.suffix(reach).reversed() + before).prefix(reach)) }
        if let mixer { for id in inputs { mixer.read(Int32(id)) } }
    }

    /// The logits of the next symbol, with the counts mixed in unless a run of some symbols was copied from the counted text.
    ///
    /// - Parameter logits: V of them.
    func readLogits(into logits: inout [Float], longestCopy: Int) {
        logits.withUnsafeMutableBufferPointer { target in
            networkLogits.withUnsafeBufferPointer { target.baseAddress!.update(from: $0.baseAddress!, count: $0.count) }
        }
        if let mixer, mixer.copied < longestCopy { mixer.mix(into: &logits) }
    }

    /// ln p of each of the V possible next symbols, by id, at temperature 1 and without filters.
    public var logProbabilities: [Double] { logProbabilities(longestCopy: .max) }

    func logProbabilities(longestCopy: Int) -> [Double] {
        var logits = [Float](repeating: 0, count: model.vocabulary.count)
        readLogits(into: &logits, longestCopy: longestCopy)
        let highest = Double(logits.max() ?? 0)
        let sum = logits.reduce(0.0) { $0 + .exp(Double($1) - highest) }
        return logits.map { Double($0) - highest - .log(sum) }
    }

    // MARK: Beside others

    /// Puts a drawn symbol and the states before it into a lane of a shard of one step.
    func enter(_ shard: Shard<Float>, lane: Int, with id: Int) {
        shard.input.ids.view[0, lane] = Int32(id)
        shard.input.setBefore(before, lane: lane)
        shard.begin(with: states, lane: lane)
    }

    /// Takes the states and the logits after the step.
    func leave(_ shard: Shard<Float>, lane: Int, with id: Int) {
        shard.end(1, into: states, lane: lane)
        take(shard.logits.view.rows(lane..<lane + 1), after: CollectionOfOne(id))
    }
}
