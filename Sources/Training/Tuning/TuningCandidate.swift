import CharacterModel
import Randomness
import RealModule
import RecurrentNetwork

/// A tuning candidate: a shape, a learning rate, and a window.
package struct TuningCandidate: Sendable, Equatable, Codable {
    /// A value that can be varied.
    package enum Dimension: Sendable, CaseIterable {
        case layers, hidden, dropout, weightDropout, learningRate, window

        /// The declaration of the option.
        package var option: any AnyTrainingOption {
            let list = OptionList.declared
            return switch self {
            case .layers: list.layers
            case .hidden: list.hidden
            case .dropout: list.dropout
            case .weightDropout: list.weightDropout
            case .learningRate: list.learningRate
            case .window: list.window
            }
        }
    }

    package var configuration: ModelConfiguration
    package var learningRate: Double
    /// T.
    package var window: Int

    /// The candidate without tuning.
    package init(_ configuration: ModelConfiguration, _ options: TrainingOptions) {
        self.init(
            configuration: configuration, learningRate: options.learningRate ?? 0.004, window: options.window)
    }

    package init(configuration: ModelConfiguration, learningRate: Double, window: Int) {
        self.configuration = configuration
        self.learningRate = learningRate
        self.window = window
    }

    /// Distinct candidates around this one, which comes first. Free values are drawn at random (Bergstra & Bengio
    /// 2012). Returns fewer than `count` if the free dimensions do not allow that many.
    ///
    /// - Parameters:
    ///   - free: the dimensions that may vary.
    ///   - fits: whether a candidate can be trained on this machine and text.
    package func neighbours(
        _ count: Int, free: Set<Dimension>, seed: UInt64, fits: (TuningCandidate) -> Bool = { _ in true }
    ) -> [TuningCandidate] {
        var generator = SplitMix64(seed: seed, stream: RandomStream.tuning)
        var candidates = [self]
        for _ in 0..<50 * count where candidates.count < count {
            let candidate = drawn(free, using: &generator)
            if !candidates.contains(candidate) && fits(candidate) { candidates.append(candidate) }
        }
        return candidates
    }

    private func drawn(_ free: Set<Dimension>, using generator: inout SplitMix64) -> TuningCandidate {
        var candidate = self
        func among<Value>(_ values: [Value]) -> Value { values[Int(generator.uniform() * Double(values.count))] }
        // All values are always drawn, so that the choice of free dimensions does not change the others.
        let hidden = among([0.5, 0.75, 1, 1.25, 1.5])
        let layers = among([1, 2])
        let dropouts = (outputs: among([-0.2, -0.1, 0, 0.1, 0.2]), weights: among([-0.2, -0.1, 0, 0.1, 0.2]))
        let rate = 2 * generator.uniform() - 1
        let window = among([0.5, 1, 2])
        if free.contains(.hidden) {
            let units = (Double(configuration.hidden) * hidden / 16).rounded() * 16
            candidate.configuration.hidden = max(16, Int(units))
            if configuration.isTied { candidate.configuration.embedding = candidate.configuration.hidden }
        }
        if free.contains(.layers) { candidate.configuration.layers = layers }
        func moved(_ value: Double, by step: Double) -> Double {
            min(0.7, max(0, ((value + step) * 100).rounded() / 100))
        }
        if free.contains(.dropout) {
            candidate.configuration.dropout = moved(configuration.dropout, by: dropouts.outputs)
        }
        if free.contains(.weightDropout) {
            candidate.configuration.weightDropout = moved(configuration.weightDropout, by: dropouts.weights)
        }
        if free.contains(.learningRate) {
            // Between a third and three times the rate, rounded to two digits.
            let exact = learningRate * .exp(rate * .log(3))
            let unit: Double = .exp10(.log10(exact).rounded(.down) - 1)
            let digits = (exact / unit).rounded()
            candidate.learningRate = unit < 1 ? digits / (1 / unit).rounded() : digits * unit
        }
        if free.contains(.window) { candidate.window = max(8, Int(Double(self.window) * window)) }
        return candidate
    }
}
