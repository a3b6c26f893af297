import FoundationEssentials

/// A line of a metrics file, as written by training and read by reports.
public enum MetricsLine: Sendable, Equatable, Codable {
    case step(StepReport)
    case validation(ValidationReport)
    case recovery(RecoveryReport)

    /// The keys of the object determine the kind of report.
    public init(from decoder: any Decoder) throws {
        if let report = try? StepReport(from: decoder) {
            self = .step(report)
        } else if let report = try? ValidationReport(from: decoder) {
            self = .validation(report)
        } else {
            self = .recovery(try RecoveryReport(from: decoder))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .step(let report): try report.encode(to: encoder)
        case .validation(let report): try report.encode(to: encoder)
        case .recovery(let report): try report.encode(to: encoder)
        }
    }

    /// The step that the line is about.
    public var step: Int {
        switch self {
        case .step(let report): report.step
        case .validation(let report): report.step
        case .recovery(let report): report.step
        }
    }

    /// One JSON object, without a line end. Numbers that are not finite are written as strings.
    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }

    /// Reads lines of metrics.
    ///
    /// - Throws: `MetricsError` for a line that is not a metrics line, and if there are no lines.
    public static func lines(of data: Data, name: String) throws(MetricsError) -> [MetricsLine] {
        var lines: [MetricsLine] = []
        for (index, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
            guard let line = try? decoder.decode(MetricsLine.self, from: Data(line)), (0...1 << 53).contains(line.step)
            else { throw MetricsError(name: name, line: index + 1) }
            lines.append(line)
        }
        guard !lines.isEmpty else { throw MetricsError(name: name, line: nil) }
        return lines
    }

    /// Whether bytes begin with a line of metrics, or with the beginning of an unfinished one.
    static func begins(_ data: Data) -> Bool {
        guard let end = data.firstIndex(of: UInt8(ascii: "\n")) else {
            // A full disk or a power failure may have cut it off anywhere. The last prefix is that of earlier versions.
            return !data.isEmpty
                && ["{\"epoch\":", "{\"back_to_step\":", "{\"step\":"].contains { beginning in
                    zip(data, beginning.utf8).allSatisfy { $0 == $1 }
                }
        }
        return (try? decoder.decode(MetricsLine.self, from: data[..<end])) != nil
    }
}

/// A file that does not hold metrics.
public struct MetricsError: Error, Equatable, Sendable, CustomStringConvertible {
    public let name: String
    /// The number of the bad line, counted from 1; nil for a file without lines.
    public let line: Int?

    public var description: String {
        line.map { "\(name), line \($0), is not a line of metrics; give one that train wrote" }
            ?? "\(name) is empty; give one that train wrote"
    }
}

extension TrainingEvent {
    /// The line of the metrics file, if the event has one.
    public var metricsLine: MetricsLine? {
        switch self {
        case .step(let report): .step(report)
        case .validation(let report): .validation(report)
        case .recovery(let report): .recovery(report)
        case .scoring, .sample, .saved, .kept, .keptMetrics, .notSaved, .otherKernels, .unfairChoice, .fewerLanes: nil
        }
    }
}
