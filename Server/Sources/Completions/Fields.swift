/// The fields of a request, taken one by one; what is left at the end is unknown.
struct Fields {
    private var values: [String: JSONValue]

    /// - Throws: `APIError` if the value is no object.
    init(_ value: JSONValue) throws(APIError) {
        guard case .object(let values) = value else {
            throw APIError(.badRequest, "the body is \(value.kind), not an object")
        }
        // null says that a field is not there.
        self.values = values.filter { $0.value != .null }
    }

    private mutating func take(_ name: String) -> JSONValue? { values.removeValue(forKey: name) }

    mutating func string(_ name: String) throws(APIError) -> String? {
        guard let value = take(name) else { return nil }
        guard case .string(let text) = value else { throw APIError(name, is: value.kind, mustBe: "a string") }
        return text
    }

    mutating func bool(_ name: String) throws(APIError) -> Bool? {
        guard let value = take(name) else { return nil }
        guard case .bool(let flag) = value else { throw APIError(name, is: value.kind, mustBe: "true or false") }
        return flag
    }

    mutating func number(_ name: String, in range: ClosedRange<Double>) throws(APIError) -> Double? {
        guard let value = take(name) else { return nil }
        guard case .number(let number) = value else { throw APIError(name, is: value.kind, mustBe: "a number") }
        guard range.contains(number) else {
            throw APIError(name, is: "\(number)", mustBe: "from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let value = take(name) else { return nil }
        guard case .number(let number) = value else { throw APIError(name, is: value.kind, mustBe: "a whole number") }
        guard let whole = Int(exactly: number) else { throw APIError(name, is: "\(number)", mustBe: "a whole number") }
        guard range.contains(whole) else {
            throw APIError(name, is: "\(whole)", mustBe: "from \(range.lowerBound) to \(range.upperBound)")
        }
        return whole
    }

    /// A string, or several.
    mutating func strings(_ name: String, count: ClosedRange<Int>, bytes: Int) throws(APIError) -> [String]? {
        guard let value = take(name) else { return nil }
        let texts: [String]
        switch value {
        case .string(let text): texts = [text]
        case .array(let values):
            var found: [String] = []
            for value in values {
                guard case .string(let text) = value else {
                    throw APIError(name, is: "an array with \(value.kind)", mustBe: "a string or an array of strings")
                }
                found.append(text)
            }
            texts = found
        default: throw APIError(name, is: value.kind, mustBe: "a string or an array of strings")
        }
        guard count.contains(texts.count) else {
            throw APIError(
                name, is: "\(texts.count) strings", mustBe: "from \(count.lowerBound) to \(count.upperBound)")
        }
        if let long = texts.first(where: { $0.utf8.count > bytes }) {
            throw APIError(name, is: "\(long.utf8.count) bytes long", mustBe: "at most \(bytes)")
        }
        return texts
    }

    mutating func object(_ name: String) throws(APIError) -> [String: JSONValue]? {
        guard let value = take(name) else { return nil }
        guard case .object(let values) = value else { throw APIError(name, is: value.kind, mustBe: "an object") }
        return values
    }

    /// Fields that mean nothing here.
    mutating func ignore(_ names: String...) { for name in names { values[name] = nil } }

    /// A field that is only allowed with the value that changes nothing.
    mutating func refuse(_ name: String, unless harmless: JSONValue, instead: String) throws(APIError) {
        guard let value = take(name), value != harmless else { return }
        throw APIError(.badRequest, "\(name) is not supported; \(instead)", parameter: name)
    }

    /// - Throws: `APIError` if a field was not taken.
    func end() throws(APIError) {
        guard let name = values.keys.min() else { return }
        throw APIError(.badRequest, "there is no field \(name.prefix(64))", parameter: String(name.prefix(64)))
    }
}
