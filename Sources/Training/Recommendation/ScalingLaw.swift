import RealModule
import RecurrentNetwork

/// How the loss of a training depends on its size: a law in the manner of Hoffmann et al. (2022), fitted to the runs that
/// `docs/defaults.md` lists.
enum ScalingLaw {
    /// The nats per symbol that depend on the choice, above what no network of this kind reaches on the text.
    ///
    /// - Parameter read: symbols that the training reads.
    static func cost(of model: ModelConfiguration, read: Double, _ text: TextSize) -> Double {
        let weights = Double(model.usedWeights)
        return 30 * .pow(weights, -0.35) + 300 * .pow(read, -0.5)
    }
}

/// How strongly a training is regularized.
enum Regularization {
    /// The dropout of outputs, and that of recurrent weights: the more passes over a text, the greater the risk of overfitting, and
    /// the less in a small network.
    static func dropouts(of model: ModelConfiguration, passes: Double) -> (outputs: Double, weights: Double) {
        func rounded(_ value: Double) -> Double { (min(0.5, max(0, value)) * 20).rounded() / 20 }
        let size = min(1, Double(model.hidden) / 384)
        let outputs = rounded(size * 0.1 * .log2(max(1, passes)))
        guard model.cell.cell.uses.contains(.weightDropout) else { return (outputs, 0) }
        return (outputs, rounded(size * (0.1 * .log2(max(1, passes)) - 0.23)))
    }
}
