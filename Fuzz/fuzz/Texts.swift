import Foundation

@testable import Tokenization

/// Any bytes in any charset, read in blocks of any size, give the same symbols (or the same error) as read at once.
///
/// The first eight bytes decide how the rest is read.
func fuzzText(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard bytes.count >= 8 else { return }
    let units = TextUnit.allCases
    let unit = units[Int(bytes[0]) % units.count]
    let forms = Normalization.allCases
    let form = unit == .byte ? Normalization.none : forms[Int(bytes[1]) % forms.count]
    var format = TextFormat()
    format.encoding = charset(bytes[2])
    format.onInvalid = InvalidPolicy.allCases[Int(bytes[3]) % 3]
    format.newlines = bytes[4] % 2 == 0 ? .keep : .lf
    let separators: [RecordSeparator?] = [nil, .line, .blankLine, .file, .text("ab"), .text("\n%\n")]
    let records = separators[Int(bytes[5]) % separators.count]
    let block = 1 + Int(bytes[6]) % 70
    let text = Array(bytes.dropFirst(8))
    // Charset detection depends on how much of the beginning it sees; blocks are filled to at least that size.
    let sizes = format.encoding == .automatic ? [1 << 20] : [1 << 20, block]
    let read = sizes.map { size in
        Result {
            try Corpus(
                reading: [.bytes(text, name: "t"), .bytes(Array(text.reversed()), name: "u")], unit: unit,
                normalization: form, reader: TextReader(blockSize: size, format: unit == .byte ? nil : format),
                records: records, into: TokenBuffer())
        }
    }
    switch (read[0], read[read.count - 1]) {
    case (.success(let a), .success(let b)):
        require(
            a.count == b.count && (0..<a.count).allSatisfy { a[$0] == b[$0] }, "wrong symbols in blocks of \(block)")
        require(a.symbols == b.symbols && a.files == b.files && a.sha256 == b.sha256, "different counts")
        require(a.characters(in: 0..<a.count) <= a.counts.characters, "more characters than there are")
        for position in 0..<a.count where a[position] != Corpus.endOfRecord {
            require(a.symbols.indices.contains(a[position]), "no such symbol")
        }
    case (.failure(let a), .failure(let b)):
        require("\(a)" == "\(b)", "different errors: \(a); \(b)")
    default: fatalError("an error in one reading only, in blocks of \(block): \(read)")
    }
}

private let charsets = [
    "UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "UTF-32LE", "ISO-8859-1", "windows-1252", "KOI8-R",
    "Shift_JIS",
    "EUC-JP", "EUC-KR", "GB18030", "Big5", "ISO-2022-JP", "ISO-2022-KR", "HZ-GB-2312", "UTF-7", "SCSU", "BOCU-1",
    "IBM037",
    "windows-1258", "TIS-620", "x-iscii-de", "IMAP-mailbox-name", "CESU-8", "LMBCS-1",
]

private func charset(_ byte: UInt8) -> TextEncoding {
    let index = Int(byte) % (charsets.count + 1)
    return index == charsets.count ? .automatic : .named(charsets[index])
}
