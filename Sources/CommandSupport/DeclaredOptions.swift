import ArgumentParser
import CharacterModel

extension Option {
    /// An option as ``OptionList`` declares it.
    public init<T: OptionValue & ExpressibleByArgument>(_ path: KeyPath<OptionList, TrainingOption<T>>)
    where Value == T? {
        let option = OptionList.declared[keyPath: path]
        self.init(name: .customLong(option.name), parsing: .unconditional, help: option.argumentHelp)
    }

    /// The same for an option that may be unset.
    ///
    /// - Parameter completion: what shells complete it with, if not the values of its type.
    public init<T: OptionValue & ExpressibleByArgument>(
        _ path: KeyPath<OptionList, TrainingOption<T?>>, completion: CompletionKind? = nil
    )
    where Value == T? {
        let option = OptionList.declared[keyPath: path]
        self.init(
            name: .customLong(option.name), parsing: .unconditional, help: option.argumentHelp, completion: completion)
    }
}

extension Option where Value == Duration? {
    /// A duration, as ``OptionList`` declares it in seconds.
    public init(_ path: KeyPath<OptionList, TrainingOption<Double?>>) {
        let option = OptionList.declared[keyPath: path]
        self.init(
            name: .customLong(option.name), parsing: .unconditional, help: option.argumentHelp,
            transform: Duration.init(parsing:))
    }
}

extension Flag where Value == Bool? {
    /// A yes-or-no option, as ``OptionList`` declares it.
    public init(_ path: KeyPath<OptionList, TrainingOption<Bool?>>) {
        let option = OptionList.declared[keyPath: path]
        self.init(name: .customLong(option.name), inversion: .prefixedNo, help: option.argumentHelp)
    }
}

extension AnyTrainingOption {
    /// Its text in `--help`.
    public var argumentHelp: ArgumentHelp { ArgumentHelp(help + (defaultHelp.map { " (default: \($0))" } ?? "")) }

    /// The words of a command line that set its value; none if the value is the default.
    public func words(in options: TrainingOptions) -> [String] {
        guard let text = text(in: options) else { return [] }
        return switch text {
        case "yes" where self is TrainingOption<Bool?>: ["--\(name)"]
        case "no" where self is TrainingOption<Bool?>: []
        default: ["--\(name)", text]
        }
    }
}

extension TrainingOptions {
    /// The values of the properties of parsed option groups, by property name: `learningRate` is `learning-rate`.
    /// Options that are not declared are left to the command.
    public init(parsed groups: any ParsableArguments...) {
        self.init()
        for child in groups.flatMap({ Mirror(reflecting: $0).children }) {
            guard let label = child.label, let value = (child.value as? any ParsedProperty)?.parsedValue,
                let option = OptionList.all.first(where: { $0.name == hyphenated(label) })
            else { continue }
            option.set((value as? Duration)?.seconds ?? value, in: &self)
        }
    }
}

/// `_learningRate` as `learning-rate`.
private func hyphenated(_ property: String) -> String {
    property.drop { $0 == "_" }.reduce(into: "") { name, character in
        name += character.isUppercase ? "-" + character.lowercased() : String(character)
    }
}

/// A property of a parsed command: its value, if it was given.
private protocol ParsedProperty {
    var parsedValue: Any? { get }
}

extension Option: ParsedProperty {
    fileprivate var parsedValue: Any? { unwrapped(wrappedValue) }
}

extension Flag: ParsedProperty {
    fileprivate var parsedValue: Any? { unwrapped(wrappedValue) }
}

private func unwrapped<Value>(_ value: Value) -> Any? {
    let mirror = Mirror(reflecting: value)
    return mirror.displayStyle == .optional ? mirror.children.first?.value : value
}
