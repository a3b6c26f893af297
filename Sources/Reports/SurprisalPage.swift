import CharacterModel
import Foundation
import Tokenization

/// Collects the surprisal of every symbol of a text in one self-contained page: the text coloured by surprisal, what
/// the model expected at each symbol, the summary, and the most and least expected lines.
///
/// The page contains the text as plain text, line by line. Data about its symbols is in compact tables, which the
/// page's script uses to colour the visible lines.
public struct SurprisalPage {
    private let files: [String]
    private let names: [String]
    private let endName: String
    private var lines: [Line] = []
    private var open = Line(file: 0, number: 1, first: 0)
    /// For each piece of text: its length in UTF-16 units, its nats in sixteenths, the rank of its last symbol, and the likeliest
    /// symbols with their probabilities in 255ths.
    private var lengths: [UInt8] = []
    private var nats: [UInt8] = []
    private var ranks: [UInt16] = []
    private var likeliest: [UInt16] = []
    private var probabilities: [UInt8] = []
    /// A byte model's symbols may be parts of a character.
    private var stream = UTF8Stream()
    private var pendingNats = 0.0
    private var last = Prediction()

    private struct Line {
        var file: Int
        var number: Int
        /// The first of its pieces.
        var first: Int
        var text = ""
        var nats = 0.0
        var symbols = 0
    }

    /// - Parameter vocabulary: the vocabulary of the expected symbols to show.
    public init(files: [String], vocabulary: Vocabulary) {
        self.files = files
        names = vocabulary.symbols.map { symbol in
            String(validating: symbol.bytes, as: UTF8.self).map(visible)
                ?? symbol.bytes.map { String(format: "0x%02X", $0) }.joined(separator: " ")
        }
        endName = vocabulary.records == nil ? "boundary" : "end of record"
    }

    public mutating func add(_ surprisal: Surprisal) {
        if surprisal.file != open.file { close() }
        if open.symbols == 0 { (open.file, open.number) = (surprisal.file, surprisal.line) }
        let bytes = surprisal.symbol?.bytes ?? Array("\n".utf8)
        open.nats += surprisal.nats
        open.symbols += 1
        pendingNats += surprisal.nats
        last = surprisal.prediction
        let text = stream.append(bytes)
        if !text.isEmpty { append(text, surprisal.prediction) }
        if bytes.last == UInt8(ascii: "\n") { close() }
    }

    private mutating func append(_ text: String, _ prediction: Prediction) {
        // Very long clusters are split into several pieces; the first one carries all the data.
        let parts = pieces(of: text)
        for (index, part) in parts.enumerated() {
            lengths.append(UInt8(part.utf16.count))
            nats.append(UInt8(min(255, ((index == 0 ? pendingNats : 0) * 16).rounded())))
            ranks.append(UInt16(clamping: prediction.rank))
            for candidate in 0..<Prediction.candidates {
                let one = prediction.likeliest[candidate]
                likeliest.append(UInt16(clamping: one.id < 0 ? 0xFFFF : Int(one.id)))
                probabilities.append(UInt8((one.probability * 255).rounded()))
            }
        }
        open.text += text
        pendingNats = 0
    }

    private func pieces(of text: String) -> [String] {
        if text.utf16.count <= 200 { return [text] }
        var parts: [String] = [""]
        for scalar in text.unicodeScalars {
            if parts[parts.count - 1].utf16.count > 190 { parts.append("") }
            parts[parts.count - 1].unicodeScalars.append(scalar)
        }
        return parts
    }

    private mutating func close() {
        // An incomplete character ends with its line.
        let rest = stream.finish()
        if !rest.isEmpty { append(rest, last) }
        if open.symbols > 0 { lines.append(open) }
        open = Line(file: open.file, number: open.number, first: lengths.count)
    }

    /// The page of all symbols so far.
    ///
    /// - Parameter summary: names and values to show at the top.
    public mutating func page(title: String, summary: [(name: String, value: String)]) -> String {
        close()
        return HTMLPage.page(
            title: title, style: Self.style, body: body(title, summary), script: data() + Self.script)
    }

    private func body(_ title: String, _ summary: [(name: String, value: String)]) -> String {
        let escaped = HTMLPage.escaped
        var html = "<h1>\(escaped(title))</h1>\n<dl>"
        for row in summary { html += "<div><dt>\(escaped(row.name))</dt><dd>\(escaped(row.value))</dd></div>" }
        html += "</dl>\n<div id=legend><span>nats:</span>"
        for (level, name) in Self.levels.enumerated() { html += "<span class=l\(level)>\(name)</span>" }
        html += "</div>\n"
        // The mean of a very short line is not meaningful.
        let ranked = lines.indices.filter { lines[$0].symbols >= 10 }.sorted {
            (lines[$0].nats / Double(lines[$0].symbols), $0) < (lines[$1].nats / Double(lines[$1].symbols), $1)
        }
        html += table("Least expected lines", ranked.reversed().prefix(15).map(\.self))
        html += table("Most expected lines", ranked.prefix(15).map(\.self))
        html += """
            <p class=hint>Point at a character, or move to the text and press the arrow keys, to see what the model expected \
            there.</p>
            <div id=detail lang="" aria-live=off>&nbsp;</div>
            <div id=text lang="" tabindex=0 role=group aria-label="the text; arrow keys move from character to character">

            """
        for (index, line) in lines.enumerated() {
            if index == 0 || lines[index - 1].file != line.file { html += "<h2>\(escaped(files[line.file]))</h2>\n" }
            html += "<p dir=auto id=n\(index) data-first=\(line.first)>\(escaped(line.text))</p>\n"
        }
        html += "</div>\n"
        return html
    }

    private func table(_ title: String, _ indices: [Int]) -> String {
        var html = "<details><summary>\(title)</summary>\n<table><tr><th>nats per symbol<th>line<th>text\n"
        for index in indices {
            let line = lines[index]
            let text = HTMLPage.escaped(String(line.text.prefix(120)))
            html += """
                <tr><td>\(formatted(line.nats / Double(line.symbols), decimals: 2))<td><a href="#n\(index)">\(line.number)</a>\
                <td dir=auto lang="">\(text)

                """
        }
        return html + "</table></details>\n"
    }

    /// The tables as the script reads them.
    private func data() -> String {
        func base64<Element>(_ elements: [Element]) -> String {
            elements.withUnsafeBytes { Data($0).base64EncodedString() }
        }
        let names = HTMLPage.json(self.names + [endName, "unknown"])
        return """
            const names=\(names),lengths=table("\(base64(lengths))",Uint8Array),\
            nats=table("\(base64(nats))",Uint8Array),ranks=table("\(base64(ranks))",Uint16Array),\
            likeliest=table("\(base64(likeliest))",Uint16Array),\
            probabilities=table("\(base64(probabilities))",Uint8Array);

            """
    }

    /// The bounds of the colours in nats, the same as in the script.
    private static let levels = ["below ½", "½ to 1", "to 2", "to 3", "to 5", "to 8", "8 and more"]

    private static let style = """
        #detail{position:sticky;top:0;background:Canvas;padding:.4em 0;border-bottom:1px solid GrayText;min-height:1.5em}
        #text p{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;min-height:1.3em;content-visibility:auto;\
        contain-intrinsic-size:auto 1.5em}
        #text{font-size:1.1em;line-height:1.5;margin:1em 0}
        #text:focus{outline:2px solid Highlight;outline-offset:4px}
        #text .at{outline:2px solid CanvasText}
        #legend span{padding:.1em .5em;margin-right:.2em}
        .l1{background:rgb(235 140 0/.15)}.l2{background:rgb(235 140 0/.28)}.l3{background:rgb(235 120 0/.42)}
        .l4{background:rgb(235 90 0/.52)}.l5{background:rgb(230 50 0/.6)}
        .l6{background:rgb(215 0 30/.68);text-decoration:underline}
        """

    private static let script = """
        const detail=document.getElementById("detail"),text=document.getElementById("text");
        const bounds=[.5,1,2,3,5,8],lines=[...text.querySelectorAll("p")];
        const total=lengths.length;let at=null;
        lines.forEach((l,i)=>l.n=i);
        function first(i){return i<lines.length?+lines[i].dataset.first:total}
        function colour(line){
          if(line.done)return;line.done=true;
          const i=line.n,s=line.textContent;let from=0;line.textContent="";
          for(let k=first(i);k<first(i+1);k++){
            const e=document.createElement("span");e.textContent=s.substr(from,lengths[k]);from+=lengths[k];
            e.className="l"+bounds.filter(b=>nats[k]/16>=b).length;e.k=k;line.append(e)}
        }
        function show(e){
          if(at)at.classList.remove("at");at=e;e.classList.add("at");const k=e.k;
          let s="“"+(e.textContent.trim()||JSON.stringify(e.textContent).slice(1,-1))+"”: "
            +(nats[k]==255?"16 or more":(nats[k]/16).toFixed(2))+" nats, rank "+ranks[k]+". Expected: ";
          const c=[];for(let j=0;j<5;j++){const n=likeliest[5*k+j];
            if(n<names.length&&n<65535)c.push(names[n]+" "+Math.round(probabilities[5*k+j]/2.55)+" %")}
          detail.textContent=s+c.join(", ")}
        function line(e){return e.closest("p")}
        function step(e,forward){
          let n=forward?e.nextSibling:e.previousSibling;
          for(let i=line(e).n+(forward?1:-1);!n&&i>=0&&i<lines.length;i+=forward?1:-1){
            colour(lines[i]);n=forward?lines[i].firstChild:lines[i].lastChild}
          return n}
        function move(e){if(e){detail.ariaLive="polite";show(e);e.scrollIntoView({block:"nearest"})}}
        const seen=new IntersectionObserver(es=>{for(const e of es)if(e.isIntersecting)colour(e.target)},
          {rootMargin:"600px"});
        lines.forEach(l=>seen.observe(l));
        text.addEventListener("mouseover",e=>{if(e.target.k!==undefined){detail.ariaLive="off";show(e.target)}});
        text.addEventListener("click",e=>{if(e.target.k!==undefined)show(e.target)});
        text.addEventListener("keydown",e=>{
          const keys=["ArrowRight","ArrowLeft","ArrowDown","ArrowUp"].indexOf(e.key);
          if(keys<0||e.ctrlKey||e.altKey||e.metaKey)return;e.preventDefault();
          if(!at){const l=lines.find(l=>l.getBoundingClientRect().bottom>80)||lines[0];if(!l)return;colour(l);
            return move(l.firstChild)}
          const rtl=getComputedStyle(line(at)).direction=="rtl";
          if(keys<2)return move(step(at,(keys==0)!=rtl));
          const i=line(at).n+(keys==2?1:-1);
          if(lines[i]){colour(lines[i]);move(lines[i].firstChild)}});

        """
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
            return scalars.map { "U+" + String(format: "%04X", $0.value) }.joined(separator: " ")
        }
        return text
    }
}
