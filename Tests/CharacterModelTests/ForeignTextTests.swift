import TestSupport
import Testing
import Tokenization

@testable import CharacterModel

@Suite("Texts and files that do not fit")
struct ForeignTextTests {
    @Test("A text that was read differently from the model's format is an error, not a trap")
    func mismatch() throws {
        let model = try LanguageModel(contentsOf: fixture("v1-gru.safetensors"))
        let (unit, normalization) = (model.vocabulary.unit, model.vocabulary.normalization)
        func corpus(_ unit: TextUnit, _ normalization: Normalization, _ records: RecordSeparator? = nil) throws
            -> Corpus
        {
            try Corpus(
                reading: [.bytes(Array("a\nb\n".utf8), name: "t")], unit: unit, normalization: normalization,
                records: records)
        }
        func check(_ text: Corpus, _ error: EvaluationError) {
            #expect(throws: error) { try model.evaluate(text) }
            #expect(throws: error) { try model.evaluateDynamically(text) }
            #expect(throws: error) { try model.tuneDynamicRates(text) }
            #expect(!error.description.contains("\n"))
        }
        #expect(try model.evaluate(try corpus(unit, normalization)).total.likelihood.tokens > 0)
        check(try corpus(unit, normalization, .line), .records(text: "line", model: "none"))
        let other: Normalization = normalization == .nfd ? .nfc : .nfd
        check(try corpus(unit, other), .normalization(text: other, model: normalization))
        let scalar: TextUnit = unit == .scalar ? .grapheme : .scalar
        check(try corpus(scalar, normalization), .unit(text: scalar, model: unit))
    }

    @Test("An error of a checkpoint's JSON names the key")
    func keys() throws {
        func flaw(_ json: String) -> String {
            do { return "\(try StrictJSON.decode(TrainingRecord.self, from: Array(json.utf8)[...]))" } catch {
                return "\(error)"
            }
        }
        #expect(flaw(#"{"step": 1}"#).contains(#"missing(key: "epoch")"#))
        #expect(flaw(#"{"step": "one"}"#).contains(#"wrong(key: "step")"#))
        #expect(flaw(#"{"step""#).contains("malformed"))
    }
}
