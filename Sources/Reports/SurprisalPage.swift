import CharacterModel
import Tokenization

/// Collects the surprisal of every symbol of a text in one self-contained page: the text coloured by surprisal, what
/// the model expected at each symbol, the summary, and the most and least expected lines and words.
public struct SurprisalPage {
    private let files: [String]
    private let names: [String]
    private let endName: String
    private var pane = TextPane()
    private var highlights = SurprisalHighlights()
    private var symbols = SymbolStreams()
    private var pendingNats = 0.0
    private var last = Prediction()

    /// - Parameter vocabulary: the vocabulary of the expected symbols to show.
    public init(files: [String], vocabulary: Vocabulary) {
        self.files = files
        names = vocabulary.symbols.map { symbol in
            String(validating: symbol.bytes, as: UTF8.self).map(visible)
                ?? symbol.bytes.map { "0x" + $0.hexadecimal(digits: 2) }.joined(separator: " ")
        }
        endName = vocabulary.records == nil ? "boundary" : "end of record"
    }

    public mutating func add(_ surprisal: Surprisal) {
        if let file = pane.openFile, file != surprisal.file { endLine() }
        pendingNats += surprisal.nats
        last = surprisal.prediction
        highlights.add(surprisal, line: pane.lines.count)
        keep(pane.add(surprisal.symbol, file: surprisal.file, line: surprisal.line))
        if surprisal.symbol.map({ $0.bytes.last == UInt8(ascii: "\n") }) ?? true { endLine() }
    }

    private mutating func endLine() {
        keep(pane.endLine())
        highlights.endLine()
    }

    /// The first of several pieces carries what is pending.
    private mutating func keep(_ pieces: Int) {
        for _ in 0..<pieces {
            symbols.append(pendingNats, last)
            pendingNats = 0
        }
    }

    /// The page of all symbols so far.
    ///
    /// - Parameters:
    ///   - sentence: what the score means.
    ///   - summary: names and values to show at the top.
    ///   - chart: a chart to show under it, if any.
    public mutating func page(
        title: String, sentence: String, summary: [(name: String, value: String)], chart: String = ""
    ) -> String {
        if pane.openFile != nil { endLine() }
        return HTMLPage.page(
            title: title, style: TextPane.style + Self.style, body: body(title, sentence, summary, chart),
            script: TextPane.script + data + Self.script)
    }

    private func body(
        _ title: String, _ sentence: String, _ summary: [(name: String, value: String)], _ chart: String
    ) -> String {
        let escaped = HTMLPage.escaped
        var html = "<h1>\(escaped(title))</h1>\n<p class=lead>\(escaped(sentence))</p>\n"
        html += HTMLPage.facts(summary) + chart
        html += "<h2>What stands out</h2>\n" + highlights.html(pane.lines)
        html += """
            <h2>The text</h2>
            <p class=hint>The stronger the colour, the less the model expected the character. Point at one, or move to the text and press \
            the arrow keys, to see what it expected there.</p>
            <div class=legend><span>nats</span>
            """
        for (level, name) in Self.levels.enumerated() { html += "<span class=l\(level)>\(name)</span>" }
        return html + "</div>\n" + pane.html(files: files)
    }

    private var data: String {
        let names = HTMLPage.json(self.names + [endName, "unknown"])
        return
            "const names=\(names),packed=\(symbols.packed(names: self.names.count + 2));\n(async()=>{const lengths=\(pane.packedLengths);\n"
    }

    /// The bounds of the colours in nats, the same as in the script.
    private static let levels = ["below ½", "½ to 1", "to 2", "to 3", "to 5", "to 8", "8 and more"]

    private static let style = """
        .l1{background:rgb(235 140 0/.15)}.l2{background:rgb(235 140 0/.28)}.l3{background:rgb(235 120 0/.42)}
        .l4{background:rgb(235 90 0/.52)}.l5{background:rgb(230 50 0/.6)}
        .l6{background:rgb(215 0 30/.68);text-decoration:underline}

        """

    private static let script = """
        const [nats,counts,ranks,ranks2,likeliest,likeliest2,probabilities]=await Promise.all(packed.map(unpack));
        const bounds=[.5,1,2,3,5,8],places=new Uint32Array(counts.length+1);
        counts.forEach((n,k)=>places[k+1]=places[k]+n);
        const wide=(low,high,k)=>low[k]+256*(high[k]||0);
        pane(lengths,k=>"l"+bounds.filter(b=>nats[k]/16>=b).length,(k,s)=>{
          const c=[];
          for(let j=places[k];j<places[k+1];j++)c.push(names[wide(likeliest,likeliest2,j)]+" "+(probabilities[j]?5*probabilities[j]+" %":"below 3 %"));
          return s+": "+(nats[k]==255?"16 or more":(nats[k]/16).toFixed(2))+" nats, rank "+wide(ranks,ranks2,k)+". Expected: about "
            +c.join(", ")})})();

        """
}

/// What a page says about each piece of text, as streams of bytes that deflate well.
private struct SymbolStreams {
    private var nats: [UInt8] = []
    private var counts: [UInt8] = []
    private var ranks: [UInt16] = []
    private var likeliest: [UInt16] = []
    private var probabilities: [UInt8] = []

    /// Nats are kept in sixteenths; the likeliest symbol, and others of 10 % or more, in steps of 5 %.
    mutating func append(_ nats: Double, _ prediction: Prediction) {
        self.nats.append(UInt8(min(255, (nats * 16).rounded())))
        ranks.append(UInt16(clamping: prediction.rank))
        var count: UInt8 = 0
        for index in 0..<Prediction.candidates {
            let one = prediction.likeliest[index]
            guard one.id >= 0 && (one.probability >= 0.1 || index == 0) else { break }
            likeliest.append(UInt16(clamping: one.id))
            probabilities.append(UInt8((one.probability * 20).rounded()))
            count += 1
        }
        counts.append(count)
    }

    /// A script's list of the streams; those of high bytes are empty where they are all zero.
    func packed(names: Int) -> String {
        func low(_ values: [UInt16]) -> [UInt8] { values.map { UInt8($0 & 0xFF) } }
        func high(_ values: [UInt16]) -> [UInt8] {
            values.contains { $0 > 0xFF } ? values.map { UInt8($0 >> 8) } : []
        }
        let streams = [nats, counts, low(ranks), high(ranks), low(likeliest), high(likeliest), probabilities]
        return "[" + streams.map { "\"\(HTMLPage.packed($0))\"" }.joined(separator: ",\n") + "]"
    }
}

/// A visible form of a symbol.
private func visible(_ text: String) -> String {
    switch text {
    case " ": return "space"
    case "\n", "\r\n": return "line end"
    case "\t": return "tab"
    default:
        let scalars = text.unicodeScalars
        if scalars.allSatisfy({ $0.properties.isWhitespace || $0.value < 0x20 || $0.value == 0x7F }) {
            return scalars.map { "U+" + $0.value.hexadecimal(digits: 4) }.joined(separator: " ")
        }
        return text
    }
}
