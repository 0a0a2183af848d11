//! The canonical layout.

use epo::lang::format::format;
use epo::lang::{SourceMap, parser};

fn formatted(text: &str) -> String {
    match format(text) {
        Ok(text) => text,
        Err(messages) => panic!("{:?} in\n{text}", messages.0),
    }
}

/// The syntax tree without places.
fn meaning(text: &str) -> String {
    let mut sources = SourceMap::default();
    let id = sources.add("x", None, text);
    let (file, messages) = parser::parse(&sources, id);
    assert!(messages.is_empty(), "{:?} in\n{text}", messages.0);
    let shown = format!("{file:?}");
    let mut parts = shown.split("Span { ");
    let mut all = parts.next().unwrap_or("").to_owned();
    for part in parts {
        all += part.split_once(" }").expect("the end of a span").1;
    }
    all
}

fn check(text: &str) -> String {
    let once = formatted(text);
    assert_eq!(meaning(text), meaning(&once), "formatting changed the meaning of\n{text}\nto\n{once}");
    assert_eq!(formatted(&once), once, "formatting twice is not formatting once");
    assert!(once.lines().all(|l| !l.ends_with(' ')) || once.contains("\"\"\""), "a line ends with a space in\n{once}");
    once
}

#[test]
fn the_whole_paper_is_as_it_should_be() {
    let text = include_str!("syntax/paper.epo");
    assert_eq!(check(text), text);
}

#[test]
fn spaces() {
    for (text, expected) in [
        ("a=1", "a = 1\n"),
        ("  a   =   1", "a = 1\n"),
        ("a=f ( x,y , z=-1 )", "a = f(x, y, z = -1)\n"),
        ("a=- b*-c^-2", "a = -b * -c ^ -2\n"),
        ("a=-- b", "a = - -b\n"),
        ("a=not(b)and not c", "a = not (b) and not c\n"),
        ("a=0.5 .. -1", "a = 0.5..-1\n"),
        ("a=x..y", "a = x..y\n"),
        ("a=b<=c", "a = b <= c\n"),
        ("a=k{}", "a = k { }\n"),
        ("a=k{\n\n}", "a = k { }\n"),
        ("a=k{b=1,c=2,}", "a = k { b = 1, c = 2 }\n"),
        ("a=[ 1,2, ]", "a = [1, 2]\n"),
        ("a=[]", "a = []\n"),
        ("fn  f( a,b=2 )=a+b", "fn f(a, b = 2) = a + b\n"),
        ("import   \"x\"as y", "import \"x\" as y\n"),
        ("pipeline a from b{without c}", "pipeline a from b { without c }\n"),
        ("a = 1_000 + 5E-6 + 30min", "a = 1_000 + 5E-6 + 30min\n"),
        ("\u{feff}a = 1\r\nb = 2\r\n", "a = 1\nb = 2\n"),
        ("", ""),
        ("\n\n", ""),
        ("# only\n", "# only\n"),
        ("a = 1\n\n\n\nb = 2\n\n\n", "a = 1\n\nb = 2\n"),
        ("a = k {\n\n b = 1\n\n\n c = 2\n\n}", "a = k {\n  b = 1\n\n  c = 2\n}\n"),
    ] {
        assert_eq!(check(text), expected, "{text}");
    }
}

#[test]
fn line_breaks_are_the_authors() {
    let text = "
a = k { b = 1
c = 2, d = 3, }
e = f(1,
2, x = [
3,4
])
g = (h
+ i) *
  j
l = m(
n = 1, # why
  # also
  o
    =
  2,
  )
p = f(k { a = 1 },
k {
a = 1 })
";
    let expected = "\
a = k {
  b = 1
  c = 2, d = 3
}
e = f(1,
  2, x = [
    3, 4
  ])
g = (h
  + i) *
  j
l = m(
  n = 1,  # why
  # also
  o = 2,
)
p = f(k { a = 1 },
  k {
    a = 1
  })
";
    assert_eq!(check(text), expected);
}

#[test]
fn alignment_is_kept_where_it_is_one() {
    let text = "
a   = 1
bcd = 2
  # a comment does not end it
ef  = k {
  x   = 1
  yy  = 2
}
g   = 3

h   = 1
i = 2
j      = 1
klm    = 2
";
    let expected = "\
a   = 1
bcd = 2
# a comment does not end it
ef  = k {
  x  = 1
  yy = 2
}
g   = 3

h = 1
i = 2
j   = 1
klm = 2
";
    assert_eq!(check(text), expected);
}

#[test]
fn comments() {
    let text = "\
# first

a = 1# close
b = 22      # one column
c = 333     # one column
d = k { # behind a brace
 # inside
 x = 1, # behind a comma
 # last
} # behind
e = k { # nothing else
}
f = [ # list
]
g = 1 # before the operator
  + 2
h = k {
  # only this
}
# end";
    let expected = "\
# first

a = 1  # close
b = 22      # one column
c = 333     # one column
d = k {  # behind a brace
  # inside
  x = 1  # behind a comma
  # last
}  # behind
e = k {  # nothing else
}
f = [  # list
]
g = 1  # before the operator
  + 2
h = k {
  # only this
}
# end
";
    assert_eq!(check(text), expected);
}

#[test]
fn long_rows_are_divided() {
    let long = "x".repeat(60);
    let text = format!("a = k {{ b = {long}, c = {long}, d = l {{ e = 1 }} }}\np = q {{\n b = {long}, c = {long}, d = 1\n}}\n");
    let first = format!("a = k {{\n  b = {long}\n  c = {long}\n  d = l {{ e = 1 }}\n}}\n");
    let second = format!("p = q {{\n  b = {long}\n  c = {long}\n  d = 1\n}}\n");
    assert_eq!(check(&text), first + &second);
}

#[test]
fn prompts_are_kept() {
    let text = "prompt  later=\"\"\"\n  {task}  \n\n\n # no comment\n\ty\n\"\"\"   # why\nx = k { y = \"\"\"a\n b\"\"\" }\n";
    let expected = "prompt later = \"\"\"\n  {task}  \n\n\n # no comment\n\ty\n\"\"\"   # why\nx = k {\n  y = \"\"\"a\n b\"\"\"\n}\n";
    assert_eq!(check(text), expected);
}

#[test]
fn a_text_with_mistakes_is_left_alone() {
    let messages = format("a = \nb = 3 3").expect_err("two mistakes");
    assert_eq!(messages.0.iter().map(|m| m.code).collect::<Vec<_>>(), ["E0001", "E0012"]);
}
