import Concurrency
import LinearAlgebra

/// What carries weights through windows. The training loop knows this, and not how it is done.
///
/// The order of a step is: ``run(_:)``, ``reduce(_:continues:)``, ``completeGradient()``, ``update(_:)``. Nothing that is handed
/// out points into an engine's memory, so an engine may keep it elsewhere: in other processes, on another device.
///
/// An engine that can fail (a process that died, a device that is gone) throws; a training ends with its error then.
///
/// Several engines can share a batch: each carries some of the groups of lanes (``LaneGroups``), and the gradient is summed along
/// the engines in the order of their groups, each continuing the sum of the one before.
package protocol Engine<Scalar>: AnyObject {
    associatedtype Scalar: KernelScalar

    var model: ModelConfiguration { get }
    /// The lanes that it carries, of the whole batch.
    var lanes: Range<Int> { get }

    /// Carries its lanes through a window, forward and back, and moves their state to its end.
    ///
    /// - Returns: the sum of the losses in nats of each group of lanes, in order.
    func run(_ window: TrainingWindow) throws -> [Double]

    /// How many blocks the gradient is summed in: a constant of the model.
    var blocks: Int { get }
    /// Sums blocks of the gradient over the engine's lanes.
    ///
    /// - Parameter continues: whether the sum goes on from what ``setGradient(_:of:)`` set; else it begins at zero.
    func reduce(_ blocks: Range<Int>, continues: Bool) throws
    /// A copy of the sum in a block.
    func gradient(ofBlock block: Int) -> [Scalar]
    /// Takes over a sum that was begun, or finished, elsewhere.
    func setGradient(_ elements: [Scalar], ofBlock block: Int)
    /// Makes the sum of all blocks the gradient of the weights (dropped ones get none, a tied embedding gets that of both its
    /// uses), and returns its Euclidean norm.
    func completeGradient() throws -> Double

    /// Moves the weights along the gradient. False if a weight or a moment is not finite afterwards.
    func update(_ step: UpdateStep) throws -> Bool

    /// What its lanes remember; zero when an epoch begins.
    var laneState: NetworkState<Scalar> { get set }
    /// A copy of all that the next step rests on; `lanes` are its own.
    var state: EngineState<Scalar> { get }
    /// Goes on from a state. What a window has dropped is whole again.
    func restore(_ state: EngineState<Scalar>)

    /// Lends a network with the weights as they are, to read with, until `body` returns.
    func withNetwork<Result>(_ body: (Network<Scalar>) throws -> Result) rethrows -> Result
}

/// A window of a training step: what every lane of the batch reads, and what names its random numbers. What it holds is used again
/// for the next one: an engine that is not done when ``Engine/run(_:)`` returns has copied it.
package struct TrainingWindow: Sendable {
    package let input: LaneWindow
    /// Steps of the window that are used.
    package let steps: Int
    /// Targets in all lanes of the batch: the gradient is that of the mean over them.
    package let symbols: Int
    /// Names the random numbers: steps of the optimizer done before.
    package let step: Int

    package init(_ input: LaneWindow, steps: Int, symbols: Int, step: Int) {
        self.input = input
        self.steps = steps
        self.symbols = symbols
        self.step = step
    }
}

/// The numbers of one step of the optimizer.
package struct UpdateStep: Sendable {
    /// Counted from 1.
    package var step: Int
    /// What the gradient is multiplied by first (clipping).
    package var scale: Double
    package var rate: Double
    package var decay: Double

    package init(step: Int, scale: Double, rate: Double, decay: Double) {
        self.step = step
        self.scale = scale
        self.rate = rate
        self.decay = decay
    }
}

/// All that a training step rests on.
package struct EngineState<Scalar: KernelScalar>: Sendable {
    package var parameters: Parameters<Scalar>
    /// The optimizer's moments, in its own order.
    package var moments: [Parameters<Scalar>]
    package var lanes: NetworkState<Scalar>

    package init(parameters: Parameters<Scalar>, moments: [Parameters<Scalar>], lanes: NetworkState<Scalar>) {
        self.parameters = parameters
        self.moments = moments
        self.lanes = lanes
    }
}

/// What an engine is made for.
package struct EngineSetup<Scalar: KernelScalar>: Sendable {
    package var model: ModelConfiguration
    /// Are trained in place: the engine's own from now on.
    package var parameters: Parameters<Scalar>
    package var optimizer: Optimizer
    /// B of the whole batch, of which an engine may carry a part.
    package var batch: Int
    /// T, at most.
    package var window: Int
    /// Whether lanes may begin a text within a window.
    package var restarts: Bool
    /// Of dropout.
    package var seed: UInt64
    package var workers: Workers

    package init(
        model: ModelConfiguration, parameters: Parameters<Scalar>, optimizer: Optimizer, batch: Int, window: Int,
        restarts: Bool = true, seed: UInt64, workers: Workers
    ) {
        self.model = model
        self.parameters = parameters
        self.optimizer = optimizer
        self.batch = batch
        self.window = window
        self.restarts = restarts
        self.seed = seed
        self.workers = workers
    }
}
