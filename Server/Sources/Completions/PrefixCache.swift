import CharacterModel

/// States after texts that were read lately, so that a text that begins like one of them costs only what is new.
struct PrefixCache {
    private var entries: [(ids: [Int], state: TextState)] = []
    private let capacity: Int

    init(capacity: Int = 64) { self.capacity = capacity }

    /// Keeps a copy of the state after some symbols.
    mutating func insert(_ ids: [Int], _ state: TextState) {
        guard !ids.isEmpty, capacity > 0 else { return }
        entries.removeAll { $0.ids == ids }
        if entries.count == capacity { entries.removeFirst() }
        entries.append((ids, state.copy()))
    }

    /// A copy of the state after the longest known beginning, and how many symbols that has.
    mutating func find(_ ids: [Int]) -> (state: TextState, count: Int)? {
        let found = entries.indices.filter { ids.starts(with: entries[$0].ids) }
            .max { entries[$0].ids.count < entries[$1].ids.count }
        guard let found else { return nil }
        // The last one used is the last to go.
        let entry = entries.remove(at: found)
        entries.append(entry)
        return (entry.state.copy(), entry.ids.count)
    }
}
