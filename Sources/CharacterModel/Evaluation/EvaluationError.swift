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
    /// The text has no symbols.
    case empty(name: String)
    /// The text has too few symbols for crops.
    case tooShort(name: String, symbols: Int, needed: Int)
    /// The text cannot be read.
    case text(TextError)
}

extension EvaluationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unit(let text, let model): differs("units", text.rawValue, model.rawValue)
        case .normalization(let text, let model): differs("normal form", text.rawValue, model.rawValue)
        case .records(let text, let model): differs("records", text.debugDescription, model.debugDescription)
        case .cancelled: "the evaluation was cancelled"
        case .empty(let name): "\(name) has no symbols"
        case .tooShort(let name, let symbols, let needed):
            "\(name) has \(symbols) symbols; at least \(needed) are needed"
        case .text(let error): error.description
        }
    }

    private func differs(_ what: String, _ text: String, _ model: String) -> String {
        "the text was read with different \(what) (\(text)) from the model's (\(model)); read it as the model's vocabulary says"
    }
}

extension Vocabulary {
    /// Checks that a corpus was read as this vocabulary says.
    func check(_ corpus: Corpus) throws(EvaluationError) {
        guard corpus.count > 0 else { throw .empty(name: corpus.name) }
        guard corpus.unit == unit else { throw .unit(text: corpus.unit, model: unit) }
        guard corpus.normalization == normalization else {
            throw .normalization(text: corpus.normalization, model: normalization)
        }
        guard corpus.records == records else {
            throw .records(text: corpus.records?.name ?? "none", model: records?.name ?? "none")
        }
    }
}
