import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Reports
@testable import Training

/// What is seen of a training while it runs.
@Suite("Live")
struct LiveTests {
    private func step(_ step: Int, progress: Double, nats: Double = 2) -> StepReport {
        StepReport(
            step: step, epoch: 1, tokens: 1, seconds: 1, trainNats: nats, learningRate: 1, gradientNorm: 1,
            tokensPerSecond: 123_456, progress: progress)
    }

    private func validation(_ nats: Double) -> ValidationReport {
        ValidationReport(step: 1, epoch: 1, seconds: 1, nats: nats, bitsPerCharacter: nats, isExact: false)
    }

    @Test(
        "The line fits its terminal at every width, and says what matters most first",
        arguments: [10, 20, 40, 59, 60, 80, 200])
    func width(width: Int) {
        var line = ProgressLine(symbolsPerCharacter: 1, isColored: false)
        for nats in [3, 2.5, 2.1, 2.2] { line.add(validation(nats), expecting: 1.87) }
        for progress in [0, 0.004, 0.5, 0.999, 1, 7, -1] {
            let text = line.text(step(123_456, progress: progress), secondsLeft: 75, width: width)
            #expect(text.count < max(width, 6), "\(text)")
            #expect(width < 30 || text.contains("2.885 bits"))
            #expect(width < 200 || text.contains("ending near 1.87"), "\(text)")
            #expect(width < 80 || text.contains("█▄▁▁ 2.200") && text.contains("1 min 15 s left"), "\(text)")
        }
    }

    @Test("The bar grows by eighths of a cell, and its colours can be left out")
    func bar() {
        for eighths in 0...160 {
            let bar = ProgressLine.bar(Double(eighths) / 160, cells: 20, isColored: false)
            #expect(bar.count == 20 && bar.count { $0 == "█" } == eighths / 8)
        }
        let colored = ProgressLine.bar(0.5, cells: 4, isColored: true)
        #expect(colored == "\u{1B}[36m██\u{1B}[90m░░\u{1B}[0m")
        var line = ProgressLine(symbolsPerCharacter: 1, isColored: false)
        for nats in [.nan, 2, .infinity, 1] { line.add(validation(nats)) }
        #expect(line.sparkline.count == 4 && !line.text(step(1, progress: .nan), secondsLeft: nil, width: 80).isEmpty)
    }

    @Test("A sample cannot write to the terminal")
    func quotation() {
        let text = ProgressReport.quotation(TrainingSample(step: 1_000, text: "a\n\u{1B}[2Jb\r\u{7}"))
        #expect(text == "step 1000 writes:\n  | a\n  | \\u{1B}[2Jb\n  | \\u{07}")
    }

    @Test("In a pipe there are lines, no samples unless they are wanted, and no colours")
    func pipe() throws {
        let folder = try TemporaryFolder()
        let corpus = try folder.write(sampleText, to: "c.txt")
        let base = [corpus, "--steps", "30", "--hidden", "8", "--output", folder.file("m.safetensors"), "--overwrite"]
        let plain = try Commands.run("train", base)
        #expect(plain.status == 0 && !plain.error.contains("writes:") && !plain.error.contains("\u{1B}"))
        #expect(plain.error.contains("step 30, epoch") && plain.error.contains("validation"))
        let asked = try Commands.run(
            "train", base + ["--sample-every", "1ms", "--sample-prompt", "The ", "--sample-temperature", "0"])
        #expect(asked.error.contains("writes:\n  | The "), "\(asked.error)")
        #expect(plain.text == asked.text)
        #expect(try Commands.run("train", base + ["--sample-every", "1ms", "--quiet"]).error.isEmpty)
        for (flags, part) in [
            (["--sample-every", "0"], "--sample-every"), (["--sample-temperature", "-1"], "--sample-temperature"),
        ] {
            let refused = try Commands.run("train", base + flags)
            #expect(refused.status == 64 && refused.error.contains(part), "\(refused.error)")
        }
    }

    @Test("A report can be read whole at any time while it is trained, and is final at the end")
    func liveReport() throws {
        let folder = try TemporaryFolder()
        let corpus = try folder.write(sampleText, to: "c.txt")
        let report = folder.file("r.html")
        let process = Commands.process(
            "train",
            [
                corpus, "--steps", "3000", "--evaluate-every", "50", "--hidden", "16", "--report", report, "--quiet",
                "--output", folder.file("m.safetensors"),
            ])
        try process.run()
        var (isLive, readings) = (false, 0)
        while process.isRunning {
            // At the very start, it is checked that it can be created.
            guard let page = try? String(contentsOfFile: report, encoding: .utf8), isLive || !page.isEmpty else {
                continue
            }
            #expect(page.hasSuffix("</html>\n"))
            isLive = isLive || page.contains("of the budget spent")
            readings += 1
            usleep(2_000)
        }
        process.waitUntilExit()
        let page = try String(contentsOfFile: report, encoding: .utf8)
        #expect(process.terminationStatus == 0 && isLive && readings > 0)
        #expect(!page.contains("of the budget spent") && page.contains("What it wrote"))
        // Stopped, it does not promise to be written again.
        let stopped = Commands.process(
            "train",
            [
                corpus, "--steps", "1000000", "--evaluate-every", "20", "--hidden", "8", "--report",
                folder.file("s.html"),
                "--quiet", "--output", folder.file("s.safetensors"),
            ])
        try stopped.run()
        while stopped.isRunning, ((try? String(contentsOfFile: folder.file("s.html"), encoding: .utf8)) ?? "").isEmpty {
            usleep(2_000)
        }
        stopped.interrupt()
        stopped.waitUntilExit()
        let last = try String(contentsOfFile: folder.file("s.html"), encoding: .utf8)
        #expect(stopped.terminationStatus == 130 && !last.contains("http-equiv=refresh") && last.contains("<polyline"))
        // Resumed, its curves begin where they began.
        let resumed = try Commands.run(
            "train", ["--resume", folder.file("m.last.safetensors"), "--steps", "3100", "--report", report, "--quiet"])
        #expect(resumed.status == 0, "\(resumed.error)")
        let longer = try String(contentsOfFile: report, encoding: .utf8)
        #expect(longer.contains("<dt>steps</dt><dd>3,100</dd>"))
        let lines = longer.matches(of: #/class="c1 dot"[^>]* d="([^"]*)"/#).map { $0.1.matches(of: #/M/#).count }
        #expect(lines.first ?? 0 > 60)
    }
}
