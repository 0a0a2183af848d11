//! What is offered to be written: a name, what it is, and its documentation.

use super::describe;
use super::server::Server;
use crate::builtin::Builtin;
use crate::kind::{FieldInfo, KindInfo};
use crate::lang::resolve::survey::{Meaning, Noun};
use crate::objective::quantities::QUANTITIES;
use crate::spec::describe as words;
use crate::spec::known::Known;
use lsp_types::{CompletionItem, CompletionItemKind, Documentation, MarkupContent, MarkupKind};

/// Each name once.
#[derive(Default)]
pub(super) struct Offers(Vec<CompletionItem>);

impl Offers {
    pub(super) fn add(&mut self, label: &str, kind: CompletionItemKind, detail: Option<String>, doc: Option<String>) {
        if self.0.iter().any(|known| known.label == label) {
            return;
        }
        let documentation = doc.map(|value| Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value }));
        // what was offered first fits best
        let sort_text = Some(format!("{:04}", self.0.len()));
        self.0.push(CompletionItem {
            label: label.to_owned(),
            kind: Some(kind),
            detail,
            documentation,
            sort_text,
            ..CompletionItem::default()
        });
    }

    /// As the last of the offers: what has to be written, where it is more than the name.
    pub(super) fn writing(&mut self, text: &str) {
        if let Some(last) = self.0.last_mut() {
            last.insert_text = Some(text.to_owned());
        }
    }

    pub(super) fn kind(&mut self, info: &'static KindInfo) {
        self.add(info.name, CompletionItemKind::CLASS, Some(info.summary().to_owned()), Some(describe::kind(info.name)));
    }

    pub(super) fn field(&mut self, kind: &str, field: &FieldInfo) {
        self.add(field.name, CompletionItemKind::FIELD, Some((field.expects)()), Some(describe::field(kind, field)));
        self.writing(&format!("{} = ", field.name));
    }

    pub(super) fn words<'w>(&mut self, all: impl IntoIterator<Item = &'w str>) {
        all.into_iter().for_each(|word| self.add(word, CompletionItemKind::ENUM_MEMBER, None, None));
    }

    pub(super) fn definition(&mut self, server: &Server, known: &Known, index: usize, pipeline: Option<usize>) {
        let Some(definition) = known.names.definitions.get(index) else { return };
        let kind = match definition.noun {
            Noun::Function => CompletionItemKind::FUNCTION,
            Noun::Pipeline => CompletionItemKind::MODULE,
            Noun::Alias => CompletionItemKind::FILE,
            Noun::Stage => CompletionItemKind::EVENT,
            Noun::Prompt => CompletionItemKind::TEXT,
            Noun::Parameter | Noun::Line | Noun::Term | Noun::Member => CompletionItemKind::VARIABLE,
        };
        let detail = match definition.kind {
            Some(kind) => format!("{}, `{kind}`", describe::noun(definition)),
            None => describe::noun(definition).to_owned(),
        };
        let doc = describe::meaning(server, known, &Meaning::Defined(index), pipeline);
        self.add(&definition.name, kind, Some(detail), doc);
    }

    pub(super) fn equations(&mut self) {
        for info in &QUANTITIES {
            let doc = describe::markdown(&words::quantity(info));
            self.add(info.name, CompletionItemKind::CONSTANT, Some(info.level.words().into_owned()), Some(doc));
        }
        for builtin in Builtin::functions() {
            let doc = describe::markdown(&words::function(builtin));
            self.add(builtin.name(), CompletionItemKind::FUNCTION, Some(words::signature(builtin.row())), Some(doc));
        }
    }

    pub(super) fn finish(self) -> Vec<CompletionItem> {
        self.0
    }
}
