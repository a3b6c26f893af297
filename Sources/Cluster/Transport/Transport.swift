/// Moves messages between the processes (ranks) of a launch. Not safe for threads: ``Communicator`` gives it one of its
/// own.
///
/// Messages of one sender, receiver and tag arrive in the order in which they were sent.
package protocol Transport {
    /// This process, from 0.
    var rank: Int { get }
    var ranks: Int { get }
    /// What moves the messages, by name.
    var name: String { get }

    /// Starts to send a message; its memory must stay until the operation has completed.
    ///
    /// - Returns: the number of the operation.
    mutating func send(_ message: Message, to rank: Int, tag: Int) throws(ClusterError) -> Int
    /// Starts to receive a message, which may be shorter than the memory for it.
    mutating func receive(_ message: Message, from rank: Int, tag: Int) throws(ClusterError) -> Int
    /// The operations that have completed since the last call.
    mutating func completed() throws(ClusterError) -> [Int]
    /// Leaves the launch, once all ranks do.
    mutating func finish() throws(ClusterError)
    /// Ends the processes of all ranks.
    mutating func abort(_ code: Int32)
}
