import Tokenization

/// How much of generated texts is copied from another text, usually the training text.
///
/// The texts are put into a suffix automaton (Blumer et al. 1985), whose size is linear in theirs. The other text is
/// then run through it once, symbol by symbol. The result is exact and takes time linear in both.
public struct Novelty: Sendable {
    /// What one text copies.
    public struct Result: Sendable, Equatable {
        /// The length, in symbols, of the longest run that also occurs in the other text.
        public var longestRun = 0
        /// Where that run begins.
        public var start = 0
        /// The number of windows of 20 symbols in the text, and how many of them also occur in the other text.
        public var windows = 0
        public var copiedWindows = 0
    }

    public static let window = 20

    private let texts: [[Int]]
    private var automaton = SuffixAutomaton()
    /// For each state, the longest match that ended there.
    private var matched: [Int]

    /// - Parameters:
    ///   - texts: as ids.
    ///   - corpus: the text that may have been copied, as the model reads it.
    ///   - vocabulary: the model's.
    public init(of texts: [[Int]], in corpus: Corpus, vocabulary: Vocabulary) {
        self.texts = texts
        for (index, text) in texts.enumerated() {
            // A unique separator symbol keeps runs from crossing into the next text.
            automaton.append(-1 - index)
            for id in text { automaton.append(id) }
        }
        matched = [Int](repeating: 0, count: automaton.states.count)
        let text = EncodedText(corpus, vocabulary: vocabulary)
        var (state, length) = (0, 0)
        text.forEachTarget { _, symbol, isFresh in
            if isFresh { (state, length) = (0, 0) }
            let id = Int(text.id(ofSymbol: symbol))
            while state != 0, automaton.next(state, id) == nil {
                state = automaton.states[state].link
                length = automaton.states[state].length
            }
            guard let next = automaton.next(state, id) else {
                length = 0
                return
            }
            (state, length) = (next, length + 1)
            matched[state] = max(matched[state], length)
        }
        // A match that reached a state also reached the states of its shorter suffixes.
        let order = automaton.states.indices.sorted { automaton.states[$0].length > automaton.states[$1].length }
        for state in order where matched[state] > 0 && state != 0 {
            let link = automaton.states[state].link
            matched[link] = max(matched[link], automaton.states[link].length)
        }
        for state in order.reversed() where state != 0 && matched[state] == 0 {
            matched[state] = matched[automaton.states[state].link]
        }
    }

    /// One result per text, in order.
    public var results: [Result] {
        var state = 0
        return texts.enumerated().map { index, text in
            var result = Result()
            state = automaton.next(state, -1 - index)!
            for (place, id) in text.enumerated() {
                state = automaton.next(state, id)!
                // The separator before the text matches nothing, so that no run is longer than the text.
                let run = matched[state]
                if run > result.longestRun { (result.longestRun, result.start) = (run, place + 1 - run) }
                guard place + 1 >= Self.window else { continue }
                result.windows += 1
                result.copiedWindows += run >= Self.window ? 1 : 0
            }
            return result
        }
    }
}

/// Recognizes every run of a text. Each state represents the runs that end at the same positions.
private struct SuffixAutomaton: Sendable {
    struct State: Sendable {
        /// The length of the state's longest run, and its suffix link: the state of its longest suffix that also ends
        /// elsewhere.
        var length: Int
        var link: Int
    }

    private struct Edge: Hashable {
        let state: Int
        let symbol: Int
    }

    private(set) var states = [State(length: 0, link: -1)]
    private var edges: [Edge: Int] = [:]
    /// The symbols with a transition from each state.
    private var symbols: [[Int]] = [[]]
    private var last = 0

    func next(_ state: Int, _ symbol: Int) -> Int? { edges[Edge(state: state, symbol: symbol)] }

    mutating func append(_ symbol: Int) {
        let added = add(length: states[last].length + 1)
        var state = last
        while state >= 0, next(state, symbol) == nil {
            lead(from: state, by: symbol, to: added)
            state = states[state].link
        }
        last = added
        guard state >= 0, let target = next(state, symbol) else {
            states[added].link = 0
            return
        }
        if states[target].length == states[state].length + 1 {
            states[added].link = target
            return
        }
        let clone = add(length: states[state].length + 1)
        for symbol in symbols[target] { lead(from: clone, by: symbol, to: next(target, symbol)!) }
        states[clone].link = states[target].link
        while state >= 0, next(state, symbol) == target {
            edges[Edge(state: state, symbol: symbol)] = clone
            state = states[state].link
        }
        states[target].link = clone
        states[added].link = clone
    }

    private mutating func add(length: Int) -> Int {
        states.append(State(length: length, link: 0))
        symbols.append([])
        return states.count - 1
    }

    private mutating func lead(from state: Int, by symbol: Int, to target: Int) {
        edges[Edge(state: state, symbol: symbol)] = target
        symbols[state].append(symbol)
    }
}
