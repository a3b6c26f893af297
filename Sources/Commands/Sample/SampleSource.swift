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
    /// Has read the prompt; each sample goes on from there.
    private let origin: TextGenerator

    init(
        _ options: SampleTextOptions, _ model: LanguageModel, _ sampling: Sampling, prompt: [UInt8], original: Corpus?
    ) throws {
        (self.options, self.model, self.sampling, self.prompt) = (options, model, sampling, prompt)
        origin = try sampling.generator(model, prompt: prompt, stream: 0)
        let hasRecords = model.vocabulary.records != nil
        known = hasRecords ? original.map { KnownRecords(of: $0) } : nil
    }

    /// The separator between two samples: an empty line, or nothing if samples are lines.
    var separator: String { model.vocabulary.records == .line ? "" : "\n" }

    /// Begins the sample with a given index, counted from the first one.
    ///
    /// - Parameter sink: receives the text: as it is generated, or once it is known to be new.
    func begin(_ index: Int, sink: @escaping (String) throws -> Void) throws -> SampleInProgress {
        try SampleInProgress(index, of: self, sink: sink)
    }

    fileprivate func generator(_ stream: Int, draw: Int) -> TextGenerator {
        origin.fork(stream: UInt64(stream), draw: UInt64(draw))
    }

    fileprivate func writer(sink: @escaping (String) throws -> Void) -> SampleWriter {
        SampleWriter(
            format: options.format, prompt: String(decoding: prompt, as: UTF8.self), stops: options.stop,
            length: options.length, sink: sink)
    }

    fileprivate func stream(_ index: Int) -> Int { options.first + index }
    fileprivate var seed: UInt64 { sampling.seed }
    fileprivate var wantsOnlyNew: Bool { options.novelOnly }

    fileprivate func isKnown(_ generated: [UInt8]) throws -> Bool {
        try known.map { $0.contains(try model.normalized(prompt + generated)) } ?? false
    }
}

/// A sample that is being generated. Known records are drawn again if only new ones are wanted.
final class SampleInProgress {
    let index: Int
    private(set) var generator: TextGenerator
    private let source: SampleSource
    private let sink: (String) throws -> Void
    private var writer: SampleWriter
    /// What waits until the sample is known to be new.
    private var waiting = ""
    private var draw = 0

    fileprivate init(_ index: Int, of source: SampleSource, sink: @escaping (String) throws -> Void) throws {
        (self.index, self.source, self.sink) = (index, source, sink)
        generator = source.generator(source.stream(index), draw: 0)
        writer = source.writer(sink: sink)
        try start()
    }

    private func start() throws {
        waiting = ""
        writer = source.writer(
            sink: source.wantsOnlyNew ? { [unowned self] in waiting += $0 } : sink)
        try writer.begin()
    }

    /// Whether the generator must go on.
    var wantsMore: Bool { writer.wantsMore }

    /// Takes the next symbol of the generator, nil if there is none.
    ///
    /// - Returns: the sample, once it is complete.
    func take(_ element: TextGenerator.Element?) throws -> DrawnSample? {
        if let element { try writer.add(element) }
        return element != nil && writer.wantsMore ? nil : try finish()
    }

    /// Ends a draw.
    ///
    /// - Returns: nil if the sample is drawn again.
    func finish() throws -> DrawnSample? {
        try writer.finish(
            endLogProbability: generator.endLogProbability, seed: source.seed, index: source.stream(index))
        let isKnown = try source.isKnown(writer.generated)
        guard source.wantsOnlyNew, isKnown else {
            if source.wantsOnlyNew { try sink(waiting) }
            return DrawnSample(ids: writer.ids, isKnown: isKnown, skippedDraws: draw, isWritten: true)
        }
        draw += 1
        guard draw < SampleSource.maximumDraws else {
            return DrawnSample(ids: writer.ids, isKnown: true, skippedDraws: draw, isWritten: false)
        }
        generator = source.generator(source.stream(index), draw: draw)
        try start()
        return nil
    }
}
