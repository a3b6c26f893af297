import Glibc

/// Runs a body on a thread of its own, which ends with it.
///
/// - Returns: whether the system gave a thread; if not, the body is not run.
package func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    let start = Unmanaged.passRetained(Start(body))
    var thread = pthread_t()
    guard pthread_create(&thread, nil, { run($0!) }, start.toOpaque()) == 0 else {
        start.release()
        return false
    }
    pthread_detach(thread)
    return true
}

private final class Start {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

private func run(_ start: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<Start>.fromOpaque(start).takeRetainedValue().body()
    return nil
}
