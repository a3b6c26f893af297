import RealModule

/// How well a model predicts a text: the total from which all other figures are derived.
public struct Likelihood: Sendable, Equatable {
    /// -ln p of the text, including the spelling of unknown symbols.
    public var nats = 0.0
    /// The number of symbols scored.
    public var tokens = 0

    public init(nats: Double = 0, tokens: Int = 0) {
        self.nats = nats
        self.tokens = tokens
    }

    public var bits: Double { nats / .log(2) }
    /// exp of the mean nats per token.
    public var perplexity: Double { .exp(nats / Double(tokens)) }
    public var bitsPerToken: Double { bits / Double(tokens) }

    /// Bits per unit, given how many of some unit the original text has.
    public func bits(per units: Int) -> Double { bits / Double(units) }

    public static func += (a: inout Likelihood, b: Likelihood) {
        a.nats += b.nats
        a.tokens += b.tokens
    }
}

/// The standard error of the mean nats per token, from the means of blocks of 1,000 tokens: neighbouring tokens are
/// correlated, blocks hardly are.
package struct BlockedError: Sendable {
    static let blockSize = 1_000
    private var block = Likelihood()
    private var means: [Double] = []

    package init() {}

    package mutating func add(_ nats: Double) {
        block += Likelihood(nats: nats, tokens: 1)
        if block.tokens == Self.blockSize {
            means.append(block.nats / Double(block.tokens))
            block = Likelihood()
        }
    }

    /// In nats; nil for fewer than two blocks.
    package var standardError: Double? {
        guard means.count >= 2 else { return nil }
        let mean = means.reduce(0, +) / Double(means.count)
        let variance = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(means.count - 1)
        return (variance / Double(means.count)).squareRoot()
    }
}
