import CICU

/// ICU's properties of each scalar, in a table that is filled page by page on demand. Use one per thread.
final class ScalarKinds {
    typealias Page = UnsafeMutablePointer<UInt8>

    private let form: Int32
    /// Pages of 256 scalars each.
    private let pages = UnsafeMutablePointer<Page?>.allocate(capacity: 0x1100)
    /// The kinds of the first 256 scalars.
    let first: Page

    init(_ normalization: Normalization) throws(TextError) {
        form = normalization.form.map { Int32($0.rawValue) } ?? -1
        pages.initialize(repeating: nil, count: 0x1100)
        first = Page.allocate(capacity: 256)
        pages[0] = first
        try fill(first, 0)
    }

    deinit {
        for index in 0..<0x1100 { pages[index]?.deallocate() }
        pages.deallocate()
    }

    /// `CICU_PLAIN` and `CICU_WHITE_SPACE`, combined.
    @inline(__always)
    func kind(of scalar: UInt32) throws(TextError) -> UInt8 {
        if let page = pages[Int(scalar >> 8)] { return page[Int(scalar & 0xFF)] }
        let page = Page.allocate(capacity: 256)
        pages[Int(scalar >> 8)] = page
        try fill(page, scalar >> 8)
        return page[Int(scalar & 0xFF)]
    }

    private func fill(_ page: Page, _ index: UInt32) throws(TextError) {
        page.initialize(repeating: 0, count: 256)
        var status: Int32 = 0
        cicu_classify(form, index << 8, page, &status)
        try check(status, "cicu_classify")
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The scalar that begins at an index of well-formed UTF-8, and how many bytes it takes.
    @inline(__always)
    func scalar(at index: Int) -> (value: UInt32, length: Int) {
        let first = UInt32(self[index])
        func rest(_ offset: Int) -> UInt32 { UInt32(self[index + offset]) & 0x3F }
        if first < 0x80 { return (first, 1) }
        if first < 0xE0 { return ((first & 0x1F) << 6 | rest(1), 2) }
        if first < 0xF0 { return ((first & 0x0F) << 12 | rest(1) << 6 | rest(2), 3) }
        return ((first & 0x07) << 18 | rest(1) << 12 | rest(2) << 6 | rest(3), 4)
    }
}
