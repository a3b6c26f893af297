/// How much a study measures, and how long it takes.
public struct StudyPlan: Sendable, Equatable {
    /// As the command line and the results name it.
    public var name: String
    /// Seconds of a training of the main comparison, of one of the recall task, and of one that only fills a field or shows a speed.
    public var seconds: (text: Double, recall: Double, field: Double)
    public var seeds: [UInt64]
    /// The units of the GRU whose parameters the other cells match.
    public var units: Int
    /// The parts of the training text that are compared, by what the text is divided by.
    public var divisors: [Int]
    /// The lags of the recall task.
    public var lags: [Int]
    /// What the heat map varies.
    public var rates: [Double]
    public var widths: [Int]
    /// The lanes of a batch whose speed is measured.
    public var batches: [Int]

    public static func == (a: StudyPlan, b: StudyPlan) -> Bool { a.name == b.name }

    /// Every experiment once, small: for tests.
    public static let toy = StudyPlan(
        name: "toy", seconds: (0.3, 0.3, 0.2), seeds: [1], units: 16, divisors: [4, 1], lags: [2, 8],
        rates: [0.003, 0.03], widths: [8, 16], batches: [8, 16])
    /// For a lesson: at most 25 minutes on two cores.
    public static let lesson = StudyPlan(
        name: "lesson", seconds: (20, 12, 6), seeds: [1], units: 128, divisors: [16, 1],
        lags: [4, 16, 32, 64, 128, 512], rates: [0.0003, 0.001, 0.003, 0.01, 0.03], widths: [32, 64, 128, 256],
        batches: [8, 16, 64])
    /// Three seeds, and more of everything: about an hour.
    public static let full = StudyPlan(
        name: "full", seconds: (30, 15, 10), seeds: [1, 2, 3], units: 128, divisors: [16, 4, 1],
        lags: [4, 8, 16, 32, 64, 128, 512], rates: [0.0003, 0.001, 0.003, 0.01, 0.03],
        widths: [32, 64, 128, 256, 512], batches: [8, 16, 32, 64, 128])

    public static let all = [toy, lesson, full]
}
