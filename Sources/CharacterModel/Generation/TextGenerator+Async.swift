/// Yields symbols as they are generated, for use in tasks. Other work of the actor can run between two symbols, and the
/// text ends when the task is cancelled.
///
///     for await element in try model.generator(strategy: .greedy, seed: 1) { print(element.symbol.text, terminator: "") }
extension TextGenerator: AsyncSequence {
    public typealias AsyncIterator = AsyncSymbols
    public typealias Failure = Never

    public func makeAsyncIterator() -> AsyncSymbols { AsyncSymbols(generator: self) }

    /// Draws from a generator.
    public struct AsyncSymbols: AsyncIteratorProtocol {
        private let generator: TextGenerator

        fileprivate init(generator: TextGenerator) { self.generator = generator }

        /// The next symbol; nil at the end of the text or if the task is cancelled.
        public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async -> Element? {
            await Task.yield()
            return Task.isCancelled ? nil : generator.next()
        }

        /// The next symbol; nil at the end of the text or if the task is cancelled.
        public mutating func next() async -> Element? {
            await Task.yield()
            return Task.isCancelled ? nil : generator.next()
        }
    }
}

/// Both kinds of sequence have these methods. Outside `for await`, the synchronous ones are used.
extension TextGenerator {
    public func prefix(_ length: Int) -> PrefixSequence<TextGenerator> { PrefixSequence(self, maxLength: length) }

    public func dropFirst(_ count: Int = 1) -> DropFirstSequence<TextGenerator> {
        DropFirstSequence(self, dropping: count)
    }

    public func map<Value>(_ transform: (Element) throws -> Value) rethrows -> [Value] {
        var values: [Value] = []
        while let element = next() { values.append(try transform(element)) }
        return values
    }
}
