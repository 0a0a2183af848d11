//! Archives that packs are.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Every file of an archive.
pub(crate) fn entries(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(File::open(path).expect("a file")).expect("an archive");
    let names: Vec<String> = zip.file_names().map(|name| name.expect("UTF-8").into_owned()).collect();
    let mut read = |name: &String| {
        let mut bytes = Vec::new();
        zip.by_name(name).expect("an entry").read_to_end(&mut bytes).expect("its bytes");
        bytes
    };
    names.iter().map(|name| (name.clone(), read(name))).collect()
}
