//! Who is shown what.

use super::page::Page;
use crate::exec::Watching;
use crate::http::{End, Stop, listen, names_this_machine, stream};
use crate::report::{LIVE_POLICY, LIVE_SCRIPT};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::body::Bytes;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

/// Browsers that look at a time.
const CONNECTIONS: usize = 64;
/// Threads that read the run.
const READERS: usize = 2;
/// A connection without a word for longer is given up by what stands between.
const QUIET: Duration = Duration::from_secs(15);
/// Where the page's script is.
const SCRIPT: &str = "page.js";

struct App {
    page: Page,
    /// The revision of the page, for those who are told of news.
    revision: watch::Sender<u64>,
    stop: Stop,
}

struct Nothing;

impl End for Nothing {}

/// Shows a run to browsers until it is to stop.
///
/// # Errors
/// If the system gives no thread or no connections.
pub(crate) fn serve(run: Watching, listener: TcpListener, stop: &Stop) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(READERS).build();
    let runtime = runtime.map_err(|error| format!("cannot listen: {error}"))?;
    let begun = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let server = format!("{:x}{:x}", begun.as_millis(), std::process::id());
    let app = Arc::new(App { page: Page::new(run, server), revision: watch::Sender::new(0), stop: stop.clone() });
    runtime.block_on(async {
        let looking = tokio::spawn(look(app.clone()));
        let heard = listen(listener, router(app), CONNECTIONS, stop, &Nothing).await;
        looking.abort();
        heard
    })
}

/// Looks again and again, as long as somebody is there.
async fn look(app: Arc<App>) {
    loop {
        sleep(app.page.pause()).await;
        if app.revision.receiver_count() > 0 {
            refresh(&app).await;
        }
    }
}

async fn refresh(app: &Arc<App>) {
    let looks = app.clone();
    if let Ok(now) = tokio::task::spawn_blocking(move || looks.page.look()).await {
        app.revision.send_if_modified(|revision| std::mem::replace(revision, now) != now);
    }
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/events", get(events))
        .route(&format!("/{SCRIPT}"), get(|| async { ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], LIVE_SCRIPT) }))
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
        .layer(from_fn(admit))
        .layer(from_fn(guarded))
        .with_state(app)
}

/// Lets in who asks for this machine by a name of its own, and no page of another site: a browser says for whom it asks.
async fn admit(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = of("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    // A link that leads here may stand anywhere.
    let follows = of("sec-fetch-mode") == Some("navigate") && of("sec-fetch-dest") == Some("document");
    if !names_this_machine(headers) || (foreign && !follows) {
        return (StatusCode::FORBIDDEN, "only pages of this server may ask, by a name of this machine\n").into_response();
    }
    next.run(request).await
}

/// Whatever is answered is for the page itself.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = format!("{LIVE_POLICY}; frame-ancestors 'none'");
    let all = [
        ("content-security-policy", policy.as_str()),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ];
    for (name, value) in all {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

async fn page(State(app): State<Arc<App>>) -> Response {
    refresh(&app).await;
    let drawn = tokio::task::spawn_blocking(move || app.page.html(SCRIPT)).await;
    match drawn {
        Ok(page) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the page could not be drawn\n").into_response(),
    }
}

/// News as server-sent events, each with the parts that changed.
async fn events(State(app): State<Arc<App>>, request: Request) -> Response {
    // Who was here before says what it heard last.
    let again = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
    let have = again.or_else(|| request.uri().query()?.strip_prefix("have=")).unwrap_or_default().to_owned();
    let (to, pieces) = mpsc::channel::<Bytes>(1);
    tokio::spawn(tell(app, have, to));
    ([(header::CONTENT_TYPE, "text/event-stream")], stream(pieces)).into_response()
}

async fn tell(app: Arc<App>, mut have: String, to: mpsc::Sender<Bytes>) {
    let mut revision = app.revision.subscribe();
    let mut piece = Bytes::from_static(b"retry: 2000\n\n");
    while to.send(piece).await.is_ok() {
        piece = loop {
            revision.mark_unchanged();
            let (asks, known) = (app.clone(), have.clone());
            let Ok(news) = tokio::task::spawn_blocking(move || asks.page.news(&known)).await else { return };
            if let Some((name, news)) = news {
                have = name;
                break format!("event: parts\nid: {have}\ndata: {news}\n\n").into();
            }
            tokio::select! {
                () = app.stop.requested() => return,
                () = to.closed() => return,
                changed = timeout(QUIET, revision.changed()) => match changed {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return,
                    Err(_) => break Bytes::from_static(b": still here\n\n"),
                },
            }
        };
    }
}
