//! What is said of the texts of a turn.

use super::row::{Accepts, Default, Example, GradientRule, Latex, Notation, Operation, Parameter, Row, TextFunction, Type, example, key};

/// The texts that a turn has.
pub(crate) const TEXTS: &[&str] = &["response", "action", "observation"];

const TEXT: Parameter = key("text", TEXTS, Default::Required);

const fn string(name: &'static str) -> Parameter {
    Parameter { name, accepts: Accepts::Text, default: Default::Required }
}

/// `takes`: what else it is given, a string.
const fn of_text(
    name: &'static str,
    function: TextFunction,
    params: &'static [Parameter],
    result: Type,
    texts: [&'static str; 2],
    example: Example,
) -> Row {
    Row {
        name,
        notation: Notation::Call,
        params,
        types: if params.len() == 1 { &[Type::Key] } else { &[Type::Key, Type::Text] },
        result,
        operation: Operation::OfText(function),
        gradient: GradientRule::None,
        latex: Latex::Call,
        equation: texts[0],
        doc: texts[1],
        example,
    }
}

pub(super) const CONTAINS: Row = of_text(
    "contains",
    TextFunction::Contains,
    const { &[TEXT, string("part")] },
    Type::Condition,
    [
        "1 if `part` stands somewhere in the text, else 0",
        "whether the turn's `response`, `action` or `observation` has these letters in a row; capital and small ones differ",
    ],
    example("mean(where(contains(response, \"<think>\"), logp, 0))", -0.341667),
);
pub(super) const EQUALS: Row = of_text(
    "equals",
    TextFunction::Equals,
    const { &[TEXT, string("whole")] },
    Type::Condition,
    ["1 if the text is `whole`, else 0", "whether the text is this one, letter by letter, spaces at its ends too"],
    example("mean(where(equals(action, \"look\"), logp, 0))", -0.35),
);
pub(super) const MATCHES: Row = of_text(
    "matches",
    TextFunction::Matches,
    const { &[TEXT, string("pattern")] },
    Type::Condition,
    [
        "1 if `pattern` is found somewhere in the text, else 0",
        "whether a regular expression is found in the text, as the Rust crate `regex` reads it, in time that grows with the text's length alone: `^` and `$` are its beginning and its end, with `(?s)` the dot is a newline too, with `(?i)` capital and small letters are the same; between triple quotes a backslash is a backslash",
    ],
    example("mean(where(matches(response, \"(?s)^<think>.+</think>\"), logp, 0))", -0.183333),
);
pub(super) const OCCURRENCES: Row = of_text(
    "occurrences",
    TextFunction::Occurrences,
    const { &[TEXT, string("part")] },
    Type::Number,
    ["how often `part` stands in the text", "counted from left to right, each behind the end of the one before"],
    example("mean(occurrences(response, \"door\") * logp)", -0.691667),
);
pub(super) const MATCH_COUNT: Row = of_text(
    "match_count",
    TextFunction::MatchCount,
    const { &[TEXT, string("pattern")] },
    Type::Number,
    ["how often `pattern` is found in the text", "as `occurrences`, of a regular expression as in `matches`"],
    example("mean(match_count(response, \"d..r\") * logp)", -0.691667),
);
pub(super) const WORD_COUNT: Row = of_text(
    "word_count",
    TextFunction::WordCount,
    const { &[TEXT] },
    Type::Number,
    ["how many words the text has", "a word is what stands between spaces and newlines"],
    example("mean(word_count(response) * logp)", -2.725),
);
pub(super) const CHARACTER_COUNT: Row = of_text(
    "character_count",
    TextFunction::CharacterCount,
    const { &[TEXT] },
    Type::Number,
    ["how many characters the text has", "of Unicode, spaces too; how many tokens a response has is `length`"],
    example("mean(character_count(action) * logp)", -7.24167),
);
pub(super) const REPEATS: Row = of_text(
    "repeats",
    TextFunction::Repeats,
    const { &[TEXT] },
    Type::Condition,
    [
        "1 if an earlier turn of the episode has the same text, else 0",
        "whether it was there before: an action that was played already, a state that was seen already; the first time does not count",
    ],
    example("mean(where(repeats(observation), logp, 0))", -0.0166667),
);
pub(super) const REPEATED_SENTENCES: Row = of_text(
    "repeated_sentences",
    TextFunction::RepeatedSentences,
    const { &[TEXT] },
    Type::Number,
    [
        "how many sentences stood in the same text before",
        "a sentence ends with a newline, or with `.`, `!` or `?` before a space or the end; spaces at its ends do not count, and what has no letter and no digit is none",
    ],
    example("mean(repeated_sentences(response) * logp)", -0.166667),
);
