//! What is asked of the words of environments that are played elsewhere: in another program, behind a server.

use super::prompt::PLACEHOLDERS;
use crate::kind::Reader;
use crate::lang::Diagnostic;
use crate::lang::Span;
use crate::lang::value::{Component, ValueKind};

/// Reports a name that could be no part of a setting.
pub(super) fn check_name(name: &str, component: &Component, reader: &mut Reader<'_, '_>) -> bool {
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
    if !is_name {
        let message = format!("{name:?} cannot be the name of what plays an environment");
        let help = "it begins with a small letter; digits, `_` and `-` may follow";
        reader.report(Diagnostic::error("E0202", place(component, "name"), message).help(help));
    }
    is_name
}

/// Reports a placeholder that every environment has.
pub(super) fn check_placeholders(names: &[String], component: &Component, reader: &mut Reader<'_, '_>) -> bool {
    let Some((place, name)) = names.iter().enumerate().find(|(_, name)| PLACEHOLDERS.contains(&name.as_str())) else { return true };
    let span = item(component, "placeholders", place);
    reader.report(Diagnostic::error("E0202", span, format!("every environment has the placeholder `{{{name}}}`")));
    false
}

/// Where a field stands.
pub(super) fn place(component: &Component, field: &str) -> Span {
    component.fields.get(field).map_or(component.kind_span, |field| field.value.span)
}

/// Where an item of a field's list stands.
pub(super) fn item(component: &Component, field: &str, item: usize) -> Span {
    let Some(value) = component.fields.get(field).map(|field| &field.value) else { return component.kind_span };
    match &value.kind {
        ValueKind::List(items) => items.get(item).map_or(value.span, |item| item.span),
        _ => value.span,
    }
}
