import HTTPTypes
import Hummingbird

/// The page to write with.
enum Page {
    private static let files: [(path: String, type: String, bytes: [UInt8])] = [
        ("/", "text/html; charset=utf-8", PackageResources.page_html),
        ("/page.css", "text/css; charset=utf-8", PackageResources.page_css),
        ("/page.js", "text/javascript; charset=utf-8", PackageResources.page_js),
    ]

    static let paths = files.map(\.path)

    static func add(to router: Router<ServingContext>) {
        for (path, type, bytes) in files {
            router.get(.init(path)) { _, _ in
                Response(
                    status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
            }
        }
    }
}
