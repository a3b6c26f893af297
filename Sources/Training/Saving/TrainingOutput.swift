import CharacterModel
import FoundationEssentials

extension Trainer {
    /// Where a training run saves its files, and how often.
    public struct Output: Sendable {
        /// The best model by validation; the resumable state is saved beside it.
        public var path: String
        public var checkpointEvery = 60.0
        public var metricsPath: String?
        /// Steps between reports.
        public var logEvery = 10
        /// Whether reports have a gradient noise scale.
        public var measuresNoise = false
        /// Whether the files of an earlier training run are overwritten; otherwise they are kept under numbered names.
        public var overwrites = false
        /// The texts that are written while it learns; none by default.
        public var samples = SamplePlan()
        /// Whether the best model is scored exactly at the end.
        package var scoresExactly = true
        /// Whether counts are mixed into the model, if n-grams are counted in the data.
        package var mixesCounts = true
        package var files: any FileSystem = SystemFiles()

        public init(path: String) { self.path = path }

        /// `NAME.last.safetensors` for `NAME.safetensors`.
        public var lastPath: String {
            let suffix = ".safetensors"
            return (path.hasSuffix(suffix) ? String(path.dropLast(suffix.count)) : path) + ".last" + suffix
        }
    }
}

package func makeFolder(of path: String) throws(CheckpointError) {
    let folder = folder(of: path)
    do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
        throw .cannotCreate(path: path, reason: "the folder \(folder) cannot be created")
    }
}

/// Checks up front that a file can be created at a path, before hours of training.
func prepare(_ path: String) throws(CheckpointError) {
    var isFolder = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder {
        throw .cannotCreate(path: path, reason: "it is a folder")
    }
    AtomicFile.sweep(beside: path)
    _ = try AtomicFile(replacing: path)
}
