//! The files of a pack, in an archive or in a folder where somebody unpacked it: looked at before anything is read, and read within bounds.

use super::names;
use crate::store::{Digest, Mark};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use zip::CompressionMethod;
use zip::read::{ArchiveOffset, Config, ZipArchive};

/// How many files a pack may have.
const MOST_FILES: usize = 20_000;
/// What all that is compressed may come to; what is not takes as much room in the archive.
const MOST_COMPRESSED: u64 = 1 << 30;
/// How deep folders of an unpacked pack lie.
const DEEPEST: usize = 16;

/// Files by name. Their names are such that they could lie in one folder.
pub(super) struct Archive {
    files: BTreeMap<String, At>,
    place: Place,
}

/// Where a file is, and its length as the archive or the folder says.
struct At {
    index: usize,
    bytes: u64,
}

enum Place {
    Zip(Box<ZipArchive<File>>),
    Folder(PathBuf),
}

impl Archive {
    /// # Errors
    /// Why it is no pack: it cannot be read, has a link, a name or a size that none has.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let archive = if path.is_dir() { Self::of_folder(path) } else { Self::of_file(path) };
        archive.map_err(|problem| format!("`{}` is refused: {problem}", path.display()))
    }

    fn of_file(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let about = file.metadata().map_err(|error| error.to_string())?;
        if !about.is_file() {
            return Err("it is no regular file".into());
        }
        let broken = |error: zip::result::ZipError| format!("it is no whole archive: {error}");
        let mut zip = ZipArchive::with_config(Config { archive_offset: ArchiveOffset::Known(0) }, file).map_err(broken)?;
        if zip.has_duplicate_names() {
            return Err("two of its files have one name".into());
        }
        if zip.len() > MOST_FILES {
            return Err(format!("it has more than {MOST_FILES} files"));
        }
        let (mut files, mut compressed) = (BTreeMap::new(), 0_u64);
        for index in 0..zip.len() {
            let entry = zip.by_index_data(index).map_err(broken)?;
            let name = std::str::from_utf8(entry.name_raw()).map_err(|_| "a name is no UTF-8".to_owned())?.to_owned();
            let shown = names::shown(&name);
            let kind = entry.unix_mode().unwrap_or(0) & 0o170_000;
            if entry.is_symlink() || kind == 0o120_000 {
                return Err(format!("`{shown}` is a link"));
            }
            if entry.is_dir() || ![0, 0o100_000].contains(&kind) {
                return Err(format!("`{shown}` is no regular file"));
            }
            if entry.encrypted() {
                return Err(format!("`{shown}` is encrypted"));
            }
            match entry.compression() {
                CompressionMethod::Stored if entry.size() == entry.compressed_size() => {}
                CompressionMethod::Deflated => compressed = compressed.saturating_add(entry.size()),
                _ => return Err(format!("`{shown}` is not packed as a pack's files are")),
            }
            if compressed > MOST_COMPRESSED {
                return Err(format!("its files would unpack to more than {} MiB", MOST_COMPRESSED >> 20));
            }
            files.insert(name, At { index, bytes: entry.size() });
        }
        refuse(&files)?;
        // Two readers must not see two packs in it.
        zip.validate_header_consistency().map_err(broken)?;
        Ok(Self { files, place: Place::Zip(Box::new(zip)) })
    }

    fn of_folder(path: &Path) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        walk(path, "", 0, &mut files)?;
        refuse(&files)?;
        Ok(Self { files, place: Place::Folder(path.to_path_buf()) })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// A whole file.
    ///
    /// # Errors
    /// If there is none, it is longer than `most`, or it is damaged.
    pub(super) fn read(&mut self, name: &str, most: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        self.stream(name, |reader, length| {
            if length > most {
                return Err(format!("it has more than {most} bytes"));
            }
            reader.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Length and hash of a file, of any length.
    ///
    /// # Errors
    /// As [`Archive::read`].
    pub(super) fn mark(&mut self, name: &str) -> Result<Mark, String> {
        let mut mark = None;
        self.stream(name, |reader, _| {
            let (blake3, bytes) = Digest::of_reader(reader).map_err(|error| error.to_string())?;
            mark = Some(Mark { bytes, blake3 });
            Ok(())
        })?;
        mark.ok_or_else(|| format!("`{}` cannot be read", names::shown(name)))
    }

    /// Lets `take` read a file to its end, and one byte further where it is longer than its entry says.
    fn stream(&mut self, name: &str, take: impl FnOnce(&mut dyn Read, u64) -> Result<(), String>) -> Result<(), String> {
        let about = |problem: String| format!("`{}`: {problem}", names::shown(name));
        let Some(At { index, bytes }) = self.files.get(name) else { return Err(about("is missing".into())) };
        let mut read = Counted { count: 0 };
        match &mut self.place {
            Place::Zip(zip) => {
                let file = zip.by_index(*index).map_err(|error| about(error.to_string()))?;
                take(&mut read.of(file.take(bytes.saturating_add(1))), *bytes)
            }
            Place::Folder(folder) => {
                let file = File::open(folder.join(name)).map_err(|error| about(error.to_string()))?;
                take(&mut read.of(file.take(bytes.saturating_add(1))), *bytes)
            }
        }
        .map_err(about)?;
        if read.count == *bytes { Ok(()) } else { Err(about(format!("it does not have the {bytes} bytes that its entry says"))) }
    }
}

/// Counts what went through.
struct Counted {
    count: u64,
}

impl Counted {
    fn of<R: Read>(&mut self, reader: R) -> impl Read {
        struct Through<'a, R>(&'a mut u64, R);
        impl<R: Read> Read for Through<'_, R> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let count = self.1.read(buffer)?;
                *self.0 += count as u64;
                Ok(count)
            }
        }
        Through(&mut self.count, reader)
    }
}

fn refuse(files: &BTreeMap<String, At>) -> Result<(), String> {
    names::refusal_of_all(files.keys().map(String::as_str)).map_or(Ok(()), Err)
}

fn walk(folder: &Path, prefix: &str, depth: usize, files: &mut BTreeMap<String, At>) -> Result<(), String> {
    for entry in std::fs::read_dir(folder).map_err(|error| error.to_string())? {
        let entry = entry.map_err(|error| error.to_string())?;
        let name = entry.file_name().into_string().map_err(|_| "a name is no UTF-8".to_owned())?;
        let (name, path) = (format!("{prefix}{name}"), entry.path());
        let about = path.symlink_metadata().map_err(|error| error.to_string())?;
        if about.is_symlink() {
            return Err(format!("`{}` is a link", names::shown(&name)));
        }
        if about.is_dir() && depth < DEEPEST {
            walk(&path, &format!("{name}/"), depth + 1, files)?;
        } else if about.is_file() && files.len() < MOST_FILES {
            files.insert(name, At { index: 0, bytes: about.len() });
        } else if about.is_file() {
            return Err(format!("it has more than {MOST_FILES} files"));
        } else {
            return Err(format!("`{}` is no regular file", names::shown(&name)));
        }
    }
    Ok(())
}
