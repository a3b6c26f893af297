import Foundation

extension Workers {
    /// The threads that the system runs at once for this process.
    package static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }
}
