//! The syntax tree: what stands in one file, with places, before any name is looked up.

use super::source::Span;
use crate::builtin::Builtin;
use std::fmt;

#[derive(Clone, Debug, PartialEq)]
pub struct Ident {
    pub name: String,
    pub span: Span,
}

/// `train.best`: one part or more.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub parts: Vec<Ident>,
    pub span: Span,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.parts.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            f.write_str(&part.name)?;
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// `language = 1`, if the file begins with it.
    pub language: Option<(u32, Span)>,
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub kind: LineKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum LineKind {
    /// `import "file" as alias`
    Import { file: Text, alias: Option<Ident> },
    /// `path.to.leaf = value`
    Assign { path: Path, value: Expr },
    /// `without path`
    Without { path: Path },
    /// `fn name(a, b = 1) = body`
    Function(Function),
    /// `prompt name = """…"""`
    Prompt { name: Ident, text: Text },
    /// `loss { … }`, `stages { … }`; also inside a component
    Block { name: Ident, lines: Vec<Line> },
    /// `pipeline name from other { … }`
    Pipeline { name: Ident, from: Option<Path>, lines: Vec<Line> },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub name: Ident,
    pub params: Vec<Param>,
    pub body: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub name: Ident,
    pub default: Option<Expr>,
}

/// A string as the user means it (escapes read, a triple-quoted text without its first newline).
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    pub value: String,
    /// With its quotes.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Number(f64),
    Text(String),
    Bool(bool),
    /// `30min`, in seconds.
    Duration(f64),
    /// `4GiB`, in bytes.
    Size(u64),
    List(Vec<Expr>),
    /// `low..high`
    Range(Box<Expr>, Box<Expr>),
    Path(Path),
    Call {
        function: Path,
        args: Vec<Arg>,
    },
    /// `kind { lines }`: the lines are assignments (a field may be dotted) and blocks.
    Component {
        kind: Path,
        lines: Vec<Line>,
    },
    /// An operator in front.
    Unary {
        op: Builtin,
        operand: Box<Expr>,
    },
    /// An operator between.
    Binary {
        op: Builtin,
        op_span: Span,
        left: Box<Expr>,
        right: Box<Expr>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// `None` for a positional argument.
    pub name: Option<Ident>,
    pub value: Expr,
}
