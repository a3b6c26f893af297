import CMPI
import FoundationEssentials
import Glibc

/// Messages by an MPI library, through a plug-in that is opened at run time.
struct MPITransport: Transport {
    private let mpi: CMPI
    let rank: Int
    let ranks: Int
    let name: String

    /// Joins the launch.
    ///
    /// - Parameter path: the plug-in.
    init(plugin path: String) throws(ClusterError) {
        // Global, so that the parts that MPI libraries themselves open later find them.
        guard let library = dlopen(path, RTLD_NOW | RTLD_GLOBAL) else {
            throw .badPlugin(path: path, reason: String(cString: dlerror()))
        }
        guard let entry = dlsym(library, CMPI_SYMBOL) else {
            throw .badPlugin(path: path, reason: "it is not a plug-in for Escriba")
        }
        let table = unsafeBitCast(entry, to: CMPIEntry.self)()!.pointee
        guard table.version == CMPI_VERSION else {
            throw .badPlugin(path: path, reason: "it is of another version of Escriba; build it again with make mpi")
        }
        mpi = table
        name = String(cString: table.library()!)
        var (rank, ranks): (Int32, Int32) = (0, 0)
        guard table.start(&rank, &ranks) == 0 else {
            throw .transport(library: name, reason: String(cString: table.error()!))
        }
        (self.rank, self.ranks) = (Int(rank), Int(ranks))
    }

    /// Fails if the code is negative.
    private func check(_ code: Int32) throws(ClusterError) -> Int {
        guard code >= 0 else { throw .transport(library: name, reason: String(cString: mpi.error()!)) }
        return Int(code)
    }

    func send(_ message: Message, to rank: Int, tag: Int) throws(ClusterError) -> Int {
        try check(mpi.send(message.bytes.baseAddress, Int32(message.bytes.count), Int32(rank), Int32(tag)))
    }

    func receive(_ message: Message, from rank: Int, tag: Int) throws(ClusterError) -> Int {
        try check(mpi.receive(message.bytes.baseAddress, Int32(message.bytes.count), Int32(rank), Int32(tag)))
    }

    func completed() throws(ClusterError) -> [Int] {
        var operations: UnsafePointer<Int32>?
        let count = try check(mpi.completed(&operations))
        return (0..<count).map { Int(operations![$0]) }
    }

    func finish() throws(ClusterError) { _ = try check(mpi.finish()) }

    func abort(_ code: Int32) { mpi.abort(code) }

    // MARK: Plug-ins

    /// The folder of this program.
    static var folder: String {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return program.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    }

    /// The plug-in for a launcher: the file that `ESCRIBA_MPI` names, or one beside the program, or in its `../lib/escriba`.
    static func plugin(
        for launcher: Launcher, in folder: String = folder,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ClusterError) -> String {
        if let path = environment["ESCRIBA_MPI"], !path.isEmpty { return path }
        for library in launcher.libraries {
            let places = ["\(folder)/\(library.file)", "\(folder)/../lib/escriba/\(library.file)"]
            if let path = places.first(where: FileManager.default.fileExists) { return path }
        }
        throw .noPlugin(library: launcher.libraries[0].rawValue, file: launcher.libraries[0].file)
    }
}
