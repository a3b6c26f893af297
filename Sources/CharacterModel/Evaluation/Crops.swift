import Concurrency
import LinearAlgebra
import Randomness
import RecurrentNetwork
import Tokenization

/// The score of random windows (crops) of a text, each read from nothing: how transformers with a context of limited length are
/// usually scored.
public struct CropEvaluation: Sendable, Equatable {
    /// The mean nats at each place of a crop, over all crops.
    public var natsByPlace: [Double]
    /// The total over all crops.
    public var likelihood: Likelihood
    /// The number of crops.
    public var count: Int
    /// The standard error of the mean nats per symbol, from the means of the crops; nil for a single one.
    public var standardError: Double?

    /// The symbols that are scored in a crop.
    public var length: Int { natsByPlace.count }

    /// The mean nats of the symbols from some place on, counted from 0.
    public func nats(from place: Int) -> Double {
        natsByPlace[place...].reduce(0, +) / Double(length - place)
    }
}

extension LanguageModel {
    /// Scores random windows of a text, each read from nothing.
    ///
    /// The first symbol of a crop is given, and the `length` symbols after it are scored. All places are equally likely, whether or not
    /// crops overlap. The beginnings of files and records within a crop reset the state, as they always do.
    ///
    /// - Parameters:
    ///   - corpus: read by ``corpus(reading:format:cache:progress:)``, or in the same way.
    ///   - length: the symbols that are scored in each crop.
    ///   - count: the number of crops.
    ///   - seed: chooses the places.
    ///   - threads: does not affect the result; nil: one per core.
    ///   - isCancelled: polled regularly; returning true stops the work.
    /// - Throws: `EvaluationError` if the text is too short or was not read the way the model reads texts, and `.cancelled`.
    public func evaluateCrops(
        _ corpus: Corpus, length: Int = 256, count: Int = 1_000, seed: UInt64 = 1, threads: Int? = nil,
        isCancelled: @Sendable () -> Bool = { false }
    ) throws(EvaluationError) -> CropEvaluation {
        try vocabulary.check(corpus)
        precondition(length >= 1 && count >= 1, "\(count) crops of \(length) symbols")
        let text = EncodedText(corpus, vocabulary: vocabulary)
        guard text.count > length else {
            throw .tooShort(name: corpus.name, symbols: text.count, needed: length + 1)
        }
        var generator = SplitMix64(seed: seed, stream: RandomStream.crops)
        let starts = (0..<count).map { _ in Int(generator.uniform() * Double(text.count - length)) }
        let workers = Workers(count: max(1, threads ?? Workers.cores))
        // Some crops at a time, so that the memory has a bound.
        let held = min(count, max(Self.cropsTogether, 4_000_000 / length / Self.cropsTogether * Self.cropsTogether))
        let nats = Matrix<Double>(rows: held, columns: length)
        var sums = CropSums(length: length)
        let (network, mixture) = (network, mixture)
        for first in stride(from: 0, to: count, by: held) {
            let batch = Array(starts[first..<min(first + held, count)])
            let groups = stride(from: 0, to: batch.count, by: Self.cropsTogether).map {
                $0..<min($0 + Self.cropsTogether, batch.count)
            }
            withoutActuallyEscaping(isCancelled) { isCancelled in
                workers.forEach(groups.count) { index in
                    guard !isCancelled() else { return }
                    let rows = groups[index]
                    network.score(crops: batch[rows], of: text, mixing: mixture, into: nats.view.rows(rows))
                }
            }
            guard !isCancelled() else { throw .cancelled }
            for crop in batch.indices { sums.add(nats.view.rows(crop..<crop + 1)) }
        }
        return sums.evaluation
    }

    /// Crops that a thread reads together.
    private static var cropsTogether: Int { 8 }
}

/// What is kept of the crops scored so far, which are added in order.
private struct CropSums {
    private var byPlace: [Double]
    private var means: [Double] = []

    init(length: Int) { byPlace = [Double](repeating: 0, count: length) }

    /// - Parameter nats: [1, length]: of the symbols of a crop.
    mutating func add(_ nats: MatrixView<Double>) {
        var sum = 0.0
        for place in byPlace.indices {
            byPlace[place] += nats[0, place]
            sum += nats[0, place]
        }
        means.append(sum / Double(byPlace.count))
    }

    var evaluation: CropEvaluation {
        let crops = Double(means.count)
        let mean = means.reduce(0, +) / crops
        let squares = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return CropEvaluation(
            natsByPlace: byPlace.map { $0 / crops },
            likelihood: Likelihood(
                nats: mean * crops * Double(byPlace.count), tokens: means.count * byPlace.count),
            count: means.count,
            standardError: means.count > 1 ? (squares / (crops - 1) / crops).squareRoot() : nil)
    }
}

extension Network {
    /// The nats of the symbols after the first one of each crop, read in lanes that begin with a zero state.
    ///
    /// - Parameter nats: [crops, length]: receives them.
    fileprivate func score(
        crops starts: ArraySlice<Int>, of text: EncodedText, mixing mixture: CountMixture?,
        into nats: MatrixView<Double>
    ) {
        let (length, window) = (nats.columns, 64)
        // The first input is the given symbol.
        let lanes = starts.map { Lane(origin: $0 + 1, scored: $0 + 1..<$0 + 1 + length, startsFresh: false) }
        let shard = Shard<Scalar>(model, lanes: lanes.count, steps: window, learns: false)
        let mixer = mixture.map { CountMixer($0, lanes: lanes.count) }
        for first in stride(from: 0, to: length, by: window) {
            let steps = min(window, length - first)
            _ = shard.input.fill(lanes, of: text, first: first, steps: steps)
            shard.forward(self, steps: steps)
            mixer?.mix(into: shard, steps: steps)
            _ = shard.loss(steps: steps, scale: 1)
            for (lane, start) in starts.enumerated() {
                for step in 0..<steps {
                    nats[lane, first + step] = shard.losses.view[0, step * lanes.count + lane]
                }
                let scored = start + 1 + first..<start + 1 + first + steps
                text.forEachSymbol(in: scored) { position, symbol in
                    nats[lane, position - start - 1] += text.spelling(ofSymbol: symbol)
                }
            }
            shard.advance(steps: steps)
        }
    }
}
