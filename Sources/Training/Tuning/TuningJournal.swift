import CharacterModel
import FoundationEssentials
import Glibc
import Tokenization

/// What is known of a tuning's candidates, kept in files beside theirs: a tuning that was stopped, and is started again
/// with the same texts, options and time, keeps the rounds that candidates have finished.
struct TuningJournal {
    /// How a candidate did in the rounds it has finished.
    private struct Entry: Codable {
        var tuning: String
        var rounds: [SuccessiveHalving.Outcome]
    }

    let folder: String
    /// What the tuning is made of, as a hash.
    let tuning: String

    /// - Parameter ranks: that share the candidates: it decides how long each is trained.
    init(folder: String, _ candidates: [TuningCandidate], _ record: TrainingRecord, seconds: Double, ranks: Int) {
        struct Content: Encodable {
            var candidates: [TuningCandidate]
            var record: TrainingRecord
            var seconds: Double
            var ranks: Int
        }
        var record = record
        // A text may have moved.
        record.corpus.forgetPlaces()
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let content = try? encoder.encode(
            Content(candidates: candidates, record: record, seconds: seconds, ranks: ranks))
        self.folder = folder
        tuning = SHA256.hash(of: Array(content ?? Data()))
    }

    static func path(of index: Int, in folder: String) -> String { "\(folder)/\(index).json" }

    private func path(of index: Int) -> String { Self.path(of: index, in: folder) }

    /// What a candidate has come to in the rounds that it has finished; none for a candidate of another tuning.
    func outcomes(of index: Int) -> [SuccessiveHalving.Outcome] {
        guard let data = FileManager.default.contents(atPath: path(of: index)),
            let entry = try? JSONDecoder().decode(Entry.self, from: data), entry.tuning == tuning
        else { return [] }
        // A file is untrusted input.
        return entry.rounds.filter { $0.index == index && (0...1 << 53).contains($0.step) && $0.seconds >= 0 }
    }

    /// Forgets a candidate, whose files are about to be those of another training.
    func forget(_ index: Int) { unlink(path(of: index)) }

    /// Adds a round. A file that cannot be written costs only time, if the tuning is started again.
    func add(_ outcome: SuccessiveHalving.Outcome, of index: Int) {
        let entry = Entry(tuning: tuning, rounds: outcomes(of: index).filter { $0.round < outcome.round } + [outcome])
        guard let data = try? JSONEncoder().encode(entry) else { return }
        try? AtomicFile.replace(path(of: index), with: String(decoding: data, as: UTF8.self))
    }
}
