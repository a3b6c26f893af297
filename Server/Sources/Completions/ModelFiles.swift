import FoundationEssentials

/// The files of models among paths that were given at the start.
enum ModelFiles {
    struct File {
        var name: String
        var path: String
        /// Whether it was found in a folder, rather than given itself.
        var isFound: Bool
        /// Seconds since 1970.
        var created: Int
    }

    /// - Parameter paths: models, with or without `.safetensors`, and folders of models.
    /// - Throws: `APIError` if there is none, or two have one name.
    static func find(_ paths: [String]) throws -> [File] {
        var files: [File] = []
        for path in paths {
            let folder = path
            for path in try models(at: path) {
                let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
                guard !files.contains(where: { $0.name == name }) else {
                    throw APIError(.badRequest, "two models are called \(name); rename one")
                }
                let date = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
                let created = Int(date?.timeIntervalSince1970 ?? 0)
                files.append(File(name: name, path: path, isFound: path.hasPrefix(folder + "/"), created: created))
            }
        }
        guard !files.isEmpty else {
            throw APIError(.badRequest, "there is no model in \(paths.joined(separator: ", ")); train makes one")
        }
        return files
    }

    /// The models in a folder, by name, without training states; links in it are not followed.
    private static func models(at path: String) throws -> [String] {
        let manager = FileManager.default
        var isFolder = false
        var found = path
        if !manager.fileExists(atPath: found, isDirectory: &isFolder) { found += ".safetensors" }
        guard manager.fileExists(atPath: found, isDirectory: &isFolder) else {
            throw APIError(.badRequest, "\(path): there is no such file or folder; give a model that train has made")
        }
        guard isFolder else { return [found] }
        let names: [String]
        do { names = try manager.contentsOfDirectory(atPath: path).sorted() } catch {
            throw APIError(.badRequest, "\(path): the folder cannot be read")
        }
        return names.map { "\(path)/\($0)" }.filter {
            guard $0.hasSuffix(".safetensors"), !$0.hasSuffix(".last.safetensors") else { return false }
            return (try? manager.attributesOfItem(atPath: $0)[.type] as? FileAttributeType) == .typeRegular
        }
    }
}
