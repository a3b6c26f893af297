import Glibc

/// Writes all bytes to a file, repeating partial writes.
///
/// - Returns: 0, or the system's error.
func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Int32) -> Int32 {
    var done = 0
    while done < bytes.count {
        let got = write(file, bytes.baseAddress! + done, bytes.count - done)
        if got >= 0 { done += got } else if errno != EINTR { return errno }
    }
    return 0
}

/// Fills a buffer with the bytes of a file from a position; false if there are too few or reading fails.
func readAll(_ buffer: UnsafeMutableRawBufferPointer, from file: Int32, at position: Int) -> Bool {
    var done = 0
    while done < buffer.count {
        let got = pread(file, buffer.baseAddress! + done, buffer.count - done, off_t(position + done))
        if got < 0 && errno == EINTR { continue }
        guard got > 0 else { return false }
        done += got
    }
    return true
}
