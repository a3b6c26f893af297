import FoundationEssentials

extension Workers {
    /// The number of threads the system can run at once for this process.
    package static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }
}
