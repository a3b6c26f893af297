import CharacterModel
import RecurrentNetwork
import Tokenization
import Training

/// One training of a study.
struct StudyCase {
    var name: String
    var options = TrainingOptions()
    /// Steps between reports.
    var logEvery = 10

    /// A network of one layer without n-grams or counts, so that cells are compared and nothing else.
    init(_ name: String, cell: CellKind, units: Int, seconds: Double, seed: UInt64) {
        self.name = name
        (options.cell, options.hidden, options.layers, options.seed) = (cell, units, 1, seed)
        (options.embedding, options.ngramEmbedding, options.tied, options.counts) = (32, 0, false, false)
        (options.dropout, options.precision) = (0, .float32)
        if cell.uses("weight-dropout") { options.weightDropout = 0 }
        options.budget = .seconds(seconds)
    }

    /// The command that repeats it.
    func command(on text: String) -> String {
        let flags = OptionList.all.filter { options.isGiven($0) }.map { option in
            switch option.text(in: options) {
            case "yes": "--\(option.name)"
            case "no": "--no-\(option.name)"
            case let value: "--\(option.name) \(value ?? "")"
            }
        }
        return "train \(text) \(flags.joined(separator: " "))"
    }

    /// What a training came to.
    struct Outcome {
        var model: LanguageModel?
        /// The exact nats per symbol of the validation part; infinite without a model.
        var nats = Double.infinity
        var steps = 0.0
        var symbols = 0.0
        var units = 0.0
        var parameters = 0.0
        /// The median speed in symbols per second.
        var speed = 0.0
        /// Bytes.
        var memory = 0.0
        var recoveries = 0.0
        /// Passes over the text, and the loss in training since the last report.
        var training: [(at: Double, nats: Double, norm: Double)] = []
        /// Passes over the text, and the nats of a validation.
        var validation: [(at: Double, nats: Double)] = []
        var diverged = false
    }

    /// Trains on some data; a training that diverges is an outcome too.
    func run(on data: TrainingData, in folder: String, threads: Int) throws -> Outcome {
        var outcome = Outcome()
        var speeds: [Double] = []
        var output = Trainer.Output(path: "\(folder)/\(name).safetensors")
        (output.overwrites, output.logEvery) = (true, logEvery)
        let configuration = try ModelConfiguration(options, data: data)
        (outcome.units, outcome.parameters) = (Double(configuration.hidden), Double(configuration.parameterCount))
        outcome.memory = Trainer.memory(configuration, options: options, threads: threads)
        let trainer = try Trainer(on: data, options: options, output: output, threads: threads) { event in
            switch event {
            case .step(let report):
                (outcome.steps, outcome.symbols) = (Double(report.step), Double(report.tokens))
                speeds.append(report.tokensPerSecond)
                outcome.training.append((report.epoch, report.trainNats, report.gradientNorm))
            case .validation(let report):
                if report.isExact {
                    outcome.nats = report.nats
                } else {
                    outcome.validation.append((report.epoch, report.nats))
                }
            case .recovery(let report): outcome.recoveries = Double(report.count)
            default: break
            }
        }
        do {
            _ = try trainer.run()
            outcome.model = try LanguageModel(contentsOf: output.path)
        } catch TrainingError.diverged {
            outcome.diverged = true
        }
        outcome.speed = speeds.sorted().dropFirst(speeds.count / 2).first ?? 0
        return outcome
    }
}

/// Units of each cell with about as many parameters as another.
func units(of cell: CellKind, like model: ModelConfiguration) -> Int {
    func distance(_ units: Int) -> Int {
        var other = model
        (other.cell, other.hidden) = (cell, units)
        return abs(other.parameterCount - model.parameterCount)
    }
    return (1...8 * model.hidden).min { distance($0) < distance($1) }!
}
