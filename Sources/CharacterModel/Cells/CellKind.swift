/// The recurrent cells. Equations and gate order are PyTorch's, with two bias vectors, so that weights can be exchanged.
public enum CellKind: String, Sendable, Codable, CaseIterable {
    /// Long short-term memory (Hochreiter & Schmidhuber 1997).
    case lstm
    /// Gated recurrent unit (Cho et al. 2014).
    case gru
    /// Simple recurrent network (Elman 1990).
    case rnn

    /// G: how many vectors of H pre-activations a step has.
    public var gates: Int {
        switch self {
        case .lstm: 4
        case .gru: 3
        case .rnn: 1
        }
    }
}
