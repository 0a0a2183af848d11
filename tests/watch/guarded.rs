//! Who may look.

use crate::TINY;
use crate::client::{receive, send};
use crate::runs::Runs;
use crate::watcher::Watcher;

#[test]
fn only_this_machine_and_no_page_of_a_stranger_can_look() {
    let runs = Runs::new();
    runs.run(TINY, &["--set", "tiny.iterations=1"]).exits(0);
    let watcher = Watcher::start(&runs, &[]);
    let status = |path: &str, headers: &[(&str, &str)]| watcher.get(path, headers).status;
    for path in ["/", "/page.js"] {
        assert_eq!(status(path, &[]), 200);
        assert_eq!(status(path, &[("Host", "[::1]:8001")]), 200);
    }
    let strangers: [&[(&str, &str)]; 5] = [
        &[("Host", "evil.example")],
        &[("Host", "127.0.0.1.evil.example:8001")],
        &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")],
        &[("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "script")],
        &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")],
    ];
    for headers in strangers {
        for path in ["/", "/events", "/page.js", "/nothing"] {
            let reply = watcher.get(path, headers);
            assert!(reply.status == 403 && !reply.body.contains("Tiny"), "{path} {headers:?} {}", reply.status);
        }
    }
    // A link may lead here.
    assert_eq!(status("/", &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]), 200);
    assert_eq!(status("/nothing", &[]), 404);
    assert_eq!(status("/../Cargo.toml", &[]), 404);
    assert_eq!(receive(send(watcher.port, "POST", "/", &[], b"")).status, 405);

    let head = watcher.get("/", &[("Origin", "http://evil.example")]).head;
    assert!(!head.contains("access-control"), "{head}");
    for line in [
        "content-security-policy: default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'",
        "frame-ancestors 'none'",
        "x-frame-options: deny",
        "x-content-type-options: nosniff",
        "cross-origin-resource-policy: same-origin",
        "cache-control: no-store",
    ] {
        assert!(head.contains(line), "no `{line}` in {head}");
    }
}
