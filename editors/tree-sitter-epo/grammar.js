// The epo language for editors. It follows grammar/epo.pest, and refuses what src/lang/parser refuses by name; where lines end
// (src/lang/layout) is in src/scanner.c. `tree-sitter generate` makes src/parser.c of it: scripts/tree-sitter-check.sh.

// From loose to tight: src/builtin/binding.rs.
const BINDING = { or: 1, and: 2, not: 3, comparison: 4, range: 5, sum: 6, product: 7, negation: 8, power: 9 };

// These begin lines, or stand in them, and are names everywhere else.
const LINE_WORDS = ["import", "as", "fn", "prompt", "without", "from"];

// A name that is none of `words`, as one regular expression: a tree of their letters, with a way out at each.
function nameBut(words) {
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"];
  const signs = [...letters, ..."0123456789"];
  const after = (prefix) => {
    const next = [...new Set(words.filter((w) => w.startsWith(prefix)).map((w) => w[prefix.length]))].filter(Boolean);
    if (next.length === 0) return words.includes(prefix) ? "\\w+" : "\\w*";
    const others = (prefix === "" ? letters : signs).filter((sign) => !next.includes(sign)).join("");
    const ways = [`[${others}]\\w*`, ...next.map((sign) => sign + after(prefix + sign))];
    const mayEnd = prefix !== "" && !words.includes(prefix);
    return `(${ways.join("|")})${mayEnd ? "?" : ""}`;
  };
  return new RegExp(after(""));
}

const NAME = nameBut(["and", "or", "not", "true", "false"]);
const DIGITS = "\\d(_?\\d)*";
const NUMBER = new RegExp(`${DIGITS}(\\.${DIGITS})?([eE][+-]?\\d+)?(ms|s|min|h|d|B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?`);

const list = (item) => seq(item, repeat(seq(",", item)), optional(","));
const inText = (pattern) => token.immediate(prec(1, pattern));

// Lines between braces: a newline ends one, and so does a comma.
const body = ($, line) =>
  seq("{", repeat($._newline), repeat(seq(line, choice(seq(",", repeat($._newline)), repeat1($._newline)))), optional(line), "}");

module.exports = grammar({
  name: "epo",

  // The scanner follows brackets, since the innermost one decides what a newline is.
  externals: ($) => [$._newline, $._continuation, $._blank, "(", ")", "[", "]", "{", "}", $._inside_text, $._recovering],
  extras: ($) => [/[ \t\r]/, $.comment, $._blank],
  word: ($) => $._identifier,
  supertypes: ($) => [$.expression],
  inline: ($) => [$._top_line, $._line, $._field, $._right],

  rules: {
    file: ($) => seq(repeat($._newline), repeat(seq($._top_line, repeat1($._newline))), optional($._top_line)),

    _top_line: ($) => choice($.import, $.assignment, $.function, $.prompt, $.pipeline, $.block),
    _line: ($) => choice($.assignment, $.function, $.prompt, $.removal, $.block),
    _field: ($) => choice($.assignment, alias($._component_block, $.block)),

    import: ($) => seq("import", field("file", $.text), optional(seq("as", field("alias", $.name)))),
    assignment: ($) => seq(field("path", $.path), "=", field("value", $.expression)),
    function: ($) => seq("fn", field("name", $.name), field("parameters", $.parameters), "=", field("body", $.expression)),
    prompt: ($) => seq("prompt", field("name", $.name), "=", field("text", $.text)),
    removal: ($) => seq("without", field("path", $.path)),
    pipeline: ($) => seq("pipeline", field("name", $.name), optional(seq("from", field("parent", $.path))), field("body", $.body)),
    // Only a pipeline has the word, and it has a name.
    block: ($) => seq(field("name", alias($._name_but_pipeline, $.name)), field("body", $.body)),
    _component_block: ($) => seq(field("name", alias($._name_but_pipeline, $.name)), field("body", $.fields)),

    body: ($) => body($, $._line),
    fields: ($) => body($, $._field),

    parameters: ($) => seq("(", optional(list($.parameter)), ")"),
    parameter: ($) => seq(field("name", $.name), optional(seq("=", field("default", $.expression)))),

    // A comparison and a range have no comparison or range as an operand: `a < b < c` is no expression. `not` stands in front of all that binds
    // more tightly, so it never ends at an operator of that kind: it is no left operand.
    expression: ($) => choice($.or, $.and, $.not, $.comparison, $.range, $._left),
    _left: ($) =>
      choice(
        $.sum, $.product, $.negation, $.power,
        $.number, $.text, $.boolean, $.list, $.group, $.path, $.call, $.component,
      ),
    _right: ($) => choice($.not, $._left),

    or: ($) => prec.left(BINDING.or, binary($, $.expression, "or", $.expression)),
    and: ($) => prec.left(BINDING.and, binary($, $.expression, "and", $.expression)),
    not: ($) => prec(BINDING.not, prefix($, "not", $.expression)),
    comparison: ($) =>
      prec(
        BINDING.comparison,
        binary($, choice($.range, $._left), choice("==", "!=", "<", "<=", ">", ">="), choice($.range, $._right)),
      ),
    range: ($) => prec(BINDING.range, binary($, $._left, "..", $._right)),
    sum: ($) => prec.left(BINDING.sum, binary($, $._left, choice("+", "-"), $._right)),
    product: ($) => prec.left(BINDING.product, binary($, $._left, choice("*", "/"), $._right)),
    negation: ($) => prec(BINDING.negation, prefix($, "-", $._right)),
    power: ($) => prec.right(BINDING.power, binary($, $._left, "^", $._right)),

    group: ($) => seq("(", $.expression, ")"),
    list: ($) => seq("[", optional(list($.expression)), "]"),
    call: ($) => seq(field("function", $.path), field("arguments", $.arguments)),
    component: ($) => seq(field("kind", $.path), field("fields", $.fields)),

    // Those with names stand last.
    arguments: ($) =>
      seq(
        "(",
        optional(
          choice(list($.named_argument), seq($.expression, repeat(seq(",", $.expression)), optional(seq(",", optional(list($.named_argument)))))),
        ),
        ")",
      ),
    named_argument: ($) => seq(field("name", $.name), "=", field("value", $.expression)),

    path: ($) => seq($.name, repeat(seq(token.immediate("."), alias($._member, $.name)))),
    name: ($) => choice($._identifier, "pipeline", ...LINE_WORDS),
    _name_but_pipeline: ($) => choice($._identifier, ...LINE_WORDS),
    _identifier: () => token(NAME),
    _member: () => token.immediate(NAME),

    boolean: () => choice("true", "false"),
    number: () => token(NUMBER),
    text: ($) => choice($._string, $._triple),
    // In double quotes to the end of the line, with escapes.
    _string: ($) =>
      seq('"', repeat(choice(inText(/[^"\\{\r\n]+/), inText(/\{\{?/), $.placeholder, $.escape, $._inside_text)), alias(inText('"'), '"')),
    // Between three, as it stands.
    _triple: ($) =>
      seq('"""', repeat(choice(inText(/[^"{]+/), inText(/\{\{?/), inText(/"/), $.placeholder, $._inside_text)), alias(inText('"""'), '"""')),
    escape: () => inText(/\\([nt"\\]|u\{[0-9a-fA-F]{1,6}\})/),
    placeholder: () => inText(/\{[A-Za-z_]\w*\}/),
    comment: () => token(/#([^\r\n]|\r+[^\r\n])*/),
  },
});

// A line goes on behind an operator.
function binary($, left, operator, right) {
  return seq(field("left", left), field("operator", operator), repeat($._continuation), field("right", right));
}

function prefix($, operator, operand) {
  return seq(field("operator", operator), repeat($._continuation), field("operand", operand));
}
