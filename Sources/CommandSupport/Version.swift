import CVersion
import LinearAlgebra
import Tokenization

/// The version of the commands, and the only place where it stands.
public let escribaVersion = "0.2.0"

/// What `--version` prints: version and commit; the libraries and the processor's instructions that results depend on.
public var versionText: String {
    let commit = String(cString: cversion_commit())
    let unicode = UnicodeVersions.current
    return """
        escriba \(escribaVersion)\(commit.isEmpty ? "" : " (commit \(commit))")
        ICU \(unicode.icu), Unicode \(unicode.unicode); kernels: \(KernelLevel.inUse)
        """
}
