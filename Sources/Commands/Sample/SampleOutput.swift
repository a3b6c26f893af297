import CommandSupport

/// Writes samples that are generated together one after the other: the first one that is not complete as it is generated,
/// the later ones when it is their turn.
final class SampleOutput {
    private let separator: String
    /// The text of samples that wait, and whether they are complete; from the one that is being written on.
    private var waiting: [(text: String, isComplete: Bool)] = []
    /// The sample that is being written.
    private var current = 0
    /// Whether it has written something, and whether any sample has.
    private var hasBegun = false
    private var hasWritten = false

    /// - Parameter separator: written between two samples.
    init(separator: String) { self.separator = separator }

    /// Adds text to one of the samples, counted from 0.
    func add(_ part: String, of index: Int) throws {
        guard index > current else { return try write(part) }
        makeRoom(for: index)
        waiting[index - current].text += part
    }

    /// Ends a sample.
    func finish(_ index: Int) throws {
        makeRoom(for: index)
        waiting[index - current].isComplete = true
        while let first = waiting.first, first.isComplete {
            waiting.removeFirst()
            current += 1
            hasBegun = false
            if let next = waiting.first { try write(next.text) }
            if !waiting.isEmpty { waiting[0].text = "" }
        }
    }

    private func makeRoom(for index: Int) {
        while waiting.count <= index - current { waiting.append(("", false)) }
    }

    private func write(_ part: String) throws {
        guard !part.isEmpty else { return }
        defer { (hasBegun, hasWritten) = (true, true) }
        try StandardOutput.write(hasBegun || !hasWritten ? part : separator + part)
    }
}
