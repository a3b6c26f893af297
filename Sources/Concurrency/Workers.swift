import Glibc
import Synchronization

/// A pool of threads that work on lists of tasks.
///
/// Which thread runs a task can vary, but its result must not, so each task writes to its own memory. The threads sleep
/// between lists and end with the object. One list at a time: a task may not call its own workers.
package final class Workers: Sendable {
    package let count: Int
    private let crew: Crew

    package init(count: Int) {
        precondition(count >= 1, "\(count) threads")
        self.count = count
        crew = Crew(watches: count <= Self.cores)
        for worker in 1..<max(count, 1) { crew.hire(worker) }
    }

    deinit { crew.dismiss() }

    /// Runs every task below `tasks` and returns when all are done.
    ///
    /// - Parameter body: runs a task; receives its index, and that of the thread, which is below `count`.
    package func run(_ tasks: Int, _ body: @Sendable (_ task: Int, _ worker: Int) -> Void) {
        guard count > 1 && tasks > 1 else {
            for task in 0..<tasks { body(task, 0) }
            return
        }
        withoutActuallyEscaping(body) { crew.work(tasks, $0) }
    }

    /// Runs `body` for every index below `tasks` and returns when all are done.
    package func forEach(_ tasks: Int, _ body: @Sendable (_ task: Int) -> Void) {
        run(tasks) { task, _ in body(task) }
    }

    /// Cuts `0..<length` into pieces of `size` (the last may be shorter) and runs `body` for each.
    package func forEachPiece(of length: Int, size: Int, _ body: @Sendable (Range<Int>) -> Void) {
        forEach((length + size - 1) / size) { piece in body(piece * size..<min(length, (piece + 1) * size)) }
    }
}

/// Runs a task of a list; receives its index and that of the thread.
private typealias Task = @Sendable (Int, Int) -> Void

/// The threads besides the caller's, and the list they work on.
///
/// Waking a thread takes tens of microseconds, so a thread first watches for what it waits for, as long as that.
///
/// Unchecked: every stored variable is read and written with the mutex held, except those that are atomic.
private final class Crew: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// There is a list, or the threads must end.
    private let called = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// All threads are idle.
    private let idle = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let next = Atomic<Int>(0)
    /// Copies of `lists` and `working` to watch.
    private let announced = Atomic<Int>(0)
    private let busy = Atomic<Int>(0)
    /// Whether there is a core for each thread.
    private let watches: Bool
    // Guarded by the mutex.
    private var list: Task?
    private var tasks = 0
    /// How many lists there have been.
    private var lists = 0
    private var working = 0
    private var ends = false

    init(watches: Bool) {
        self.watches = watches
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(called, nil)
        pthread_cond_init(idle, nil)
    }

    deinit {
        pthread_cond_destroy(idle)
        pthread_cond_destroy(called)
        pthread_mutex_destroy(mutex)
        idle.deallocate()
        called.deallocate()
        mutex.deallocate()
    }

    func hire(_ worker: Int) {
        // Without a thread, fewer do the same work.
        _ = startThread { [self] in serve(worker) }
    }

    func dismiss() {
        pthread_mutex_lock(mutex)
        ends = true
        announced.store(.max, ordering: .relaxed)
        pthread_cond_broadcast(called)
        pthread_mutex_unlock(mutex)
    }

    /// Shares a list with the free threads, and returns when no thread works on it.
    func work(_ tasks: Int, _ list: @escaping Task) {
        pthread_mutex_lock(mutex)
        precondition(self.list == nil && working == 0, "workers were called while they work")
        self.list = list
        self.tasks = tasks
        lists += 1
        next.store(0, ordering: .relaxed)
        announced.store(lists, ordering: .relaxed)
        pthread_cond_broadcast(called)
        pthread_mutex_unlock(mutex)
        claim(tasks, list, worker: 0)
        watch(busy) { $0 == 0 }
        pthread_mutex_lock(mutex)
        self.list = nil
        while working > 0 { pthread_cond_wait(idle, mutex) }
        pthread_mutex_unlock(mutex)
    }

    private func claim(_ tasks: Int, _ list: @escaping Task, worker: Int) {
        while true {
            let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard task < tasks else { return }
            list(task, worker)
        }
    }

    /// Works on the current list. The mutex is locked on entry and on return; on return, this thread no longer uses the
    /// list.
    private func help(_ worker: Int) {
        guard let list else { return }
        let tasks = tasks
        pthread_mutex_unlock(mutex)
        claim(tasks, list, worker: worker)
        pthread_mutex_lock(mutex)
    }

    private func serve(_ worker: Int) {
        var seen = 0
        while true {
            watch(announced) { $0 != seen }
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            while !ends && (list == nil || lists == seen) { pthread_cond_wait(called, mutex) }
            guard !ends, list != nil else { return }
            seen = lists
            working += 1
            busy.store(working, ordering: .relaxed)
            help(worker)
            working -= 1
            busy.store(working, ordering: .relaxed)
            if working == 0 { pthread_cond_signal(idle) }
        }
    }

    /// Returns when a value is as it should be, or after 20 microseconds. Other threads may have the core meanwhile.
    @inline(__always)
    private func watch(_ value: borrowing Atomic<Int>, _ isRight: (Int) -> Bool) {
        let end = ContinuousClock.now + .microseconds(20)
        repeat {
            for _ in 0..<100 where isRight(value.load(ordering: .relaxed)) { return }
            sched_yield()
        } while watches && ContinuousClock.now < end
    }
}
