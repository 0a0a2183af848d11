//! What the words of the language mean, for people: `epo-run kinds NAME` and editors say the same.

use super::compile::SETTINGS;
use super::library::{LibraryFunction, library_functions};
use crate::builtin::{Accepts, Builtin, Default, GradientRule, Notation, Row};
use crate::kind::{FieldInfo, KindInfo};
use crate::lang::load::Library;
use crate::objective::VOCABULARY;
use crate::objective::quantities::{QUANTITIES, QuantityInfo, When};
use crate::play::EXPLAINED as PLACEHOLDERS;
use crate::registry::{all_kinds, fields, inherited_fields};

/// What a word means.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub name: String,
    /// Behind the name, in brackets: `stages`, `a function`.
    pub what: String,
    /// As it is written; empty where the name is all.
    pub written: String,
    /// Paragraphs.
    pub text: String,
    /// Of a kind.
    pub fields: Vec<&'static FieldInfo>,
}

impl Described {
    fn new(name: &str, what: &str, written: String, text: String) -> Self {
        Self { name: name.to_owned(), what: what.to_owned(), written, text, fields: Vec::new() }
    }
}

/// Everything that is called by a name, kinds first. `{history}` is a placeholder, as `history` is one among others.
pub(crate) fn described(name: &str, library: &Library) -> Vec<Described> {
    let bare = name.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
    let holes = PLACEHOLDERS.iter().filter(|(hole, _)| *hole == bare.unwrap_or(name)).map(|(hole, doc)| placeholder(hole, doc));
    if bare.is_some() {
        return holes.collect();
    }
    let mut found: Vec<Described> =
        all_kinds().filter(|(_, info)| info.name == name).map(|(category, info)| kind(category, info)).collect();
    found.extend(Builtin::ALL.iter().filter(|builtin| sign(**builtin) == name).map(|builtin| function(*builtin)));
    for file in library.names() {
        found.extend(library_functions(library, file).iter().filter(|f| f.name == name).map(library_function));
    }
    found.extend(QUANTITIES.iter().filter(|info| info.name == name).map(quantity));
    found.extend(key(name));
    found.extend(holes);
    found.extend(pipeline_line(name));
    // Fields are many, and some are called as what they take: they are told where nothing else has the name.
    if found.is_empty() {
        found = fields_called(name);
    }
    found.extend(word(name));
    found
}

/// Words of the language itself: how they are written, and what for.
const WORDS: [(&str, &str, &str); 7] = [
    ("pipeline", "pipeline NAME { … }", "Lines, an equation and stages: what is run. A file may have several."),
    (
        "from",
        "pipeline NAME from OTHER { … }",
        "The pipeline has every line of the other, and its own in their place; what was inherited sees the new lines.",
    ),
    ("without", "without PATH", "Leaves out an inherited line: `without critic`, `without loss.fit`, `without stages.end`."),
    (
        "import",
        "import \"FILE\" as NAME",
        "The names of another file: beside this one, of the library (`std/losses.epo`), of a hub or of a pack. With `as NAME` they stand behind that name.",
    ),
    ("fn", "fn NAME(ARGUMENT, OTHER = 1) = EXPRESSION", "A function of one's own; its body sees names where it is defined."),
    ("prompt", "prompt NAME = \"\"\"…\"\"\"", "A text with placeholders such as `{observation}`."),
    ("sweep", "sweep(A, B, …)", "In the place of a value: the pipeline runs once for each of them."),
];

fn word(name: &str) -> Option<Described> {
    let (word, written, text) = WORDS.into_iter().find(|(word, ..)| *word == name)?;
    Some(Described::new(word, "a word of the language", written.to_owned(), text.to_owned()))
}

/// A field of kinds; kinds whose fields say the same are named together.
fn fields_called(name: &str) -> Vec<Described> {
    let mut found: Vec<(&FieldInfo, Vec<&str>)> = Vec::new();
    for (category, info) in all_kinds() {
        for field in fields(category, info).filter(|field| field.name == name) {
            match found.iter_mut().find(|(other, _)| other.doc == field.doc) {
                Some((_, kinds)) if kinds.contains(&info.name) => {}
                Some((_, kinds)) => kinds.push(info.name),
                None => found.push((field, vec![info.name])),
            }
        }
    }
    let described = |(field, kinds): (&FieldInfo, Vec<&str>)| {
        let doc: Vec<&str> = field.doc.trim().lines().map(str::trim).collect();
        let text = format!("{}\n\nTakes {}. Left out: {}.", doc.join("\n"), (field.expects)(), when_left_out(field));
        Described::new(name, &format!("a field of {}", kinds.join(", ")), String::new(), text)
    };
    found.into_iter().map(described).collect()
}

/// Every name that [`described`] knows.
pub(crate) fn described_names(library: &Library) -> Vec<String> {
    let mut names: Vec<String> = all_kinds().map(|(_, info)| info.name.to_owned()).collect();
    names.extend(Builtin::ALL.iter().map(|builtin| sign(*builtin).to_owned()));
    names.extend(library.names().flat_map(|file| library_functions(library, file)).map(|f| f.name.to_owned()));
    names.extend(QUANTITIES.iter().map(|info| info.name.to_owned()));
    names.extend(VOCABULARY.keys.iter().chain(VOCABULARY.counted_keys).map(|key| (*key).to_owned()));
    names.extend(PLACEHOLDERS.iter().map(|(hole, _)| (*hole).to_owned()));
    names.extend(pipeline_lines().map(str::to_owned));
    names.extend(WORDS.iter().map(|(word, ..)| (*word).to_owned()));
    names.extend(all_kinds().flat_map(|(category, info)| fields(category, info)).map(|field| field.name.to_owned()));
    names
}

pub(crate) fn kind(category: &'static str, info: &'static KindInfo) -> Described {
    Described { fields: fields(category, info).collect(), ..Described::new(info.name, category, String::new(), doc(info)) }
}

/// The doc comment without the space that every line begins with.
pub(crate) fn doc(kind: &KindInfo) -> String {
    let lines: Vec<&str> = kind.doc.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect();
    lines.join("\n").trim().to_owned()
}

/// What a field is that nobody gives.
pub(crate) fn when_left_out(field: &FieldInfo) -> String {
    match ((field.default)(), field.inherited, field.required) {
        (Some(default), false, _) => format!("default: {default}"),
        (Some(default), true, _) => format!("the pipeline's line; default: {default}"),
        (None, true, true) => "the pipeline's line".into(),
        (None, true, false) => "the pipeline's line; optional".into(),
        (None, false, true) => "required".into(),
        (None, false, false) => "optional".into(),
    }
}

/// As it is written: the sign of an operator, the name of a function.
fn sign(builtin: Builtin) -> &'static str {
    match builtin.row().notation {
        Notation::Prefix { sign, .. } => sign.trim_end(),
        Notation::Infix(_) | Notation::Call => builtin.name(),
    }
}

pub(crate) fn function(builtin: Builtin) -> Described {
    let row = builtin.row();
    let (what, written) = match row.notation {
        Notation::Call => ("a function", signature(row)),
        _ => ("an operator", String::new()),
    };
    let text = format!(
        "{}\n\n{}. Gradient: {}.\n\nExample: `{}` is {}.",
        row.equation,
        sentence(row.doc),
        gradient(row),
        row.example.text,
        row.example.value
    );
    Described::new(sign(builtin), what, written, text)
}

pub(crate) fn library_function(function: &LibraryFunction<'_>) -> Described {
    let comment: Vec<&str> = function.comment.lines().map(|line| line.trim_start_matches(['#', ' '])).collect();
    let mut text = comment.join("\n");
    if !function.example.is_empty() {
        text += &format!("\n\nExample: `{}` is {}", function.example, function.value);
    }
    Described::new(function.name, &format!("a function of {}", function.file), function.text.to_owned(), text)
}

pub(crate) fn quantity(info: &QuantityInfo) -> Described {
    let when = match info.when {
        When::Always => "known always, in a schedule too",
        When::Collected => "known once the episodes of an iteration are there, in an `advantage` too",
        When::Learning => "known only in a `loss`",
    };
    let gradient = if info.gradient { " In a loss its gradient reaches the parameters of a model." } else { "" };
    let text = format!("{}.\n\n{}; {when}.{gradient}", sentence(info.doc), sentence(&info.level.words()));
    Described::new(info.name, "a quantity", String::new(), text)
}

pub(crate) fn placeholder(name: &str, doc: &str) -> Described {
    Described::new(&format!("{{{name}}}"), "a placeholder of prompts", String::new(), format!("{}.", sentence(doc)))
}

/// A word for `by =` and `per =`.
pub(crate) fn key(name: &str) -> Option<Described> {
    let counted = VOCABULARY.counted_keys.contains(&name);
    if !counted && !VOCABULARY.keys.contains(&name) {
        return None;
    }
    let level = crate::objective::Level::from_key(name).map(|level| level.words().into_owned());
    let text = match (level, counted) {
        (_, true) => "One value for each sequence of so many last states; for `by =` and `per =`.".to_owned(),
        (Some(words), _) => format!("{}; for `by =` and `per =`.", sentence(&words)),
        (None, _) => "For `by =` and `per =`.".to_owned(),
    };
    Some(Described::new(name, "a key", if counted { format!("{name}(n)") } else { String::new() }, text))
}

/// The lines of a pipeline that have a meaning of their own.
pub(crate) fn pipeline_lines() -> impl Iterator<Item = &'static str> {
    SETTINGS.into_iter().chain(["stages"]).chain(inherited_fields())
}

pub(crate) fn pipeline_line(name: &str) -> Option<Described> {
    let text = match name {
        "title" => "What the pipeline is called in a report.".to_owned(),
        "seeds" => "A list, `[0, 1]`: the pipeline runs once for each.".to_owned(),
        "stages" => "A block: what is done. The stages are the nodes of a graph; an edge is a use, as in `policy = train.best`.".to_owned(),
        _ => {
            let stages = all_kinds().filter(|(category, _)| *category == "stages");
            let taking: Vec<(&str, &FieldInfo)> = stages
                .filter_map(|(_, info)| Some((info.name, fields("stages", info).find(|field| field.inherited && field.name == name)?)))
                .collect();
            let (_, field) = taking.first()?;
            let kinds: Vec<String> = taking.iter().map(|(kind, _)| format!("`{kind}`")).collect();
            let doc: Vec<&str> = field.doc.trim().lines().map(str::trim).collect();
            format!(
                "{}\n\nTakes {}. Taken over by every stage of kind {} that leaves it out.",
                doc.join("\n"),
                (field.expects)(),
                kinds.join(", ")
            )
        }
    };
    Some(Described::new(name, "a line of a pipeline", String::new(), text))
}

/// With a capital letter and without its full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.trim().trim_end_matches('.').chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// `mean(x, [by: turn / episode])`
pub(crate) fn signature(function: &Row) -> String {
    format!("{}({})", function.name, parameters(function).join(", "))
}

/// Each parameter, with what it takes and stands for.
pub(crate) fn parameters(function: &Row) -> Vec<String> {
    let one = |param: &crate::builtin::Parameter| {
        let takes = match param.accepts {
            Accepts::Key(words) => format!("{}: {}", param.name, words.join(" / ")),
            Accepts::Keys(words) => format!("{}: {} / [several]", param.name, words.join(" / ")),
            Accepts::Term => param.name.to_string(),
            Accepts::Text => format!("{}: \"…\"", param.name),
        };
        match param.default {
            Default::Required => takes,
            Default::Number(n) => format!("{takes} = {n}"),
            Default::Key(word) => format!("{takes} = {word}"),
            Default::Absent => format!("[{takes}]"),
        }
    };
    function.params.iter().map(one).collect()
}

/// Which arguments hand the gradient on.
pub(crate) fn gradient(function: &Row) -> String {
    match function.gradient {
        GradientRule::All => "through all arguments".into(),
        GradientRule::None => "none".into(),
        GradientRule::Only(positions) => {
            let names: Vec<String> = positions.iter().filter_map(|&p| Some(format!("`{}`", function.params.get(p)?.name))).collect();
            format!("through {}", names.join(" and "))
        }
    }
}
