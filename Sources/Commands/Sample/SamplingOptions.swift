import ArgumentParser
import CharacterModel
import CommandSupport

struct SamplingOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Below 1 plays safe, above 1 dares; 0 is --greedy. (default: 0.8)")
    var temperature: Double?

    @Option(parsing: .unconditional, help: "Draws from the K likeliest symbols only.")
    var topK: Int?

    @Option(parsing: .unconditional, help: "Draws from the fewest likeliest symbols that together have probability P.")
    var topP: Double?

    @Option(parsing: .unconditional, help: "Draws from symbols at least P times as likely as the likeliest.")
    var minP: Double?

    @Option(
        parsing: .unconditional,
        help: "Draws from the symbols that surprise about as much as is to be expected, with probability P together.")
    var typical: Double?

    @Option(
        parsing: .unconditional,
        help: "Keeps the surprise of the text near so many bits a symbol (mirostat 2); leaves the temperature at 1.")
    var mirostat: Double?

    @Option(parsing: .unconditional, help: "How fast mirostat follows. (default: 0.1)")
    var mirostatRate: Double?

    @Option(parsing: .unconditional, help: "Makes symbols among the last ones less likely: 1 is none, 1.2 is strong.")
    var repetitionPenalty: Double?

    @Option(parsing: .unconditional, help: "How many of the last symbols that looks at. (default: 64)")
    var repetitionWindow: Int?

    @Option(
        parsing: .unconditionalSingleValue, help: "A text that shall never come; may be repeated. \\n is a line end.")
    var ban: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Makes a symbol likelier, or less so below 0, by a factor of e to the VALUE; may be repeated.",
            valueName: "symbol=value"))
    var bias: [String] = []

    @Flag(help: "Takes the likeliest symbol each time.")
    var greedy = false

    @Flag(help: "Reads the weights as they are, and not rounded to bfloat16; slower, and hardly ever another text.")
    var exact = false

    @Option(parsing: .unconditional, help: "Names the random numbers. (default: drawn, and told on stderr)")
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
            throw ValidationError("--mirostat draws; drop --greedy")
        }
        if mirostat == nil && mirostatRate != nil { throw ValidationError("--mirostat-rate belongs to --mirostat") }
        if repetitionPenalty == nil && repetitionWindow != nil {
            throw ValidationError("--repetition-window belongs to --repetition-penalty")
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

/// A text in which \n, \t and \\ stand for what they stand for in most languages.
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
