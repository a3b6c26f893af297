import Foundation

/// The path of a file in `Fixtures`.
func fixture(_ name: String) -> String { Bundle.module.bundlePath + "/Fixtures/" + name }
