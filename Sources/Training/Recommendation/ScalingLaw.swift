import RealModule
import RecurrentNetwork

/// How the loss of a training depends on its size: a law in the manner of Hoffmann et al. (2022), fitted to the runs that
/// `docs/defaults.md` lists.
enum ScalingLaw {
    /// The nats per symbol that depend on the choice, above what an endless training of an endless network would reach.
    ///
    /// - Parameter read: symbols that the training reads.
    static func cost(of model: ModelConfiguration, read: Double, _ text: TextSize) -> Double {
        // As many as a GRU with these units and this input has: it is the units that count, and many of an LSTM remember more.
        let gates = Double(model.cell.cell.gates.count)
        let memory = model.cell == .lstm ? -0.011 * .log(max(1, Double(model.hidden) / 128)) : 0
        let weights = max(1_000, Double(model.usedWeights - model.hidden * model.vocabularySize) * 3 / gates)
        let passes = read / text.symbols
        let symbols = max(1, read)
        // A short text has less to learn, and is sooner known by heart.
        let size = max(0.01, text.symbols / 1e6)
        let unread = .pow(size, 0.2) * .pow(symbols, -0.5)
        guard model.embedsNgrams else {
            // A text with few symbols for each weight is learned by heart.
            let surplus = 0.05 * .log(max(1, weights / text.symbols / 16))
            let often = 0.02 * .log(max(1, passes / 2)) + surplus
            return 75 * .pow(weights, -0.5) + 300 * unread + often + memory
        }
        let often = 0.0375 * .pow(size, -0.5) * .log(1 + min(16, passes))
        return 1.76 * .pow(weights, -0.2) + 313 * unread + often + memory - known(text)
    }
}

extension ScalingLaw {
    /// What embeddings of n-grams know of a text, in nats per symbol.
    private static func known(_ text: TextSize) -> Double { 0.12 + 0.08 * .log(max(1, 1e6 / text.symbols)) }

    /// The nats per symbol of a network.
    ///
    /// - Parameter difficulty: the nats under n-grams.
    static func nats(of model: ModelConfiguration, read: Double, _ text: TextSize, difficulty: Double) -> Double {
        // N-grams of a short text know less than a network will, and those of a long one are not all counted.
        let (short, long) = (Double.log(max(1, 1e6 / text.symbols)), Double.log(max(1, text.symbols / 1e6)))
        let floor = difficulty - 0.3 - 0.03 * short - 0.05 * long
        // The law is of texts that are not almost known by heart, and of networks that have learned something.
        let guessing = Double.log(Double(text.vocabulary))
        return min(guessing, max(difficulty / 2, floor + cost(of: model, read: read, text)))
    }

    /// The nats per symbol of a network that is mixed with counts.
    static func mixed(_ network: Double, difficulty: Double) -> Double { 0.962 * min(network, difficulty) }
}

/// How strongly a training is regularized.
enum Regularization {
    /// Sets the dropouts of outputs, of recurrent weights and of n-grams: the more passes over a text, the greater the risk of
    /// overfitting, and the less in a small network.
    static func setDropouts(of model: inout ModelConfiguration, passes: Double, _ text: TextSize) {
        func rounded(_ value: Double) -> Double { (min(0.5, max(0, value)) * 20).rounded() / 20 }
        // What a short text tells is more often mere chance.
        let (often, length) = (Double.log2(max(1, passes)), Double.log2(text.symbols / 1e6))
        model.ngramDropout = model.embedsNgrams ? rounded(0.13 * often - 0.13 - 0.1 * length) : 0
        let size = min(1, Double(model.hidden) / 384)
        model.dropout = rounded(size * (0.18 * often - 0.3))
        guard model.cell.cell.uses.contains(.weightDropout) else { return }
        model.weightDropout = rounded(size * (0.1 * often - 0.23 - 0.02 * length))
    }
}
