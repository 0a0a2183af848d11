//! The pages of the server.

use super::answer::Answer;
use super::body::{Form, Model};
use super::error::{ApiError, json_response};
use super::queue::{Queue, Refusal};
use super::stream;
use crate::http::names_this_machine;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, timeout, timeout_at};

/// What every page may ask.
pub(super) struct App {
    pub model: Model,
    pub queue: Arc<Queue>,
    /// When it was begun, in seconds since 1970.
    pub created: u64,
    /// The hash of the key, where there is one.
    pub key: Option<blake3::Hash>,
    /// Whether only this machine can reach it.
    pub loopback: bool,
    /// Bytes of a body.
    pub max_body: usize,
    /// Of a request, waiting included.
    pub time_limit: Duration,
}

/// In which a body has to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Bytes that are read and thrown away of a body that is too large: a client that is still writing does not hear its answer.
const THROWN_AWAY: usize = 16 << 20;

pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(|State(app): State<Arc<App>>, request: Request| answer(app, Form::Chat, request)))
        .route("/v1/completions", post(|State(app): State<Arc<App>>, request: Request| answer(app, Form::Completion, request)))
        .route("/v1/models", get(models))
        .route("/v1/models/{*name}", get(model))
        .route("/health", get(health))
        .fallback(|method: Method, uri: Uri| async move { ApiError::no_page(method.as_str(), uri.path()) })
        .method_not_allowed_fallback(|method: Method, uri: Uri| async move { ApiError::wrong_method(method.as_str(), uri.path()) })
        .layer(from_fn_with_state(app.clone(), admit))
        .with_state(app)
}

async fn health(State(app): State<Arc<App>>) -> Response {
    let (answering, waiting) = app.queue.load();
    json_response(StatusCode::OK, &json!({ "status": "ok", "answering": answering, "waiting": waiting }))
}

/// Lets in who has the key. Where there is none, a page that a browser shows may be made to ask for this machine by a name of its own: that is told by `Host`.
async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    match app.key {
        Some(key) => {
            let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let given = given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            if given.is_none_or(|(_, given)| blake3::hash(given.trim().as_bytes()) != key) {
                return ApiError::no_key().into_response();
            }
        }
        None if app.loopback && !names_this_machine(headers) => return ApiError::wrong_host().into_response(),
        None => {}
    }
    next.run(request).await
}

fn described(app: &App) -> Value {
    json!({ "id": app.model.name, "object": "model", "created": app.created, "owned_by": "epo", "max_model_len": app.model.context })
}

async fn models(State(app): State<Arc<App>>) -> Response {
    json_response(StatusCode::OK, &json!({ "object": "list", "data": [described(&app)] }))
}

async fn model(State(app): State<Arc<App>>, Path(name): Path<String>) -> Response {
    match name == app.model.name {
        true => json_response(StatusCode::OK, &described(&app)),
        false => ApiError::no_model(&name, &app.model.name).into_response(),
    }
}

async fn answer(app: Arc<App>, form: Form, request: Request) -> Response {
    try_answer(app, form, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn try_answer(app: Arc<App>, form: Form, request: Request) -> Result<Response, ApiError> {
    let until = Instant::now() + app.time_limit;
    let seconds = app.time_limit.as_secs_f64();
    let (head, body) = request.into_parts();
    // What is no JSON, a page of another site in a browser may send without asking.
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.trim_start().to_ascii_lowercase().starts_with("application/json") {
        return Err(ApiError::no_json_type());
    }
    let bytes = timeout(BODY_TIME, read(body, app.max_body)).await.map_err(|_| ApiError::slow_body())??;
    let reader = app.clone();
    let asked = tokio::task::spawn_blocking(move || reader.model.read(form, &bytes)).await;
    let ask = asked.map_err(|_| ApiError::broken("the request could not be read"))??;
    let (to, mut heard) = unbounded_channel();
    app.queue.push(ask.jobs(app.model.context, &to)?).map_err(|refusal| match refusal {
        Refusal::Full => ApiError::full(),
        Refusal::Stopping => ApiError::stopping(),
    })?;
    // The jobs have the rest of it: when they are gone, so is the answer.
    drop(to);
    let tokenizer = &app.model.policy.tokenizer;
    let mut answer = Answer::new(form, &app.model.name, tokenizer, ask.likely.is_some(), ask.prompt_tokens, ask.responses());
    if ask.streams {
        return Ok(stream::response(answer, heard, ask.usage, ask.responses(), (until, seconds)));
    }
    while !answer.is_whole() {
        let news = timeout_at(until, heard.recv()).await.map_err(|_| ApiError::out_of_time(seconds))?;
        answer.hear(news.ok_or_else(|| ApiError::broken("the answer was given up"))?)?;
    }
    Ok(json_response(StatusCode::OK, &answer.whole()))
}

/// A body of up to so many bytes.
async fn read(mut body: Body, most: usize) -> Result<Vec<u8>, ApiError> {
    let (mut bytes, mut seen) = (Vec::new(), 0usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ApiError::wrong(format!("the body ends too early: {error}")))?;
        let Some(data) = frame.data_ref() else { continue };
        seen += data.len();
        if seen <= most {
            bytes.extend_from_slice(data);
        } else if seen > most.saturating_add(THROWN_AWAY) {
            break;
        }
    }
    if seen > most { Err(ApiError::too_large(most)) } else { Ok(bytes) }
}
