//! The loop: messages in, answers and diagnostics out.

use super::answers::answer;
use super::diagnostics::{Said, check};
use super::documents::Documents;
use super::places::Encoding;
use super::workspace::Workspace;
use crate::lang::load::Root;
use crate::spec::Request;
use crate::spec::known::{Known, known};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request as Asked, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidChangeWatchedFiles, DidCloseTextDocument, DidOpenTextDocument, Notification as _, PublishDiagnostics,
};
use lsp_types::request::{References, Rename, Request as _};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions, FoldingRangeProviderCapability,
    HoverProviderCapability, InitializeParams, OneOf, PublishDiagnosticsParams, RenameOptions, ServerCapabilities, SignatureHelpOptions,
    TextDocumentSyncCapability, TextDocumentSyncKind, Url, WorkDoneProgressOptions,
};
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::rc::Rc;

/// What the server knows of its editor.
pub(super) struct Server {
    pub documents: Documents,
    pub workspace: Workspace,
    pub encoding: Encoding,
    /// By document, until the next edit of any.
    known: RefCell<BTreeMap<Url, Rc<Known>>>,
    /// By the document that was checked.
    said: BTreeMap<Url, Said>,
    /// Documents to be checked once no message waits.
    waiting: BTreeSet<Url>,
}

/// # Errors
/// What went wrong with the connection.
pub(super) fn run(connection: &Connection, open: impl FnOnce(Vec<PathBuf>) -> Workspace) -> Result<(), String> {
    let words = |error: lsp_server::ProtocolError| error.to_string();
    let (id, params) = connection.initialize_start().map_err(words)?;
    let params: InitializeParams =
        serde_json::from_value(params).map_err(|error| format!("the client's greeting cannot be read: {error}"))?;
    let offers = params.capabilities.general.as_ref().and_then(|general| general.position_encodings.as_deref());
    let encoding = Encoding::negotiated(offers);
    let greeting = serde_json::json!({
        "capabilities": capabilities(encoding),
        "serverInfo": { "name": "epo-run lsp", "version": env!("CARGO_PKG_VERSION") },
    });
    connection.initialize_finish(id, greeting).map_err(words)?;
    let mut server = Server {
        documents: Documents::default(),
        workspace: open(folders(&params)),
        encoding,
        known: RefCell::default(),
        said: BTreeMap::new(),
        waiting: BTreeSet::new(),
    };
    server.listen(connection)
}

/// The folders that the editor has open.
fn folders(params: &InitializeParams) -> Vec<PathBuf> {
    let several = params.workspace_folders.iter().flatten().filter_map(|folder| folder.uri.to_file_path().ok());
    let several: Vec<PathBuf> = several.collect();
    #[allow(deprecated)]
    let one = params.root_uri.as_ref().and_then(|url| url.to_file_path().ok());
    if several.is_empty() { one.into_iter().collect() } else { several }
}

fn capabilities(encoding: Encoding) -> ServerCapabilities {
    let signs = |signs: &[&str]| Some(signs.iter().map(|sign| (*sign).to_owned()).collect());
    ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::INCREMENTAL)),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions { trigger_characters: signs(&[".", "{", "\"", "="]), ..CompletionOptions::default() }),
        signature_help_provider: Some(SignatureHelpOptions { trigger_characters: signs(&["(", ","]), ..SignatureHelpOptions::default() }),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        document_highlight_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        workspace_symbol_provider: Some(OneOf::Left(true)),
        document_formatting_provider: Some(OneOf::Left(true)),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        inlay_hint_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        })),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        ..ServerCapabilities::default()
    }
}

impl Server {
    fn listen(&mut self, connection: &Connection) -> Result<(), String> {
        let gone = |_| "the editor has gone".to_owned();
        loop {
            // What was edited is checked when there is nothing else to do: of edits in a row, the last.
            let message = match (connection.receiver.try_recv(), self.waiting.is_empty()) {
                (Ok(message), _) => message,
                (Err(_), false) => {
                    for said in self.check_waiting() {
                        connection.sender.send(Message::Notification(said)).map_err(gone)?;
                    }
                    continue;
                }
                (Err(_), true) => match connection.receiver.recv() {
                    Ok(message) => message,
                    Err(_) => return Err("the editor has gone without a goodbye".into()),
                },
            };
            match message {
                Message::Request(asked) => {
                    if connection.handle_shutdown(&asked).map_err(|error| error.to_string())? {
                        return Ok(());
                    }
                    if [References::METHOD, Rename::METHOD].contains(&asked.method.as_str()) {
                        self.workspace.read_all_locks();
                    }
                    connection.sender.send(Message::Response(self.respond(asked))).map_err(gone)?;
                }
                Message::Notification(told) if told.method == "exit" => return Err("the editor has gone without a goodbye".into()),
                Message::Notification(told) => {
                    for said in self.take(told) {
                        connection.sender.send(Message::Notification(said)).map_err(gone)?;
                    }
                }
                Message::Response(_) => {}
            }
        }
    }

    /// The answer; what goes wrong with it, a panic too, is one.
    fn respond(&self, asked: Asked) -> Response {
        let Asked { id, method, params } = asked;
        match catch_unwind(AssertUnwindSafe(|| answer(self, &method, params))) {
            Ok(Ok(result)) => Response::new_ok(id, result),
            Ok(Err((code, message))) => Response::new_err(id, code as i32, message),
            Err(_) => Response::new_err(id, ErrorCode::InternalError as i32, format!("`{method}` failed; the server goes on")),
        }
    }

    /// What the editor tells; gives what there is to be said at once.
    fn take(&mut self, told: Notification) -> Vec<Notification> {
        match told.method.as_str() {
            DidOpenTextDocument::METHOD => {
                if let Some(params) = read::<lsp_types::DidOpenTextDocumentParams>(told) {
                    let opened = params.text_document;
                    self.documents.open(opened.uri.clone(), opened.version, opened.text);
                    self.edited(&opened.uri);
                }
            }
            DidChangeTextDocument::METHOD => {
                if let Some(params) = read::<lsp_types::DidChangeTextDocumentParams>(told) {
                    let changed = params.text_document;
                    self.documents.change(&changed.uri, changed.version, params.content_changes, self.encoding);
                    self.edited(&changed.uri);
                }
            }
            DidCloseTextDocument::METHOD => {
                if let Some(params) = read::<lsp_types::DidCloseTextDocumentParams>(told) {
                    let url = params.text_document.uri;
                    self.edited(&url);
                    self.waiting.remove(&url);
                    self.documents.close(&url);
                    return self.publish(&url, Said::default());
                }
            }
            DidChangeWatchedFiles::METHOD => {
                self.known.borrow_mut().clear();
                self.workspace.forget_locks();
                for url in self.documents.urls() {
                    self.waiting.insert(url.clone());
                    self.workspace.read_lock(self.documents.get(url).and_then(|document| document.path.as_deref()));
                }
            }
            _ => {}
        }
        Vec::new()
    }

    /// Forgets what is not so any more, and notes which documents have to be checked: this one, and those that read it.
    fn edited(&mut self, url: &Url) {
        self.known.borrow_mut().clear();
        self.workspace.read_lock(self.documents.get(url).and_then(|document| document.path.as_deref()));
        let path = url.to_file_path().ok().and_then(|path| path.canonicalize().ok());
        for other in self.documents.urls() {
            let reads = || self.said.get(other).is_some_and(|said| path.as_ref().is_some_and(|path| said.reads.contains(path)));
            if other == url || reads() {
                self.waiting.insert(other.clone());
            }
        }
    }

    fn check_waiting(&mut self) -> Vec<Notification> {
        let mut all = Vec::new();
        for url in std::mem::take(&mut self.waiting) {
            let said = catch_unwind(AssertUnwindSafe(|| check(self, &url))).unwrap_or_default();
            all.extend(self.publish(&url, said));
        }
        all
    }

    /// Replaces what was said because of one document; of each address whose diagnostics are others now, all of them.
    fn publish(&mut self, root: &Url, said: Said) -> Vec<Notification> {
        let before = self.said.remove(root).unwrap_or_default();
        let mut concerned: BTreeSet<Url> = before.by_url.keys().cloned().collect();
        concerned.extend(said.by_url.keys().cloned());
        concerned.insert(root.clone());
        if self.documents.get(root).is_some() {
            self.said.insert(root.clone(), said);
        }
        let notification = |url: Url| {
            let mut diagnostics: Vec<lsp_types::Diagnostic> = Vec::new();
            for found in self.said.values().filter_map(|said| said.by_url.get(&url)).flatten() {
                if !diagnostics.contains(found) {
                    diagnostics.push(found.clone());
                }
            }
            let version = self.documents.get(&url).map(|document| document.version);
            Notification::new(PublishDiagnostics::METHOD.to_owned(), PublishDiagnosticsParams { uri: url, diagnostics, version })
        };
        concerned.into_iter().map(notification).collect()
    }

    /// What is to be compiled for a document.
    pub(super) fn request<'s>(&'s self, url: &'s Url) -> Option<Request<'s>> {
        let document = self.documents.get(url)?;
        let root = match &document.path {
            Some(path) => Root::Edited { path, texts: &self.documents.edited },
            None => Root::Text { name: url.as_str(), text: &document.text },
        };
        Some(Request { root, overrides: &[], library: self.workspace.library_of(document.path.as_deref()) })
    }

    /// What is known of a document's names, as the texts are now.
    pub(super) fn known(&self, url: &Url) -> Rc<Known> {
        if let Some(found) = self.known.borrow().get(url) {
            return Rc::clone(found);
        }
        let found = Rc::new(self.request(url).map(|request| known(&request)).unwrap_or_default());
        self.known.borrow_mut().insert(url.clone(), Rc::clone(&found));
        found
    }
}

/// Parameters that cannot be read are not acted on: a notification has no answer.
fn read<T: DeserializeOwned>(told: Notification) -> Option<T> {
    serde_json::from_value(told.params).ok()
}
