import Foundation
import TestSupport
import Testing

/// The `inspect` command.
@Suite("Inspect")
struct InspectCommandTests {
    private let folder: TemporaryFolder
    private let corpus: String

    init() throws {
        folder = try TemporaryFolder()
        corpus = try folder.write(sampleText, to: "corpus.txt")
    }

    private func trained(_ flags: [String], _ text: String? = nil) throws -> String {
        let path = folder.file("m.safetensors")
        let result = try Commands.run(
            "train", [text ?? corpus, "--steps", "5", "--hidden", "8", "--output", path, "--overwrite"] + flags)
        #expect(result.status == 0, "\(result.error)")
        return path
    }

    @Test("It prints the JSON that is documented, and tables", arguments: ["gru", "lstm", "rnn", "mingru"])
    func output(cell: String) throws {
        let path = try trained(["--cell", cell, "--layers", "2", "--embedding", "4"])
        let json = try Commands.run("inspect", [path, corpus, "--lags", "8", "--format", "json"])
        #expect(json.status == 0, "\(json.error)")
        let object = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
        let memory = try #require(object["memory"] as? [[String: Any]])
        #expect(memory.count == 13 && memory[0]["context"] as? Int == 0 && memory[12]["context"] is NSNull)
        #expect(memory.allSatisfy { $0["nats"] as? Double ?? 0 > 0 && $0["standard_error"] as? Double ?? 0 > 0 })
        let flow = try #require(object["gradient_flow"] as? [[String: Any]])
        #expect(flow.count == 9 * 2 * (cell == "lstm" ? 2 : 1))
        #expect(Set(flow.compactMap { $0["state"] as? String }) == (cell == "lstm" ? ["h", "c"] : ["h"]))
        #expect((object["positions"] as? [Int])?.count == 200)
        let gates = try #require(object["gates"] as? [[String: Any]])
        #expect(gates.count == ["gru": 2, "lstm": 3, "rnn": 0, "mingru": 1][cell]! * 2 * 8)
        // What cannot be said is null; no key is left out.
        #expect(gates.allSatisfy { $0.keys.contains("half_life") } && flow.allSatisfy { $0["norm"] is Double })
        let table = try Commands.run("inspect", [path, corpus, "--lags", "8"])
        #expect(table.status == 0 && table.text.contains("memory") && table.text.contains("layer 1 h"))
        let scaled = try Commands.run("inspect", [path, corpus, "--lags", "8", "--scale-recurrent", "0.5"])
        #expect(scaled.status == (cell == "mingru" ? 64 : 0), "\(scaled.error)")
    }

    @Test("Bytes, records and texts that run from right to left are inspected too; slips are errors of one line")
    func inputs() throws {
        let hebrew = try folder.write(String(repeating: "שלום לכולם, מה שלומכם?\n", count: 40), to: "he.txt")
        for flags in [["--unit", "byte"], ["--records", "line"], ["--unit", "scalar"]] {
            let path = try trained(flags, hebrew)
            let result = try Commands.run("inspect", [path, hebrew, "--lags", "4", "--untrained"])
            #expect(result.status == 0 && result.text.contains("untrained, seed 1"), "\(flags): \(result.error)")
        }
        // A relu network whose gradients overflow: said, not made up.
        let rnn = try trained(["--cell", "rnn", "--nonlinearity", "relu"])
        let huge = try Commands.run(
            "inspect", [rnn, corpus, "--lags", "64", "--scale-recurrent", "1e9", "--format", "json"])
        #expect(huge.status == 0 && huge.text.contains("\"norm\":null"), "\(huge.error)")
        let path = try trained([])
        for (arguments, status, part) in [
            ([path], 64, "name a text"), ([path, folder.file("none.txt")], 66, "none.txt"),
            ([path, corpus, "--seed", "2"], 64, "--untrained"), ([path, corpus, "--lags", "-1"], 64, "--lags"),
            ([path, corpus, "--scale-recurrent", "0"], 64, "--scale-recurrent"),
            ([path, try folder.write("", to: "empty")], 65, "empty"), ([corpus, corpus], 65, "corpus.txt"),
        ] as [([String], Int32, String)] {
            let result = try Commands.run("inspect", arguments)
            #expect(
                result.status == status && result.error.contains(part) && result.text.isEmpty,
                "\(arguments): \(result.status) \(result.error)")
        }
    }
}
