//! The headers of the pages of a column, before any page is unpacked: what a page says that it will be unpacked to is asked of the memory at once.
//!
//! A header is a struct of Thrift's compact protocol; its fields 2 and 3 are the sizes of the page, unpacked and packed.

use super::limits::{MIB, PAGE};
use parquet::basic::Compression;
use parquet::file::metadata::ColumnChunkMetaData;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

/// How deep structs may be nested.
const DEEP: usize = 16;

/// # Errors
/// If the pages are packed in a way that does not say its size, one is too large, or they are none.
pub(super) fn check(file: &File, chunk: &ColumnChunkMetaData) -> Result<(), String> {
    match chunk.compression() {
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_) => {}
        other => return Err(format!("it is packed by {other}; it can be packed by snappy or zstd, or not at all")),
    }
    let negative = "it begins or ends nowhere";
    let begin = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
    let begin = u64::try_from(begin).map_err(|_| negative)?;
    let length = u64::try_from(chunk.compressed_size()).map_err(|_| negative)?;
    let end = begin.checked_add(length).ok_or(negative)?;
    let mut file = BufReader::new(file);
    let mut at = begin;
    while at < end {
        file.seek(SeekFrom::Start(at)).map_err(|error| error.to_string())?;
        let mut header = Compact { bytes: &mut file, read: 0 };
        let (unpacked, packed) = header.sizes().ok_or_else(|| format!("at byte {at} there is no header of a page"))?;
        if unpacked > PAGE as u64 {
            return Err(format!("a page says that it has {unpacked} bytes; it can have {} MiB", PAGE / MIB));
        }
        at = at.saturating_add(header.read).saturating_add(packed);
    }
    Ok(())
}

/// Thrift's compact protocol, as far as it has to be read.
struct Compact<R> {
    bytes: R,
    read: u64,
}

impl<R: Read> Compact<R> {
    /// Fields 2 and 3 of a struct, which is read to its end.
    fn sizes(&mut self) -> Option<(u64, u64)> {
        let (mut unpacked, mut packed, mut field) = (None, None, 0);
        while let Some(kind) = self.field(&mut field)? {
            match field {
                2 if kind == 5 => unpacked = Some(self.integer()?),
                3 if kind == 5 => packed = Some(self.integer()?),
                _ => self.skip(kind, DEEP)?,
            }
        }
        Some((unpacked??, packed??))
    }

    /// The type of the next field of a struct, whose number it sets; `Some(None)` at the struct's end.
    #[expect(clippy::option_option, reason = "an end is no damage")]
    fn field(&mut self, number: &mut i64) -> Option<Option<u8>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *number = match byte >> 4 {
            0 => zigzag(self.varint()?),
            more => number.checked_add(i64::from(more))?,
        };
        Some(Some(byte & 15))
    }

    /// A whole number of 0 or more; `Some(None)` for one below.
    #[expect(clippy::option_option, reason = "a number below 0 is no end of the bytes")]
    fn integer(&mut self) -> Option<Option<u64>> {
        Some(u64::try_from(zigzag(self.varint()?)).ok())
    }

    fn skip(&mut self, kind: u8, deep: usize) -> Option<()> {
        let deep = deep.checked_sub(1)?;
        match kind {
            1 | 2 => Some(()),
            3 => self.pass(1),
            4..=6 => self.varint().map(drop),
            7 => self.pass(8),
            8 => {
                let length = self.varint()?;
                self.pass(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                (0..count).try_for_each(|_| self.element(head & 15, deep))
            }
            11 => {
                let count = self.varint()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                (0..count).try_for_each(|_| self.element(kinds >> 4, deep).and_then(|()| self.element(kinds & 15, deep)))
            }
            12 => {
                let mut field = 0;
                while let Some(kind) = self.field(&mut field)? {
                    self.skip(kind, deep)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// In a list a truth value takes a byte, so that every element takes one.
    fn element(&mut self, kind: u8, deep: usize) -> Option<()> {
        if matches!(kind, 1 | 2) { self.pass(1) } else { self.skip(kind, deep) }
    }

    fn pass(&mut self, bytes: u64) -> Option<()> {
        let passed = std::io::copy(&mut self.bytes.by_ref().take(bytes), &mut std::io::sink()).ok()?;
        self.read += passed;
        (passed == bytes).then_some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.bytes.read_exact(&mut byte).ok()?;
        self.read += 1;
        Some(byte[0])
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(number);
            }
        }
        None
    }
}

fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(bytes: &[u8]) -> Option<(u64, u64)> {
        Compact { bytes, read: 0 }.sizes()
    }

    #[test]
    fn the_sizes_of_a_page() {
        // type = 0, unpacked = 300, packed = 64, a struct with a list of truth values, a text, a map and a double.
        let inner = [0x19, 0x21, 1, 2, 0x18, 2, b'a', b'b', 0x1b, 1, 0x58, 4, 1, b'x', 0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let header = [&[0x15, 0, 0x15, 0xd8, 4, 0x15, 0x80, 1, 0x2c][..], &inner, &[0]].concat();
        let mut read = Compact { bytes: &header[..], read: 0 };
        assert_eq!(read.sizes(), Some((300, 64)));
        assert_eq!(read.read, header.len() as u64);
        // cut anywhere it is none
        assert!((0..header.len()).all(|end| sizes(&header[..end]).is_none()));
    }

    #[test]
    fn what_is_no_header() {
        assert_eq!(sizes(&[0x15, 0, 0x15, 1, 0x15, 2, 0]), None, "a size below 0");
        assert_eq!(sizes(&[0x15, 0, 0x15, 2, 0]), None, "without its packed size");
        assert_eq!(sizes(&[0x1c; 100]), None, "nested without end");
        assert_eq!(sizes(&[0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0]), None, "a list without end");
        assert_eq!(sizes(&[0x1d, 0]), None, "a type that there is not");
    }
}
