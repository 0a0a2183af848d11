//! What a client is told when there is no answer, in the protocol's words.

use crate::model::ModelError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer that is none.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiError {
    pub status: StatusCode,
    kind: &'static str,
    pub message: String,
    /// The field of the request that is wrong.
    param: Option<String>,
    code: Option<&'static str>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, code: Option<&'static str>, message: impl Into<String>) -> ApiError {
        ApiError { status, kind, message: message.into(), param: None, code }
    }

    fn refused(status: StatusCode, code: Option<&'static str>, message: impl Into<String>) -> ApiError {
        ApiError::new(status, "invalid_request_error", code, message)
    }

    /// A request that makes no sense.
    pub(super) fn wrong(message: impl Into<String>) -> ApiError {
        ApiError::refused(StatusCode::BAD_REQUEST, None, message)
    }

    /// A field that makes no sense.
    pub(super) fn field(name: &str, message: impl Into<String>) -> ApiError {
        ApiError { param: Some(name.into()), ..ApiError::wrong(message) }
    }

    /// A field of the protocol that this server does not know how to heed.
    pub(super) fn unsupported(name: &str, message: impl Into<String>) -> ApiError {
        ApiError { code: Some("unsupported_parameter"), ..ApiError::field(name, message) }
    }

    /// A prompt without room for its answer.
    pub(super) fn too_long(name: &str, message: impl Into<String>) -> ApiError {
        ApiError { code: Some("context_length_exceeded"), ..ApiError::field(name, message) }
    }

    pub(super) fn no_key() -> ApiError {
        ApiError::refused(StatusCode::UNAUTHORIZED, Some("invalid_api_key"), "this server wants its key: `Authorization: Bearer KEY`")
    }

    pub(super) fn wrong_host() -> ApiError {
        let message = "this server has no key, and answers only to names of this machine in `Host`";
        ApiError::refused(StatusCode::FORBIDDEN, None, message)
    }

    pub(super) fn no_model(asked: &str, there: &str) -> ApiError {
        let message = format!("there is no model `{asked}` here, only `{there}`");
        ApiError { param: Some("model".into()), ..ApiError::refused(StatusCode::NOT_FOUND, Some("model_not_found"), message) }
    }

    pub(super) fn no_page(method: &str, path: &str) -> ApiError {
        ApiError::refused(StatusCode::NOT_FOUND, Some("unknown_url"), format!("there is nothing at `{method} {path}`"))
    }

    pub(super) fn wrong_method(method: &str, path: &str) -> ApiError {
        ApiError::refused(StatusCode::METHOD_NOT_ALLOWED, None, format!("`{path}` does not take `{method}`"))
    }

    pub(super) fn no_json_type() -> ApiError {
        let message = "the body has to be JSON, and to say so: `Content-Type: application/json`";
        ApiError::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, None, message)
    }

    pub(super) fn slow_body() -> ApiError {
        ApiError::refused(StatusCode::REQUEST_TIMEOUT, None, "the body did not arrive in time")
    }

    pub(super) fn too_large(most: usize) -> ApiError {
        let message = format!("the body has more than {most} bytes, the most that this server reads (`--max-body`)");
        ApiError::refused(StatusCode::PAYLOAD_TOO_LARGE, Some("request_too_large"), message)
    }

    /// All places are taken.
    pub(super) fn full() -> ApiError {
        let message = "too many requests are waiting; try again later";
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", Some("queue_full"), message)
    }

    pub(super) fn stopping() -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", Some("stopping"), "the server is being stopped")
    }

    pub(super) fn out_of_time(seconds: f64) -> ApiError {
        let message = format!("the answer was not there after {seconds} s (`--time-limit`); ask for fewer tokens");
        ApiError::new(StatusCode::GATEWAY_TIMEOUT, "timeout_error", Some("timeout"), message)
    }

    pub(super) fn broken(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", None, message)
    }

    /// The body of the response.
    pub(super) fn json(&self) -> Value {
        json!({ "error": { "message": self.message, "type": self.kind, "param": self.param, "code": self.code } })
    }
}

impl From<ModelError> for ApiError {
    fn from(error: ModelError) -> ApiError {
        match error {
            ModelError::Input(_) | ModelError::Tokenizer(_) | ModelError::Template(_) => ApiError::wrong(error.to_string()),
            other => ApiError::broken(other.to_string()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = json_response(self.status, &self.json());
        let headers = response.headers_mut();
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"))),
            StatusCode::UNAUTHORIZED => drop(headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            // Clients of the protocol would ask for the same again, which takes as long.
            StatusCode::GATEWAY_TIMEOUT => drop(headers.insert("x-should-retry", HeaderValue::from_static("false"))),
            _ => {}
        }
        response
    }
}

pub(super) fn json_response(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
