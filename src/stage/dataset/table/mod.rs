//! A table of Parquet as chats: its column `messages`, a list of structs with `role` and `content`.

mod columns;
mod headers;
mod limits;
mod pages;

use self::columns::{Columns, Found};
use self::limits::{MIB, ROW};
use self::pages::{Budget, Pages};
use super::messages::{Chat, Message};
use crate::model::guarded;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// An open table, read row by row.
pub(super) struct Table {
    file: File,
    reader: SerializedFileReader<File>,
    columns: Columns,
    /// The row group that comes next, and what is left of the one before.
    next_group: usize,
    group: Option<Group>,
}

/// A row group that is being read.
struct Group {
    roles: Texts,
    contents: Texts,
    /// Rows it says it has, and rows read.
    rows: u64,
    read: u64,
}

impl Table {
    /// # Errors
    /// If it is no such table.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let open = || File::open(path).map_err(|error| error.to_string());
        let (file, own) = (open()?, open()?);
        let reader = fenced(|| SerializedFileReader::new(own).map_err(|error| error.to_string()))?;
        let columns = Columns::of(reader.metadata().file_metadata().schema_descr())?;
        Ok(Self { file, reader, columns, next_group: 0, group: None })
    }

    /// The next row, and which it is; `None` at the end.
    ///
    /// # Errors
    /// What is wrong, with the row group and the row in it, both counted from 1.
    pub(super) fn next(&mut self) -> Result<Option<(Chat, String)>, String> {
        loop {
            if let Some(group) = &mut self.group {
                let place = format!("row {} of row group {}", group.read + 1, self.next_group);
                if let Some(chat) = fenced(|| group.next()).map_err(|error| format!("{place}: {error}"))? {
                    return Ok(Some((chat, place)));
                }
                self.group = None;
            }
            if self.next_group == self.reader.num_row_groups() {
                return Ok(None);
            }
            self.next_group += 1;
            let (number, index) = (self.next_group, self.next_group - 1);
            let (file, reader, columns) = (&self.file, &self.reader, &self.columns);
            let group = fenced(|| Group::open(file, reader, columns, index)).map_err(|error| format!("row group {number}: {error}"))?;
            self.group = Some(group);
        }
    }
}

/// What the crate for these files panics with is an error of the file.
fn fenced<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    guarded(work).unwrap_or_else(|panic| Err(format!("it is damaged ({panic})")))
}

impl Group {
    fn open(file: &File, reader: &SerializedFileReader<File>, columns: &Columns, index: usize) -> Result<Self, String> {
        let group = reader.get_row_group(index).map_err(|error| error.to_string())?;
        let rows = u64::try_from(group.metadata().num_rows()).map_err(|_| "it has fewer than no rows".to_string())?;
        let open = |found: &Found| {
            let chunk = group.metadata().column(found.index);
            headers::check(file, chunk).map_err(|error| format!("column `{}`: {error}", found.path))?;
            let budget = Arc::new(Budget::default());
            let pages = group.get_column_page_reader(found.index).map_err(|error| error.to_string())?;
            let pages = Box::new(Pages { pages, budget: budget.clone() });
            match get_column_reader(chunk.column_descr_ptr(), pages) {
                ColumnReader::ByteArrayColumnReader(reader) => Ok(Texts { found: found.clone(), reader, budget }),
                _ => Err(format!("column `{}` holds no texts", found.path)),
            }
        };
        Ok(Self { roles: open(&columns.role)?, contents: open(&columns.content)?, rows, read: 0 })
    }

    fn next(&mut self) -> Result<Option<Chat>, String> {
        let (roles, contents) = (self.roles.row()?, self.contents.row()?);
        match (roles, contents) {
            (None, None) if self.read == self.rows => Ok(None),
            (Some(roles), Some(contents)) if roles.len() == contents.len() && self.read < self.rows => {
                self.read += 1;
                if self.roles.bytes(&roles) + self.contents.bytes(&contents) > ROW {
                    return Err(format!("it has more than {} MiB", ROW / MIB));
                }
                let messages = roles.iter().zip(&contents).enumerate();
                let message = |(at, (role, content)): (usize, (&Option<ByteArray>, &Option<ByteArray>))| {
                    Ok(Message { role: text(at, "role", role.as_ref())?, content: text(at, "content", content.as_ref())? })
                };
                Ok(Some(Chat { messages: messages.map(message).collect::<Result<_, String>>()? }))
            }
            _ => Err(format!("its columns do not have the {} rows that the row group says, with as many messages in both", self.rows)),
        }
    }
}

fn text(at: usize, field: &str, bytes: Option<&ByteArray>) -> Result<String, String> {
    let bytes = bytes.ok_or_else(|| format!("message {} has no `{field}`", at + 1))?;
    let text = std::str::from_utf8(bytes.data()).map_err(|_| format!("the `{field}` of message {} is no UTF-8", at + 1))?;
    Ok(text.to_string())
}

/// A column of texts, one for each message of each row.
struct Texts {
    found: Found,
    reader: ColumnReaderImpl<ByteArrayType>,
    budget: Arc<Budget>,
}

impl Texts {
    /// The texts of the next row, where there is one; a message without a text has none.
    fn row(&mut self) -> Result<Option<Vec<Option<ByteArray>>>, String> {
        self.budget.begin();
        let (mut definitions, mut repetitions, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let read = self.reader.read_records(1, Some(&mut definitions), Some(&mut repetitions), &mut values);
        let (rows, ..) = read.map_err(|error| error.to_string())?;
        if rows == 0 {
            return Ok(None);
        }
        let mut values = values.into_iter();
        let there = definitions.into_iter().filter(|level| *level >= self.found.element);
        Ok(Some(there.map(|level| if level == self.found.text { values.next() } else { None }).collect()))
    }

    fn bytes(&self, texts: &[Option<ByteArray>]) -> usize {
        texts.iter().flatten().fold(0, |sum, text| sum.saturating_add(text.len()))
    }
}

/// Against tables that another implementation wrote: `scripts/parquet.py` makes them.
#[cfg(test)]
mod tests {
    use super::*;

    fn rows(path: &Path) -> Result<Vec<Vec<(String, String)>>, String> {
        let mut table = Table::open(path)?;
        let mut rows = Vec::new();
        while let Some((chat, _)) = table.next()? {
            rows.push(chat.messages.into_iter().map(|message| (message.role, message.content)).collect());
        }
        Ok(rows)
    }

    fn of(name: &str) -> Result<Vec<Vec<(String, String)>>, String> {
        rows(&Path::new("tests/data/parquet").join(name))
    }

    fn chats() -> Vec<Vec<(String, String)>> {
        let lines = std::fs::read_to_string("tests/data/parquet/chats.jsonl").unwrap();
        let pair = |message: &serde_json::Value| ["role", "content"].map(|field| message[field].as_str().unwrap().to_string()).into();
        let chat = |line: &str| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["messages"].as_array().unwrap().iter().map(pair).collect()
        };
        lines.lines().map(chat).collect()
    }

    /// With a dictionary and row groups, with small pages of the second version, without both.
    #[test]
    fn what_others_write_is_read() {
        let expected = chats();
        assert!(expected.len() == 40 && expected.iter().any(|chat| chat.len() == 5));
        for name in ["snappy.parquet", "zstd.parquet", "plain.parquet"] {
            assert_eq!(of(name).as_ref(), Ok(&expected), "{name}");
        }
    }

    #[test]
    fn what_is_not_read_is_said() {
        for (name, said) in [
            (
                "gzip.parquet",
                "row group 1: column `messages.list.element.role`: it is packed by GZIP(GzipLevel(6)); it can be packed by snappy or zstd, or not at all",
            ),
            ("other.parquet", "it has no column `messages`; its columns are `id`, `text`"),
            ("strings.parquet", "its column `messages` is no list of structs with `role` and `content`"),
            ("numbers.parquet", "its column `messages.list.element.content` holds INT64, not texts"),
            ("named.parquet", "its column `messages.list.element.name` is more than a message has, which is `role` and `content`"),
            ("holes.parquet", "row 5 of row group 2: message 2 has no `content`"),
            (
                "delta.parquet",
                "row 1 of row group 1: Parquet error: its texts are encoded as what they begin with alike, which is not read",
            ),
            (
                "large.parquet",
                "row group 1: column `messages.list.element.content`: a page says that it has 269484054 bytes; it can have 256 MiB",
            ),
            ("long.parquet", "row 1 of row group 1: it has more than 64 MiB"),
        ] {
            assert_eq!(of(name), Err(said.to_string()), "{name}");
        }
        // A row without a list is a chat without messages, which is refused as such.
        assert_eq!(of("missing.parquet").unwrap().iter().map(Vec::len).collect::<Vec<_>>(), [5, 2, 2, 0, 0]);
    }

    /// Whatever byte is another, and wherever the file ends: rows or a message, and no more rows than there were.
    #[test]
    fn damaged_tables() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("damaged.parquet");
        for (name, step) in [("snappy.parquet", 1), ("zstd.parquet", 1), ("plain.parquet", 3)] {
            let whole = std::fs::read(Path::new("tests/data/parquet").join(name)).unwrap();
            let mut refused = 0;
            for at in (0..whole.len()).step_by(step) {
                for flip in [0xff, 0x01] {
                    let mut bytes = whole.clone();
                    bytes[at] ^= flip;
                    std::fs::write(&path, bytes).unwrap();
                    match rows(&path) {
                        Ok(rows) => assert!(rows.len() <= 40, "{name}, byte {at}"),
                        Err(_) => refused += 1,
                    }
                }
                if at % 16 == 0 {
                    std::fs::write(&path, &whole[..at]).unwrap();
                    assert!(rows(&path).is_err(), "{name} cut at {at}");
                }
            }
            assert!(refused > whole.len() / step / 4, "{name}: {refused} of {}", 2 * whole.len() / step);
        }
    }
}
