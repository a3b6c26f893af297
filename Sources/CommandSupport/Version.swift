import CVersion
import LinearAlgebra
import Tokenization

/// The version of the commands, and the only place where it stands.
public let escribaVersion = "0.2.0"

/// The version and the commit.
var versionLine: String {
    let commit = String(cString: cversion_commit())
    return "escriba \(escribaVersion)\(commit.isEmpty ? "" : " (commit \(commit))")"
}

/// What `--version` prints: version and commit; the libraries and the processor's instructions that results depend on.
public var versionText: String {
    let unicode = UnicodeVersions.current
    return """
        \(versionLine)
        ICU \(unicode.icu), Unicode \(unicode.unicode); kernels: \(KernelLevel.inUse)
        """
}
