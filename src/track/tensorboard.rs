//! TensorBoard's event files: records of TensorFlow's `TFRecord` framing (length, its checksum, data, its checksum), each a protocol buffer `Event`.
//!
//! Only the few fields that scalars and histograms need are written, so the encoding stands here: `Event { wall_time = 1, step = 2, file_version = 3,
//! summary = 5 }`, `Summary { value = 1 }`, `Value { tag = 1, simple_value = 2, histo = 5 }`, `Histogram { min = 1, max = 2, num = 3, sum = 4,
//! sum_squares = 5, bucket_limit = 6, bucket = 7 }`.

use crate::exec::Histogram;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A file with this in its name is what TensorBoard looks for.
const BEGIN: &str = "events.out.tfevents.";
/// A file with this at its end was written here, and may be written anew.
const END: &str = ".epo";

/// One task's curves. TensorBoard may read it while it is written.
pub(super) struct EventFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl EventFile {
    /// In a folder of its own, in the place of what an earlier execution of the task has left there.
    pub(super) fn create(folder: &Path) -> Result<Self, String> {
        let told = |path: &Path, error: std::io::Error| format!("`{}`: {error}", path.display());
        std::fs::create_dir_all(folder).map_err(|error| told(folder, error))?;
        for entry in std::fs::read_dir(folder).map_err(|error| told(folder, error))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(BEGIN) && name.ends_with(END) {
                std::fs::remove_file(entry.path()).map_err(|error| told(&entry.path(), error))?;
            }
        }
        // A new name: one that reads on in the old file sees that it is gone.
        let path = folder.join(format!("{BEGIN}{}.{}{END}", now().as_secs(), std::process::id()));
        let file = BufWriter::new(File::create(&path).map_err(|error| told(&path, error))?);
        let mut new = Self { path, file };
        new.event(0, |event| bytes(event, 3, b"brain.Event:2"))?;
        new.flush()?;
        Ok(new)
    }

    /// One value for each name, as 32 bits: that is what the format has.
    pub(super) fn scalars(&mut self, step: u64, values: &BTreeMap<String, f64>) -> Result<(), String> {
        let mut summary = Vec::new();
        for (name, value) in values {
            let mut of_one = Vec::new();
            bytes(&mut of_one, 1, name.as_bytes());
            tag(&mut of_one, 2, FOUR_BYTES);
            of_one.extend((*value as f32).to_le_bytes());
            bytes(&mut summary, 1, &of_one);
        }
        self.event(step, |event| bytes(event, 5, &summary))
    }

    /// Counts in buckets, as 64 bits.
    pub(super) fn histogram(&mut self, step: u64, name: &str, histogram: &Histogram) -> Result<(), String> {
        let Histogram { least, most, sum, squares, buckets } = histogram;
        let mut counts = Vec::new();
        for (field, number) in [(1, *least), (2, *most), (3, histogram.count() as f64), (4, *sum), (5, *squares)] {
            tag(&mut counts, field, EIGHT_BYTES);
            counts.extend(number.to_le_bytes());
        }
        let packed = |of: &dyn Fn(&(f64, u64)) -> f64| buckets.iter().flat_map(|bucket| of(bucket).to_le_bytes()).collect::<Vec<u8>>();
        bytes(&mut counts, 6, &packed(&|(limit, _)| *limit));
        bytes(&mut counts, 7, &packed(&|(_, count)| *count as f64));
        let mut value = Vec::new();
        bytes(&mut value, 1, name.as_bytes());
        bytes(&mut value, 5, &counts);
        let mut summary = Vec::new();
        bytes(&mut summary, 1, &value);
        self.event(step, |event| bytes(event, 5, &summary))
    }

    pub(super) fn flush(&mut self) -> Result<(), String> {
        self.file.flush().map_err(|error| format!("`{}`: {error}", self.path.display()))
    }

    fn event(&mut self, step: u64, what: impl FnOnce(&mut Vec<u8>)) -> Result<(), String> {
        let mut event = Vec::new();
        tag(&mut event, 1, EIGHT_BYTES);
        event.extend(now().as_secs_f64().to_le_bytes());
        tag(&mut event, 2, VARINT);
        varint(&mut event, step);
        what(&mut event);
        self.file.write_all(&framed(&event)).map_err(|error| format!("`{}`: {error}", self.path.display()))
    }
}

/// When something was written: for people who look, in no result.
fn now() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length, &masked(&length).to_le_bytes()[..], data, &masked(data).to_le_bytes()].concat()
}

/// A checksum of data that may hold checksums: turned and shifted by a constant of the format.
fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xA282_EAD8)
}

const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const LENGTH: u64 = 2;
const FOUR_BYTES: u64 = 5;

fn tag(out: &mut Vec<u8>, field: u64, form: u64) {
    varint(out, field << 3 | form);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn bytes(out: &mut Vec<u8>, field: u64, data: &[u8]) {
    tag(out, field, LENGTH);
    varint(out, data.len() as u64);
    out.extend(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_and_numbers() {
        // The check value of CRC-32C, and of the mask on it.
        assert_eq!(crc32c::crc32c(b"123456789"), 0xE306_9283);
        assert_eq!(masked(b"123456789"), 0xE306_9283_u32.rotate_right(15).wrapping_add(0xA282_EAD8));
        let mut out = Vec::new();
        varint(&mut out, 300);
        assert_eq!(out, [0xAC, 0x02]);
        assert_eq!(framed(b"ab").len(), 8 + 4 + 2 + 4);
    }

    #[test]
    fn only_files_of_its_own_are_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let foreign = folder.path().join("events.out.tfevents.1.host");
        std::fs::write(&foreign, "x").unwrap();
        std::fs::write(folder.path().join("events.out.tfevents.1.2.epo"), "x").unwrap();
        drop(EventFile::create(folder.path()).unwrap());
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(foreign.exists() && names.len() == 2, "{names:?}");
        assert!(!folder.path().join("events.out.tfevents.1.2.epo").exists());
    }
}
