//! Which columns of a table are read.

use parquet::basic::{Repetition, Type as Physical};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor, Type};

/// The columns of a list of messages.
pub(super) struct Columns {
    pub role: Found,
    pub content: Found,
}

/// A column of texts in the structs of a list.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Among the columns of the file.
    pub index: usize,
    /// `messages.list.element.role`
    pub path: String,
    /// From which definition level on there is a message, and at which it has a text.
    pub element: i16,
    pub text: i16,
}

impl Columns {
    /// # Errors
    /// If the table has no `messages` with these fields and no others.
    pub(super) fn of(schema: &SchemaDescriptor) -> Result<Self, String> {
        let (mut role, mut content, mut others) = (None, None, Vec::new());
        for (index, column) in schema.columns().iter().enumerate() {
            let parts = column.path().parts();
            match parts {
                [first, .., last] if first == "messages" => match last.as_str() {
                    "role" => role = Some(found(schema.root_schema(), index, column)?),
                    "content" => content = Some(found(schema.root_schema(), index, column)?),
                    _ => others.push(column.path().string()),
                },
                [one] if one == "messages" => return Err("its column `messages` is no list of structs with `role` and `content`".into()),
                _ => {}
            }
        }
        if let Some(other) = others.first() {
            return Err(format!("its column `{other}` is more than a message has, which is `role` and `content`"));
        }
        let known = || {
            let names: Vec<String> = schema.root_schema().get_fields().iter().take(8).map(|field| format!("`{}`", field.name())).collect();
            if names.is_empty() { "none".to_string() } else { names.join(", ") }
        };
        match (role, content) {
            (Some(role), Some(content)) => Ok(Self { role, content }),
            (None, None) => Err(format!("it has no column `messages`; its columns are {}", known())),
            (None, _) => Err("the structs of its column `messages` have no `role`".into()),
            (_, None) => Err("the structs of its column `messages` have no `content`".into()),
        }
    }
}

fn found(root: &Type, index: usize, column: &ColumnDescriptor) -> Result<Found, String> {
    let path = column.path().string();
    if column.physical_type() != Physical::BYTE_ARRAY {
        return Err(format!("its column `{path}` holds {}, not texts", column.physical_type()));
    }
    let wrong = || format!("its column `{path}` is not that of one list of structs");
    if column.max_rep_level() != 1 {
        return Err(wrong());
    }
    let (mut at, mut level, mut element) = (root, 0, None);
    for part in column.path().parts() {
        at = at.get_fields().iter().find(|field| field.name() == part).ok_or_else(wrong)?;
        match at.get_basic_info().repetition() {
            Repetition::REQUIRED => {}
            Repetition::OPTIONAL => level += 1,
            Repetition::REPEATED => {
                level += 1;
                element = Some(level);
            }
        }
    }
    Ok(Found { index, element: element.ok_or_else(wrong)?, text: column.max_def_level(), path })
}
