import Tokenization

/// Why a text could not be scored: it was not read the way the model reads texts, or the work was cancelled.
public enum EvaluationError: Error, Equatable, Sendable {
    /// Its units differ from the model's.
    case unit(text: TextUnit, model: TextUnit)
    /// Its normal form differs from the model's.
    case normalization(text: Normalization, model: Normalization)
    /// Its record separator differs from the model's (given by name), or it has none.
    case records(text: String, model: String)
    case cancelled
}

extension EvaluationError: CustomStringConvertible {
    public var description: String {
        let (what, text, model) =
            switch self {
            case .unit(let text, let model): ("units", text.rawValue, model.rawValue)
            case .normalization(let text, let model): ("normal form", text.rawValue, model.rawValue)
            case .records(let text, let model): ("records", text.debugDescription, model.debugDescription)
            case .cancelled: ("", "", "")
            }
        if self == .cancelled { return "the evaluation was cancelled" }
        return "the text was read with different \(what) (\(text)) from the model's (\(model)); read it as the model's "
            + "vocabulary says"
    }
}

extension Vocabulary {
    /// Checks that a corpus was read as this vocabulary says.
    func check(_ corpus: Corpus) throws(EvaluationError) {
        guard corpus.unit == unit else { throw .unit(text: corpus.unit, model: unit) }
        guard corpus.normalization == normalization else {
            throw .normalization(text: corpus.normalization, model: normalization)
        }
        guard corpus.records == records else {
            throw .records(text: corpus.records?.name ?? "none", model: records?.name ?? "none")
        }
    }
}
