import CharacterModel

/// States after texts that were read lately, so that a text that begins like one of them costs only what is new.
struct PrefixCache {
    private var entries: [(ids: [Int], state: TextState)] = []
    /// Symbols of all entries.
    private var size = 0
    private let capacity: Int
    private let largestSize: Int

    /// - Parameters:
    ///   - capacity: how many states.
    ///   - size: symbols of all their texts.
    init(capacity: Int = 64, size: Int = 500_000) { (self.capacity, largestSize) = (capacity, size) }

    /// Keeps a copy of the state after some symbols.
    mutating func insert(_ ids: [Int], _ state: TextState) {
        guard !ids.isEmpty, ids.count <= largestSize, capacity > 0 else { return }
        if let known = entries.firstIndex(where: { $0.ids == ids }) { size -= entries.remove(at: known).ids.count }
        while entries.count >= capacity || size + ids.count > largestSize { size -= entries.removeFirst().ids.count }
        entries.append((ids, state.copy()))
        size += ids.count
    }

    /// A copy of the state after the longest known beginning, and how many symbols that has.
    mutating func find(_ ids: some Collection<Int>) -> (state: TextState, count: Int)? {
        let found = entries.indices.filter { ids.starts(with: entries[$0].ids) }
            .max { entries[$0].ids.count < entries[$1].ids.count }
        guard let found else { return nil }
        // The last one used is the last to go.
        let entry = entries.remove(at: found)
        entries.append(entry)
        return (entry.state.copy(), entry.ids.count)
    }
}
