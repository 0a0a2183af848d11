//! The shape of the syntax tree.

use epo::builtin::Builtin;
use epo::lang::ast::{Expr, ExprKind, File, LineKind};
use epo::lang::{Diagnostics, SourceMap, parser, render};

fn read(text: &str) -> (Option<File>, Diagnostics, SourceMap) {
    let mut sources = SourceMap::default();
    let id = sources.add("test.epo", None, text);
    let (file, diagnostics) = parser::parse(&sources, id);
    (file, diagnostics, sources)
}

fn good(text: &str) -> File {
    let (file, diagnostics, sources) = read(text);
    assert!(diagnostics.is_empty(), "{}", render::render_all(&sources, &diagnostics, false));
    file.expect("a file without messages")
}

#[test]
fn the_whole_paper() {
    let file = good(include_str!("syntax/paper.epo"));
    assert_eq!(file.language.map(|l| l.0), Some(1));
    assert_eq!(file.lines.len(), 10);
}

/// An expression as brackets show it: `(a + (b * c))`.
fn shape(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Number(n) => n.to_string(),
        ExprKind::Text(text) => format!("{text:?}"),
        ExprKind::Bool(b) => b.to_string(),
        ExprKind::Duration(s) => format!("{s}s"),
        ExprKind::Size(b) => format!("{b}B"),
        ExprKind::List(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(", ")),
        ExprKind::Range(low, high) => format!("({} .. {})", shape(low), shape(high)),
        ExprKind::Path(path) => path.to_string(),
        ExprKind::Call { function, args } => {
            let args: Vec<_> =
                args.iter().map(|a| a.name.as_ref().map_or(String::new(), |n| format!("{}=", n.name)) + &shape(&a.value)).collect();
            format!("{function}({})", args.join(", "))
        }
        ExprKind::Component { kind, lines } => {
            let lines: Vec<_> = lines
                .iter()
                .map(|l| match &l.kind {
                    LineKind::Assign { path, value } => format!("{path}={}", shape(value)),
                    LineKind::Block { name, lines } => format!("{}:{}", name.name, lines.len()),
                    other => panic!("{other:?} in a component"),
                })
                .collect();
            format!("{kind}{{{}}}", lines.join(", "))
        }
        ExprKind::Unary { op: Builtin::Neg, operand } => format!("(- {})", shape(operand)),
        ExprKind::Unary { op, operand } => format!("({} {})", op.name(), shape(operand)),
        ExprKind::Binary { op, left, right, .. } => format!("({} {} {})", shape(left), op.name(), shape(right)),
    }
}

fn value(text: &str) -> String {
    let file = good(&format!("x = {text}"));
    match &file.lines[..] {
        [line] => match &line.kind {
            LineKind::Assign { value, .. } => shape(value),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn precedence() {
    for (text, expected) in [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b / c", "((a / b) / c)"),
        ("a ^ b ^ c", "(a ^ (b ^ c))"),
        ("-x ^ 2", "(- (x ^ 2))"),
        ("2 ^ -x ^ 2", "(2 ^ (- (x ^ 2)))"),
        ("2 ^ -x * 3", "((2 ^ (- x)) * 3)"),
        ("-a * b", "((- a) * b)"),
        ("- - a", "(- (- a))"),
        ("a - -b", "(a - (- b))"),
        ("not a == b", "(not (a == b))"),
        ("not a and b or c", "(((not a) and b) or c)"),
        ("a or b and not c < d + 1", "(a or (b and (not (c < (d + 1)))))"),
        ("(a < b) == (c < d)", "((a < b) == (c < d))"),
        ("a..b + 1", "(a .. (b + 1))"),
        ("0.5..1.5", "(0.5 .. 1.5)"),
        ("-1..1", "((- 1) .. 1)"),
        ("1..2 == y", "((1 .. 2) == y)"),
        ("(a + b) * c", "((a + b) * c)"),
        ("notable and order or nothing", "((notable and order) or nothing)"),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn literals() {
    for (text, expected) in [
        ("1_000", "1000"),
        ("5e-6", "0.000005"),
        ("1E3", "1000"),
        ("1.5e+2", "150"),
        ("30min", "1800s"),
        ("1.5h", "5400s"),
        ("250ms", "0.25s"),
        ("2d", "172800s"),
        ("10s", "10s"),
        ("1e3s", "1000s"),
        ("4GiB", "4294967296B"),
        ("1.5KiB", "1536B"),
        ("3kB", "3000B"),
        ("2MB", "2000000B"),
        ("1TiB", "1099511627776B"),
        ("true", "true"),
        ("false", "false"),
        ("[]", "[]"),
        ("[1, 2,]", "[1, 2]"),
        (r#""a\n\t\"\\b#c{}""#, r#""a\n\t\"\\b#c{}""#),
        (r#""""#, r#""""#),
        ("\"\"\"\na\\b \"quoted\"\n  c\n\"\"\"", r#""a\\b \"quoted\"\n  c\n""#),
        ("\"\"\"one\"\"\"", r#""one""#),
        ("\"\"\"\r\na\r\nb\"\"\"", r#""a\nb""#),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn brackets_decide_about_newlines() {
    for (text, expected) in [
        ("f(\n  a,\n  # why\n  b = 2\n)", "f(a, b=2)"),
        ("[\n1,\n\n2\n]", "[1, 2]"),
        ("(a\n b.c)".replace("\n b", "\n + b").as_str(), "(a + b.c)"),
        ("k { a = 1, b.c = 2 }", "k{a=1, b.c=2}"),
        ("k {\n a = 1,\n b = 2\n\n c = 3, }", "k{a=1, b=2, c=3}"),
        ("k { }", "k{}"),
        ("k {\n# nothing\n}", "k{}"),
        ("f(k {\n a = 1\n b = 2 })", "f(k{a=1, b=2})"),
        ("k { loss { a = 1\n b = 2 } }", "k{loss:2}"),
        ("a\n  + b", "(a + b)"),
        ("a +\n  b", "(a + b)"),
        ("a # first\n\n  # between\n  + # here too\n\n  b", "(a + b)"),
        ("a\nand not\nb", "(a and (not b))"),
        ("a ==\n b", "(a == b)"),
        ("0\n..\n1", "(0 .. 1)"),
        ("between(\"<\", else = last(30))", "between(\"<\", else=last(30))"),
        ("a.b.c(1).d".trim_end_matches(".d"), "a.b.c(1)"),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn words_mean_something_only_where_they_stand() {
    let text = "
prompt = windowed { prompt = 1, pipeline = 2, fn = 3, import = 4, from = 5, without = 6, as = 7, language = 8 }
report = report { loss = loss }
fn = import
pipeline.from = 3
pipeline from from from { from = from, loss { prompt = prompt } }
fn fn(fn, from = as) = fn + from
prompt prompt = \"x\"
import \"a\" as as
";
    let kinds: Vec<_> = good(text)
        .lines
        .iter()
        .map(|l| match &l.kind {
            LineKind::Import { alias, .. } => format!("import {}", alias.as_ref().map_or("", |a| &a.name)),
            LineKind::Assign { path, .. } => format!("{path} ="),
            LineKind::Without { path } => format!("without {path}"),
            LineKind::Function(f) => format!("fn {}/{}", f.name.name, f.params.len()),
            LineKind::Prompt { name, text } => format!("prompt {} {:?}", name.name, text.value),
            LineKind::Block { name, lines } => format!("{} {}", name.name, lines.len()),
            LineKind::Pipeline { name, from, lines } => {
                format!("pipeline {} from {} {}", name.name, from.as_ref().map_or(String::new(), |f| f.to_string()), lines.len())
            }
        })
        .collect();
    let expected =
        ["prompt =", "report =", "fn =", "pipeline.from =", "pipeline from from from 2", "fn fn/2", "prompt prompt \"x\"", "import as"];
    assert_eq!(kinds, expected);
}

#[test]
fn spans_cover_what_was_written() {
    let text = "x = f(a , b)  # c\ny = k { z = (1 + 2) * 3 } \n";
    let (file, _, sources) = read(text);
    let lines = file.expect("a file").lines;
    assert_eq!(sources.slice(lines[0].span), "x = f(a , b)");
    assert_eq!(sources.slice(lines[1].span), "y = k { z = (1 + 2) * 3 }");
    let LineKind::Assign { value, .. } = &lines[1].kind else { panic!("an assignment") };
    let ExprKind::Component { lines, .. } = &value.kind else { panic!("a component") };
    let LineKind::Assign { value, .. } = &lines[0].kind else { panic!("an assignment") };
    let ExprKind::Binary { op, op_span, left, .. } = &value.kind else { panic!("a product") };
    assert_eq!((*op, sources.slice(*op_span), sources.slice(left.span)), (Builtin::Mul, "*", "(1 + 2)"));
}

fn codes(diagnostics: &Diagnostics) -> Vec<&'static str> {
    diagnostics.0.iter().map(|d| d.code).collect()
}

#[test]
fn only_lines_with_mistakes_are_lost() {
    let text = "
a = 1
b = 2 2
pipeline x {
  c = f(1, g { d = , e = 1 }, 3)
  f = [1
    2]
  loss {
    g = 1:
    h = 2
  }
  i = \"open
  j = (1 + 2
}
k = 3
";
    let (file, diagnostics, _) = read(text);
    assert_eq!(codes(&diagnostics), ["E0012", "E0001", "E0002", "E0013", "E0005", "E0003"]);
    let lines = file.expect("a file").lines;
    let shown: Vec<String> = lines
        .iter()
        .map(|l| match &l.kind {
            LineKind::Assign { path, .. } => path.to_string(),
            LineKind::Pipeline { lines, .. } => lines
                .iter()
                .map(|l| match &l.kind {
                    LineKind::Assign { path, value } => format!("{path}={}", shape(value)),
                    LineKind::Block { name, lines } => format!("{}:{}", name.name, lines.len()),
                    other => panic!("{other:?}"),
                })
                .collect::<Vec<_>>()
                .join(" "),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(shown, ["a", "c=f(1, g{e=1}, 3) loss:1", "k"]);
}

#[test]
fn bounds() {
    let nested = |n: usize| format!("x = {}1{}", "(".repeat(n), ")".repeat(n));
    assert!(read(&nested(64)).1.is_empty());
    let (file, diagnostics, _) = read(&nested(65));
    assert_eq!((file, codes(&diagnostics)), (None, vec!["E0024"]));
    let sum = |n: usize| format!("x = 1{}", " + 1".repeat(n));
    assert!(read(&sum(255)).1.is_empty());
    assert_eq!(codes(&read(&sum(256)).1), ["E0026"]);
    let (file, diagnostics, _) = read(&" ".repeat(2 * 1024 * 1024));
    assert_eq!((file, codes(&diagnostics)), (None, vec!["E0025"]));
    for line in ["a =\n", "a = ;\n", "a = 1)\n", "a = 1.2.3\n"] {
        let found = codes(&read(&line.repeat(150)).1);
        assert_eq!((found.len(), found.last()), (101, Some(&"E0032")), "{line}");
    }
}
