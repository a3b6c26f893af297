import CharacterModel
import Tokenization

/// A text on a page, each of its characters coloured by a script, with something to say about each.
///
/// The page contains the text as plain text, line by line. A piece is what gets one colour: the text that one symbol (or, of a byte model,
/// several) completes; very long clusters are several pieces.
struct TextPane {
    struct Line {
        /// The index of its file, and its number there, from 1.
        var file: Int
        var number: Int
        var text = ""
    }

    private(set) var lines: [Line] = []
    private var open: Line?
    private var openPieces = 0
    /// A longer line is cut into several, since a browser lays out a line as a whole.
    private static let longest = 2_000
    /// The file of the line that is being read; nil between lines.
    var openFile: Int? { open?.file }
    /// The length of each piece in UTF-16 units.
    private var lengths: [UInt8] = []
    /// A byte model's symbols may be parts of a character.
    private var stream = UTF8Stream()

    /// Adds a symbol: nil for the end of a record.
    ///
    /// - Returns: the number of pieces that it completes.
    mutating func add(_ symbol: Symbol?, file: Int, line: Int) -> Int {
        if open == nil || openPieces >= Self.longest {
            if let open { lines.append(open) }
            (open, openPieces) = (Line(file: file, number: line), 0)
        }
        return append(stream.append(symbol?.bytes ?? Array("\n".utf8)))
    }

    /// Ends the line.
    ///
    /// - Returns: the number of pieces that end with it, as an incomplete character does.
    mutating func endLine() -> Int {
        let rest = append(stream.finish())
        if let open { lines.append(open) }
        open = nil
        return rest
    }

    private mutating func append(_ text: String) -> Int {
        guard !text.isEmpty else { return 0 }
        let parts = pieces(of: text)
        for part in parts { lengths.append(UInt8(part.utf16.count)) }
        open?.text += text
        openPieces += parts.count
        return parts.count
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

    /// The text, to be coloured by `pane(lengths, colour, say)`.
    func html(files: [String]) -> String {
        var html = """
            <div id=detail lang="" aria-live=off>&nbsp;</div>
            <div id=text lang="" tabindex=0 role=group aria-label="the text; arrow keys move from character to character">

            """
        for (index, line) in lines.enumerated() {
            if index == 0 || lines[index - 1].file != line.file {
                html += "<h3>\(HTMLPage.escaped(files[line.file]))</h3>\n"
            }
            html += "<p dir=auto>\(HTMLPage.escaped(line.text))\n"
        }
        return html + "</div>\n"
    }

    /// The lengths of the pieces, as a script's expression.
    var packedLengths: String { "await unpack(\"\(HTMLPage.packed(lengths))\")" }

    static let style = """
        #detail{position:sticky;top:0;background:var(--paper);padding:.5em 0;border-bottom:1px solid var(--line);min-height:2.5em;z-index:1;
        font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
        #text p{margin:0;max-width:none;white-space:pre-wrap;min-height:1.3em;content-visibility:auto;contain-intrinsic-size:auto 1.6em}
        #text{font-size:1.1rem;line-height:1.6;margin:1em 0}
        #text .at{outline:2px solid var(--ink)}
        .legend{display:flex;flex-wrap:wrap;gap:.2em;align-items:center;font-size:.85rem;margin:.6em 0}
        .legend span{padding:.1em .6em}

        """

    /// `pane(lengths, colour, say)`: `colour(k)` is the class of piece k, `say(k, text)` what the line at the top says about it. It returns
    /// a function that colours anew.
    static let script = """
        function pane(lengths,colour,say){
          const detail=document.getElementById("detail"),text=document.getElementById("text");
          const lines=[...text.querySelectorAll("p")];let at=null,k=0;
          const first=lines.map((l,i)=>{l.n=i;l.id="n"+i;const s=l.textContent;
            if(s.endsWith("\\n"))l.textContent=s.slice(0,-1);
            const f=k;let n=l.textContent.length;while(n>0)n-=lengths[k++];return f});first.push(k);
          document.getElementById(location.hash.slice(1))?.scrollIntoView();
          function paint(line){
            if(line.done)return;line.done=true;
            const i=line.n,s=line.textContent;let from=0;line.textContent="";
            for(let k=first[i];k<first[i+1];k++){
              const e=document.createElement("span");e.textContent=s.substr(from,lengths[k]);from+=lengths[k];
              e.className=colour(k);e.k=k;line.append(e)}
          }
          function show(e){
            if(at)at.classList.remove("at");at=e;e.classList.add("at");
            const s="“"+(e.textContent.trim()||JSON.stringify(e.textContent).slice(1,-1))+"”";detail.textContent=say(e.k,s)}
          const line=e=>e.closest("p");
          function step(e,forward){
            let n=forward?e.nextSibling:e.previousSibling;
            for(let i=line(e).n+(forward?1:-1);!n&&i>=0&&i<lines.length;i+=forward?1:-1){
              paint(lines[i]);n=forward?lines[i].firstChild:lines[i].lastChild}
            return n}
          function move(e){if(e){detail.ariaLive="polite";show(e);e.scrollIntoView({block:"nearest"})}}
          const seen=new IntersectionObserver(es=>{for(const e of es)if(e.isIntersecting)paint(e.target)},{rootMargin:"600px"});
          lines.forEach(l=>seen.observe(l));
          text.addEventListener("mouseover",e=>{if(e.target.k!==undefined){detail.ariaLive="off";show(e.target)}});
          text.addEventListener("click",e=>{if(e.target.k!==undefined)show(e.target)});
          text.addEventListener("keydown",e=>{
            const keys=["ArrowRight","ArrowLeft","ArrowDown","ArrowUp"].indexOf(e.key);
            if(keys<0||e.ctrlKey||e.altKey||e.metaKey)return;e.preventDefault();
            if(!at){const l=lines.find(l=>l.getBoundingClientRect().bottom>80)||lines[0];if(!l)return;paint(l);return move(l.firstChild)}
            const rtl=getComputedStyle(line(at)).direction=="rtl";
            if(keys<2)return move(step(at,(keys==0)!=rtl));
            const i=line(at).n+(keys==2?1:-1);
            if(lines[i]){paint(lines[i]);move(lines[i].firstChild)}});
          return ()=>{detail.textContent="\\u00a0";at=null;
            for(const l of lines)if(l.done){l.done=false;l.textContent=l.textContent;seen.unobserve(l);seen.observe(l)}}
        }

        """
}
