import CharacterModel
import Tokenization

/// A text coloured by what a network's units do: the most telling units over all of it, any other one and the gates over its beginning.
public struct UnitText {
    /// The most bytes of a text that are shown.
    public static let byteLimit = 200_000
    /// The most symbols over which any unit, and the gates, are shown.
    public static let shortLimit = 2_000
    /// How many telling units there are.
    public static let count = 20

    private let files: [String]
    private var pane = TextPane()
    /// The symbol that completed each piece.
    private var symbols: [Int] = []
    private let telling: UnitTrace
    private let gates: UnitTrace
    /// By layer, gate and symbol.
    private let means: [[[Float]]]
    private let others: UnitTrace
    /// The number of symbols over which the others are known.
    private let shortCount: Int

    /// How many symbols of a text are shown.
    public static func length(of corpus: Corpus) -> Int {
        var bytes = 0
        for position in 0..<min(corpus.count, byteLimit) {
            bytes += corpus[position] == Corpus.endOfRecord ? 1 : corpus.symbols[corpus[position]].bytes.count
            if bytes > byteLimit { return position }
        }
        return min(corpus.count, byteLimit)
    }

    /// How many symbols any unit of a model is shown over: fewer for a large one, so that a page has 5 MB at most.
    public static func shortLength(units: Int) -> Int { min(shortLimit, max(100, 2_500_000 / max(1, units))) }

    /// The units to show over all of the text: the best of each fact in turn.
    public static func chosen(_ units: [TellingUnit]) -> [UnitName] {
        let facts = Dictionary(grouping: units, by: \.fact)
        var names: [UnitName] = []
        for place in 0..<(facts.values.map(\.count).max() ?? 0) {
            for fact in TextFact.allCases {
                guard let unit = facts[fact].flatMap({ place < $0.count ? $0[place] : nil }) else { continue }
                let name = UnitName(layer: unit.layer, unit: unit.unit)
                if !names.contains(name) && names.count < count { names.append(name) }
            }
        }
        return names
    }

    /// - Parameters:
    ///   - telling: the chosen units, over all symbols that are shown.
    ///   - gates: the same units with their gates, over fewer symbols.
    ///   - means: each layer's gates on average, over as many.
    ///   - others: every unit, over as many.
    public init(_ corpus: Corpus, telling: UnitTrace, gates: UnitTrace, means: [[[Float]]], others: UnitTrace) {
        files = corpus.files.map { fileName($0.name) }
        (self.telling, self.gates, self.means, self.others) = (telling, gates, means, others)
        shortCount = others.values.first?.first?.count ?? 0
        var (file, line) = (0, 1)
        for position in 0..<Self.length(of: corpus) {
            while !corpus.files[file].tokens.contains(position) {
                endLine(position - 1)
                (file, line) = (file + 1, 1)
            }
            let index = corpus[position]
            let symbol = index == Corpus.endOfRecord ? nil : corpus.symbols[index]
            let pieces = pane.add(symbol, file: file, line: line)
            symbols += Array(repeating: position, count: pieces)
            if symbol.map({ $0.bytes.last == UInt8(ascii: "\n") }) ?? true {
                endLine(position)
                line += 1
            }
        }
        endLine(max(0, Self.length(of: corpus) - 1))
    }

    private mutating func endLine(_ position: Int) { symbols += Array(repeating: position, count: pane.endLine()) }

    // MARK: The page's part

    func html(units: [InspectionReport.Unit]) -> String {
        """
        <h2>Units worth knowing</h2>
        <p class=hint>Each fact is something a program can check. The units were found on the first half of the text and scored on the \
        second: the area under the curve, where 0.5 is chance and 1 is perfect, or a correlation. Units are \
        written layer:unit, ↓ if low where the fact is true; choose one to colour the text.</p>
        \(table(units))<h2>The text</h2>
        <fieldset>
        <label>coloured by <select id=what>\(options(units))</select></label>
        <label id=parts>its <select id=part>\(parts)</select></label>
        <label id=layers>layer <input id=layer type=number min=0 max=\(max(0, means.count - 1)) value=0></label>
        <label id=numbers>unit <input id=number type=number min=0 max=\(unitsPerLayer - 1) value=0></label>
        </fieldset>
        <div class=legend><span id=lowest></span><span id=scale aria-hidden=true></span><span id=highest></span></div>
        \(pane.html(files: files))
        """
    }

    private var unitsPerLayer: Int { others.units.count { $0.layer == 0 } }

    private var parts: String {
        gates.quantities.enumerated().map { "<option value=\($0)>\($1)\($0 > 0 ? " gate, at the beginning" : "")" }
            .joined()
    }

    private func table(_ units: [InspectionReport.Unit]) -> String {
        guard !units.isEmpty else { return "<p>The text is too short, or too even, to tell.</p>\n" }
        var html =
            "<div class=scroll><table><tr><th scope=col>fact<th scope=col>measure<th scope=col>units, with their scores\n"
        var facts: [String] = []
        let clear = units.filter { unit in
            unit.strength >= 0.2 && telling.units.contains { ($0.layer, $0.unit) == (unit.layer, unit.unit) }
        }
        guard !clear.isEmpty else { return "<p>No unit alone tells any of the facts.</p>\n" }
        for unit in clear where !facts.contains(unit.fact) { facts.append(unit.fact) }
        for fact in facts {
            let all = clear.filter { $0.fact == fact }.sorted { $0.score > $1.score }
            html += "<tr><th scope=row>\(fact)<td>\(all[0].measure == "auc" ? "area" : "correlation")<td class=units>"
            html += all.map(button).joined() + "\n"
        }
        return html + "</table></div>\n"
    }

    /// A unit and its score, to choose it.
    private func button(_ unit: InspectionReport.Unit) -> String {
        let place = telling.units.firstIndex { ($0.layer, $0.unit) == (unit.layer, unit.unit) }
        let label =
            "\(unit.layer):\(unit.unit)\(unit.inverted ? " ↓" : "") <b>\(formatted(unit.score, decimals: 2))</b>"
        let text = "colour the text by \(name(unit.layer, unit.unit))"
        return "<button data-what=\(place ?? 0) title=\"\(text)\">\(label)</button>"
    }

    private func name(_ layer: Int, _ unit: Int) -> String { "layer \(layer), unit \(unit)" }

    /// The telling units, each by the facts that it tells, the gates' means, and any other unit.
    private func options(_ units: [InspectionReport.Unit]) -> String {
        var html = "<optgroup label=\"telling units\">"
        for (index, unit) in telling.units.enumerated() {
            let facts = units.filter { ($0.layer, $0.unit) == (unit.layer, unit.unit) }
            let told = facts.max { abs($0.strength) < abs($1.strength) }
            html += "<option value=\(index)>\(name(unit.layer, unit.unit))\(told.map { ": \($0.fact)" } ?? "")"
        }
        html += "</optgroup><optgroup label=\"the first \(formatted(shortCount)) symbols\">"
        for layer in means.indices {
            for (gate, quantity) in gates.quantities.dropFirst().enumerated() {
                html +=
                    "<option value=m\(layer * means[layer].count + gate)>layer \(layer), all units: \(quantity) gate, mean"
            }
        }
        return html + "<option value=any>any other unit</optgroup>"
    }

    // MARK: Data

    /// A value as one of 15 levels, two in a byte; 15 where there is none.
    private func packed(_ values: [Float], low: Float, high: Float) -> String {
        let levels = symbols.prefix { $0 < values.count }.map { position -> UInt8 in
            let share = (values[position] - low) / (high - low)
            return share.isFinite ? UInt8(min(14, max(0, (share * 14).rounded()))) : 15
        }
        let bytes = stride(from: 0, to: levels.count, by: 2).map { index in
            levels[index] | (index + 1 < levels.count ? levels[index + 1] : 15) << 4
        }
        return "\"\(HTMLPage.packed(bytes))\""
    }

    /// The largest size of a unit's values.
    private func reach(_ values: [Float]) -> Float {
        let reach = values.reduce(Float(0)) { $1.isFinite ? max($0, abs($1)) : $0 }
        return reach > 0 ? reach : 1
    }

    private func output(_ values: [Float]) -> (data: String, reach: Float) {
        let reach = reach(values)
        return (packed(values, low: -reach, high: reach), reach)
    }

    /// A track is [what is shown, lowest, highest, the packed levels].
    private func track(_ name: String, _ values: [Float], isGate: Bool) -> String {
        if isGate { return "[\"\(name)\",0,1,\(packed(values, low: 0, high: 1))]" }
        let (data, reach) = output(values)
        return "[\"\(name)\",\(-reach),\(reach),\(data)]"
    }

    var script: String {
        let tracks = telling.units.indices.map { index -> String in
            let whole = track(
                name(telling.units[index].layer, telling.units[index].unit), telling.values[index][0], isGate: false)
            let parts = gates.quantities.indices.dropFirst().map { part in
                track("its \(gates.quantities[part]) gate", gates.values[index][part], isGate: true)
            }
            return "[" + ([whole] + parts).joined(separator: ",") + "]"
        }
        let means = means.flatMap { layer in
            layer.enumerated().map { track("the \(gates.quantities[$0 + 1]) gate", $1, isGate: true) }
        }
        let others = others.units.indices.map { index -> String in
            track("", self.others.values[index][0], isGate: false)
        }
        return """
            const tracks=[\(tracks.joined(separator: ",\n"))],
            means=[\(means.joined(separator: ",\n"))],
            others=[\(others.joined(separator: ",\n"))],perLayer=\(unitsPerLayer);
            (async()=>{const lengths=\(pane.packedLengths);

            """ + Self.program
    }

    /// Blue below zero, orange above; a gate only has an above.
    static let style: String = {
        func rule(_ name: String, _ color: String, _ percent: Int) -> String {
            ".\(name){background:rgb(var(--\(color))/\(percent)%)}"
        }
        return
            "#scale{width:12em;height:1em;padding:0}fieldset input{width:6em}.units>*{margin:0 .5em .3em 0;display:inline-block}\n"
            + (0..<7).map { rule("u\($0)", "low", (7 - $0) * 9) }.joined()
            + (8..<15).map { rule("u\($0)", "high", ($0 - 7) * 9) }.joined()
            + (1..<15).map { rule("g\($0)", "high", $0 * 9 / 2) }.joined() + "\n"
    }()

    private static let program = """
        const id=n=>document.getElementById(n);let levels=new Uint8Array(0),track=["",-1,1,""],isGate=false;
        const level=k=>k>>1<levels.length?levels[k>>1]>>4*(k&1)&15:15;
        const again=pane(lengths,k=>(isGate?"g":"u")+level(k),(k,s)=>s+", "+track[0]+": "
          +(level(k)==15?"not known here":(track[1]+(track[2]-track[1])*level(k)/14).toFixed(2)));
        async function show(){
          const what=id("what").value,part=+id("part").value||0,any=what=="any";
          id("parts").hidden=any||what[0]=="m"||id("part").length<2;id("layers").hidden=!any||id("layer").max=="0";id("numbers").hidden=!any;
          if(any){const l=Math.min(+id("layer").max,Math.max(0,+id("layer").value|0)),u=Math.min(perLayer-1,Math.max(0,+id("number").value|0));
            track=["layer "+l+", unit "+u,...others[l*perLayer+u].slice(1)]}
          else track=what[0]=="m"?means[+what.slice(1)]:(tracks[+what]||[])[part]||track;
          isGate=track[1]==0;const asked=track;const data=track[3]?await unpack(track[3]):new Uint8Array(0);
          if(asked!=track)return;levels=data;
          id("lowest").textContent=(+track[1]).toFixed(2);id("highest").textContent=(+track[2]).toFixed(2);
          id("scale").style.background=isGate?"linear-gradient(90deg,transparent,rgb(var(--high)/.7))"
            :"linear-gradient(90deg,rgb(var(--low)/.7),transparent,rgb(var(--high)/.7))";
          again()}
        for(const n of ["what","part","layer","number"])id(n).addEventListener("input",show);
        document.addEventListener("click",e=>{const w=e.target.closest("[data-what]")?.dataset.what;
          if(w!==undefined){id("what").value=w;id("part").value=0;show();id("what").scrollIntoView({behavior:"smooth"})}});
        show()})();

        """
}
