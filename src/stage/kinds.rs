//! The registry of stages: one line each.

use super::common::Common;
use super::contract::{Output, Stage};
use crate::kind::{Category, Entry, KindInfo, Reader};
use crate::lang::value::Component;
use std::sync::Arc;

/// Each stage with the function that reads its fields.
macro_rules! stages {
    ($($stage:ty: $read:ident),+ $(,)?) => {
        const ENTRIES: &[Entry<dyn Stage>] =
            &[$(Entry { info: &<$stage>::INFO, read: |_, c, r| read(c, r, &<$stage>::INFO, <$stage>::$read) }),+];

        /// Everything that a stage of a kind may give, whatever its fields: for messages about uses of a stage that has mistakes itself.
        pub(crate) fn possible_outputs(kind: &str) -> &'static [Output] {
            $(if kind == <$stage>::INFO.name {
                return <$stage>::OUTPUTS;
            })+
            &[]
        }
    };
}

stages! {
    super::tokenizer::Tokenizer: read_checked,
    super::collect::Collect: read_checked,
    super::dataset::Dataset: read_checked,
    super::sft::Sft: read_checked,
    super::rl::Rl: read_checked,
    super::evaluate::Evaluate: read_checked,
    super::report::Report: read_fields,
    super::export::Export: read_fields,
}

impl Category for dyn Stage {
    const WORDS: &'static str = "a stage";

    fn entries() -> &'static [Entry<Self>] {
        ENTRIES
    }
}

fn read<T: Stage + 'static>(
    component: &Component,
    reader: &mut Reader<'_, '_>,
    info: &'static KindInfo,
    fields: fn(&Component, &mut Reader<'_, '_>) -> Option<T>,
) -> Option<Arc<dyn Stage>> {
    reader.refuse_unknown(component, &[info, &Common::INFO], |_| false);
    Some(Arc::new(fields(component, reader)?))
}
