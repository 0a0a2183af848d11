//! The library as it lies in the repository: a changed file of `pipelines/` is seen without a build.

use epo::lang::load::Library;
use epo::spec::LIBRARY;
use std::path::Path;
use std::sync::LazyLock;

pub(crate) static REPOSITORY: LazyLock<Library> =
    LazyLock::new(|| Library::read(Path::new("pipelines"), &LIBRARY).expect("the library of the repository"));
