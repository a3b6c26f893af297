import LinearAlgebra
import RecurrentNetwork

/// Two engines that share a batch, as if in two places: each carries half of the groups of lanes, and the gradient is summed along
/// them, block by block, the second continuing what the first began.
package final class PairedEngine<Scalar: KernelScalar>: Engine {
    private let (first, second): (ThreadedEngine<Scalar>, ThreadedEngine<Scalar>)

    package init(_ setup: EngineSetup<Scalar>) {
        let groups = LaneGroups(batch: setup.batch).ranges.count
        precondition(groups >= 2, "a batch of \(setup.batch) cannot be shared")
        var other = setup
        other.parameters = setup.parameters.copy(setup.model)
        first = ThreadedEngine(setup, groups: 0..<groups / 2)
        second = ThreadedEngine(other, groups: groups / 2..<groups)
    }

    package var model: ModelConfiguration { first.model }
    package var lanes: Range<Int> { first.lanes.lowerBound..<second.lanes.upperBound }

    package func run(_ window: TrainingWindow) -> [Double] { first.run(window) + second.run(window) }

    package var blocks: Int { first.blocks }

    package func reduce(_ blocks: Range<Int>, continues: Bool) {
        for block in blocks {
            first.reduce(block..<block + 1, continues: continues)
            second.setGradient(first.gradient(ofBlock: block), ofBlock: block)
            second.reduce(block..<block + 1, continues: true)
            first.setGradient(second.gradient(ofBlock: block), ofBlock: block)
        }
    }

    package func gradient(ofBlock block: Int) -> [Scalar] { first.gradient(ofBlock: block) }

    package func setGradient(_ elements: [Scalar], ofBlock block: Int) {
        first.setGradient(elements, ofBlock: block)
        second.setGradient(elements, ofBlock: block)
    }

    package func completeGradient() -> Double {
        let norms = (first.completeGradient(), second.completeGradient())
        precondition(norms.0 == norms.1 || norms.0.isNaN, "the halves disagree")
        return norms.0
    }

    package func update(_ step: UpdateStep) -> Bool {
        let areFinite = (first.update(step), second.update(step))
        precondition(areFinite.0 == areFinite.1, "the halves disagree")
        return areFinite.0
    }

    package var laneState: NetworkState<Scalar> {
        get { NetworkState(joining: [first.laneState, second.laneState]) }
        set {
            first.laneState = newValue[lanes: 0..<first.lanes.count]
            second.laneState = newValue[lanes: first.lanes.count..<newValue.lanes]
        }
    }

    package var state: EngineState<Scalar> {
        var state = second.state
        state.lanes = laneState
        return state
    }

    package func restore(_ state: EngineState<Scalar>) {
        for (engine, lanes) in [(first, 0..<first.lanes.count), (second, first.lanes.count..<state.lanes.lanes)] {
            var part = state
            part.lanes = state.lanes[lanes: lanes]
            engine.restore(part)
        }
    }

    package func withNetwork<Result>(_ body: (Network<Scalar>) throws -> Result) rethrows -> Result {
        try second.withNetwork(body)
    }
}
