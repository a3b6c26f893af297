import ArgumentParser
import CharacterModel

extension Option {
    /// An option as ``OptionList`` declares it.
    public init<T: OptionValue & ExpressibleByArgument>(_ path: KeyPath<OptionList, TrainingOption<T>>)
    where Value == T? {
        let option = OptionList.declared[keyPath: path]
        self.init(name: .customLong(option.name), parsing: .unconditional, help: option.argumentHelp)
    }

    /// The same for one that may be left open.
    public init<T: OptionValue & ExpressibleByArgument>(_ path: KeyPath<OptionList, TrainingOption<T?>>)
    where Value == T? {
        let option = OptionList.declared[keyPath: path]
        self.init(name: .customLong(option.name), parsing: .unconditional, help: option.argumentHelp)
    }
}

extension Option where Value == Duration? {
    /// A length of time, as ``OptionList`` declares it in seconds.
    public init(_ path: KeyPath<OptionList, TrainingOption<Double?>>) {
        let option = OptionList.declared[keyPath: path]
        self.init(
            name: .customLong(option.name), parsing: .unconditional, help: option.argumentHelp,
            transform: Duration.init(parsing:))
    }
}

extension Flag where Value == Bool? {
    /// A choice of two, as ``OptionList`` declares it.
    public init(_ path: KeyPath<OptionList, TrainingOption<Bool?>>) {
        let option = OptionList.declared[keyPath: path]
        self.init(name: .customLong(option.name), inversion: .prefixedNo, help: option.argumentHelp)
    }
}

extension AnyTrainingOption {
    /// What `--help` says of it.
    public var argumentHelp: ArgumentHelp { ArgumentHelp(help + (defaultHelp.map { " (default: \($0))" } ?? "")) }

    /// The words of a command line that ask for its value; none where that is what happens without them.
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
    /// What the properties of parsed groups of options say, each by the name of its property: `learningRate` is `learning-rate`.
    /// What is not declared is left to the command.
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

/// The property of a parsed command: what was given, if anything.
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
