import CharacterModel
import Tokenization

/// A sample that was drawn, and perhaps left out.
struct DrawnSample {
    /// Its symbols, as the model counts them.
    var ids: [Int]
    /// Whether it is one of the records of the text that it is compared with, whole.
    var isKnown: Bool
    /// The draws before it that were left out since they were known.
    var leftOut: Int
    /// Whether it was written.
    var isWritten: Bool
}

/// Draws samples, each independent of the others.
struct SampleSource {
    /// The most draws of one sample.
    static let mostDraws = 100

    private let options: SampleTextOptions
    private let model: LanguageModel
    private let sampling: Sampling
    private let prompt: [UInt8]
    private let known: KnownRecords?

    init(
        _ options: SampleTextOptions, _ model: LanguageModel, _ sampling: Sampling, prompt: [UInt8], original: Corpus?
    ) throws {
        (self.options, self.model, self.sampling, self.prompt) = (options, model, sampling, prompt)
        let hasRecords = model.vocabulary.records != nil
        known = hasRecords ? original.map { KnownRecords(of: $0) } : nil
    }

    /// What stands between two samples: an empty line; samples that are lines need none.
    var separator: String { model.vocabulary.records == .line ? "" : "\n" }

    /// Draws the sample of an index, counted from that of the first, until it is new where only new ones are wanted.
    ///
    /// - Parameter sink: takes the text: as it is made, or once it is known to be new.
    func draw(_ index: Int, into sink: (String) throws -> Void) throws -> DrawnSample {
        guard options.novelOnly else { return try drawOnce(index, draw: 0, into: sink) }
        var sample = DrawnSample(ids: [], isKnown: true, leftOut: 0, isWritten: false)
        for draw in 0..<Self.mostDraws {
            var parts = ""
            sample = try drawOnce(index, draw: draw) { parts += $0 }
            sample.leftOut = draw
            guard sample.isKnown else {
                try sink(parts)
                return sample
            }
        }
        sample.leftOut = Self.mostDraws
        sample.isWritten = false
        return sample
    }

    private func drawOnce(_ index: Int, draw: Int, into sink: (String) throws -> Void) throws -> DrawnSample {
        let stream = options.first + index
        let generator = try sampling.generator(model, prompt: prompt, stream: stream, draw: draw)
        return try withoutActuallyEscaping(sink) { sink in
            let shown = String(decoding: prompt, as: UTF8.self)
            var writer = SampleWriter(format: options.format, prompt: shown, stops: options.stop, sink: sink)
            try writer.write(generator, length: options.length, seed: sampling.seed, index: stream)
            let isKnown = try known.map { $0.contains(try model.normalized(prompt + writer.generated)) } ?? false
            return DrawnSample(ids: writer.ids, isKnown: isKnown, leftOut: 0, isWritten: true)
        }
    }
}
