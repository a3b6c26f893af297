import ArgumentParser
import CharacterModel
import CommandSupport

struct SamplingOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Lower is safer, higher is more varied; 0 is --greedy. (default: 0.8)")
    var temperature: Double?

    @Option(parsing: .unconditional, help: "Draws only from the K most likely symbols.")
    var topK: Int?

    @Option(parsing: .unconditional, help: "Draws from the fewest most likely symbols with total probability P.")
    var topP: Double?

    @Option(parsing: .unconditional, help: "Draws from symbols at least P times as likely as the most likely one.")
    var minP: Double?

    @Option(
        parsing: .unconditional,
        help: "Draws from the symbols whose surprisal is closest to the entropy, with total probability P.")
    var typical: Double?

    @Option(
        parsing: .unconditional,
        help: "Keeps the surprisal near this many bits per symbol (mirostat 2); the temperature is then 1 by default.")
    var mirostat: Double?

    @Option(parsing: .unconditional, help: "How fast mirostat adapts. (default: 0.1)")
    var mirostatRate: Double?

    @Option(parsing: .unconditional, help: "Makes recent symbols less likely: 1 is off, 1.2 is strong.")
    var repetitionPenalty: Double?

    @Option(parsing: .unconditional, help: "Number of recent symbols that are penalized. (default: 64)")
    var repetitionWindow: Int?

    @Option(
        parsing: .unconditionalSingleValue, help: "A text that never appears; may be repeated. \\n is a line end.")
    var ban: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Adds VALUE to a symbol's logit: above 0 makes it more likely; may be repeated.",
            valueName: "symbol=value"))
    var bias: [String] = []

    @Option(
        parsing: .unconditional,
        help: "Leaves the model's counts out where this many symbols in a row were copied from the counted text.")
    var maxCopy: Int?

    @Flag(help: "Takes the most likely symbol each time.")
    var greedy = false

    @Flag(help: "Rounds nothing to bfloat16; slower, and the same seed soon gives a different text.")
    var exact = false

    @Option(parsing: .unconditional, help: "Seed of the random numbers. (default: random, printed on stderr)")
    var seed: UInt64?

    func validate() throws {
        do {
            _ = try strategy()
            _ = try penalty()
            _ = try surprise()
        } catch let error as SamplingError {
            throw ValidationError("--\(error.name) is \(error.value); it must be \(error.allowed)")
        }
        if greedy, let temperature, temperature != 0 {
            throw ValidationError("--greedy and --temperature \(temperature) exclude each other; give one")
        }
        if mirostat != nil && (greedy || temperature == 0) {
            throw ValidationError("--mirostat needs random sampling; drop --greedy")
        }
        if mirostat == nil && mirostatRate != nil { throw ValidationError("--mirostat-rate needs --mirostat; add it") }
        if repetitionPenalty == nil && repetitionWindow != nil {
            throw ValidationError("--repetition-window needs --repetition-penalty; add it")
        }
        if let maxCopy, maxCopy < 8 {
            throw ValidationError("--max-copy is \(maxCopy); it must be at least 8, the length of the longest n-grams")
        }
        _ = try biases()
    }

    func strategy() throws -> SamplingStrategy {
        let filter = try SamplingFilter(topK: topK, topP: topP, minP: minP, typical: typical)
        if greedy || temperature == 0 { return .greedy }
        return .sampled(try Temperature(temperature ?? (mirostat == nil ? 0.8 : 1)), keeping: filter)
    }

    func penalty() throws -> RepetitionPenalty {
        try repetitionPenalty.map { try RepetitionPenalty($0, reach: repetitionWindow ?? 64) } ?? .none
    }

    func surprise() throws -> Mirostat? { try mirostat.map { try Mirostat(target: $0, rate: mirostatRate ?? 0.1) } }

    func rules(_ model: LanguageModel) throws -> SymbolRules {
        do {
            return try SymbolRules(bans: ban.map(unescaped), biases: try biases(), vocabulary: model.vocabulary)
        } catch let error as SamplingError {
            throw UsageError("--\(error.name) is \(error.value); it must be \(error.allowed)")
        }
    }

    private func biases() throws -> [(symbol: String, value: Double)] {
        try bias.map { text in
            guard let sign = text.lastIndex(of: "="), sign != text.startIndex,
                let value = Double(text[text.index(after: sign)...])
            else { throw ValidationError("--bias \(text) must be a symbol, =, and a number: e=-2") }
            return (unescaped(String(text[..<sign])), value)
        }
    }
}

/// Replaces the escapes `\n`, `\t` and `\\` in a text by their usual meaning.
private func unescaped(_ text: String) -> String {
    var result = ""
    var scalars = text.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
        guard scalar == "\\", let next = scalars.next() else {
            result.unicodeScalars.append(scalar)
            continue
        }
        switch next {
        case "n": result += "\n"
        case "t": result += "\t"
        case "\\": result += "\\"
        default:
            result.unicodeScalars.append(scalar)
            result.unicodeScalars.append(next)
        }
    }
    return result
}
