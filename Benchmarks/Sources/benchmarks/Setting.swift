import CharacterModel

/// A model and the way it is trained, on random text with V = 67.
struct Setting {
    var cell: CellKind
    var layers: Int
    var hidden: Int
    var batch: Int
    var window: Int
    var precision = Precision.float32

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

    /// `lstm 2 256 64 64 float32`, as arguments.
    var words: [String] { [cell.rawValue] + [layers, hidden, batch, window].map(String.init) + [precision.rawValue] }

    init(
        cell: CellKind, layers: Int, hidden: Int, batch: Int, window: Int, precision: Precision = .float32
    ) {
        self.cell = cell
        self.layers = layers
        self.hidden = hidden
        self.batch = batch
        self.window = window
        self.precision = precision
    }

    func at(_ precision: Precision) -> Setting {
        var setting = self
        setting.precision = precision
        return setting
    }

    init?(words: some Collection<String>) {
        let words = Array(words)
        let numbers = words.dropFirst().prefix(4).compactMap { Int($0) }
        guard words.count == 6, numbers.count == 4, let cell = CellKind(rawValue: words[0]),
            let precision = Precision(rawValue: words[5])
        else { return nil }
        self.init(
            cell: cell, layers: numbers[0], hidden: numbers[1], batch: numbers[2], window: numbers[3],
            precision: precision)
    }
}
