import LinearAlgebra
import RecurrentNetwork
import Tokenization

/// A training option, declared once. The command line, the checkpoint record, range checks, the checks for resumed
/// runs, messages about choices, and the model card all use this declaration.
public struct TrainingOption<Value: OptionValue>: Sendable {
    /// In lower case with hyphens: `learning-rate`.
    public let name: String
    package let section: OptionSection
    /// One or two sentences.
    public let help: String
    /// The default value.
    public let standard: Value
    /// How help describes a default that is not a constant: `by the model`.
    public let defaultText: String?
    public let allowed: AllowedValues<Value>
    package let fixedBy: OptionBond
    /// Whether a recommendation sets it if the user does not.
    package let isRecommended: Bool
    /// Reads it from a checkpoint, if it is stored outside the options of the training record; else nil.
    let stored: (@Sendable (TrainingSetup) -> Value)?

    init(
        _ name: String, _ section: OptionSection, _ standard: Value, _ allowed: AllowedValues<Value> = .all,
        default defaultText: String? = nil, fixedBy: OptionBond = .training, isRecommended: Bool = false,
        in stored: (@Sendable (TrainingSetup) -> Value)? = nil, help: String
    ) {
        self.name = name
        self.section = section
        self.help = help
        self.standard = standard
        self.defaultText = defaultText
        self.allowed = allowed
        self.fixedBy = fixedBy
        self.isRecommended = isRecommended
        self.stored = stored
    }
}

/// What an option is about.
package enum OptionSection: Sendable, CaseIterable {
    case text, model, training, validation
}

/// What prevents an option from changing once a training run has begun.
package enum OptionBond: Sendable {
    /// Each run may set a different value.
    case nothing
    /// A resumed run cannot change it; a new training run that starts from the weights can.
    case training
    /// The weights depend on it.
    case weights
}

/// What a checkpoint records about the training of its model.
package struct TrainingSetup: Sendable {
    package let configuration: ModelConfiguration
    package let vocabulary: Vocabulary
    package let record: TrainingRecord

    package init(configuration: ModelConfiguration, vocabulary: Vocabulary, record: TrainingRecord) {
        self.configuration = configuration
        self.vocabulary = vocabulary
        self.record = record
    }
}

/// The values that an option may have.
public struct AllowedValues<Value>: Sendable {
    /// Completes the sentence "it must be ...".
    public let text: String
    public let contains: @Sendable (Value) -> Bool

    public static var all: AllowedValues { AllowedValues(text: "any") { _ in true } }
}

extension AllowedValues where Value: Comparable & Sendable {
    static func range(_ range: ClosedRange<Value>) -> AllowedValues {
        AllowedValues(text: "from \(range.lowerBound) to \(range.upperBound)") { range.contains($0) }
    }
}

extension AllowedValues<Int> {
    static func zeroOr(_ range: ClosedRange<Int>) -> AllowedValues {
        AllowedValues(text: "0, or from \(range.lowerBound) to \(range.upperBound)") { $0 == 0 || range.contains($0) }
    }

    static func atLeast(_ least: Int) -> AllowedValues { AllowedValues(text: "at least \(least)") { $0 >= least } }
}

extension AllowedValues<Double> {
    static var part: AllowedValues { AllowedValues(text: "at least 0 and below 1") { $0 >= 0 && $0 < 1 } }
    static var positive: AllowedValues { AllowedValues(text: "finite and above 0") { $0 > 0 && $0.isFinite } }
    static var notNegative: AllowedValues { AllowedValues(text: "finite and at least 0") { $0 >= 0 && $0.isFinite } }
}

extension AllowedValues {
    /// The same for an option that may be unset.
    static func optional<Wrapped>(_ allowed: AllowedValues<Wrapped>) -> AllowedValues where Value == Wrapped? {
        AllowedValues(text: allowed.text) { $0.map(allowed.contains) ?? true }
    }
}

/// A type of option values.
public protocol OptionValue: Sendable, Equatable, Codable {
    /// The value as written on a command line; nil if unset.
    var optionText: String? { get }
}

extension Int: OptionValue { public var optionText: String? { String(self) } }
extension UInt64: OptionValue { public var optionText: String? { String(self) } }
extension Double: OptionValue {
    public var optionText: String? { self == rounded() && magnitude < 1e15 ? String(Int(self)) : String(self) }
}

extension String: OptionValue { public var optionText: String? { self } }
extension Bool: OptionValue { public var optionText: String? { self ? "yes" : "no" } }
extension Optional: OptionValue where Wrapped: OptionValue {
    public var optionText: String? { self?.optionText }
}

extension OptionValue where Self: RawRepresentable, RawValue == String {
    public var optionText: String? { rawValue }
}

extension TextUnit: OptionValue {}
extension Normalization: OptionValue {}
extension InvalidPolicy: OptionValue {}
extension Newlines: OptionValue {}
extension CellKind: OptionValue {}
extension Nonlinearity: OptionValue {}
extension Optimizer: OptionValue {}
extension Precision: OptionValue {}
extension Schedule: OptionValue {}
