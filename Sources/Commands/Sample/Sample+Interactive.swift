import CharacterModel
import CommandSupport
import Foundation

extension Sample {
    /// Goes on from what is typed, line by line, in one text, until the standard input ends.
    func converse(_ model: LanguageModel, _ sampling: Sampling, _ prompt: [UInt8]) throws {
        let generator = try sampling.generator(model, prompt: prompt, stream: 0)
        func ask() { if StandardError.isTerminal { StandardError.write("> ") } }
        ask()
        while let line = readLine(strippingNewline: true) {
            try generator.read(Array(line.utf8))
            var writer = SampleWriter(format: .text, prompt: "", stops: text.stop) { try StandardOutput.write($0) }
            try writer.write(generator, length: text.length, seed: sampling.seed, index: 0)
            ask()
        }
        if StandardError.isTerminal { StandardError.write("\n") }
    }
}
