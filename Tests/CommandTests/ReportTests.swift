import CharacterModel
import Foundation
import TestSupport
import Testing
import Tokenization

@testable import Reports
@testable import Training

/// Reports take values and give text, without a process or a file.
@Suite("Reports")
struct ReportTests {
    private func model(_ folder: TemporaryFolder) throws -> LanguageModel {
        var fixture = TrainingFixture(text: sampleText)
        fixture.options.budget = .steps(3)
        (fixture.weightDropout, fixture.options.clip) = (0.25, 0.75)
        _ = try fixture.run(output: folder.file("m.safetensors"))
        return try LanguageModel(contentsOf: folder.file("m.safetensors"))
    }

    @Test("A model card shows every option that its cell uses, as it is declared")
    func card() throws {
        let model = try model(try TemporaryFolder())
        let rows = ModelCard(model, path: "m", bytes: 1_234_567).rows
        #expect(Set(rows.map(\.name)).count == rows.count)
        let setup = TrainingSetup(
            configuration: model.configuration, vocabulary: model.vocabulary, record: try #require(model.training))
        let options = TrainingOptions(setup)
        for option in OptionList.all {
            let row = rows.first { $0.name == option.name.replacing("-", with: " ") }
            #expect(row?.value == (option.name == "nonlinearity" ? nil : option.text(in: options)), "\(option.name)")
        }
        #expect(printable("fox\n\u{1B}[31m\u{2028}é") == "fox\\n\\u{1B}[31m\\u{2028}é")
        #expect(rows.contains { $0 == ("weight dropout", "0.25") } && rows.contains { $0 == ("clip", "0.75") })
        #expect(rows.contains { $0 == ("steps", "3") } && rows.contains { $0 == ("file", "1.2 MB") })
        let text = columns(rows)
        #expect(text.split(separator: "\n").count == rows.count && text.hasSuffix("\n"))
    }

    @Test("A page of curves draws the lines of metrics, and escapes everything that is not text")
    func curves() {
        let steps = (1...40).map { step in
            MetricsLine.step(
                StepReport(
                    step: 10 * step, epoch: 1, tokens: 1, seconds: 1, trainNats: 3 - Double(step) / 20,
                    learningRate: 0.01, gradientNorm: 0.5, tokensPerSecond: 1e5))
        }
        let validation = MetricsLine.validation(
            ValidationReport(step: 400, epoch: 1, seconds: 1, nats: 1.2345, bitsPerCharacter: 2, isExact: false))
        var details = TrainingReport.Details()
        details.settings = [("layers", "<2>")]
        details.samples = [(400, "</pre><script>")]
        func page(_ details: TrainingReport.Details) -> String {
            TrainingReport(
                title: "<t>",
                [
                    TrainingReport.Run(name: "<a&b>", lines: steps + [validation]),
                    TrainingReport.Run(name: "other", lines: steps),
                ], details: details, date: "today"
            ).page()
        }
        let whole = page(details)
        #expect(whole.contains("&lt;a&amp;b&gt;") && whole.contains("1.2345 nats") && !whole.contains("<a&b>"))
        // Two runs in each of four charts, over steps, time and symbols; validations are one point, a line and a dot.
        #expect(whole.count(of: "<polyline") == 3 * (8 + 1) && whole.count(of: "dot\"") == 3)
        #expect(whole.contains("&lt;2&gt;") && whole.contains("&lt;/pre&gt;&lt;script&gt;"))
        #expect(whole.count(of: "<script") == 1 && whole.contains("<h1>&lt;t&gt;</h1>"))
        #expect(!whole.contains("http://") && !whole.contains("https://") && !whole.contains("http-equiv=refresh"))
        // While it trains, the page is read again and again.
        details.progress = 0.25
        let live = page(details)
        #expect(live.contains("http-equiv=refresh") && live.contains("25 % of the budget"))
        #expect(TrainingReport(title: "t", [], date: "").page().contains("nothing to show yet"))
    }

    @Test("Ticks are round, lie on their axis, and are as many as fit")
    func ticks() {
        for (values, scale, labels) in [
            ([0, 4_980], .linear, ["0", "1,000", "2,000", "3,000", "4,000", "5,000"]),
            ([1.46, 1.52], .linear, ["1.46", "1.48", "1.50", "1.52"]),
            ([-3, 3], .linear, ["−2", "0", "2"]),
            ([0.00004, 1], .logarithmic, ["10⁻⁴", "0.001", "0.01", "0.1", "1"]),
            ([0.2, 30], .logarithmic, ["0.2", "0.5", "1", "2", "5", "10", "20"]),
            ([2, 7], .logarithmic, ["2", "3", "4", "5", "6"]),
            ([1e-30, 1], .logarithmic, ["10⁻³⁰", "10⁻²⁴", "10⁻¹⁸", "10⁻¹²", "10⁻⁶", "1"]),
            ([0, 1_024], .doubling, ["0", "1", "2", "4", "", "16", "", "64", "", "256", "", "1,024"]),
            ([7, 7], .linear, ["6.5", "7.0", "7.5"]),
            ([.nan, 0.5, .infinity], .linear, ["0.46", "0.48", "0.50", "0.52", "0.54"]),
            ([1.7e308, -1.7e308], .linear, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
            ([-1, 0], .logarithmic, ["1", "2", "5", "10"]),
        ] as [([Double], Axis.Scale, [String])] {
            let axis = Axis("x", values, scale: scale)
            #expect(axis.ticks.map(\.label) == labels, "\(values)")
            let places = axis.ticks.compactMap { axis.place($0.value) }
            #expect(places == places.sorted() && places.allSatisfy { (-1e-6...1 + 1e-6).contains($0) })
        }
        #expect(Axis("x", [1, 2]).place(.nan) == nil && Axis("x", [1, 2], scale: .logarithmic).place(0) == nil)
        // Whole numbers only.
        #expect(Axis("x", [1, 3], isWhole: true).ticks.map(\.label) == ["1", "2", "3"])
    }

    @Test("A chart has its points within its frame, a table of its data, and says what it shows")
    func chart() throws {
        let points = (0..<100).map { Chart.Point(x: Double($0), y: sin(Double($0) / 9)) }
        let chart = Chart(
            title: "A \"title\"", x: Axis("step", points.map(\.x)), y: Axis("sine", points.map(\.y)),
            series: [
                Chart.Series(name: "<a>", points: points, color: 0),
                Chart.Series(name: "b", points: Array(points.prefix(3)), style: .dotted, color: 7),
            ])
        let html = chart.html
        let numbers = html.matches(of: #/(-?[0-9.]+),(-?[0-9.]+)[ "]/#).map { (Double($0.1)!, Double($0.2)!) }
        #expect(numbers.count == 103 && numbers.allSatisfy { (0...1_000).contains($0.0) && (0...1_000).contains($0.1) })
        // Higher values are further up.
        #expect(numbers[14].1 < numbers[42].1)
        #expect(html.contains("&lt;a&gt;") && !html.contains("<a>") && html.contains("A &quot;title&quot;"))
        #expect((chart.rows + 1...chart.rows + 4).contains(html.count(of: "<tr>")) && html.contains("<li>"))
        // Each joined point is in it, and each row has its place.
        for x in 0..<3 { #expect(html.contains("<th scope=row>\(x)<")) }
        let places = try #require(html.firstMatch(of: #/data-xs="\[([^\]]*)\]"/#)).1
        #expect(places.split(separator: ",").count == html.count(of: "<th scope=row>"))
        #expect(points.smoothed().count == 100 && points.thinned(to: 30).count <= 30)
        let flat = [Chart.Point](repeating: Chart.Point(x: 1, y: 2), count: 200)
        #expect(flat.smoothed().allSatisfy { $0.y == 2 } && flat.thinned(to: 7).allSatisfy { $0.y == 2 })
        // Of a cloud, the table would say nothing.
        let cloud = Chart(
            title: "c", x: Axis("x", points.map(\.x)), y: Axis("y", points.map(\.y)),
            series: [Chart.Series(name: "", points: points, style: .points, color: 0)]
        ).html
        #expect(cloud.count(of: "<tr>") == 101 && !cloud.contains("<polyline") && cloud.count(of: "h0") == 100)
    }

    @Test("A page into a pipe is written, and the pipe stays one")
    func pipe() throws {
        let folder = try TemporaryFolder()
        let pipe = folder.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        let reader = Process()
        reader.executableURL = URL(fileURLWithPath: "/bin/sh")
        reader.arguments = ["-c", "cat '\(pipe)' > '\(folder.file("read"))'"]
        try reader.run()
        try AtomicFile.replace(pipe, with: "page")
        reader.waitUntilExit()
        #expect(try String(contentsOfFile: folder.file("read"), encoding: .utf8) == "page")
        var figures = stat()
        #expect(stat(pipe, &figures) == 0 && figures.st_mode & S_IFMT == S_IFIFO)
    }

    @Test("Values that cannot be drawn are left out, and odd numbers are written")
    func oddNumbers() {
        #expect(formatted(seconds: -1e300) == "forever" && formatted(seconds: .nan) == "forever")
        let lines = [-1.7e308, 1.7e308, 0].map { value in
            MetricsLine.step(
                StepReport(
                    step: 1, epoch: value, tokens: 1, seconds: value, trainNats: value, learningRate: value,
                    gradientNorm: value, tokensPerSecond: value))
        }
        let page = TrainingReport(title: "t", [TrainingReport.Run(name: "r", lines: lines)], date: "").page()
        #expect(page.contains("<svg") && page.hasSuffix("</html>\n"))
    }

    @Test("Text for a script can neither end it nor change it")
    func escaping() throws {
        #expect(HTMLPage.json(["</script>\u{2028}\"\\"]) == #"["\u003c/script\u003e\u2028\u0022\u005c"]"#)
        #expect(HTMLPage.escaped("<\u{0}\u{7F}>&'\"") == "&lt;␀␡&gt;&amp;&#39;&quot;")
        for bytes in [[], [1], [UInt8](repeating: 7, count: 100_000)] as [[UInt8]] {
            #expect(try unpacked(HTMLPage.packed(bytes)) == bytes)
        }
    }

    @Test("A table of surprisals has one line for each symbol, and no symbol can break a line")
    func table() throws {
        let model = try model(try TemporaryFolder())
        let text = "a\tb\n\"\\\u{7F}"
        let corpus = try Corpus(
            reading: [.bytes(Array(text.utf8), name: "x\ty")], unit: model.vocabulary.unit,
            normalization: model.vocabulary.normalization)
        let table = SurprisalTable(files: corpus.files.map(\.name))
        var lines: [String] = []
        _ = try model.evaluate(corpus, perSymbol: { lines.append(table.line($0)) })
        #expect(lines.count == corpus.count)
        let columns = SurprisalTable.header.count { $0 == "\t" }
        for line in lines {
            #expect(line.count { $0 == "\t" } == columns && line.count { $0 == "\n" } == 1, "\(line)")
        }
    }
}

extension String {
    fileprivate func count(of part: String) -> Int { ranges(of: part).count }
}
