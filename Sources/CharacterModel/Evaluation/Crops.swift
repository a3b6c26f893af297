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
        let nats = Matrix<Double>(rows: count, columns: length)
        let (network, mixture) = (network, mixture)
        let groups = stride(from: 0, to: count, by: 8).map { $0..<min($0 + 8, count) }
        withoutActuallyEscaping(isCancelled) { isCancelled in
            Workers(count: max(1, threads ?? Workers.cores)).forEach(groups.count) { index in
                guard !isCancelled() else { return }
                let rows = groups[index]
                network.score(crops: starts[rows], of: text, mixing: mixture, into: nats.view.rows(rows))
            }
        }
        guard !isCancelled() else { throw .cancelled }
        return CropEvaluation(nats.view)
    }
}

extension CropEvaluation {
    /// - Parameter nats: of each symbol of each crop.
    fileprivate init(_ nats: MatrixView<Double>) {
        let (crops, length) = (nats.rows, nats.columns)
        let means = (0..<crops).map { crop in
            (0..<length).reduce(0) { $0 + nats[crop, $1] } / Double(length)
        }
        let mean = means.reduce(0, +) / Double(crops)
        let squares = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        natsByPlace = (0..<length).map { place in (0..<crops).reduce(0) { $0 + nats[$1, place] } / Double(crops) }
        likelihood = Likelihood(nats: mean * Double(crops * length), tokens: crops * length)
        count = crops
        standardError = crops > 1 ? (squares / Double(crops - 1) / Double(crops)).squareRoot() : nil
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
