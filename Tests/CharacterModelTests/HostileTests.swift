import Concurrency
import Foundation
import Randomness
import RecurrentNetwork
import TestSupport
import Testing
import Tokenization
import Training

@testable import CharacterModel

@Suite("Hostile checkpoints")
struct HostileTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("m.safetensors")
    }

    /// A safetensors file made by hand: header text, then so many bytes of data.
    private func file(_ header: String, data: Int = 0) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
            + [UInt8](repeating: 0, count: data)
    }

    private func error(_ bytes: [UInt8]) -> CheckpointError? {
        #expect(throws: CheckpointError.self) { try Checkpoint(bytes: bytes, name: "m") }
    }

    /// The parts of a real, small checkpoint without a checksum, which anybody can compute.
    private func parts() throws -> (header: [String: Any], data: [UInt8]) {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture("v1-lstm.safetensors"))))
        let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        var header = try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as! [String: Any]
        var metadata = header["__metadata__"] as! [String: String]
        metadata["checksum"] = nil
        header["__metadata__"] = metadata
        return (header, Array(bytes[(8 + length)...]))
    }

    private func assembled(_ header: [String: Any], _ data: [UInt8]) throws -> [UInt8] {
        let text = String(decoding: try JSONSerialization.data(withJSONObject: header), as: UTF8.self)
        return file(text) + data
    }

    /// An error for a checkpoint whose metadata were changed.
    private func error(_ key: String, _ change: (inout [String: Any]) -> Void) throws -> CheckpointError? {
        var (header, data) = try parts()
        var metadata = header["__metadata__"] as! [String: String]
        var value = try JSONSerialization.jsonObject(with: Data(metadata[key]!.utf8)) as! [String: Any]
        change(&value)
        metadata[key] = String(decoding: try JSONSerialization.data(withJSONObject: value), as: UTF8.self)
        header["__metadata__"] = metadata
        return error(try assembled(header, data))
    }

    @Test("A checkpoint without a checksum is read, so no test below depends on it")
    func unchanged() throws {
        let (header, data) = try parts()
        _ = try Checkpoint(bytes: try assembled(header, data), name: "m")
    }

    @Test("A header that two readers may understand differently is refused")
    func header() {
        let entry = "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}"
        #expect(error(file("{\"a\":\(entry),\"a\":\(entry)}", data: 4)) == .repeatedKey(path: "m", key: "a"))
        #expect(error(file("{\"a\":\(entry),\"\\u0061\":\(entry)}", data: 4)) == .repeatedKey(path: "m", key: "a"))
        #expect(
            error(file("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,4]}}", data: 4))
                == .repeatedKey(path: "m", key: "dtype"))
        let deep = String(repeating: "[", count: 100_000)
        #expect(error(file("{\"a\":\(deep)")) == .headerTooDeep(path: "m"))
        #expect(error(file("{\"a\":" + String(repeating: "{\"a\":", count: 50_000))) == .headerTooDeep(path: "m"))
        for text in ["{", "{\"", "{\"a\\", "{\"a\":", "{}x", "{} {}", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\":tru}"] {
            #expect(error(file(text)) == .headerNotJSON(path: "m"), "\(text)")
        }
        #expect(error(file("{\"a\":\"\u{0}\"}")) == .headerNotJSON(path: "m"))
    }

    @Test("False lengths, shapes and offsets are refused before anything is allocated")
    func sizes() {
        for length: UInt64 in [.max, 1 << 63, 1 << 62, (1 << 63) - 8, 100_000_001] {
            let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array("{}".utf8)
            #expect(error(bytes) == .notSafetensors(path: "m"))
        }
        #expect(error([99, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8)) == .cutShort(path: "m"))
        func entry(_ shape: String, _ offsets: String) -> String {
            "{\"a\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":\(offsets)}}"
        }
        for shape in ["[4611686018427387904,4]", "[9223372036854775807,9223372036854775807]", "[-1]", "[-1,-4]"] {
            #expect(error(file(entry(shape, "[0,4]"), data: 4)) == .badShape(path: "m", tensor: "a"))
        }
        for offsets in ["[0]", "[0,4,8]", "[4,0]", "[-4,0]", "[9223372036854775807,-9223372036854775808]", "[0,8]"] {
            #expect(error(file(entry("[1]", offsets), data: 4)) == .badOffsets(path: "m", tensor: "a"), "\(offsets)")
        }
        for text in [entry("[1e99]", "[0,4]"), entry("[1.5]", "[0,4]"), entry("[18446744073709551616]", "[0,4]")] {
            #expect(error(file(text, data: 4)) == .headerNotJSON(path: "m"))
        }
        // A million elements and no data.
        #expect(
            error(file(entry("[1000000]", "[0,4000000]"))) == .wrongSize(path: "m", expected: 4_000_074, found: 74))
    }

    /// Found by fuzzing.
    @Test("Names in a file cannot add a line to an error, or make it long")
    func names() {
        let name = "a\\n\\u001b[2J\\u2028" + String(repeating: "b", count: 5_000)
        let flaw = error(file("{\"\(name)\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,2]}}", data: 2))
        let line = flaw?.description ?? ""
        #expect(line.hasPrefix("tensor a\\n\\u{1B}[2J\\u{2028}bbb") && line.unicodeScalars.count <= 1_100, "\(line)")
    }

    @Test("A configuration that asks for more than the file holds is refused")
    func configuration() throws {
        for (key, value) in [
            ("hidden", 1_000_000), ("hidden", 0), ("hidden", -1), ("layers", 65), ("embedding", 1 << 40),
            ("vocabulary_size", Int.max), ("dropout", 1),
        ] {
            guard case .badMetadata(_, "configuration", _) = try error("configuration", { $0[key] = value }) else {
                Issue.record("\(key) \(value)")
                continue
            }
        }
        for (key, value) in [("hidden", 32_768), ("layers", 64), ("layers", 3), ("hidden", 5)] {
            switch try error("configuration", { $0[key] = value }) {
            case .wrongShape, .missingTensor: break
            case let other: Issue.record("\(key) \(value): \(String(describing: other))")
            }
        }
        guard case .wrongShape = try error("configuration", { $0["cell"] = "gru" }) else {
            Issue.record("another cell")
            return
        }
    }

    @Test("A vocabulary that is not in order, repeats itself, or has another size is refused")
    func vocabulary() throws {
        let changes: [(inout [String]) -> Void] = [
            { $0[1] = $0[0] }, { $0.reverse() }, { $0.removeLast() }, { $0.append("\u{10FFFF}") }, { $0[0] = "" },
            { $0 = [] },
        ]
        for (index, change) in changes.enumerated() {
            let found = try error("vocabulary") { value in
                var symbols = value["symbols"] as! [String]
                change(&symbols)
                value["symbols"] = symbols
            }
            guard case .badMetadata(_, "vocabulary", _) = found else {
                Issue.record("\(index): \(String(describing: found))")
                continue
            }
        }
        for (key, value) in [("unit", "byte"), ("unit", "word"), ("normalization", "nfx"), ("records", "")] {
            guard case .badMetadata(_, "vocabulary", _) = try error("vocabulary", { $0[key] = value }) else {
                Issue.record("\(key) \(value)")
                continue
            }
        }
    }

    @Test("A symbol that no text can produce is refused if the file has our Unicode version")
    func symbols() throws {
        func found(_ last: String, _ unit: String, _ unicode: String) throws -> CheckpointError? {
            var (header, data) = try parts()
            var metadata = header["__metadata__"] as! [String: String]
            var value = try JSONSerialization.jsonObject(with: Data(metadata["vocabulary"]!.utf8)) as! [String: Any]
            var symbols = (value["symbols"] as! [String]).filter { unit == "grapheme" || $0.unicodeScalars.count == 1 }
            let count = symbols.count
            symbols[count - 1] = last
            (value["symbols"], value["unit"], value["unicode"]) = (symbols, unit, unicode)
            metadata["vocabulary"] = String(
                decoding: try JSONSerialization.data(withJSONObject: value), as: UTF8.self)
            header["__metadata__"] = metadata
            do { _ = try Checkpoint(bytes: assembled(header, data), name: "m") } catch {
                return error as? CheckpointError
            }
            return nil
        }
        let ours = UnicodeVersions.current.unicode
        // The last in the order of bytes.
        let two = "\u{10FFFE}\u{10FFFF}"
        for unit in ["grapheme", "scalar"] {
            guard case .badMetadata(_, "vocabulary", let reason) = try found(two, unit, ours) else {
                Issue.record("\(unit)")
                continue
            }
            #expect(reason.contains("more than one"))
        }
        #expect(try found(two, "grapheme", "1.0") == nil)
        #expect(try found("\u{10FFFE}\u{301}", "grapheme", ours) == nil)
    }

    @Test("Every symbol that a text can produce is allowed in a checkpoint", arguments: Normalization.allCases)
    func symbolsOfTexts(normalization: Normalization) throws {
        // Of each kind that the rules of clusters and normal forms speak of.
        let kinds: [UInt32] = [
            0x61, 0xD, 0xA, 0x85, 0x200B, 0x200D, 0x300, 0x345, 0x1E0A, 0x323, 0x307, 0x600, 0x110BD, 0x93F, 0x915,
            0x94D,
            0x1100, 0x1161, 0x11A8, 0xAC00, 0xAC01, 0x1F1E6, 0x1F1E7, 0x1F600, 0x1F3FF, 0xFE0F, 0x231A, 0xE0020, 0x20E3,
            0xE33, 0xFDFA, 0x1D1BC, 0x2126, 0x212B, 0xFB03, 0x3099, 0x304B, 0xDF, 0x130, 0x903, 0x9BE,
        ]
        var generator = SplitMix64(seed: 4)
        let text = String(
            String.UnicodeScalarView((0..<20_000).map { _ in Unicode.Scalar(kinds.randomElement(using: &generator)!)! })
        )
        for unit in [TextUnit.grapheme, .scalar] {
            let corpus = try Corpus(
                reading: [.bytes(Array(text.utf8), name: "t")], unit: unit, normalization: normalization)
            let vocabulary = Vocabulary(of: 0..<corpus.count, in: corpus)
            #expect(try VocabularyRecord(vocabulary).vocabulary().symbols == vocabulary.symbols)
        }
    }

    @Test("NaN and infinity in any tensor are refused")
    func notFinite() throws {
        let (header, data) = try parts()
        for (name, value) in header where name != "__metadata__" {
            let offsets = (value as! [String: Any])["data_offsets"] as! [Int]
            for bits: UInt32 in [Float.nan.bitPattern, Float.infinity.bitPattern, 0xFF80_0000, 0x7F80_0001] {
                var poisoned = data
                withUnsafeBytes(of: bits.littleEndian) {
                    poisoned.replaceSubrange(offsets[1] - 4..<offsets[1], with: $0)
                }
                #expect(error(try assembled(header, poisoned)) == .notFinite(path: "m", tensor: name))
            }
        }
    }

    @Test("Bytes after, before or instead of a checkpoint are refused")
    func polyglots() throws {
        let (header, data) = try parts()
        let bytes = try assembled(header, data)
        guard case .wrongSize = error(bytes + Array("PK\u{5}\u{6}".utf8)) else {
            Issue.record("something behind")
            return
        }
        #expect(error(Array("#!/bin/sh\n".utf8) + bytes) == .notSafetensors(path: "m"))
        #expect(error(Array("PK\u{3}\u{4}....".utf8) + bytes) == .notSafetensors(path: "m"))
        #expect(error([0x80, 0x02] + bytes) == .notSafetensors(path: "m"))
    }

    @Test("Anything but a regular file is refused at once; a link to one is accepted")
    func kinds() throws {
        let pipe = folder.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        for other in [pipe, "/dev/zero", "/dev/null", folder.path] {
            #expect(throws: CheckpointError.unreadable(path: other, reason: "it is not a file")) {
                try Checkpoint(contentsOf: other)
            }
        }
        let link = folder.file("link.safetensors")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: fixture("v1-gru.safetensors"))
        _ = try Checkpoint(contentsOf: link)
        let loop = folder.file("loop")
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        guard case .unreadable = #expect(throws: CheckpointError.self, performing: { try Checkpoint(contentsOf: loop) })
        else {
            Issue.record("a link to itself")
            return
        }
        // A file with a hole of a petabyte: it takes no room, and is not read.
        _ = try folder.write("{}", to: "m.safetensors")
        guard truncate(path, 1 << 43) == 0 else { return }
        #expect(throws: CheckpointError.tooLarge(path: path, bytes: 1 << 43)) { try Checkpoint(contentsOf: path) }
    }
}
