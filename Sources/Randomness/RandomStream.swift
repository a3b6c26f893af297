/// The purposes of random streams; a purpose is the first part of a stream's path.
///
/// All purposes are listed here, so that no two share a stream.
package enum RandomStream {
    package static let initialization: UInt64 = 1
    package static let dropout: UInt64 = 2
    package static let unknown: UInt64 = 3
    package static let sampling: UInt64 = 4
    package static let order: UInt64 = 5
    package static let coldStarts: UInt64 = 6
    package static let tuning: UInt64 = 7
    package static let weightDropout: UInt64 = 8
    package static let inspection: UInt64 = 9
    package static let crops: UInt64 = 10
    package static let ngramDropout: UInt64 = 11
    package static let study: UInt64 = 12
}
