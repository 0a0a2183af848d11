//! The syntax tree: what stands in one file, with places, before any name is looked up.

use super::source::Span;
use crate::builtin::Builtin;
use std::fmt;

/// A name, not looked up yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Ident {
    /// Without backticks or dots.
    pub name: String,
    /// Of the name.
    pub span: Span,
}

/// `train.best`: one part or more.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// At least one.
    pub parts: Vec<Ident>,
    /// From the first part to the last.
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

/// What one text says.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// `language = 1`, if the file begins with it.
    pub language: Option<(u32, Span)>,
    /// In the order written; what could not be read is left out.
    pub lines: Vec<Line>,
}

/// One line, or a block of lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it does.
    pub kind: LineKind,
    /// From its first word to its last.
    pub span: Span,
}

/// What a line does.
#[derive(Clone, Debug, PartialEq)]
pub enum LineKind {
    /// `import "file" as alias`
    Import {
        /// `std/losses.epo`, or a path beside the file.
        file: Text,
        /// The name in front of its names; `None`: they are used bare.
        alias: Option<Ident>,
    },
    /// `path.to.leaf = value`
    Assign {
        /// What is given a value.
        path: Path,
        /// Not looked up yet.
        value: Expr,
    },
    /// `without path`
    Without {
        /// What is not inherited.
        path: Path,
    },
    /// `fn name(a, b = 1) = body`
    Function(Function),
    /// `prompt name = """…"""`
    Prompt {
        /// What the text is called.
        name: Ident,
        /// With its placeholders.
        text: Text,
    },
    /// `loss { … }`, `stages { … }`; also inside a component
    Block {
        /// `loss`, `stages`, or a field.
        name: Ident,
        /// In the order written.
        lines: Vec<Line>,
    },
    /// `pipeline name from other { … }`
    Pipeline {
        /// What it is called.
        name: Ident,
        /// The pipeline that it inherits from.
        from: Option<Path>,
        /// In the order written.
        lines: Vec<Line>,
    },
}

/// `fn name(a, b = 1) = body`
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// What it is called.
    pub name: Ident,
    /// In order; those with a default stand last.
    pub params: Vec<Param>,
    /// Over the parameters and what the file sees.
    pub body: Expr,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Visible in the body only.
    pub name: Ident,
    /// What it stands for when it is left out.
    pub default: Option<Expr>,
}

/// A string as the user means it (escapes read, a triple-quoted text without its first newline).
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Without quotes.
    pub value: String,
    /// With its quotes.
    pub span: Span,
}

/// An expression with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// With its brackets.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `0.5`, `1e-4`
    Number(f64),
    /// `"…"`
    Text(String),
    /// `true`, `false`
    Bool(bool),
    /// `30min`, in seconds.
    Duration(f64),
    /// `4GiB`, in bytes.
    Size(u64),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `low..high`
    Range(Box<Expr>, Box<Expr>),
    /// `advantage`, `train.best`: a name to be looked up.
    Path(Path),
    /// `name(a, b = c)`
    Call {
        /// What is called.
        function: Path,
        /// In the order written.
        args: Vec<Arg>,
    },
    /// `kind { lines }`: the lines are assignments (a field may be dotted) and blocks.
    Component {
        /// The word in front.
        kind: Path,
        /// In the order written.
        lines: Vec<Line>,
    },
    /// An operator in front.
    Unary {
        /// [`Builtin::Neg`] or [`Builtin::Not`].
        op: Builtin,
        /// What it is in front of.
        operand: Box<Expr>,
    },
    /// An operator between.
    Binary {
        /// What it computes.
        op: Builtin,
        /// Of the sign.
        op_span: Span,
        /// In front of the sign.
        left: Box<Expr>,
        /// Behind the sign.
        right: Box<Expr>,
    },
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// `None` for a positional argument.
    pub name: Option<Ident>,
    /// Not looked up yet.
    pub value: Expr,
}
