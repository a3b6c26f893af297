extension StudyText {
    public static let english = StudyText(
        language: "en",
        sentences: [
            .title: "Recurrent networks, measured",
            .lead: "What a lecture says of recurrent networks, tried on {0}: {1} characters, {2} different ones.",
            .about: """
            Every number below was measured by this program on this machine with {0} threads, in a study of the size “{1}”. A nat per symbol \
            is a measure of surprise: 0 if every next character is foreseen, {2} if all are equally likely. Lower is better.
            """,
            .claim: "What is said", .experiment: "What was done", .byHand: "To repeat it by hand",
            .verdict: "What came out",
            .data: "Data", .chart: "chart", .nothing: "nothing to show", .from: "from", .to: "to", .by: "by",
            .table: "The table below has the values", .keys: "arrow keys read them",
            .grouping: ",", .notMeasured: "It was not measured.", .order0: "frequencies alone", .unlimited: "unlimited",
            .cell: "cell", .units: "units", .parameters: "parameters", .memory: "memory, MB",
            .training: "training, symbols/s", .sampling: "sampling, symbols/s", .symbolsPerSecond: "symbols per second",
            .nats: "nats", .natsPerSymbol: "nats per symbol", .lag: "symbols back", .text: "text", .all: "all",
            .passes: "passes over the text", .trainingLoss: "training", .validationLoss: "validation",
            .norm: "norm of the gradient, logarithmic", .step: "step", .threads: "threads", .lanes: "lanes",
            .rate: "learning rate", .contextLength: "symbols that may be seen",
            .equalUnits: "equally many units", .equalParameters: "equally many parameters", .trained: "trained",
            .untrained: "untrained", .clipped: "clipped at 0.25", .unclipped: "not clipped", .none: "without",
            .dropout: "dropout 0.5", .both: "dropout and DropConnect 0.5", .lecture: "the lecture",
            .measured: "measured here",

            .contextTitle: "Context matters",
            .contextClaim:
                "What comes next depends on what came before, and a recurrent network can use all of it: its state is a memory of the whole text so far.",
            .contextExperiment:
                "Each network predicts the same 1,000 characters, but its state is set to zero k characters before each. Frequencies alone (order 0) are scored on all of the unseen text.",
            .contextVerdict: "Frequencies alone: {0} nats. The LSTM that may see 8 characters: {1}; everything: {2}.",
            .contextHolds: "It holds: what is further back than 8 characters is worth {0} nats.",
            .contextFails:
                "Hardly, in this time of training: what is further back than 8 characters is worth {0} nats.",

            .flowTitle: "Gradients vanish",
            .flowClaim:
                "Going back through time, the gradient is multiplied by a matrix at every step. In a plain network (RNN) it soon vanishes; the gates of LSTM and GRU let it pass.",
            .flowExperiment:
                "For many predictions, the norm of the gradient with respect to the state so many symbols before, with fresh weights (faint lines) and with trained ones.",
            .flowVerdict:
                "Of a trained network's gradient, {0} symbols back there is left: RNN {1}, GRU {2}, LSTM {3}, minGRU {4}.",
            .flowHolds: "It holds: the plain network keeps less than LSTM and GRU.",
            .flowFails: "It does not hold here: the plain network does not keep clearly less than GRU and LSTM.",

            .explosionTitle: "Gradients explode, and clipping helps",
            .explosionClaim:
                "The same products can grow instead, and one huge step destroys what was learned. Clipping the gradient's norm prevents that.",
            .explosionExperiment:
                "A plain network is trained by gradient descent at a rate that is too high, once with its gradient clipped to a norm of 0.25, once without. When a loss explodes, the program goes back to an earlier state and halves the rate.",
            .explosionVerdict:
                "Clipped: largest norm before clipping {0}, recoveries: {1}, {2} nats at the end. Not clipped: largest norm {3}, recoveries: {4}, {5} nats.",
            .explosionHolds: "It holds: only without clipping did the loss explode.",
            .explosionWorse: "Nothing exploded at this rate, but without clipping it learns worse.",
            .explosionBoth: "The rate is too high even with clipping: the loss exploded there too.",
            .explosionFails: "It does not hold here: nothing exploded at this rate, and clipping did not help.",

            .recallTitle: "Long dependencies",
            .recallClaim:
                "A plain network forgets within some ten symbols; GRU and LSTM remember for longer, the LSTM for longest.",
            .recallExperiment:
                "Lines of a capital letter, random small letters, a question mark, and the same capital again, k symbols after the first. Only memory can name it; guessing is right one time in eight. All cells have as many parameters and as much time. Where recall fails although more than a ten-thousandth of the gradient reaches the first letter, it was not learned in the time given; if less arrives, it can hardly be learned. “Up to k” means that nine of ten are recalled.",
            .recallNever: "{0}: not even at {1} symbols ({2}).",
            .recallUpTo: "{0}: up to {1} symbols; at {2} no longer ({3}).",
            .recallAlways: "{0}: at every lag, up to {1} symbols.",
            .recallForgets: "the gradient is gone", .recallSlow: "not learned in the time given",
            .recallDiverged: "the training diverged",

            .costTitle: "What a cell costs",
            .costClaim:
                "An LSTM costs more than a GRU, and both cost more than a plain network: for each unit four, three and one product of the state with a matrix.",
            .costExperiment:
                "Parameters, memory and speed with equally many units, and with equally many parameters. Sampling is of one text.",
            .costVerdict:
                "With equally many units, a symbol costs the LSTM {0} times what it costs the GRU, and the GRU {1} times what it costs the plain network.",
            .costHolds: "It holds.", .costFails: "It does not hold here.",

            .dataTitle: "Expressive power and data",
            .dataClaim:
                "The GRU is simpler, so it does better with little text; the LSTM is more expressive, and does better with much.",
            .dataExperiment:
                "Each cell with as many parameters, trained for the same time on the beginning of the text and on all of it; the score is the best validation on the end of the text (its last tenth, at most 200,000 characters), which none was trained on.",
            .dataVerdict:
                "With the least text the {0} is best ({1} nats), then the {2} ({3}); with all of it the {4} ({5}), then the {6} ({7}).",
            .dataHolds: "That is what the lecture expects.",
            .dataClose: "That is what the lecture expects, but the difference is too small to be sure.",
            .dataFails: "The lecture expects the GRU, then the LSTM: it does not hold here.",

            .overfitTitle: "Overfitting, and what helps",
            .overfitClaim:
                "With little text a network learns it by heart: the loss in training goes on falling while that of unseen text rises. Dropping outputs (dropout) or recurrent weights (DropConnect) at random helps.",
            .overfitExperiment:
                "An LSTM is trained on the first 20,000 characters, without, with dropout, and with both.",
            .overfitVerdict:
                "From its best validation to the end the loss of unseen text rises by {0} nats without, by {1} with both; the best validations are {2} and {3} nats.",
            .overfitHolds: "It holds.",
            .overfitFails:
                "It does not hold here: the training was too short to overfit, or dropout and DropConnect did not help.",

            .rateTitle: "Hyper-parameters are delicate",
            .rateClaim:
                "The learning rate decides whether a network learns at all, and the best one depends on its size.",
            .rateExperiment:
                "A GRU of each width is trained at each rate for the same time. Numbers are nats per symbol; the darker, the better.",
            .rateVerdict:
                "The best rates, narrow to wide: {0}. A wrong rate costs up to {1} nats, compared with the best; a wrong width up to {2}, each at its best rate.",

            .rateInfinite: "Some do not learn at all (∞).", .rateHolds: "It holds.",
            .rateSame: "The rate decides, but here the best one is the same for every width.",
            .rateFails: "It does not hold here: every rate learns about as well.",

            .speedTitle: "Recurrence resists parallel work",
            .speedClaim:
                "Each step needs the one before, so time cannot be divided among processors; only texts read side by side (lanes) can.",
            .speedExperiment: "The speed of training by threads and by lanes.",
            .speedVerdict: "From 1 to {0} threads the speed grows {1} times with {2} lanes, and {3} times with {4}.",
            .speedHolds: "It holds: the fewer the lanes, the less the threads help.",
            .speedFails: "It does not hold here: threads help as much with few lanes.",
            .speedAlone: "There was one thread, so there is nothing to compare.",

            .whichTitle: "Which cell when",
            .whichLead: "The lecture's advice, beside what was measured.",
            .whichSimple: "plain RNN: short sequences, simple tasks",
            .whichModerate: "GRU: moderate ones, low latency, little data",
            .whichLong: "LSTM: long and intricate dependencies",
            .whichShort: "it recalls up to {0} symbols; {1} nats on all of the text, the best cell {2}",
            .whichFast:
                "it recalls up to {0} symbols; {1} nats with the least text, {2} with all; generates {3} symbols/s",
        ])
}
