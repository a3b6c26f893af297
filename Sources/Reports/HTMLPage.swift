/// A self-contained page: it needs no network and no other files.
public enum HTMLPage {
    /// - Parameters:
    ///   - title: plain text.
    ///   - body, style, script: inserted verbatim; they must not contain their element's end tag.
    public static func page(title: String, style: String, body: String, script: String = "") -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width,initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none';\
        style-src 'unsafe-inline';script-src 'unsafe-inline'">
        <title>\(escaped(title))</title>
        <style>
        :root{color-scheme:light dark}
        body{font:16px/1.4 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;\
        background:Canvas;color:CanvasText}
        dl{display:flex;flex-wrap:wrap;gap:.5em 2em}dt{font-size:.85em;opacity:.75}dd{margin:0;font-weight:600}
        table{border-collapse:collapse}th,td{text-align:start;padding:.2em .8em .2em 0;vertical-align:top}
        .hint{opacity:.75}
        \(style)
        </style>
        <body>
        <main>
        \(body)
        </main>
        <script>
        function table(s,T){const b=atob(s),a=new Uint8Array(b.length);
        for(let i=0;i<b.length;i++)a[i]=b.charCodeAt(i);return new T(a.buffer)}
        \(script)
        </script>
        </body>
        </html>

        """
    }

    /// Text with HTML's special characters escaped. Control characters, which HTML does not allow, become Unicode's
    /// control pictures.
    public static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\t", "\n": result.unicodeScalars.append(scalar)
            default:
                let isControl = scalar.value < 0x20 || scalar.value == 0x7F
                let picture = scalar.value == 0x7F ? 0x2421 : 0x2400 + scalar.value
                result.unicodeScalars.append(isControl ? Unicode.Scalar(picture)! : scalar)
            }
        }
        return result
    }

    /// Texts as a JSON list for a script; nothing in it can end the script.
    public static func json(_ texts: [String]) -> String {
        "["
            + texts.map { text in
                var quoted = "\""
                for scalar in text.unicodeScalars {
                    let isPlain =
                        scalar.value >= 0x20 && !["\"", "\\", "<", ">", "&", "\u{2028}", "\u{2029}"].contains(scalar)
                    if isPlain {
                        quoted.unicodeScalars.append(scalar)
                    } else {
                        let digits = String(scalar.value, radix: 16)
                        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                    }
                }
                return quoted + "\""
            }.joined(separator: ",") + "]"
    }
}
