import RecurrentNetwork

/// A model and the way it is trained, on random text with V = 67.
struct Setting {
    var cell: CellKind
    var layers: Int
    var hidden: Int
    var batch: Int
    var window: Int

    /// The sizes that `docs/speed.md` quotes.
    static let all = [
        Setting(cell: .lstm, layers: 2, hidden: 128, batch: 50, window: 50),
        Setting(cell: .lstm, layers: 2, hidden: 256, batch: 64, window: 64),
        Setting(cell: .lstm, layers: 3, hidden: 512, batch: 64, window: 128),
        Setting(cell: .gru, layers: 2, hidden: 256, batch: 64, window: 64),
        Setting(cell: .rnn, layers: 2, hidden: 256, batch: 64, window: 64),
        Setting(cell: .lstm, layers: 1, hidden: 384, batch: 16, window: 64),
    ]

    var name: String { "\(cell.rawValue) \(layers)x\(hidden) B\(batch) T\(window)" }

    /// `lstm 2 256 64 64`, as arguments.
    var words: [String] { [cell.rawValue] + [layers, hidden, batch, window].map(String.init) }

    init(cell: CellKind, layers: Int, hidden: Int, batch: Int, window: Int) {
        self.cell = cell
        self.layers = layers
        self.hidden = hidden
        self.batch = batch
        self.window = window
    }

    init?(words: some Collection<String>) {
        let numbers = words.dropFirst().compactMap { Int($0) }
        guard words.count == 5, numbers.count == 4, let cell = words.first.flatMap({ CellKind(rawValue: $0) }) else {
            return nil
        }
        self.init(cell: cell, layers: numbers[0], hidden: numbers[1], batch: numbers[2], window: numbers[3])
    }
}
