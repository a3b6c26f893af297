import Tokenization

/// The tensors of n-grams and their gate in a checkpoint.
extension CountMixture {
    private static let (gateName, discountsName) = ("counts.gate", "counts.discounts")

    private static func words(_ length: Int) -> String { "counts.ngrams.\(length)" }
    private static func children(_ length: Int) -> String { "counts.children.\(length)" }

    var tensors: [SafetensorsWriter.Tensor] {
        let (weights, order) = (gate.weights, counts.order)
        var tensors: [SafetensorsWriter.Tensor] = [
            .init(name: Self.gateName, shape: [2, MixtureGate.features], floats: { weights.map { Float($0) } }),
            .init(name: Self.discountsName, shape: [order, 3], floats: { counts.discounts }),
        ]
        for (length, level) in counts.levels.enumerated() {
            if length > 0 {
                tensors.append(.init(name: Self.words(length), shape: [level.words.count], integers: level.words))
            }
            if length < order {
                let size = level.children.count
                tensors.append(.init(name: Self.children(length), shape: [size], integers: level.children))
            }
        }
        return tensors
    }

    /// Reads and verifies them; nil if the file has none.
    init?(in file: SafetensorsFile, _ vocabulary: Vocabulary) throws(CheckpointError) {
        let parts = [Self.gateName, Self.discountsName, Self.words(1), Self.children(0)]
        guard parts.contains(where: file.contains) else { return nil }
        guard file.metadata["version"] != "1" else {
            throw .badMetadata(path: file.path, key: "version", reason: "it is 1, and a file with counts has 2")
        }
        let weights = try file.elements(of: Self.gateName, shape: [2, MixtureGate.features]).elements
        guard weights.allSatisfy({ abs($0) <= 100 }) else {
            throw .badMetadata(path: file.path, key: "counts", reason: "a weight of the gate is beyond ±100")
        }
        let (shape, discounts) = try file.elements(of: Self.discountsName, shape: nil)
        guard shape.count == 2, shape[1] == 3, (1...KneserNey.maximumOrder).contains(shape[0]) else {
            throw .badShape(path: file.path, tensor: Self.discountsName)
        }
        func flaw(_ reason: String) -> CheckpointError { .badMetadata(path: file.path, key: "counts", reason: reason) }
        for (index, value) in discounts.enumerated() {
            guard value >= NGramCounts.smallestDiscount && value <= Float(index % 3 + 1) else {
                throw flaw("a discount is \(value)")
            }
        }
        var levels = [NGramCounts.Level(words: [0])]
        for length in 0..<shape[0] {
            levels[length].children = try file.integers(of: Self.children(length))
            levels.append(NGramCounts.Level(words: try file.integers(of: Self.words(length + 1))))
        }
        counts = NGramCounts(levels: levels, discounts: discounts, vocabulary: .init(vocabulary))
        if let length = counts.firstFlaw { throw flaw("n-grams of \(length) symbols are not in order") }
        gate = MixtureGate(weights: weights.map { Double($0) })
    }
}

extension NGramCounts {
    /// The length of the first n-grams that are not a level of a trie; nil if all are.
    fileprivate var firstFlaw: Int? {
        (1...order).first { length in
            let (children, words) = (levels[length - 1].children, levels[length].words)
            guard children.count == levels[length - 1].words.count + 1, children[0] == 0,
                Int(children[children.count - 1]) == words.count
            else { return true }
            return !isInOrder(children, words)
        }
    }

    private func isInOrder(_ children: [Int32], _ words: [Int32]) -> Bool {
        let mask = Int32(1) << vocabulary.bits - 1
        var start = 0
        for end in children.dropFirst().lazy.map({ Int($0) }) {
            guard end >= start, end <= words.count else { return false }
            var before: Int32 = -1
            for index in start..<end {
                let symbol = words[index] & mask
                guard words[index] >= 0, symbol > before, symbol <= vocabulary.rest else { return false }
                before = symbol
            }
            start = end
        }
        return true
    }
}
