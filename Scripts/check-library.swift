import CharacterModel
import Tokenization
import Training

// What a program can do: read a model, generate, get probabilities, measure, train.
let (path, text) = (CommandLine.arguments[1], CommandLine.arguments[2])
let model = try LanguageModel(contentsOf: path)
let strategy = SamplingStrategy.sampled(try Temperature(0.8), keeping: try SamplingFilter(topP: 0.95))
let sample = try model.generator(prompt: "a", strategy: strategy, seed: 1).prefix(20).map(\.symbol.text).joined()
precondition(!sample.isEmpty)
let probabilities = try model.logProbabilities(after: "a")
precondition(probabilities.count == model.vocabulary.count)
print(try model.evaluate(model.corpus(reading: [.text("a text")])).total.likelihood.perplexity)

var options = TrainingOptions()
options.budget = .steps(20)
let run = try TrainingRun(on: [.file(path: text)], options: options, output: .init(path: path + ".trained.safetensors"))
async let trained = run.train()
for await event in run.events {
    if case .validation(let report) = event { print(report.step, report.bitsPerCharacter) }
}
print(try await trained.configuration.hidden)
