import RealModule
import RecurrentNetwork

/// How the loss of a training depends on its size: a law in the manner of Hoffmann et al. (2022), fitted to the runs that
/// `docs/defaults.md` lists.
enum ScalingLaw {
    /// The nats per symbol that depend on the choice, above what an endless training of an endless network would reach.
    ///
    /// - Parameter read: symbols that the training reads.
    static func cost(of model: ModelConfiguration, read: Double, _ text: TextSize) -> Double {
        // As many as a GRU with these units and this input has: it is the units that count.
        let gates = Double(model.cell.cell.gates.count)
        let weights = max(1_000, Double(model.usedWeights - model.hidden * model.vocabularySize) * 3 / gates)
        let passes = read / text.symbols
        let symbols = max(1, read)
        guard model.embedsNgrams else {
            // A text with few symbols for each weight is learned by heart.
            let surplus = 0.05 * .log(max(1, weights / text.symbols / 16))
            return 75 * .pow(weights, -0.5) + 300 * .pow(symbols, -0.5) + 0.02 * .log(max(1, passes / 2)) + surplus
        }
        // Embeddings of n-grams know much at once, and learn a text that is often read by heart sooner.
        let learned = passes * (weights / 250_000).squareRoot()
        let often = 0.09 * .pow(text.symbols / 1e6, -0.5) * Double.log(max(1, learned / 4))
        return 4.3 * .pow(weights, -0.3) + 260 * .pow(symbols, -0.5) + often - 0.03
    }
}

extension ScalingLaw {
    /// The nats per symbol of a network.
    ///
    /// - Parameter difficulty: the nats under n-grams.
    static func nats(of model: ModelConfiguration, read: Double, _ text: TextSize, difficulty: Double) -> Double {
        // N-grams of a short text know less than a network will, and those of a long one are not all counted.
        let (short, long) = (Double.log(max(1, 400_000 / text.symbols)), Double.log(max(1, text.symbols / 1_000_000)))
        let floor = difficulty - 0.3 - 0.06 * short - 0.05 * long
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
    static func setDropouts(of model: inout ModelConfiguration, passes: Double) {
        func rounded(_ value: Double) -> Double { (min(0.5, max(0, value)) * 20).rounded() / 20 }
        model.ngramDropout = model.embedsNgrams ? rounded(0.13 * .log2(max(1, passes))) : 0
        let size = min(1, Double(model.hidden) / 384)
        model.dropout = rounded(size * (0.1 * .log2(max(1, passes)) - 0.05))
        guard model.cell.cell.uses.contains(.weightDropout) else { return }
        model.weightDropout = rounded(size * (0.1 * .log2(max(1, passes)) - 0.23))
    }
}
