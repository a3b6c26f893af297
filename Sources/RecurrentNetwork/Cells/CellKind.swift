/// A recurrent cell, by its name. Equations and gate order are PyTorch's where PyTorch has the cell, so that weights can be
/// exchanged.
public struct CellKind: Sendable {
    package let cell: any RecurrentCell

    package init(_ cell: any RecurrentCell) { self.cell = cell }

    /// The name on the command line and in checkpoints.
    public var rawValue: String { cell.name }
    /// The full name, with its source.
    public var title: String { cell.title }

    /// G: how many vectors of H pre-activations a step has.
    public var gateCount: Int { cell.gates.count }

    /// Whether the cell uses a model option, given by name; all cells use most of them.
    public func uses(_ option: String) -> Bool { CellOption(rawValue: option).map(cell.uses.contains) ?? true }
}

extension CellKind: CaseIterable {
    /// All cells: the only list of them.
    public static let allCases: [CellKind] = [.gru, .lstm, .rnn, .mingru]
}

extension CellKind: RawRepresentable {
    public init?(rawValue: String) {
        guard let known = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = known
    }
}

extension CellKind: Hashable, Codable, CustomStringConvertible {
    public static func == (a: CellKind, b: CellKind) -> Bool { a.rawValue == b.rawValue }

    public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }

    public var description: String { rawValue }
}
