import CharacterModel
import CommandSupport
import Glibc
import Tokenization

extension Sample {
    /// Continues one text from each line that is typed, until the standard input ends.
    func runInteractive(_ model: LanguageModel, _ sampling: Sampling, _ prompt: [UInt8]) throws {
        let generator = try sampling.generator(model, prompt: prompt, stream: 0)
        func ask() { if StandardError.isTerminal { StandardError.write("> ") } }
        ask()
        while let line = nextLine() {
            if model.vocabulary.unit != .byte && String(validating: line, as: UTF8.self) == nil {
                StandardError.print("error: that line is not UTF-8 and was skipped; type it again")
                ask()
                continue
            }
            if !text.quiet { try warnAboutUnknownSymbols(of: line, model) }
            try generator.read(line)
            var writer = SampleWriter(format: .text, prompt: "", stops: text.stop, length: text.length) {
                try StandardOutput.write($0)
            }
            try writer.write(generator, seed: sampling.seed, index: 0)
            ask()
        }
        if StandardError.isTerminal { StandardError.write("\n") }
    }

    /// Warns about the symbols of a prompt that the model has never seen.
    func warnAboutUnknownSymbols(of prompt: [UInt8], _ model: LanguageModel) throws {
        let unknown = try model.unknownSymbols(in: prompt)
        guard !unknown.isEmpty else { return }
        let names = unknown.prefix(10).map { String(decoding: $0.bytes, as: UTF8.self).debugDescription }
        StandardError.print(
            "warning: the model has never seen \(names.joined(separator: ", "))"
                + (unknown.count > 10 ? " and \(unknown.count - 10) others" : "") + "; they are read as unknown")
    }

    /// The bytes of the next line of the standard input, unchanged; nil at its end. (`readLine` would repair them.)
    private func nextLine() -> [UInt8]? {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        var isOpen = false
        // Typing is slow, so reading one byte at a time costs nothing.
        while true {
            let count = Glibc.read(0, &byte, 1)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            isOpen = true
            if byte == UInt8(ascii: "\n") { break }
            line.append(byte)
        }
        guard isOpen else { return nil }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return line
    }
}
