import CharacterModel

/// Makes the text of a choice, and what is told of its symbols, from the events of its text.
struct ChoiceAssembler {
    /// A part of a choice.
    struct Part {
        var text = ""
        var symbols: [GeneratedSymbol] = []
        var end: EndReason?
        /// The stop that ended it, if one did.
        var stop: String?

        var isEmpty: Bool { text.isEmpty && symbols.isEmpty && end == nil }
    }

    private var stops: StopFinder
    private var characters = UTF8Stream()
    /// Symbols whose text is held back, with the byte at which each begins.
    private var held: [(start: Int, symbol: GeneratedSymbol)] = []
    private var (taken, released) = (0, 0)
    private(set) var isOver = false
    /// Symbols of the prompt are not searched for stops.
    private var promptLeft: Int

    /// - Parameter prompt: how many symbols of the prompt come first.
    init(stops: [String], prompt: Int) {
        self.stops = StopFinder(stops)
        promptLeft = prompt
    }

    /// Takes events until the text has ended.
    mutating func take(_ events: [TextEvent]) -> Part {
        var part = Part()
        for event in events where !isOver {
            switch event {
            case .symbol(let symbol): take(symbol, into: &part)
            case .end(let reason):
                release(stops.finish(), into: &part)
                part.text += characters.finish()
                finish(reason, &part)
            }
        }
        return part
    }

    private mutating func take(_ symbol: GeneratedSymbol, into part: inout Part) {
        held.append((taken, symbol))
        taken += symbol.bytes.count
        guard promptLeft == 0 else {
            promptLeft -= 1
            return release(symbol.bytes, into: &part)
        }
        let (bytes, stop) = stops.append(symbol.bytes)
        release(bytes, into: &part)
        guard stop != nil else { return }
        part.stop = stop
        part.text += characters.finish()
        finish(.stop, &part)
    }

    private mutating func release(_ bytes: [UInt8], into part: inout Part) {
        released += bytes.count
        part.text += characters.append(bytes)
        let count = held.prefix { $0.start < released }.count
        part.symbols += held.prefix(count).map(\.symbol)
        held.removeFirst(count)
    }

    private mutating func finish(_ reason: EndReason, _ part: inout Part) {
        (part.end, isOver, held) = (reason, true, [])
    }
}
