import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP (the terminal was closed) as a flag that a loop can check.
///
/// A signal handler can only use globals; this is the only one in the project. A signal that comes again after a while
/// ends the process at once. One that comes twice in a row does not: that is how `timeout` sends it.
public enum Interruption {
    private static let received = Atomic<Int32>(0)
    /// When each signal first came, in nanoseconds of a clock that only goes forward; 0 if it has not.
    private static let firstInterrupt = Atomic<UInt64>(0)
    private static let firstTermination = Atomic<UInt64>(0)
    private static let firstHangup = Atomic<UInt64>(0)
    /// Nanoseconds in which the same signal is the same wish.
    private static let pause: UInt64 = 300_000_000
    /// Set on a rank that leaves the messages to rank 0.
    static let isQuiet = Atomic(false)

    /// From now on, signals only set the flag.
    public static func watch() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // nohup makes the process ignore SIGHUP, which is respected. A shell makes background jobs ignore SIGINT
            // too, but whoever sends it to one means it.
            var earlier = sigaction()
            sigaction(number, nil, &earlier)
            let ignored = unsafeBitCast(earlier.__sigaction_handler.sa_handler, to: Int.self) == 1  // SIG_IGN
            if ignored && number == SIGHUP { continue }
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                let code = errno
                Interruption.take(number)
                errno = code
            }
            // A later signal ends the process even while the message of the first waits for a reader.
            action.sa_flags = SA_RESTART | SA_NODEFER
            sigaction(number, &action, nil)
            // A parent may have started us with the signal blocked.
            sigaddset(&signals, number)
        }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// What the handler does.
    private static func take(_ number: Int32) {
        let first =
            switch number {
            case SIGINT: note(firstInterrupt)
            case SIGTERM: note(firstTermination)
            default: note(firstHangup)
            }
        if let first {
            if time > first + pause {
                Glibc.signal(number, SIG_DFL)
                raise(number)
            }
            return
        }
        guard received.exchange(number, ordering: .relaxed) == 0, !isQuiet.load(ordering: .relaxed) else { return }
        let message: StaticString = "stopping and saving; press Ctrl-C again to stop at once without saving\n"
        _ = write(2, message.utf8Start, message.utf8CodeUnitCount)
    }

    /// Notes that a signal came now; returns when it first came if it had.
    private static func note(_ first: borrowing Atomic<UInt64>) -> UInt64? {
        let result = first.compareExchange(expected: 0, desired: time, ordering: .relaxed)
        return result.exchanged ? nil : result.original
    }

    private static var time: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    public static var isRequested: Bool { received.load(ordering: .relaxed) != 0 }

    /// The signal that was received, or 0.
    static var signal: Int32 { received.load(ordering: .relaxed) }

    /// Takes note of a signal that another rank has received.
    static func receive(_ number: Int32) {
        guard received.compareExchange(expected: 0, desired: number, ordering: .relaxed).exchanged else { return }
        StandardError.print("another rank was asked to stop; stopping and saving")
    }

    /// 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.
    public static var exitCode: Int32 { 128 + received.load(ordering: .relaxed) }
}
