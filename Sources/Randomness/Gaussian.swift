import RealModule

/// A number from the standard normal distribution (Box & Muller 1958).
package func gaussian(using generator: inout SplitMix64) -> Double {
    let radius = (-2 * Double.log(1 - generator.uniform())).squareRoot()
    return radius * Double.cos(2 * .pi * generator.uniform())
}
