import Glibc

/// 1234567 as "1,234,567".
public func formatted(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var result = ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { result += "," }
        result.append(digit)
    }
    return number < 0 ? "-" + result : result
}

/// A number with a fixed number of decimals.
public func formatted(_ number: Double, decimals: Int) -> String { formatted(number, as: "%.\(decimals)f") }

/// A number by a format of C's `printf`.
func formatted(_ number: Double, as format: String) -> String {
    withVaList([number]) { arguments in
        var text = [CChar](repeating: 0, count: 400)
        let count = vsnprintf(&text, text.count, format, arguments)
        return String(decoding: text.prefix(Int(count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// "45 s", "3 min 20 s"; "less than a second".
public func formatted(timeLeft seconds: Double) -> String {
    seconds < 1 ? "less than a second" : formatted(seconds: seconds)
}

/// "45 s", "3 min 20 s", "2 h 5 min".
public func formatted(seconds: Double) -> String {
    guard abs(seconds) < 1e9 else { return "forever" }
    if seconds < 1 { return "\(Int((seconds * 1_000).rounded())) ms" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3_600 { return whole % 60 == 0 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3_600) h \(whole % 3_600 / 60) min"
}

/// "3.5 MB", "12.0 GB".
public func formatted(bytes: Double) -> String {
    bytes < 1e9 ? formatted(bytes / 1e6, decimals: 1) + " MB" : formatted(bytes / 1e9, decimals: 1) + " GB"
}

/// An explanation of a number of bits per character, for people.
public func meaning(ofBits bits: Double) -> String {
    let choices = exp2(bits)
    return
        "about as good as guessing among \(choices < 1e6 ? formatted(choices, decimals: choices < 10 ? 1 : 0) : "very many") "
        + "characters; a coin toss is 1 bit"
}

/// The last part of a path, without the ending of a model.
public func fileName(_ path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let ending = [".last.safetensors", ".safetensors"].first { name.hasSuffix($0) && name.count > $0.count }
    return String(name.dropLast(ending?.count ?? 0))
}
