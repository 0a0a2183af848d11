//! Connections from the first to the last.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

/// In which the head of a request has to arrive.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// For what is being answered when the server is to stop.
const GRACE: Duration = Duration::from_secs(10);
/// In which those whose answers were given up are told.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The wish that a server stops.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

impl Stop {
    pub(crate) fn new() -> Stop {
        Stop(watch::Sender::new(false))
    }

    /// No request is taken any more; those that are being answered have some seconds.
    pub(crate) fn request(&self) {
        self.0.send_replace(true);
    }

    /// Returns when the wish is there.
    pub(crate) async fn requested(&self) {
        // The other end cannot be gone: it is held here.
        let _ = self.0.subscribe().wait_for(|stop| *stop).await;
    }
}

/// What a server does at its end.
pub(crate) trait End {
    /// No connection is taken any more.
    fn stopping(&self) {}
    /// What is still being answered has had its time.
    fn given_up(&self) {}
}

/// Takes connections, up to so many at a time, and at the end waits for those that are being answered.
///
/// # Errors
/// If the system gives no connections.
pub(crate) async fn listen(listener: TcpListener, router: Router, most: usize, stop: &Stop, end: &impl End) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("cannot listen: {error}");
    listener.set_nonblocking(true).map_err(wrong)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(wrong)?;
    let (connections, open) = (GracefulShutdown::new(), Arc::new(Semaphore::new(most)));
    loop {
        let accepted = async {
            let permit = open.clone().acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            accepted = accepted => accepted,
            () = stop.requested() => break,
        };
        let Ok((stream, _)) = accepted else {
            // Too many open files, or the like: it passes.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        // What is sent token by token should not wait for more.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A connection that breaks is its client's affair.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    end.stopping();
    let mut done = std::pin::pin!(connections.shutdown());
    if timeout(GRACE, &mut done).await.is_err() {
        end.given_up();
        let _ = timeout(LAST_WORDS, done).await;
    }
    Ok(())
}
