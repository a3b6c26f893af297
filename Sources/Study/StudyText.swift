import Reports

/// The sentences of the page in a language. `{0}`, `{1}` and so on stand for what is measured.
///
/// To add a language, add a table of all keys, and its name to ``StudyText/languages``.
public struct StudyText: Sendable {
    /// As HTML names it.
    public let language: String
    let sentences: [Key: String]

    public static let languages = [english, spanish]

    /// What the page says.
    enum Key: String, CaseIterable {
        case title, lead, about, claim, experiment, byHand, verdict
        case data, chart, nothing, from, to, by, table, keys, grouping, notMeasured, order0, unlimited
        case cell, units, parameters, memory, training, sampling, symbolsPerSecond, nats, natsPerSymbol, lag, text, all
        case passes, trainingLoss, validationLoss, norm, step, threads, lanes, rate, contextLength
        case equalUnits, equalParameters, trained, untrained, clipped, unclipped, none, dropout, both, lecture, measured
        case contextTitle, contextClaim, contextExperiment, contextVerdict, contextHolds, contextFails
        case flowTitle, flowClaim, flowExperiment, flowVerdict, flowHolds, flowFails
        case explosionTitle, explosionClaim, explosionExperiment, explosionVerdict, explosionHolds, explosionWorse,
            explosionBoth,
            explosionFails
        case recallTitle, recallClaim, recallExperiment, recallNever, recallUpTo, recallAlways, recallForgets,
            recallSlow, recallDiverged
        case costTitle, costClaim, costExperiment, costVerdict, costHolds, costFails
        case dataTitle, dataClaim, dataExperiment, dataVerdict, dataHolds, dataFails, dataClose
        case overfitTitle, overfitClaim, overfitExperiment, overfitVerdict, overfitHolds, overfitFails
        case rateTitle, rateClaim, rateExperiment, rateVerdict, rateInfinite, rateHolds, rateSame, rateFails
        case speedTitle, speedClaim, speedExperiment, speedVerdict, speedHolds, speedFails, speedAlone
        case whichTitle, whichLead, whichSimple, whichModerate, whichLong, whichShort, whichFast
    }

    /// The words of a chart that are not its data.
    var chartWords: Chart.Words {
        var words = Chart.Words()
        (words.data, words.chart, words.nothing) = (self(.data), self(.chart), self(.nothing))
        (words.from, words.to, words.by) = (self(.from), self(.to), self(.by))
        (words.table, words.keys) = (self(.table), self(.keys))
        return words
    }

    /// A sentence with values in it.
    func callAsFunction(_ key: Key, _ values: String...) -> String { self(key, values) }

    func callAsFunction(_ key: Key, _ values: [String]) -> String {
        var sentence = sentences[key] ?? key.rawValue
        for (index, value) in values.enumerated() {
            sentence = sentence.split(separator: "{\(index)}", omittingEmptySubsequences: false).joined(
                separator: value)
        }
        return sentence
    }
}
