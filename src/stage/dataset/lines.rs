//! A file line by line, whatever it is packed in; its bytes are hashed on the way.

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, Read, Result, sink};
use std::path::Path;
use std::rc::Rc;

const MIB: u64 = 1 << 20;
/// How many bytes a line may have.
const LINE: u64 = 64 * MIB;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What was read of the file so far is what was hashed.
#[derive(Clone)]
struct Hashed(Rc<RefCell<(File, blake3::Hasher)>>);

impl Read for Hashed {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let (file, hasher) = &mut *self.0.borrow_mut();
        let bytes = file.read(into)?;
        hasher.update(&into[..bytes]);
        Ok(bytes)
    }
}

/// The lines of a text, or of one packed by gzip or zstd, which its first bytes tell.
pub(super) struct Lines {
    raw: Hashed,
    text: Box<dyn BufRead>,
    line: Vec<u8>,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let raw = Hashed(Rc::new(RefCell::new((File::open(path)?, blake3::Hasher::new()))));
        let mut bytes = BufReader::with_capacity(64 * 1024, raw.clone());
        let begin = bytes.fill_buf()?;
        let text: Box<dyn BufRead> = match begin {
            _ if begin.starts_with(&GZIP) => Box::new(BufReader::new(MultiGzDecoder::new(bytes))),
            _ if begin.starts_with(&ZSTD) => {
                Box::new(BufReader::new(Frames { packed: bytes, decoder: FrameDecoder::new(), within: false }))
            }
            _ => Box::new(bytes),
        };
        Ok(Self { raw, text, line: Vec::new() })
    }

    /// The next line without its newline, which the last need not have.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>> {
        self.line.clear();
        self.text.by_ref().take(LINE + 1).read_until(b'\n', &mut self.line)?;
        match self.line.last() {
            None => return Ok(None),
            Some(b'\n') => drop(self.line.pop()),
            Some(_) if self.line.len() as u64 > LINE => return Err(Error::other(format!("it has more than {} MiB", LINE / MIB))),
            Some(_) => {}
        }
        Ok(Some(&self.line))
    }

    /// The hash of all bytes of the file, of what was not read too.
    pub(super) fn hash(mut self) -> Result<blake3::Hash> {
        std::io::copy(&mut self.raw, &mut sink())?;
        Ok(self.raw.0.borrow().1.finalize())
    }
}

/// The frames of a zstd file, one behind the other.
struct Frames<R> {
    packed: R,
    decoder: FrameDecoder,
    within: bool,
}

impl<R: BufRead> Frames<R> {
    /// Goes to the next frame that holds something; false at the end.
    fn begin(&mut self) -> Result<bool> {
        while !self.packed.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.packed) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    std::io::copy(&mut self.packed.by_ref().take(length.into()), &mut sink())?;
                }
                Err(error) => return Err(Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        loop {
            if !self.within && !self.begin()? {
                return Ok(0);
            }
            self.within = true;
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder.decode_blocks(&mut self.packed, BlockDecodingStrategy::UptoBlocks(1)).map_err(Error::other)?;
            }
            match self.decoder.read(into)? {
                0 if into.is_empty() => return Ok(0),
                0 => self.within = false,
                bytes => return Ok(bytes),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use std::io::Write;

    fn gzipped(text: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    }

    fn zstandard(text: &[u8]) -> Vec<u8> {
        compress_to_vec(text, CompressionLevel::Fastest)
    }

    /// The lines, or what is wrong; and the hash.
    fn read(bytes: &[u8]) -> (std::result::Result<Vec<String>, String>, blake3::Hash) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, bytes).unwrap();
        let (mut lines, mut found) = (Lines::open(&path).unwrap(), Vec::new());
        let wrong = loop {
            match lines.next() {
                Ok(Some(line)) => found.push(String::from_utf8(line.to_vec()).unwrap()),
                Ok(None) => break None,
                Err(error) => break Some(error.to_string()),
            }
        };
        (wrong.map_or(Ok(found), Err), lines.hash().unwrap())
    }

    #[test]
    fn packed_or_not_the_lines_are_the_same() {
        let text: Vec<u8> = (0..30_000).flat_map(|i| format!("line {i}\n").into_bytes()).chain(*b"last").collect();
        let (head, tail) = text.split_at(100_000);
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let several = [zstandard(head), skipped, zstandard(tail)].concat();
        for bytes in [text.clone(), gzipped(&text), [gzipped(head), gzipped(tail)].concat(), zstandard(&text), several] {
            let (lines, hash) = read(&bytes);
            let lines = lines.unwrap();
            assert_eq!((lines.len(), lines[29_999].as_str(), lines[30_000].as_str()), (30_001, "line 29999", "last"));
            assert_eq!(hash, blake3::hash(&bytes));
        }
    }

    #[test]
    fn half_an_archive_is_no_file() {
        let text = "line\n".repeat(50_000);
        for mut packed in [gzipped(text.as_bytes()), zstandard(text.as_bytes())] {
            packed.truncate(packed.len() - 12);
            let (lines, hash) = read(&packed);
            assert!(lines.is_err());
            assert_eq!(hash, blake3::hash(&packed), "all of it is hashed all the same");
        }
    }

    #[test]
    fn a_line_that_never_ends() {
        let mut text = vec![b'x'; LINE as usize + 1];
        assert_eq!(read(&text).0, Err("it has more than 64 MiB".to_string()));
        text.pop();
        assert_eq!(read(&text).0.unwrap()[0].len(), LINE as usize);
    }
}
