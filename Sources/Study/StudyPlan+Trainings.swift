import RecurrentNetwork

/// The trainings of a study. What the study runs and the commands that its page shows are the same.
extension StudyPlan {
    /// The cells that are compared, the simplest first.
    static let cells: [CellKind] = [.rnn, .gru, .lstm, .mingru]

    func comparison(_ cell: CellKind, units: Int, divisor: Int, seed: UInt64) -> StudyCase {
        StudyCase("\(cell.rawValue)-\(divisor)-\(seed)", cell: cell, units: units, seconds: seconds.text, seed: seed)
    }

    static let clips = [(name: "clipped", clip: 0.25), (name: "not clipped", clip: 1e30)]

    /// A plain network at a rate that is too high.
    func explosion(clip: Double) -> StudyCase {
        var study = StudyCase("explosion", cell: .rnn, units: units * 2, seconds: seconds.field, seed: seeds[0])
        (study.options.learningRate, study.options.optimizer, study.options.clip) = (4, .sgd, clip)
        (study.options.schedule, study.options.maxRecoveries, study.logEvery) = (.constant, 20, 1)
        return study
    }

    func recall(_ cell: CellKind, units: Int, lag: Int, seed: UInt64) -> StudyCase {
        var study = StudyCase("recall", cell: cell, units: units, seconds: seconds.recall, seed: seed)
        study.options.validationFraction = 0.02
        // Longer than the lag, so that the gradient of a recalled symbol reaches the first one.
        study.options.window = max(32, 2 * (lag + 3))
        return study
    }

    func cost(_ cell: CellKind) -> StudyCase {
        StudyCase("cost", cell: cell, units: units, seconds: seconds.field, seed: seeds[0])
    }

    static let dropouts = [
        (name: "none", dropout: 0.0, weightDropout: 0.0), (name: "dropout", dropout: 0.5, weightDropout: 0.0),
        (name: "both", dropout: 0.5, weightDropout: 0.5),
    ]

    func overfitting(dropout: Double, weightDropout: Double) -> StudyCase {
        var study = StudyCase("overfitting", cell: .lstm, units: units, seconds: seconds.text, seed: seeds[0])
        (study.options.dropout, study.options.weightDropout) = (dropout, weightDropout)
        study.options.evaluateEvery = 25
        return study
    }

    func variation(width: Int, rate: Double) -> StudyCase {
        var study = StudyCase("rate", cell: .gru, units: width, seconds: seconds.field, seed: seeds[0])
        study.options.learningRate = rate
        return study
    }

    /// A training that only shows a speed.
    func speed(_ cell: CellKind, units: Int) -> StudyCase {
        StudyCase(
            "speed", cell: cell, units: units, seconds: max(0.1, (seconds.field / 6 * 10).rounded() / 10),
            seed: seeds[0])
    }

    func speed(batch: Int) -> StudyCase {
        var study = speed(.gru, units: units)
        study.options.batch = batch
        return study
    }
}
