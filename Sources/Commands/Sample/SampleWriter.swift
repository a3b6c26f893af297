import CharacterModel
import FoundationEssentials
import Glibc
import Tokenization

/// Writes one sample, as it is made or as a JSON object.
///
/// ``begin()``, then ``add(_:)`` for each symbol as long as it says so, then ``finish(endLogProbability:seed:index:)``.
struct SampleWriter {
    let format: SampleFormat
    let prompt: String
    /// The texts that end a sample, as bytes: Swift's own search would match canonical equivalents.
    private let stops: [[UInt8]]
    /// What was generated, as bytes.
    private(set) var generated: [UInt8] = []
    /// The symbols that were generated.
    private(set) var ids: [Int] = []
    /// The most symbols.
    private let length: Int
    private var last: UInt8?
    private var stream = UTF8Stream()
    private var text = ""
    private var reason: String?
    private var logProbability = 0.0
    private let sink: (String) throws -> Void

    /// - Parameter sink: receives the text, in parts.
    init(
        format: SampleFormat, prompt: String, stops: [String], length: Int, sink: @escaping (String) throws -> Void
    ) {
        self.sink = sink
        self.format = format
        self.prompt = prompt
        self.length = length
        self.stops = stops.map { Array($0.utf8) }
    }

    private struct Record: Encodable {
        let text: String
        let prompt: String
        let seed: UInt64
        let index: Int
        let stop: String
        let logProbability: Double
    }

    /// Writes the symbols of a generator.
    mutating func write(_ generator: TextGenerator, seed: UInt64, index: Int) throws {
        try begin()
        while wantsMore, let element = generator.next() { try add(element) }
        try finish(endLogProbability: generator.endLogProbability, seed: seed, index: index)
    }

    mutating func begin() throws { if format == .text { try emit(prompt) } }

    /// Whether the sample is neither long enough nor stopped.
    var wantsMore: Bool { reason == nil && ids.count < length }

    mutating func add(_ element: TextGenerator.Element) throws {
        try emit(stream.append(element.symbol.bytes))
        logProbability += element.logProbability
        generated += element.symbol.bytes
        ids.append(element.id)
        if stops.contains(where: { ends(with: $0, last: element.symbol.bytes.count) }) { reason = "stop" }
    }

    /// - Parameter endLogProbability: ln p of the end of the record, if that is why there are no more symbols.
    mutating func finish(endLogProbability: Double?, seed: UInt64, index: Int) throws {
        var reason = reason ?? (ids.count < length ? "ban" : "length")
        if let endLogProbability {
            reason = "end"
            logProbability += endLogProbability
        }
        try emit(stream.finish())
        switch format {
        case .text: if last != UInt8(ascii: "\n") { try sink("\n") }
        case .jsonl:
            let record = Record(
                text: text, prompt: prompt, seed: seed, index: index, stop: reason, logProbability: logProbability)
            try sink(try Self.line(record))
        }
    }

    private mutating func emit(_ part: String) throws {
        guard !part.isEmpty else { return }
        last = part.utf8.last
        if format == .jsonl { text += part }
        try sink(format == .text ? part : "")
    }

    /// An object as a line of JSON.
    static func line(_ record: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(record), as: UTF8.self) + "\n"
    }

    /// Whether a stop text ends within the last symbol.
    private func ends(with stop: [UInt8], last length: Int) -> Bool {
        let window = generated.suffix(stop.count + length - 1)
        return window.count >= stop.count && window.firstRange(of: stop) != nil
    }
}
