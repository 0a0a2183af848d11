use super::ast::{File, Ident};
use super::{SourceId, Span};

#[derive(Clone, Debug)]
pub struct Program {
    pub files: Vec<LoadedFile>,
    pub root: usize,
}

#[derive(Clone, Debug)]
pub struct LoadedFile {
    pub source: SourceId,
    pub ast: File,
    pub imports: Vec<Import>,
}

#[derive(Clone, Debug)]
pub struct Import {
    pub alias: Option<Ident>,
    pub file: usize,
    pub span: Span,
}
