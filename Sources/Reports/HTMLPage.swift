import CZlib
import FoundationEssentials

/// A self-contained page: it needs no network and no other files.
public enum HTMLPage {
    /// - Parameters:
    ///   - title: plain text.
    ///   - language: as in BCP 47.
    ///   - body, head, style, script: inserted verbatim; they must not contain their element's end tag.
    package static func page(
        title: String, language: String = "en", style: String = "", head: String = "", body: String, script: String = ""
    ) -> String {
        """
        <!DOCTYPE html>
        <html lang="\(language)">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width,initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none';\
        style-src 'unsafe-inline';script-src 'unsafe-inline'">
        \(head)<title>\(escaped(title))</title>
        <style>
        \(PageStyle.css)\
        \(style)
        </style>
        <body>
        <main>
        \(body)
        </main>
        <script>
        const unpack=async s=>new Uint8Array(await new Response(new Blob([Uint8Array.from(atob(s),c=>c.charCodeAt(0))])
          .stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
        \(PageStyle.script)\
        \(script)
        </script>
        </body>
        </html>

        """
    }

    /// Names and values as a list; a long value takes a whole row.
    static func facts(_ rows: [(name: String, value: String)]) -> String {
        "<dl class=facts>\n"
            + rows.map { row in
                let isWide = row.value.count > 24
                return
                    "<div\(isWide ? " class=wide" : "")><dt>\(escaped(row.name))</dt><dd>\(escaped(row.value))</dd></div>\n"
            }.joined() + "</dl>\n"
    }

    /// Bytes for a script's `unpack`: deflated, in base 64.
    static func packed(_ bytes: [UInt8]) -> String {
        var size = compressBound(uLong(bytes.count))
        var packed = [UInt8](repeating: 0, count: Int(size))
        let status = compress2(&packed, &size, bytes, uLong(bytes.count), 9)
        precondition(status == Z_OK, "zlib: \(status)")
        return Data(packed.prefix(Int(size))).base64EncodedString()
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
