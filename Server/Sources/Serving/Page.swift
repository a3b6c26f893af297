import HTTPTypes
import Hummingbird
import Reports

/// The page to write with.
enum Page {
    private static let script = "text/javascript; charset=utf-8"
    private static let style = "text/css; charset=utf-8"

    private static let files: [(path: String, type: String, bytes: [UInt8])] = [
        ("/", "text/html; charset=utf-8", PackageResources.page_html),
        ("/icon.svg", "image/svg+xml", PackageResources.icon_svg),
        ("/house.css", style, Array(PageStyle.css.utf8)),
        ("/page.css", style, PackageResources.page_css),
        ("/page.js", script, PackageResources.page_js),
        ("/figures.js", script, PackageResources.figures_js),
        ("/manuscript.js", script, PackageResources.manuscript_js),
        ("/server.js", script, PackageResources.server_js),
        ("/shelf.js", script, PackageResources.shelf_js),
        ("/view.js", script, PackageResources.view_js),
    ]

    static let paths = files.map(\.path)

    static func add(to router: Router<ServingContext>) {
        for (path, type, bytes) in files {
            router.get(.init(path)) { _, _ in
                Response(
                    status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
                )
            }
        }
    }
}
