import Concurrency
import LinearAlgebra

/// Runs training steps on the weights. The training loop knows only this protocol, not the implementation.
///
/// The order of a step is: ``run(_:)``, ``reduce(_:continues:)``, ``completeGradient()``, ``update(_:)``. No returned
/// value points into an engine's memory, so an engine may keep it elsewhere: in other processes, on another device.
///
/// An engine that can fail (a process that died, a device that is gone) throws, which ends the training with that
/// error.
///
/// Several engines can share a batch: each processes some of the groups of lanes (``LaneGroups``), and the gradient is
/// summed along the engines in the order of their groups, each continuing the sum of the previous one.
package protocol Engine<Scalar>: AnyObject {
    associatedtype Scalar: KernelScalar

    var model: ModelConfiguration { get }
    /// The lanes of the batch that it processes.
    var lanes: Range<Int> { get }

    /// Runs its lanes through a window, forward and backward, and moves their state to the end of the window.
    ///
    /// - Returns: the sum of the losses in nats of each group of lanes, in order.
    func run(_ window: TrainingWindow) throws -> [Double]

    /// The number of blocks the gradient is summed in: a constant of the model.
    var blocks: Int { get }
    /// Sums blocks of the gradient over the engine's lanes.
    ///
    /// - Parameter continues: whether the sum continues from what ``setGradient(_:of:)`` set; otherwise it starts at
    ///   zero.
    func reduce(_ blocks: Range<Int>, continues: Bool) throws
    /// A copy of the sum in a block.
    func gradient(ofBlock block: Int) -> [Scalar]
    /// Sets a block to a partial or complete sum from elsewhere.
    func setGradient(_ elements: [Scalar], ofBlock block: Int)
    /// Makes the sum of all blocks the gradient of the weights (dropped ones get none, a tied embedding gets that of both its
    /// uses), and returns its Euclidean norm.
    func completeGradient() throws -> Double

    /// Moves the weights along the gradient. False if a weight or a moment is not finite afterwards.
    func update(_ step: UpdateStep) throws -> Bool

    /// The states of its lanes; zero when an epoch starts.
    var laneState: NetworkState<Scalar> { get set }
    /// A copy of everything the next step depends on; `lanes` are its own.
    var state: EngineState<Scalar> { get }
    /// Continues from a state. Weights dropped for a window are restored.
    func restore(_ state: EngineState<Scalar>)

    /// Passes a network with the current weights to `body`, for inference only, until it returns.
    func withNetwork<Result>(_ body: (Network<Scalar>) throws -> Result) rethrows -> Result
}

/// A window of a training step: the input of every lane of the batch, and the keys of its random numbers. Its memory is
/// reused for the next window: an engine that still needs it after ``Engine/run(_:)`` returns must copy it.
package struct TrainingWindow: Sendable {
    package let input: LaneWindow
    /// Steps of the window that are used.
    package let steps: Int
    /// Targets in all lanes of the batch: the gradient is that of the mean over them.
    package let symbols: Int
    /// Key of the random numbers: the number of optimizer steps done before.
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

/// Everything a training step depends on.
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

/// The settings of an engine.
package struct EngineSetup<Scalar: KernelScalar>: Sendable {
    package var model: ModelConfiguration
    /// Trained in place; owned by the engine from now on.
    package var parameters: Parameters<Scalar>
    package var optimizer: Optimizer
    /// B of the whole batch, of which an engine may process a part.
    package var batch: Int
    /// T, at most.
    package var window: Int
    /// Whether lanes may begin a text within a window.
    package var restarts: Bool
    /// Seed of the dropout.
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
