import RecurrentNetwork
import Tokenization

/// Everything that determines a training run apart from the text: the options that were set, and defaults for the rest.
///
///     var options = TrainingOptions()
///     options.hidden = 256
///     options.budget = .seconds(60)
///
/// Options that ``OptionList`` marks as recommended are nil until they are set or recommended.
@dynamicMemberLookup
public struct TrainingOptions: Sendable {
    /// The values that were set, by option name.
    private var given: [String: any OptionValue] = [:]

    public init() {}

    /// An option's value.
    public subscript<Value>(dynamicMember path: KeyPath<OptionList, TrainingOption<Value>>) -> Value {
        get { self[OptionList.declared[keyPath: path]] }
        set { self[OptionList.declared[keyPath: path]] = newValue }
    }

    /// An option's value.
    public subscript<Value>(option: TrainingOption<Value>) -> Value {
        get { given[option.name] as? Value ?? option.standard }
        set {
            let isBudget = TrainingBudget.optionNames.contains(option.name) && newValue.optionText != nil
            if isBudget { for name in TrainingBudget.optionNames { given[name] = nil } }
            given[option.name] = newValue.optionText == nil ? nil : newValue
        }
    }

    /// Whether an option was set.
    package func isGiven(_ option: any AnyTrainingOption) -> Bool { given[option.name] != nil }

    /// Resets an option to its default.
    package mutating func reset(_ option: any AnyTrainingOption) { given[option.name] = nil }

    /// The budget. Setting it replaces any earlier one.
    public var budget: TrainingBudget {
        get {
            if let steps = self.steps { return .steps(steps) }
            if let seconds = self.timeLimit { return .seconds(seconds) }
            return .epochs(self.epochs ?? 10)
        }
        set {
            (self.epochs, self.steps, self.timeLimit) = (nil, nil, nil)
            switch newValue {
            case .epochs(let count): self.epochs = count
            case .steps(let count): self.steps = count
            case .seconds(let seconds): self.timeLimit = seconds
            }
        }
    }

    /// Checks that every value is in its range.
    public func validate() throws(ConfigurationError) {
        for option in OptionList.all { try option.validate(in: self) }
    }

    /// Takes the value of each option from a checkpoint.
    package init(_ setup: TrainingSetup) {
        self = setup.record.options
        for option in OptionList.all { option.take(from: setup, into: &self) }
    }
}

extension TrainingOptions: Equatable {
    public static func == (a: TrainingOptions, b: TrainingOptions) -> Bool {
        a.budget == b.budget
            && OptionList.all.allSatisfy {
                TrainingBudget.optionNames.contains($0.name) || $0.text(in: a) == $0.text(in: b)
            }
    }
}

/// A type-erased option.
package protocol AnyTrainingOption: Sendable {
    var name: String { get }
    var section: OptionSection { get }
    var help: String { get }
    /// The default as shown in help; nil if there is none.
    var defaultHelp: String? { get }
    var fixedBy: OptionBond { get }
    var isRecommended: Bool { get }
    /// Whether a checkpoint stores it with the training options.
    var isRecorded: Bool { get }

    /// The value as text; nil if unset.
    func text(in options: TrainingOptions) -> String?
    /// Sets a value from a command line or a program.
    ///
    /// - Requires: a value of the option's type.
    func set(_ value: Any, in options: inout TrainingOptions)
    /// Copies the value from other options.
    func copy(from other: TrainingOptions, to options: inout TrainingOptions)
    func validate(in options: TrainingOptions) throws(ConfigurationError)
    /// Takes the value from a checkpoint, if it is stored outside its options.
    func take(from setup: TrainingSetup, into options: inout TrainingOptions)
    func encode(_ options: TrainingOptions, into container: inout KeyedEncodingContainer<OptionKey>) throws
    func decode(from container: KeyedDecodingContainer<OptionKey>, into options: inout TrainingOptions) throws
}

/// An option's key in a record: its name with underscores.
package struct OptionKey: CodingKey {
    package let stringValue: String
    package var intValue: Int? { nil }

    init(_ name: String) { stringValue = name.replacing("-", with: "_") }
    package init?(stringValue: String) { self.stringValue = stringValue }
    package init?(intValue: Int) { nil }
}

extension TrainingOption: AnyTrainingOption {
    package var defaultHelp: String? { defaultText ?? standard.optionText }
    package var isRecorded: Bool { stored == nil }

    package func text(in options: TrainingOptions) -> String? { options[self].optionText }

    package func set(_ value: Any, in options: inout TrainingOptions) {
        guard let value = value as? Value else { preconditionFailure("\(name) is not a \(type(of: value))") }
        options[self] = value
    }

    package func copy(from other: TrainingOptions, to options: inout TrainingOptions) { options[self] = other[self] }

    package func validate(in options: TrainingOptions) throws(ConfigurationError) {
        let value = options[self]
        guard !allowed.contains(value) else { return }
        throw ConfigurationError(name: name, value: value.optionText ?? "none", allowed: allowed.text)
    }

    package func take(from setup: TrainingSetup, into options: inout TrainingOptions) {
        if let stored { options[self] = stored(setup) }
    }

    package func encode(_ options: TrainingOptions, into container: inout KeyedEncodingContainer<OptionKey>) throws {
        guard text(in: options) != nil else { return }
        try container.encode(options[self], forKey: OptionKey(name))
    }

    package func decode(from container: KeyedDecodingContainer<OptionKey>, into options: inout TrainingOptions) throws {
        if let value = try container.decodeIfPresent(Value.self, forKey: OptionKey(name)) { options[self] = value }
    }
}

/// The format of a checkpoint's record. Files of earlier versions lack some options; those get their defaults.
extension TrainingOptions: Codable {
    private static let budgetKey = OptionKey("budget")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: OptionKey.self)
        for option in OptionList.recorded { try option.decode(from: container, into: &self) }
        if let budget = try container.decodeIfPresent(TrainingBudget.self, forKey: Self.budgetKey) {
            self.budget = budget
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: OptionKey.self)
        for option in OptionList.recorded { try option.encode(self, into: &container) }
        try container.encode(budget, forKey: Self.budgetKey)
    }
}
