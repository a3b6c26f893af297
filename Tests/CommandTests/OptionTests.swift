import CharacterModel
import CommandSupport
import Foundation
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization
import Training

@testable import Commands

/// Options are declared once: what the command parses, records, refuses and tells is that declaration.
@Suite("Declared options")
struct OptionTests {
    /// A value of each option that is not its default, as it is typed.
    private static let values = [
        "unit": "scalar", "normalization": "nfd", "min-count": "2", "records": "line", "encoding": "latin1",
        "on-invalid": "skip", "newlines": "lf", "cell": "lstm", "nonlinearity": "relu", "layers": "3", "hidden": "17",
        "embedding": "5", "ngram-embedding": "3", "ngram-dropout": "0.375", "tied": "yes", "counts": "yes",
        "counts-size": "12.5",
        "dropout": "0.25",
        "weight-dropout": "0.125", "batch": "7", "window": "33",
        "epochs": "4", "steps": "99", "time-limit": "90", "optimizer": "sgd", "precision": "bfloat16",
        "learning-rate": "0.5",
        "schedule": "constant", "warmup": "12", "weight-decay": "0.5", "clip": "2", "max-recoveries": "3", "seed": "42",
        "validation-fraction": "0.2", "validation": "v.txt", "evaluate-every": "8", "patience": "6",
    ]

    private func parse(_ words: [String]) throws -> Train {
        try #require(try Train.parseAsRoot(words) as? Train)
    }

    private func typed(_ name: String) -> [String] {
        let value = Self.values[name]!
        let more = name == "nonlinearity" ? ["--cell", "rnn"] : []
        return ["tied", "counts"].contains(name)
            ? ["--\(name)"] : ["--\(name)", name == "time-limit" ? value + "s" : value] + more
    }

    @Test("Every option can be given on the command line, and has the given value")
    func parsing() throws {
        #expect(Set(OptionList.all.map(\.name)) == Set(Self.values.keys) && OptionList.all.count == Self.values.count)
        #expect(OptionList.all.filter { try! parse(["t"]).asked.isGiven($0) }.isEmpty)
        for option in OptionList.all {
            let asked = try parse(["t"] + typed(option.name)).asked
            #expect(option.text(in: asked) == Self.values[option.name] && asked.isGiven(option), "\(option.name)")
            #expect(option.text(in: TrainingOptions()) != option.text(in: asked), "\(option.name)")
            let others = OptionList.all.filter { $0.name != option.name && $0.name != "cell" && asked.isGiven($0) }
            #expect(others.isEmpty, "\(option.name) sets \(others.map(\.name))")
            let help = Train.helpMessage().split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(help.contains(option.help.split(whereSeparator: \.isWhitespace).joined(separator: " ")))
        }
    }

    @Test("Recorded options are read back; options missing from a file have the default")
    func record() throws {
        let words = OptionList.all.filter { $0.section == .training || $0.section == .validation }
            .flatMap { ["epochs", "time-limit", "validation"].contains($0.name) ? [] : typed($0.name) }
        let asked = try parse(["t"] + words).asked
        let data = try JSONEncoder().encode(asked)
        let read = try JSONDecoder().decode(TrainingOptions.self, from: data)
        #expect(read.budget == .steps(99) && read.seed == 42 && read.patience == 6 && read.optimizer == .sgd)
        for option in OptionList.all where option.isRecorded {
            #expect(option.text(in: read) == option.text(in: asked), "\(option.name)")
        }
        #expect(try JSONDecoder().decode(TrainingOptions.self, from: Data("{}".utf8)) == TrainingOptions())
        let keys = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any]).keys.sorted()
        #expect(
            keys == [
                "batch", "budget", "clip", "counts_size", "evaluate_every", "learning_rate", "max_recoveries",
                "optimizer", "patience", "precision", "schedule", "seed", "warmup", "weight_decay", "window",
            ])
    }

    @Test("Of several budgets, the last one is used")
    func budgets() {
        var options = TrainingOptions()
        #expect(options.budget == .epochs(10))
        options.steps = 100
        #expect(options.budget == .steps(100))
        options.epochs = 3
        #expect(options.budget == .epochs(3) && options.steps == nil)
        options.timeLimit = 1.5
        #expect(options.budget == .seconds(1.5))
        options.timeLimit = nil
        #expect(options.budget == .epochs(10))
    }

    @Test("A value out of its range is an error that names the option")
    func ranges() throws {
        for (name, value) in [
            ("batch", "0"), ("window", "70000"), ("layers", "65"), ("hidden", "0"), ("embedding", "-1"),
            ("dropout", "1"), ("weight-dropout", "-0.1"), ("learning-rate", "0"), ("clip", "0"), ("weight-decay", "-1"),
            ("warmup", "-1"), ("epochs", "0"), ("steps", "0"), ("max-recoveries", "1001"), ("min-count", "0"),
            ("counts-size", "0.5"), ("validation-fraction", "1"), ("evaluate-every", "0"), ("patience", "0"),
        ] {
            let asked = try parse(["t", "--\(name)", value]).asked
            let error = #expect(throws: ConfigurationError.self) { try asked.validate() }
            #expect(error?.name == name, "\(name) \(value)")
        }
    }

    @Test("A resumed run may change free options, and nothing else")
    func resuming() throws {
        let folder = try TemporaryFolder()
        var fixture = TrainingFixture(text: sampleText)
        fixture.cell = .gru
        fixture.options.budget = .steps(4)
        let path = folder.file("m.last.safetensors")
        _ = try fixture.run(output: folder.file("m.safetensors"), stopAfter: 2)
        let checkpoint = try Checkpoint(contentsOf: path, withState: true)
        func plan(_ words: [String]) throws -> Plan {
            try Plan(resuming: checkpoint, try parse(["--resume", path] + words))
        }
        let stored = TrainingOptions(try #require(checkpoint.setup))
        for option in OptionList.all where option.name != "validation" {
            let words = typed(option.name)
            if option.fixedBy == .nothing {
                #expect(option.text(in: try plan(words).options) == Self.values[option.name], "\(option.name)")
            } else {
                let error = #expect(throws: UsageError.self, "\(option.name)") { try plan(words) }
                #expect(error?.description.contains("--") == true)
            }
            // To say what is so anyway is no change.
            if let text = option.text(in: stored),
                !["tied", "counts", "time-limit", "nonlinearity"].contains(option.name)
            {
                _ = try plan(["--\(option.name)", text])
            }
        }
        #expect(throws: UsageError.self) { try plan(["--validation", "v.txt"]) }
        #expect(try plan(["--epochs", "3"]).record.options.budget == .epochs(3))
    }

    @Test("Library and command choose the same defaults")
    func recommendation() throws {
        let folder = try TemporaryFolder()
        let text = try folder.write(sampleText, to: "t.txt")
        let words = [text, "--steps", "50", "--output", folder.file("m.safetensors"), "--quiet"]
        let preparation = try Preparation(try parse(words))
        var options = TrainingOptions()
        options.budget = .steps(50)
        #expect(options.learningRate == nil && options.hidden == nil && options.warmup == nil)
        let data = try TrainingData(Corpus(reading: [.file(path: text)]))
        #expect(try ModelConfiguration(options, data: data) == preparation.configuration)
        var record = TrainingRecord()
        record.options = options
        let trainer = try Trainer(
            preparation.configuration, data: data, record: record, output: .init(path: folder.file("n.safetensors")),
            threads: 1)
        #expect(trainer.record.options.learningRate == preparation.record.options.learningRate)
        #expect(trainer.record.options.warmup == preparation.record.options.warmup)
        // What was chosen is told, option by option, and asking for it changes nothing.
        let chosen = preparation.chosen(try parse(words).asked)
        let again = try Preparation(try parse(words + chosen))
        #expect(again.configuration == preparation.configuration && again.record.options == preparation.record.options)
        #expect(again.chosen(try parse(words + chosen).asked).isEmpty)
    }

    @Test("What a cell does not use is refused in a sentence", arguments: ["mingru", "gru"])
    func noUse(cell: String) throws {
        let words = cell == "mingru" ? ["--weight-dropout", "0.1"] : ["--nonlinearity", "relu"]
        let command = try parse(["t", "--cell", cell] + words)
        let error = #expect(throws: UsageError.self) { try Plan(new: command, from: nil) }
        #expect(error?.description.contains("the \(cell) cell does not use \(words[0])") == true)
        let data = try TrainingData(Corpus(reading: [.bytes(Array(sampleText.utf8), name: "t")]))
        #expect(throws: ConfigurationError.self) { try ModelConfiguration(command.asked, data: data) }
    }
}
