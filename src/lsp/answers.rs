//! Which request is answered by what.

use super::server::Server;
use super::{actions, completion, hints, hover, layout, navigate, rename, signature, symbols};
use lsp_server::ErrorCode;
use lsp_types::request::{
    CodeActionRequest, Completion, DocumentHighlightRequest, DocumentSymbolRequest, FoldingRangeRequest, Formatting, GotoDefinition,
    HoverRequest, InlayHintRequest, PrepareRenameRequest, References, Rename, Request, SignatureHelpRequest, WorkspaceSymbolRequest,
};
use serde_json::Value;

/// Why there is no answer.
pub(super) type Refusal = (ErrorCode, String);

/// # Errors
/// For the editor.
pub(super) fn answer(server: &Server, method: &str, params: Value) -> Result<Value, Refusal> {
    match method {
        HoverRequest::METHOD => of::<HoverRequest>(params, |p| Ok(hover::hover(server, &p.text_document_position_params))),
        Completion::METHOD => of::<Completion>(params, |p| Ok(completion::completion(server, &p.text_document_position))),
        SignatureHelpRequest::METHOD => {
            of::<SignatureHelpRequest>(params, |p| Ok(signature::signature(server, &p.text_document_position_params)))
        }
        GotoDefinition::METHOD => of::<GotoDefinition>(params, |p| Ok(navigate::definition(server, &p.text_document_position_params))),
        References::METHOD => {
            of::<References>(params, |p| Ok(navigate::references(server, &p.text_document_position, p.context.include_declaration)))
        }
        DocumentHighlightRequest::METHOD => {
            of::<DocumentHighlightRequest>(params, |p| Ok(navigate::highlights(server, &p.text_document_position_params)))
        }
        PrepareRenameRequest::METHOD => of::<PrepareRenameRequest>(params, |p| rename::prepare(server, &p).map(Some)),
        Rename::METHOD => of::<Rename>(params, |p| rename::rename(server, &p.text_document_position, &p.new_name).map(Some)),
        DocumentSymbolRequest::METHOD => of::<DocumentSymbolRequest>(params, |p| Ok(symbols::of_document(server, &p.text_document.uri))),
        WorkspaceSymbolRequest::METHOD => of::<WorkspaceSymbolRequest>(params, |p| Ok(Some(symbols::of_workspace(server, &p.query)))),
        Formatting::METHOD => of::<Formatting>(params, |p| layout::formatting(server, &p.text_document.uri)),
        FoldingRangeRequest::METHOD => of::<FoldingRangeRequest>(params, |p| Ok(layout::folding(server, &p.text_document.uri))),
        InlayHintRequest::METHOD => of::<InlayHintRequest>(params, |p| Ok(hints::hints(server, &p.text_document.uri, p.range))),
        CodeActionRequest::METHOD => of::<CodeActionRequest>(params, |p| Ok(Some(actions::actions(server, &p)))),
        _ => Err((ErrorCode::MethodNotFound, format!("`{method}` is not answered"))),
    }
}

fn of<R: Request>(params: Value, work: impl FnOnce(R::Params) -> Result<R::Result, Refusal>) -> Result<Value, Refusal> {
    let params = serde_json::from_value(params).map_err(|error| (ErrorCode::InvalidParams, error.to_string()))?;
    serde_json::to_value(work(params)?).map_err(|error| (ErrorCode::InternalError, error.to_string()))
}
