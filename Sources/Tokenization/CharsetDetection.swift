import CICU

extension CharsetDecoder {
    /// The charset of a text, detected from its beginning, and the confidence.
    ///
    /// A byte-order mark decides; else UTF-8 if the text is well-formed or nearly so; else the likeliest of ICU's
    /// guesses that decodes the beginning without errors or control characters. A guess with less than 30 % confidence,
    /// or based on fewer than ten non-ASCII bytes, would silently hide damage. The text then counts as UTF-8, so
    /// reading it fails.
    static func detect(_ beginning: UnsafeBufferPointer<UInt8>, isWhole: Bool) throws(TextError) -> (String, Int) {
        let marks: [([UInt8], String)] = [
            ([0xEF, 0xBB, 0xBF], "UTF-8"), ([0xFF, 0xFE, 0, 0], "UTF-32LE"), ([0, 0, 0xFE, 0xFF], "UTF-32BE"),
            ([0xFF, 0xFE], "UTF-16LE"), ([0xFE, 0xFF], "UTF-16BE"),
        ]
        for (mark, name) in marks where beginning.starts(with: mark) { return (name, 100) }
        let sample = UnsafeBufferPointer(rebasing: beginning.prefix(1 << 16))
        // The last sequence may be cut off.
        let invalid = firstInvalidByte(of: beginning)
        let isUTF8 = invalid.map { !isWhole && beginning.count - $0 < 4 } ?? true
        let guesses = try guesses(sample)
        if isUTF8 {
            // Charsets with escape sequences are also well-formed UTF-8, and so is ASCII text in UTF-16.
            let others = guesses.filter {
                $0.name.hasPrefix("ISO-2022") && sample.contains(0x1B)
                    || $0.name.hasPrefix("UTF-") && sample.contains(0)
            }
            return others.first { $0.confidence >= 50 && decodes(sample, $0.name) }.map { ($0.name, $0.confidence) }
                ?? ("UTF-8", 100)
        }
        let evidence = sample.lazy.filter { $0 >= 0x80 || $0 == 0 }.prefix(10).count
        guard evidence == 10, !isMostlyUTF8(sample) else { return ("UTF-8", 0) }
        let fitting = guesses.first { $0.confidence >= 30 && decodes(sample, $0.name) }
        return fitting.map { ($0.name, $0.confidence) } ?? ("UTF-8", 0)
    }

    /// Whether bytes contain NUL and are not text in any charset.
    static func isBinary(_ beginning: UnsafeBufferPointer<UInt8>) -> Bool {
        guard beginning.contains(0) else { return false }
        guard let (name, confidence) = try? detect(beginning, isWhole: false) else { return true }
        return name == "UTF-8" ? confidence == 0 : !name.hasPrefix("UTF-")
    }

    /// The guesses of ICU's detector, likeliest first.
    private static func guesses(
        _ sample: UnsafeBufferPointer<UInt8>
    ) throws(TextError) -> [(name: String, confidence: Int)] {
        var names = [CChar](repeating: 0, count: 64 * 32)
        var confidences = [Int32](repeating: 0, count: 32)
        var status: Int32 = 0
        let count = cicu_detect(sample.baseAddress, Int32(sample.count), &names, &confidences, 32, &status)
        try check(status, "ucsdet_detectAll")
        return (0..<Int(count)).map { index in
            let name = names[64 * index..<64 * (index + 1)].prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return (String(decoding: name, as: UTF8.self), Int(confidences[index]))
        }
    }

    /// Whether a sample is well-formed in a charset and free of control characters that do not occur in text.
    private static func decodes(_ sample: UnsafeBufferPointer<UInt8>, _ name: String) -> Bool {
        guard let decoder = try? CharsetDecoder(name, policy: .error) else { return false }
        var text: [UInt8] = []
        guard (try? decoder.decodeBlock(sample, isLast: false, path: "", into: &text)) != nil else { return false }
        let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
        // U+0080 to U+009F, except U+0085, a line end.
        if scalars.contains(where: { (0x80..<0xA0).contains($0.value) && $0.value != 0x85 }) { return false }
        // In the wrong charset, letters turn into symbols inside words. Apostrophes, dashes and joiners are normal
        // there.
        let (foreign, isInWord) = (
            scalars.count { $0.value >= 0x80 },
            { (scalar: Unicode.Scalar) in
                scalar.properties.isAlphabetic
            }
        )
        let strays = zip(scalars, zip(scalars.dropFirst(), scalars.dropFirst(2))).count { before, rest in
            let (scalar, after) = rest
            return (0x80..<0x3000).contains(scalar.value) && isInWord(before) && isInWord(after) && !isInWord(scalar)
                && !scalar.properties.isCaseIgnorable
                && ![0xB7, 0x2010, 0x2011, 0x2013, 0x2014, 0x2019, 0x2026].contains(scalar.value)
        }
        return 20 * strays <= foreign
    }

    /// Whether most non-ASCII bytes are well-formed UTF-8. Then the rest are errors, not another charset.
    private static func isMostlyUTF8(_ sample: UnsafeBufferPointer<UInt8>) -> Bool {
        var (wellFormed, illFormed, index) = (0, 0, 0)
        while index < sample.count {
            if sample[index] < 0x80 {
                index += 1
                continue
            }
            let rest = UnsafeBufferPointer(rebasing: sample[index..<min(index + 4, sample.count)])
            let valid = (2...4).first { $0 <= rest.count && firstInvalidByte(of: .init(rebasing: rest[..<$0])) == nil }
            if valid != nil { wellFormed += 1 } else { illFormed += 1 }
            index += valid ?? 1
        }
        return wellFormed > illFormed
    }
}
