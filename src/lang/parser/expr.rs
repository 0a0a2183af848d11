//! Expressions: precedence, calls, components.

use super::super::ast::{Arg, Expr, ExprKind, Path};
use super::super::diagnostic::Diagnostic;
use super::super::source::Span;
use super::build::Builder;
use super::{Rule, literal};
use crate::builtin::{Binding, Builtin};
use pest::iterators::Pair;
use std::iter::Peekable;
use std::vec::IntoIter;

/// How many operators and brackets may stand around one value; it bounds the depth of the tree, which is walked by recursion.
pub(super) const MAX_OPERATORS: usize = 256;

/// `None` stands for a value with mistakes.
enum Piece {
    Value(Option<Expr>),
    Prefix(Builtin, Span),
    /// `None` is `..`
    Infix(Option<Builtin>, Span),
}

type Pieces = Peekable<IntoIter<Piece>>;

impl Builder<'_> {
    pub(super) fn expr(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let operators = pair.clone().into_inner().filter(|p| matches!(p.as_rule(), Rule::prefix | Rule::infix)).count();
        if self.depth + operators + 1 > MAX_OPERATORS {
            let span = self.span(&pair);
            self.error("E0026", span, format!("more than {MAX_OPERATORS} operators and brackets around one value"))
                .help
                .push("give parts of it names on lines of their own".to_owned());
            return None;
        }
        self.depth += operators + 1;
        let pieces: Vec<Piece> = pair.into_inner().map(|p| self.piece(p)).collect();
        self.depth -= operators + 1;
        self.climb(&mut pieces.into_iter().peekable(), Binding::Open)
    }

    fn piece(&mut self, pair: Pair<'_, Rule>) -> Piece {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::prefix => Builtin::prefix(pair.as_str().trim_end()).map_or(Piece::Value(None), |op| Piece::Prefix(op, span)),
            Rule::infix => Piece::Infix(Builtin::infix(pair.as_str().trim_end()), span),
            _ => Piece::Value(self.primary(pair, span)),
        }
    }

    /// Reads as long as operators bind at least as tightly as `least`. Goes on after mistakes so that all of them are found.
    fn climb(&mut self, pieces: &mut Pieces, least: Binding) -> Option<Expr> {
        let mut left = match pieces.next()? {
            Piece::Value(value) => value,
            Piece::Prefix(op, span) => {
                let operand = self.climb(pieces, op.binding());
                operand.map(|e| Expr { span: span.to(e.span), kind: ExprKind::Unary { op, operand: Box::new(e) } })
            }
            Piece::Infix(..) => return None,
        };
        let mut before: Option<(Binding, Span)> = None;
        while let Some(Piece::Infix(op, op_span)) = pieces.peek() {
            let (op, op_span) = (*op, *op_span);
            let binding = op.map_or(Binding::Range, Builtin::binding);
            if binding < least {
                break;
            }
            pieces.next();
            let right = self.climb(pieces, binding.operands().1);
            if binding.is_chainless()
                && let Some((_, first)) = before.filter(|(other, _)| *other == binding)
            {
                self.chained(binding, first, op_span);
                left = None;
            }
            before = Some((binding, op_span));
            left = match (left, right) {
                (Some(left), Some(right)) => Some(join(left, op, op_span, right)),
                _ => None,
            };
        }
        left
    }

    fn chained(&mut self, binding: Binding, first: Span, second: Span) {
        let (message, help) = if binding == Binding::Range {
            ("a range has two ends", "write `low..high`")
        } else {
            ("comparisons cannot be chained", "write `a < b and b < c`")
        };
        self.messages.push(Diagnostic::error("E0019", second, message).also(first, "first here").help(help));
    }

    fn primary(&mut self, pair: Pair<'_, Rule>, span: Span) -> Option<Expr> {
        let kind = match pair.as_rule() {
            Rule::number => match literal::number(pair.as_str(), span) {
                Ok(kind) => kind,
                Err(message) => {
                    self.messages.push(message);
                    return None;
                }
            },
            Rule::text => ExprKind::Text(self.text(&pair).value),
            Rule::list => {
                let items: Vec<_> = pair.into_inner().filter(|p| p.as_rule() == Rule::expr).map(|p| self.expr(p)).collect();
                ExprKind::List(items.into_iter().collect::<Option<_>>()?)
            }
            Rule::group => {
                let inner = pair.into_inner().find(|p| p.as_rule() == Rule::expr)?;
                self.expr(inner)?.kind
            }
            _ => return self.named(pair, span),
        };
        Some(Expr { kind, span })
    }

    /// A path, `true`, `false`, a call or a component.
    fn named(&mut self, pair: Pair<'_, Rule>, span: Span) -> Option<Expr> {
        let mut inner = pair.into_inner();
        let path_pair = inner.next()?;
        let rest = inner.next();
        if rest.is_none() && matches!(path_pair.as_str(), "true" | "false") {
            return Some(Expr { kind: ExprKind::Bool(path_pair.as_str() == "true"), span });
        }
        let path = self.path(&path_pair);
        let Some(rest) = rest else { return Some(Expr { kind: ExprKind::Path(path?), span }) };
        let opener = self.span(&rest).start;
        let gap = self.text.get(self.span(&path_pair).end as usize..opener as usize).unwrap_or("");
        if gap.contains('\n') {
            let place = Span { start: opener, end: opener + 1, ..span };
            let name = path_pair.as_str();
            self.error("E0002", place, format!("expected `,` after `{name}`"))
                .help
                .push(format!("for a call or a component, put the bracket on the line of `{name}`"));
            return None;
        }
        let kind = if rest.as_rule() == Rule::args {
            let args = self.args(rest);
            ExprKind::Call { function: path?, args: args? }
        } else {
            let unknown = Path { parts: Vec::new(), span };
            let lines = self.fields(path.as_ref().unwrap_or(&unknown), rest);
            ExprKind::Component { kind: path?, lines }
        };
        Some(Expr { kind, span })
    }

    fn args(&mut self, pair: Pair<'_, Rule>) -> Option<Vec<Arg>> {
        let mut args = Vec::new();
        let mut last_named: Option<(String, Span)> = None;
        let mut good = true;
        for arg in pair.into_inner().filter(|p| p.as_rule() == Rule::arg) {
            let span = self.span(&arg);
            let (mut name, mut value) = (None, None);
            for part in arg.into_inner() {
                match part.as_rule() {
                    Rule::name => name = Some(self.ident(&part)),
                    Rule::expr => value = Some(self.expr(part)),
                    _ => {}
                }
            }
            match &name {
                Some(Some(name)) => {
                    last_named = Some((name.name.clone(), name.span));
                }
                Some(None) => {}
                None => {
                    if let Some((before, place)) = &last_named {
                        let message = format!("an argument without a name stands after `{before} = …`");
                        self.messages.push(
                            Diagnostic::error("E0020", span, message)
                                .also(*place, "arguments with names begin here")
                                .help("put arguments without names first, or give this one its name"),
                        );
                        good = false;
                    }
                }
            }
            match (name, value.flatten()) {
                (Some(None), _) | (_, None) => good = false,
                (name, Some(value)) => args.push(Arg { name: name.flatten(), value }),
            }
        }
        good.then_some(args)
    }
}

fn join(left: Expr, op: Option<Builtin>, op_span: Span, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    let (left, right) = (Box::new(left), Box::new(right));
    let kind = match op {
        Some(op) => ExprKind::Binary { op, op_span, left, right },
        None => ExprKind::Range(left, right),
    };
    Expr { kind, span }
}
