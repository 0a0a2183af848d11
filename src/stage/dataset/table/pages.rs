//! The pages of a column, with a bound on what one row may make of them.

use super::limits::{MIB, PAGE, ROW, VALUES};
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What was unpacked since a row began.
#[derive(Debug, Default)]
pub(super) struct Budget {
    bytes: AtomicUsize,
    values: AtomicUsize,
}

impl Budget {
    pub(super) fn begin(&self) {
        self.bytes.store(0, Relaxed);
        self.values.store(0, Relaxed);
    }

    fn take(&self, page: &Page) -> std::result::Result<(), String> {
        let (bytes, values) = (page.buffer().len(), page.num_values() as usize);
        if values > VALUES {
            return Err(format!("a page has {values} values; it can have {VALUES}"));
        }
        // A row may begin in one page and end in another, and a column may have a dictionary.
        let bytes = bytes + self.bytes.fetch_add(bytes, Relaxed);
        let values = values + self.values.fetch_add(values, Relaxed);
        if bytes > ROW + 3 * PAGE || values > 3 * VALUES {
            return Err(format!("it has more than {} MiB", ROW / MIB));
        }
        Ok(())
    }
}

pub(super) struct Pages {
    pub pages: Box<dyn PageReader>,
    pub budget: Arc<Budget>,
}

impl Pages {
    fn checked(&self, page: Page) -> Result<Page> {
        // Of this encoding few bytes may be any number of long texts.
        if page.encoding() == Encoding::DELTA_BYTE_ARRAY {
            return Err(ParquetError::General("its texts are encoded as what they begin with alike, which is not read".into()));
        }
        self.budget.take(&page).map_err(ParquetError::General)?;
        Ok(page)
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        page.map(|page| self.checked(page)).transpose()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}
