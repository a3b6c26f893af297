import Foundation
import TestSupport
import Testing

@testable import CommandSupport

@Suite("How the program is called")
struct InvocationTests {
    @Test(
        "Command lines are printed by the name that was called, and run from the same folder",
        arguments: [
            ("escriba", true, "escriba train", "escriba train", "train"),
            ("/usr/bin/escriba", true, "escriba train", "/usr/bin/escriba train", "train"),
            ("my tools/escriba", true, "escriba train", "'my tools/escriba' train", "train"),
            ("./esc", true, "esc train", "./esc train", "train"),
            ("./escriba-sample", true, "escriba-train", "./escriba-train", "escriba-train"),
            ("bin/sample", true, "train", "bin/train", "train"),
            ("train", false, "train", "train", "train"),
            (".build/release/sample", false, "train", ".build/release/train", "train"),
            ("/usr/bin/swiftpm-testing-helper", false, "train", "train", "train"),
            ("", false, "train", "train", "train"),
        ])
    func names(program: String, hasAll: Bool, name: String, line: String, parser: String) {
        let invocation = Invocation(program: program, hasAll: hasAll)
        #expect(invocation.name(of: "train") == name)
        #expect(invocation.line(of: "train") == line)
        #expect(invocation.parserName(of: "train") == parser)
    }

    @Test("Paths are quoted so that a shell reads them back", arguments: ["a b", "it's", "e'\u{301}", "", "$x", "-\n"])
    func quoting(path: String) throws {
        let shell = try Commands.run(at: "/bin/sh", ["-c", "printf %s \(quoted(path))"])
        #expect(shell.text == path)
    }

    @Test("One program is all commands: by subcommand and by link")
    func links() throws {
        let folder = try TemporaryFolder()
        let program = Commands.process("escriba", []).executableURL!.path
        let text = try folder.write(sampleText, to: "text.txt")
        let options = [text, "--steps", "3", "--hidden", "8", "--threads", "1", "--output"]
        let whole = try Commands.run("escriba", ["train"] + options + [folder.file("a.safetensors")])
        #expect(whole.status == 0 && whole.text.contains("try: \(program) sample "), "\(whole.error)")
        #expect(whole.error.contains("chosen: \(program) train \(text) --steps 3"), "\(whole.error)")
        for name in ["escriba-train", "escriba-sample"] {
            try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: program)
        }
        let link = try Commands.run(at: folder.file("escriba-train"), options + [folder.file("b.safetensors")])
        #expect(link.status == 0 && link.text.contains("try: \(folder.file("escriba-sample")) "), "\(link.error)")
        let texts = try ["a", "b"].map {
            try Commands.run("escriba", ["sample", folder.file($0), "--seed", "1", "--quiet"]).text
        }
        #expect(texts[0] == texts[1] && !texts[0].isEmpty)
    }

    @Test("The command that continues a training whose time is spent is printed, and runs")
    func continuing() throws {
        let folder = try TemporaryFolder()
        let text = try folder.write(sampleText, to: "text.txt")
        let output = ["--hidden", "8", "--threads", "1", "--output", folder.file("m.safetensors")]
        #expect(try Commands.run("escriba", ["train", text, "--time-limit", "300ms"] + output).status == 0)
        let spent = try Commands.run("escriba", ["train", "--resume", folder.file("m.last.safetensors")])
        let line = try #require(spent.error.firstMatch(of: #/to continue: (.* --time-limit \d+s)\n/#), "\(spent.error)")
        let more = try Commands.run(at: "/bin/sh", ["-c", String(line.1)])
        #expect(more.status == 0 && !more.error.contains("spent"), "\(more.error)")
    }

    @Test("An error names the help that explains it; an unknown command is an error")
    func errors() throws {
        for (arguments, help) in [(["train", "--what"], "escriba train --help"), (["nothing"], "escriba --help")] {
            let result = try Commands.run("escriba", arguments)
            #expect(result.status == 64 && result.error.hasSuffix("see \(help)\n"), "\(result.error)")
            #expect(result.error.split(separator: "\n").count == 1)
        }
    }

    @Test("A program beside it that is named escriba-NAME is the command NAME")
    func neighbours() throws {
        let folder = try TemporaryFolder()
        let program = Commands.process("escriba", []).executableURL!.path
        try FileManager.default.copyItem(atPath: program, toPath: folder.file("escriba"))
        _ = try folder.write("#!/bin/sh\necho \"got $*\"\nexit 7\n", to: "escriba-my-demo2")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.file("escriba-my-demo2"))
        let result = try Commands.run(at: folder.file("escriba"), ["my-demo2", "a b", "--c"])
        #expect(result.status == 7 && result.text == "got a b --c\n")
    }

    @Test("--version names the version, ICU and Unicode, and the level of the kernels")
    func version() throws {
        for arguments in [["--version"], ["train", "--version"]] {
            let text = try Commands.run("escriba", arguments).text
            #expect(text.contains(#/^escriba \d+\.\d+\.\d+( \(commit [0-9a-f]{12}\+?\))?\n/#), "\(text)")
            #expect(
                text.contains(#/ICU \d+\.\d+.*, Unicode \d+\.\d+.*; kernels: (portable|avx2|avx512|avx512BF16)\n$/#),
                "\(text)")
        }
    }
}
