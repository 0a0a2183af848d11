//! A walk over every kind there is, by category: what `epo-run kinds`, the reference pages and the resolver see.

use crate::equation::REWARDS;
use crate::kind::{Category, FieldInfo, KindInfo};
use crate::play::{Games, Interaction, PromptKind, Reading, WellFormed, WorldKind};
use crate::policy::{Actor, AdapterKind, Arguments, CriticKind, Decode, OptimizerKind, PolicyKind};
use crate::stage::{Common, Resources, Source, Stage};

/// Every kind, with its category's name.
pub fn all_kinds() -> impl Iterator<Item = (&'static str, &'static KindInfo)> {
    let mut kinds: Vec<(&'static str, &'static KindInfo)> = Vec::new();
    add::<dyn Stage>("stages", &mut kinds);
    kinds.push(("machines", &Resources::INFO));
    add::<dyn WorldKind>("environments", &mut kinds);
    kinds.push(("games", &Games::INFO));
    add::<dyn PromptKind>("prompts", &mut kinds);
    add::<dyn Reading>("actions", &mut kinds);
    add::<dyn WellFormed>("actions", &mut kinds);
    add::<dyn PolicyKind>("policies", &mut kinds);
    kinds.push(("templates", &Arguments::INFO));
    add::<dyn AdapterKind>("adapters", &mut kinds);
    add::<Decode>("decoding", &mut kinds);
    add::<Actor>("actors", &mut kinds);
    add::<Source>("sources", &mut kinds);
    kinds.push(("rewards", &REWARDS));
    add::<dyn CriticKind>("critics", &mut kinds);
    add::<dyn OptimizerKind>("optimizers", &mut kinds);
    kinds.into_iter()
}

/// Fields that belong to every kind of a category.
pub fn shared_fields(category: &str) -> Option<&'static KindInfo> {
    match category {
        "stages" => Some(&Common::INFO),
        "environments" => Some(&Interaction::INFO),
        _ => None,
    }
}

/// Its own fields, then those that every kind of its category has.
pub(crate) fn fields(category: &str, kind: &'static KindInfo) -> impl Iterator<Item = &'static FieldInfo> {
    kind.fields.iter().chain(shared_fields(category).into_iter().flat_map(|k| k.fields))
}

/// The fields of a kind by its name; two kinds of one name have those of both.
pub(crate) fn fields_of(kind: &str) -> impl Iterator<Item = &'static FieldInfo> {
    all_kinds().filter(move |(_, info)| info.name == kind).flat_map(|(category, info)| fields(category, info))
}

/// The fields that a stage takes from the pipeline's line of that name when it leaves them out, each once.
pub(crate) fn inherited_fields() -> Vec<&'static str> {
    let mut names = Vec::new();
    let own = <dyn Stage as Category>::entries().iter().flat_map(|e| e.info.fields);
    for field in own.chain(Common::INFO.fields).filter(|f| f.inherited) {
        if !names.contains(&field.name) {
            names.push(field.name);
        }
    }
    names
}

fn add<T: Category + ?Sized>(category: &'static str, into: &mut Vec<(&'static str, &'static KindInfo)>) {
    into.extend(T::all().map(|e| (category, e.info)));
}
