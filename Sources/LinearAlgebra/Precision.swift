/// The numbers that products are made of. Sums, states and everything else are 32-bit floats in both cases.
public enum Precision: String, Sendable, Codable, CaseIterable {
    case float32
    /// Both sides of a product are rounded to bfloat16: 8 significant bits and the exponents of a float.
    case bfloat16
}

/// A bfloat16: the upper half of a float.
package struct BFloat16: Equatable, Sendable {
    package let bits: UInt16

    package init(bits: UInt16) { self.bits = bits }

    /// The nearest one; of two, the one with an even last bit. Denormals become zero with their sign; NaN stays NaN.
    package init(_ x: Float) {
        let bits = x.bitPattern
        if x.isNaN {
            self.bits = UInt16(bits >> 16) | 0x40
        } else if x.isSubnormal {
            self.bits = UInt16(bits >> 16) & 0x8000
        } else {
            self.bits = UInt16((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
        }
    }

    /// Exactly.
    package var float: Float { Float(bitPattern: UInt32(bits) << 16) }
}

/// Two of them that follow each other in a sum, in a word of 32 bits: the first in the low half.
package struct BFloat16Pair: Equatable, Sendable {
    package var word: UInt32

    package init(_ first: Float, _ second: Float) {
        word = UInt32(BFloat16(first).bits) | UInt32(BFloat16(second).bits) << 16
    }

    package init(word: UInt32) { self.word = word }

    package var first: Float { BFloat16(bits: UInt16(truncatingIfNeeded: word)).float }
    package var second: Float { BFloat16(bits: UInt16(word >> 16)).float }

    /// `sum` plus the products of the second elements, then of the first ones, rounded after each; as the instruction
    /// `vdpbf16ps`, which takes denormals for zero and returns none (Intel, Architecture Instruction Set Extensions, 2018).
    package static func dot(_ x: BFloat16Pair, _ y: BFloat16Pair, adding sum: Float) -> Float {
        add(x.first, y.first, to: add(x.second, y.second, to: sum))
    }

    /// The product is exact. A result is denormal if it is below the least normal number when rounded to 24 bits without a bound on
    /// the exponent, which multiplying by 2^24 shows.
    private static func add(_ x: Float, _ y: Float, to sum: Float) -> Float {
        let (x, y, sum) = (flushed(x), flushed(y), flushed(sum))
        let result = sum.addingProduct(x, y)
        let wide = (sum * 0x1p24).addingProduct(x * 0x1p24, y)
        return abs(wide) < 0x1p-102 ? Float(sign: result.sign, exponent: 0, significand: 0) : result
    }

    private static func flushed(_ x: Float) -> Float {
        x.isSubnormal ? Float(sign: x.sign, exponent: 0, significand: 0) : x
    }
}
