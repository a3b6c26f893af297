import Concurrency
import LinearAlgebra

/// Runs training steps on the weights. The training loop knows only this protocol, not the implementation.
///
/// A step is ``gradient(of:)``, then ``update(_:)``. No value points into an engine's memory for longer than a call, so an
/// engine may keep it elsewhere: in other processes, on another device.
///
/// An engine that can fail (a process that died, a device that is gone) throws, which ends the training with that
/// error.
package protocol Engine<Scalar>: AnyObject {
    associatedtype Scalar: KernelScalar

    var model: ModelConfiguration { get }

    /// Runs the lanes through a window, forward and backward, moves their state to its end, and makes the gradient of the
    /// mean loss that of the weights (dropped ones get none, a tied embedding gets that of both its uses).
    func gradient(of window: TrainingWindow) throws -> GradientReport

    /// Moves the weights along the gradient. False if a weight or a moment is not finite afterwards.
    func update(_ step: UpdateStep) throws -> Bool

    /// The states of the lanes.
    var laneState: NetworkState<Scalar> { get throws }
    /// Sets the state of every lane to zero, at the start of an epoch.
    func clearState() throws
    /// Passes everything the next step depends on to `body`, until it returns.
    func withState<Result>(_ body: (EngineState<Scalar>) throws -> Result) throws -> Result
    /// Continues from a state. Weights dropped for a window are restored.
    func restore(_ state: EngineState<Scalar>) throws

    /// Passes the current weights to `body`, until it returns.
    func withParameters<Result>(_ body: (Parameters<Scalar>) throws -> Result) rethrows -> Result

    /// Passes a network with the current weights in float32 to `body`, for inference only, until it returns.
    func withNetwork<Result>(_ body: (Network<Scalar>) throws -> Result) rethrows -> Result
}

extension Engine {
    /// A copy of everything the next step depends on.
    package var state: EngineState<Scalar> {
        get throws { try withState { $0.copy(model) } }
    }
}

/// What a window's gradient is.
package struct GradientReport: Sendable, Equatable {
    /// The sum of the losses in nats of each group of lanes, in order.
    package var losses: [Double]
    /// The Euclidean norm of the gradient.
    package var norm: Double
    /// How much the gradients of parts of the batch differ, if that was asked for.
    package var halves: GradientHalves?

    package init(losses: [Double], norm: Double, halves: GradientHalves? = nil) {
        (self.losses, self.norm, self.halves) = (losses, norm, halves)
    }
}

/// The squared norms of the sums of the gradient over the first half of the groups of lanes and over all, before it is
/// masked or tied; each is the gradient of a sum of losses divided by the symbols of the whole window.
package struct GradientHalves: Sendable, Equatable {
    package var first: Double
    package var whole: Double

    package init(first: Double, whole: Double) { (self.first, self.whole) = (first, whole) }
}

/// A window of a training step: the input of every lane of the batch, and the keys of its random numbers. Its memory is
/// reused for the next window: an engine that still needs it after ``Engine/gradient(of:)`` returns must copy it.
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

    /// A copy with its own memory.
    package func copy(_ model: ModelConfiguration) -> EngineState {
        EngineState(parameters: parameters.copy(model), moments: moments.map { $0.copy(model) }, lanes: lanes)
    }
}

/// The settings of an engine.
package struct EngineSetup<Scalar: KernelScalar>: Sendable {
    package var model: ModelConfiguration
    /// Trained in place; owned by the engine from now on.
    package var parameters: Parameters<Scalar>
    package var optimizer: Optimizer
    /// Of the products.
    package var precision: Precision
    /// B of the whole batch, of which an engine may process a part.
    package var batch: Int
    /// T, at most.
    package var window: Int
    /// Whether lanes may begin a text within a window.
    package var restarts: Bool
    /// Seed of the dropout.
    package var seed: UInt64
    /// Whether gradients report their ``GradientHalves``.
    package var measuresHalves: Bool
    package var workers: Workers
    /// What the buffers of a window may take, unless each thread needs more for one group of lanes: 128 MB.
    package var windowBytes = usualWindowBytes

    /// The usual ``windowBytes``.
    package static var usualWindowBytes: Double { 128e6 }

    package init(
        model: ModelConfiguration, parameters: Parameters<Scalar>, optimizer: Optimizer,
        precision: Precision = .float32, batch: Int, window: Int, restarts: Bool = true, seed: UInt64,
        measuresHalves: Bool = false, workers: Workers
    ) {
        self.model = model
        self.parameters = parameters
        self.optimizer = optimizer
        self.precision = precision
        self.batch = batch
        self.window = window
        self.restarts = restarts
        self.seed = seed
        self.measuresHalves = measuresHalves
        self.workers = workers
    }
}
