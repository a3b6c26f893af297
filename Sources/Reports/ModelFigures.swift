import CharacterModel
import RecurrentNetwork

/// What a model is and how it was trained, for programs.
struct ModelFigures: Encodable {
    private let model: String
    private let bytes: Int?
    private let parameters: Int
    private let symbols: Int
    private let icu: String
    private let unicode: String
    private let sources: [String]?
    private let sha256: String?
    private let origin: String?
    private let bestValidationNats: Double?
    private let bestStep: Int?
    private let steps: Int?
    private let tokens: Int?
    private let seconds: Double?
    private let recoveries: Int?
    private let options: Options

    init(_ model: LanguageModel, path: String, bytes: Int?) {
        let (vocabulary, record) = (model.vocabulary, model.training)
        (self.model, self.bytes, parameters) = (path, bytes, model.configuration.parameterCount)
        (symbols, icu) = (vocabulary.symbols.count, vocabulary.versions.icu)
        unicode = vocabulary.versions.unicode
        (sources, sha256, origin) = (record?.corpus.sources, record?.corpus.sha256, record?.corpus.origin)
        (bestValidationNats, bestStep) = (record?.bestValidation, record?.bestStep)
        (steps, tokens, seconds) = (record?.step, record?.tokens, record?.seconds)
        recoveries = record?.recovery.count
        let setup = TrainingSetup(
            configuration: model.configuration, vocabulary: vocabulary, record: record ?? TrainingRecord())
        options = Options(values: TrainingOptions(setup), cell: model.configuration.cell)
    }

    /// Each option that the cell uses, in the order of declaration.
    private struct Options: Encodable {
        let values: TrainingOptions
        let cell: CellKind

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: OptionKey.self)
            for option in OptionList.all where cell.uses(option.name) {
                try option.encode(values, into: &container)
            }
        }
    }
}
