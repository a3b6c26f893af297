extension FixedWidthInteger {
    /// The number in hexadecimal digits, with zeros in front.
    package func hexadecimal(digits: Int, uppercase: Bool = true) -> String {
        let text = String(self, radix: 16, uppercase: uppercase)
        return String(repeating: "0", count: Swift.max(0, digits - text.count)) + text
    }
}
