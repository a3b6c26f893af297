import LinearAlgebra
import RecurrentNetwork

/// The minGRU once more, through the same protocol but computed a whole window at once: h' = a h + b is an associative rule, so
/// a window is a scan (Blelloch 1990; Martin & Cundy 2018) and not a loop over steps.
struct ScanCell: RecurrentCell {
    let name = "scan"
    let title = "minimal gated recurrent unit, by a scan"
    let states = ["hidden"]
    let gates = ["update", "candidate"]
    let uses: Set<CellOption> = []
    let learningRates = (small: 0.004, large: 0.004)

    func tensors(of layer: LayerShape) -> [LayerTensor] {
        [.inputWeight(gates: 2, layer), .bias("bias_ih", gates: [0, 0], layer)]
    }

    func makeWindow<Scalar: KernelScalar>(_ shape: WindowShape, from memory: MemoryLedger) -> any CellWindow<Scalar> {
        ScanWindow(shape, from: memory)
    }
}

private final class ScanWindow<Scalar: KernelScalar>: CellWindow {
    let states: [Matrix<Scalar>]
    let gateValues: Matrix<Scalar>
    let packedStates: PackedMatrix<Scalar>
    private let (lanes, hidden): (Int, Int)

    init(_ shape: WindowShape, from memory: MemoryLedger) {
        (lanes, hidden) = (shape.lanes, shape.layer.hidden)
        states = [memory.matrix((shape.steps + 1) * lanes, hidden)]
        gateValues = memory.matrix(shape.steps * lanes, 2 * hidden)
        packedStates = memory.packed(inner: (shape.steps + 1) * lanes, columns: hidden, shape.precision)
    }

    /// Nothing is left to do before the state is known: the cell projects where it recurs.
    func project(_ steps: Range<Int>, of input: LayerInput<Scalar>, weights: LayerWeights<Scalar>) {
        let rows = steps.lowerBound * lanes..<steps.upperBound * lanes
        let (target, bias) = (gateValues.view.rows(rows), weights[1].parameter)
        switch input {
        case .ids(let ids):
            Scalar.kernels.gather(ids.columns(rows), from: weights[0].parameter, bias: bias, into: target)
        case .matrix(let x):
            Scalar.kernels.product(x.rows(rows), weights[0].forward!, bias: bias, accumulate: false, into: target)
        }
    }

    /// An inclusive scan in log2(T) rounds (Hillis & Steele 1986) of the pairs (a, b), first to last.
    private func scan(_ pairs: inout [(a: Scalar, b: Scalar)]) {
        var reach = 1
        while reach < pairs.count {
            let before = pairs
            for t in reach..<pairs.count {
                let (earlier, later) = (before[t - reach], before[t])
                pairs[t] = (later.a * earlier.a, later.a * earlier.b + later.b)
            }
            reach *= 2
        }
    }

    private func begins(_ run: WindowRun<Scalar>, _ step: Int, _ lane: Int) -> Bool {
        run.resets.contains(Reset(step: step, lane: lane))
    }

    func recur(_ run: WindowRun<Scalar>, weights: LayerWeights<Scalar>) {
        for lane in 0..<lanes {
            for unit in 0..<hidden {
                var pairs = (0..<run.steps).map { step -> (a: Scalar, b: Scalar) in
                    let z = sigmoid(gateValues.view[step * lanes + lane, unit])
                    gateValues.view[step * lanes + lane, unit] = z
                    let candidate = gateValues.view[step * lanes + lane, hidden + unit]
                    return (begins(run, step, lane) ? 0 : 1 - z, z * candidate)
                }
                let first = states[0].view[lane, unit]
                pairs[0] = (0, pairs[0].a * first + pairs[0].b)
                scan(&pairs)
                for (step, pair) in pairs.enumerated() {
                    states[0].view[(step + 1) * lanes + lane, unit] = pair.b
                    run.output?.view[step * lanes + lane, unit] = pair.b
                }
            }
        }
    }

    /// The gradient is a scan too, from the last step to the first: g = dh + a' g', with the step after it.
    func backward(
        _ run: WindowRun<Scalar>, weights: LayerWeights<Scalar>, outputGradient: Matrix<Scalar>,
        inputGradient: MatrixView<Scalar>?
    ) {
        for lane in 0..<lanes {
            for unit in 0..<hidden {
                var pairs = (0..<run.steps).reversed().map { step -> (a: Scalar, b: Scalar) in
                    let isLast = step + 1 == run.steps || begins(run, step + 1, lane)
                    let a = isLast ? 0 : 1 - gateValues.view[(step + 1) * lanes + lane, unit]
                    return (a, outputGradient.view[step * lanes + lane, unit])
                }
                scan(&pairs)
                for (index, pair) in pairs.enumerated() {
                    let step = run.steps - 1 - index
                    let row = step * lanes + lane
                    let (z, candidate) = (gateValues.view[row, unit], gateValues.view[row, hidden + unit])
                    let before = begins(run, step, lane) ? 0 : states[0].view[row, unit]
                    gateValues.view[row, unit] = pair.b * (candidate - before) * z * (1 - z)
                    gateValues.view[row, hidden + unit] = pair.b * z
                }
            }
        }
        if let inputGradient {
            Scalar.kernels.product(
                gateValues.view.rows(0..<run.steps * lanes), weights[0].backward!, bias: nil, accumulate: false,
                into: inputGradient)
        }
        Scalar.kernels.pack(states[0].view.rows(0..<(run.steps + 1) * lanes), into: packedStates)
    }

    func addGradient(to sum: GradientSum<Scalar>) {
        sum.take(gateValues, bias: 1, gathered: 0)
        sum.addProductWithInput(to: 0)
    }
}
