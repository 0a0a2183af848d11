//! A batch of rows: flat, without padding.

use super::kept::Kept;
use super::layout::{Layout, LayoutError};
use super::levels::Level;
use super::quantities::{QuantityInfo, quantity_info};
use super::text::{TextQuestion, Texts};
use candle_core::{Device, Tensor};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use super::layout::Rows;

/// Why a batch cannot be made, or a quantity not be set.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The rows make no batch.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// None of the language's quantities.
    #[error("there is no quantity `{0}`")]
    Unknown(String),
    /// Not one value for each element of the quantity's level.
    #[error("`{quantity}` has {words}, and so {expected} in this batch, but {found} were given")]
    Length {
        /// What was to be set.
        quantity: String,
        /// Its level, in words.
        words: Cow<'static, str>,
        /// Elements of the level.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// The level of the quantity is one that the rows do not tell.
    #[error("`{quantity}` has one value for each `{key}`, but the batch does not say which row belongs to which")]
    NoKey {
        /// What was to be set.
        quantity: String,
        /// What its rows would have to be told apart by.
        key: Level,
    },
    /// Rows of one episode have different values of a quantity of episodes.
    #[error("rows {first} and {second} belong to one episode, but their `{quantity}` differs; it is one number an episode")]
    Differs {
        /// What was to be set.
        quantity: String,
        /// A row, from 0.
        first: usize,
        /// Another row of the episode.
        second: usize,
    },
    /// A selection names a row that is not there.
    #[error("row {row} is not in the batch, which has {rows} rows")]
    NoRow {
        /// As it was asked for, from 0.
        row: usize,
        /// Rows of the batch.
        rows: usize,
    },
    /// A selection names a row twice.
    #[error("row {row} is taken twice")]
    RowTwice {
        /// From 0.
        row: usize,
    },
    /// candle refused the values.
    #[error("the values of `{quantity}` could not be stored: {source}")]
    Tensor {
        /// What was to be set.
        quantity: String,
        /// What candle says.
        source: candle_core::Error,
    },
}

/// The values of a batch by name, in f64 on the CPU, each with one element for each element of its level: N tokens (row after row), R rows,
/// E episodes and G groups in the order of their first row.
#[derive(Clone, Debug)]
pub struct Batch {
    pub(super) layout: Arc<Layout>,
    columns: BTreeMap<&'static str, Tensor>,
    /// Which elements of a column have no value, if any has none.
    left_out: BTreeMap<&'static str, Arc<[bool]>>,
    /// What `collected(…)` expressions came to on the whole collected batch, by their ids.
    kept: BTreeMap<String, Kept>,
    /// What the turns say, where this is a whole batch and they were given.
    texts: Option<Arc<Texts>>,
    /// What was asked of the texts of the whole batch, one number a row.
    answers: BTreeMap<TextQuestion, Vec<f64>>,
}

impl Batch {
    /// A batch that knows how its rows belong together, and from that `length`, `token_index`, `turn_index` and `turns` (rows of the episode here).
    pub fn new(rows: Rows) -> Result<Self, BatchError> {
        let layout = Layout::new(rows)?;
        let lengths = layout.rows().lengths.iter().map(|&n| n as f64).collect();
        let turn_index = layout.rows().turn_index.as_ref().map(|t| t.iter().map(|&t| t as f64).collect());
        let turns = layout.get_map(Level::Turn, Level::Episode).map(|map| {
            let mut turns = vec![0.0; map.count];
            map.to.iter().for_each(|&episode| turns[episode as usize] += 1.0);
            turns
        });
        let mut batch = Self::empty(layout);
        batch.set("length", lengths)?;
        let rows = batch.layout.rows().lengths.iter();
        let token_index = rows.flat_map(|&length| (0..length).map(|token| token as f64)).collect();
        batch.set("token_index", token_index)?;
        if let Some(turn_index) = turn_index {
            batch.set("turn_index", turn_index)?;
        }
        if let Some(turns) = turns {
            batch.set("turns", turns)?;
        }
        Ok(batch)
    }

    fn empty(layout: Layout) -> Self {
        let (columns, left_out, kept, answers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { layout: Arc::new(layout), columns, left_out, kept, texts: None, answers }
    }

    /// What the turns of this batch say, which must be a whole one: what was there before is looked for in it. A selection of its rows has no texts, but the
    /// answers to what was [asked](Self::ask) before.
    pub fn set_texts(&mut self, texts: Texts) {
        self.texts = Some(Arc::new(texts));
        self.answers.clear();
    }

    /// Answers questions about the texts for the selections that are made of this batch.
    pub fn ask<'q>(&mut self, questions: impl IntoIterator<Item = &'q TextQuestion>) {
        for question in questions {
            if let Some(answers) = self.answers(question) {
                self.answers.insert(question.clone(), answers);
            }
        }
    }

    /// One number a row; `None` if the texts are not known.
    pub(super) fn answers(&self, question: &TextQuestion) -> Option<Vec<f64>> {
        match self.answers.get(question) {
            Some(known) => Some(known.clone()),
            None => question.answers(self.layout.rows(), self.texts.as_deref()?),
        }
    }

    /// Gives a quantity its values, one for each element of its level.
    pub fn set(&mut self, quantity: &str, values: Vec<f64>) -> Result<(), BatchError> {
        let info = known(quantity)?;
        let expected = self.layout.count(info.level).ok_or_else(|| BatchError::NoKey { quantity: quantity.into(), key: info.level })?;
        if values.len() != expected {
            let (words, found) = (info.level.words(), values.len());
            return Err(BatchError::Length { quantity: quantity.into(), words, expected, found });
        }
        let tensor =
            Tensor::from_vec(values, expected, &Device::Cpu).map_err(|source| BatchError::Tensor { quantity: quantity.into(), source })?;
        self.columns.insert(info.name, tensor);
        self.left_out.remove(info.name);
        Ok(())
    }

    /// As [`Batch::set`], where some elements have no value: no mean counts what is computed of them.
    pub fn set_partly(&mut self, quantity: &str, values: &[Option<f64>]) -> Result<(), BatchError> {
        self.set(quantity, values.iter().map(|value| value.unwrap_or(0.0)).collect())?;
        if values.iter().any(Option::is_none) {
            self.left_out.insert(known(quantity)?.name, values.iter().map(Option::is_none).collect());
        }
        Ok(())
    }

    /// As [`Batch::set`], in a chain.
    pub fn with(mut self, quantity: &str, values: Vec<f64>) -> Result<Self, BatchError> {
        self.set(quantity, values)?;
        Ok(self)
    }

    /// Gives a quantity of an episode its values from one value a row, the same for all rows of an episode.
    pub fn set_by_row(&mut self, quantity: &str, values: &[f64]) -> Result<(), BatchError> {
        let info = known(quantity)?;
        let no_key = || BatchError::NoKey { quantity: quantity.into(), key: info.level };
        let map = self.layout.get_map(Level::Turn, info.level).ok_or_else(no_key)?;
        let (words, expected, found) = (Level::Turn.words(), map.to.len(), values.len());
        if expected != found {
            return Err(BatchError::Length { quantity: quantity.into(), words, expected, found });
        }
        let mut coarse: Vec<Option<(usize, f64)>> = vec![None; map.count];
        for (row, (&to, &value)) in map.to.iter().zip(values).enumerate() {
            let (first, known) = *coarse[to as usize].get_or_insert((row, value));
            if known != value {
                return Err(BatchError::Differs { quantity: quantity.into(), first, second: row });
            }
        }
        self.set(quantity, coarse.into_iter().flatten().map(|(_, value)| value).collect())
    }

    /// Where the run is. `progress` in [0, 1].
    pub fn set_time(&mut self, iteration: f64, iterations: f64, progress: f64) -> Result<(), BatchError> {
        self.set("iteration", vec![iteration])?;
        self.set("iterations", vec![iterations])?;
        self.set("progress", vec![progress])
    }

    /// Whether a quantity is set.
    pub fn has(&self, quantity: &str) -> bool {
        self.columns.contains_key(quantity)
    }

    /// The values of a quantity as they were given, 0 where there is none.
    pub fn get(&self, quantity: &str) -> Option<Vec<f64>> {
        self.columns.get(quantity).and_then(|tensor| tensor.to_vec1().ok())
    }

    pub(super) fn column(&self, quantity: &str) -> Option<&Tensor> {
        self.columns.get(quantity)
    }

    pub(super) fn left_out(&self, quantity: &str) -> Option<&Arc<[bool]>> {
        self.left_out.get(quantity)
    }

    /// As it was made with.
    pub fn rows(&self) -> &Rows {
        self.layout.rows()
    }

    /// R.
    pub fn row_count(&self) -> usize {
        self.layout.rows().lengths.len()
    }

    /// N.
    pub fn token_count(&self) -> usize {
        self.layout.count(Level::Token).unwrap_or(0)
    }

    /// Where the tokens of a row lie in a quantity of tokens.
    pub fn tokens(&self, row: usize) -> std::ops::Range<usize> {
        self.layout.tokens(row)
    }

    /// The batch of these rows, in this order: a minibatch, or a permutation. Quantities of episodes keep their values, `turns` too.
    pub fn select(&self, rows: &[usize]) -> Result<Self, BatchError> {
        let all = self.layout.rows();
        let mut taken = vec![false; all.lengths.len()];
        for &row in rows {
            match taken.get_mut(row) {
                None => return Err(BatchError::NoRow { row, rows: all.lengths.len() }),
                Some(taken) if *taken => return Err(BatchError::RowTwice { row }),
                Some(taken) => *taken = true,
            }
        }
        let pick = |ids: &Option<Vec<u64>>| ids.as_ref().map(|ids| rows.iter().map(|&row| ids[row]).collect());
        let layout = Layout::new(Rows {
            lengths: rows.iter().map(|&row| all.lengths[row]).collect(),
            episode: pick(&all.episode),
            group: pick(&all.group),
            anchor: pick(&all.anchor),
            turn_index: pick(&all.turn_index),
            task: pick(&all.task),
        })?;
        let mut batch = Self::empty(layout);
        for name in self.columns.keys() {
            let level = known(name)?.level;
            let Some(values) = self.get(name) else { continue };
            let none = self.left_out.get(name);
            let values: Vec<Option<f64>> = values
                .into_iter()
                .enumerate()
                .map(|(i, x)| Some(x).filter(|_| none.is_none_or(|none| none.get(i) != Some(&true))))
                .collect();
            let picked = self.picked(&batch, rows, level, &values);
            batch.set_partly(name, &picked)?;
        }
        for (id, kept) in &self.kept {
            let values = self.picked(&batch, rows, kept.level, &kept.values);
            batch.kept.insert(id.clone(), Kept { values, ..*kept });
        }
        for (question, answers) in &self.answers {
            batch.answers.insert(question.clone(), self.picked(&batch, rows, Level::Turn, answers));
        }
        Ok(batch)
    }

    /// Of the values of a level those that a selection of rows has.
    fn picked<T: Copy>(&self, batch: &Self, rows: &[usize], level: Level, values: &[T]) -> Vec<T> {
        match level {
            Level::Token => rows.iter().flat_map(|&row| self.tokens(row)).map(|token| values[token]).collect(),
            Level::Turn => rows.iter().map(|&row| values[row]).collect(),
            Level::Batch => values.to_vec(),
            _ => batch.first_rows(level).into_iter().map(|row| values[self.element(level, rows[row])]).collect(),
        }
    }

    pub(super) fn keep(&mut self, id: &str, kept: Kept) {
        self.kept.insert(id.to_owned(), kept);
    }

    pub(super) fn kept(&self, id: &str) -> Option<&Kept> {
        self.kept.get(id)
    }

    /// A row of each element of a level.
    fn first_rows(&self, level: Level) -> Vec<usize> {
        let Some(map) = self.layout.get_map(Level::Turn, level) else { return vec![] };
        let mut first = vec![usize::MAX; map.count];
        for (row, &to) in map.to.iter().enumerate() {
            let slot = &mut first[to as usize];
            *slot = row.min(*slot);
        }
        first
    }

    /// The element of a level in which a row lies.
    fn element(&self, level: Level, row: usize) -> usize {
        self.layout.get_map(Level::Turn, level).and_then(|map| map.to.get(row).copied()).map_or(0, |to| to as usize)
    }
}

fn known(quantity: &str) -> Result<&'static QuantityInfo, BatchError> {
    quantity_info(quantity).ok_or_else(|| BatchError::Unknown(quantity.into()))
}
