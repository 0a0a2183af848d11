//! The registry of stages: one line each.

use super::Stage;
use super::{collect, evaluate, export, report, rl, sft, tokenizer};
use crate::kind::{Category, Entry, KindInfo, Reader};
use crate::lang::value::Component;
use std::sync::Arc;

impl Category for dyn Stage {
    const WORDS: &'static str = "a stage";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<dyn Stage>] = &[
            Entry {
                info: &tokenizer::Tokenizer::INFO,
                read: |_, c, r| read(c, r, &tokenizer::Tokenizer::INFO, tokenizer::Tokenizer::read_fields),
            },
            Entry { info: &collect::Collect::INFO, read: |_, c, r| read(c, r, &collect::Collect::INFO, collect::Collect::read_fields) },
            Entry { info: &sft::Sft::INFO, read: |_, c, r| read(c, r, &sft::Sft::INFO, sft::Sft::read_fields) },
            Entry { info: &rl::Rl::INFO, read: |_, c, r| read(c, r, &rl::Rl::INFO, rl::Rl::read_checked) },
            Entry {
                info: &evaluate::Evaluate::INFO,
                read: |_, c, r| read(c, r, &evaluate::Evaluate::INFO, evaluate::Evaluate::read_checked),
            },
            Entry { info: &report::Report::INFO, read: |_, c, r| read(c, r, &report::Report::INFO, report::Report::read_fields) },
            Entry { info: &export::Export::INFO, read: |_, c, r| read(c, r, &export::Export::INFO, export::Export::read_fields) },
        ];
        ENTRIES
    }

    fn identity(&self) -> serde_json::Value {
        Stage::identity(self)
    }
}

fn read<T: Stage + 'static>(
    component: &Component,
    reader: &mut Reader<'_, '_>,
    info: &'static KindInfo,
    fields: fn(&Component, &mut Reader<'_, '_>) -> Option<T>,
) -> Option<Arc<dyn Stage>> {
    reader.refuse_unknown(component, &[info, &super::Common::INFO], |_| false);
    Some(Arc::new(fields(component, reader)?))
}
