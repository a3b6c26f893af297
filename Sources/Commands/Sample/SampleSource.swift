import CharacterModel
import Tokenization

/// A sample that was drawn, and possibly discarded.
struct DrawnSample {
    /// Its symbols, as ids of the model.
    var ids: [Int]
    /// Whether it is a whole record of the text it is compared with.
    var isKnown: Bool
    /// The draws before it that were discarded as known records.
    var skippedDraws: Int
    /// Whether it was written.
    var isWritten: Bool
}

/// Draws samples, each independent of the others.
struct SampleSource {
    /// The maximum number of draws for one sample.
    static let maximumDraws = 100

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

    /// The separator between two samples: an empty line, or nothing if samples are lines.
    var separator: String { model.vocabulary.records == .line ? "" : "\n" }

    /// Draws the sample with a given index, counted from the first one. Known records are redrawn if only new ones are
    /// wanted.
    ///
    /// - Parameter sink: receives the text: as it is generated, or once it is known to be new.
    func draw(_ index: Int, into sink: (String) throws -> Void) throws -> DrawnSample {
        guard options.novelOnly else { return try drawOnce(index, draw: 0, into: sink) }
        var sample = DrawnSample(ids: [], isKnown: true, skippedDraws: 0, isWritten: false)
        for draw in 0..<Self.maximumDraws {
            var parts = ""
            sample = try drawOnce(index, draw: draw) { parts += $0 }
            sample.skippedDraws = draw
            guard sample.isKnown else {
                try sink(parts)
                return sample
            }
        }
        sample.skippedDraws = Self.maximumDraws
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
            return DrawnSample(ids: writer.ids, isKnown: isKnown, skippedDraws: 0, isWritten: true)
        }
    }
}
