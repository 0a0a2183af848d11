//! What may stand where a field is given its value, by the words with which the field says what it takes.

use crate::kind::{Artifact, FieldInfo, KindInfo};
use crate::registry::all_kinds;

/// What a field takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fits {
    pub kinds: Vec<&'static KindInfo>,
    pub words: Vec<String>,
    /// What a stage has to give; empty where none may stand.
    pub stages: Vec<Artifact>,
    /// A split of an environment.
    pub splits: bool,
    pub prompts: bool,
    /// Numbers and expressions.
    pub expression: bool,
}

const ARTIFACTS: [(Artifact, &str); 8] = [
    (Artifact::Tokenizer, "`tokenizer` stage"),
    (Artifact::Episodes, "gives episodes"),
    (Artifact::Policy, "a policy"),
    (Artifact::Critic, "a critic"),
    (Artifact::Metrics, "metrics"),
    (Artifact::Results, "results"),
    (Artifact::Page, "a page"),
    (Artifact::Folder, "a folder"),
];

/// What `field` takes.
pub(crate) fn fits(field: &FieldInfo) -> Fits {
    let expects = (field.expects)();
    let one = expects.strip_prefix("a list, each item ").unwrap_or(&expects);
    let quoted: Vec<&str> = one.split('`').skip(1).step_by(2).collect();
    let between: String = one.split('`').step_by(2).collect();
    let only_words = between.trim_start_matches("one of").chars().all(|c| matches!(c, ' ' | ',' | 'o' | 'r'));
    let mut fits = Fits { splits: one.contains("a split of"), prompts: one.contains("a prompt or"), ..Fits::default() };
    let any = one == "a stage";
    fits.stages = ARTIFACTS.iter().filter(|(_, words)| any || one.contains(words)).map(|(artifact, _)| *artifact).collect();
    fits.expression = ["number", "expression", "schedule", "condition"].iter().any(|word| one.contains(word));
    if only_words {
        fits.words = quoted.iter().filter(|word| !word.contains('{') && !word.contains('"')).map(|word| (*word).to_owned()).collect();
    }
    if !only_words || quoted.iter().any(|text| text.contains('{')) {
        let named = |text: &str| text.split([' ', '(', '{']).next().unwrap_or("").to_owned();
        let names: Vec<String> = quoted.iter().map(|text| named(text)).collect();
        let categories: Vec<&str> =
            all_kinds().filter(|(c, info)| *c != "stages" && names.iter().any(|n| n == info.name)).map(|(c, _)| c).collect();
        let policy = !any && fits.stages.contains(&Artifact::Policy);
        let whole = |category: &str| categories.contains(&category) || (category == "policies" && policy);
        let mut kinds: Vec<&'static KindInfo> = all_kinds().filter(|(category, _)| whole(category)).map(|(_, info)| info).collect();
        // two families of one heading: ways to read an action, and tests of it
        if names.iter().any(|name| name == "has") {
            kinds.retain(|info| info.name == "has");
        } else {
            kinds.retain(|info| info.name != "has");
        }
        fits.kinds = kinds;
    }
    fits
}
