import CharacterModel
import Reports
import Tokenization

extension ReadingOptions {
    /// The n-grams of a text, in the symbols of a model, and what there is to know about them on stderr.
    public func baseline(_ path: String, for model: LanguageModel, toScore corpus: Corpus) throws -> Baseline {
        let counted = try self.corpus([path], for: model)
        let baseline = try Baseline(counted, for: model)
        StandardError.print(
            "n-grams: counted in \(formatted(baseline.symbols)) symbols of \(path)"
                + (baseline.isTrainingPart ? ", the part the model was trained on" : ""))
        if counted.sha256 == corpus.sha256 {
            StandardError.print(
                "warning: the n-grams are counted in the text that is scored; on another text they would score worse"
            )
        }
        return baseline
    }
}
