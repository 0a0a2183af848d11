//! A batch written as JSON: padded rows with a mask, fields at the top or under `batch`.

use super::super::batch::{Batch, BatchError, Rows};
use super::super::error::ObjectiveError;
use super::super::history::History;
use super::super::levels::Level;
use super::super::program::HistoryExpr;
use super::super::quantities::{QuantityInfo, quantities, quantity_info};
use super::super::{Advantage, Objective, Texts};
use super::past::{Carried, Past};
use serde_json::{Map, Value};

/// Why a text is no batch.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// It is no JSON.
    #[error("the batch is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It is JSON of another kind.
    #[error("the batch must be an object with its quantities as fields, at the top or under `batch`")]
    NoObject,
    /// Nothing says how many rows and tokens there are.
    #[error("the batch has no quantity of tokens, such as `mask` or `logp`, so nothing says how many rows and tokens there are")]
    NoTokens,
    /// A field of another shape than the mask.
    #[error("`{field}` must be {expected}, but {found}")]
    Shape {
        /// Its name in the file.
        field: String,
        /// In words.
        expected: String,
        /// In words.
        found: String,
    },
    /// The rows make no batch.
    #[error(transparent)]
    Batch(#[from] BatchError),
}

/// A batch from a file, and the shape in which answers about it are given.
#[derive(Clone, Debug)]
pub struct ProbeBatch {
    batch: Batch,
    past: Option<Past>,
    carried: Carried,
    /// For each row, which of its places are response tokens.
    mask: Vec<Vec<bool>>,
}

/// The file's own words for ids and quantities, and the language's.
const ALIASES: [(&str, &str); 5] =
    [("ret", "returns"), ("step_reward", "reward"), ("turn", "turn_index"), ("step", "iteration"), ("steps", "iterations")];

impl ProbeBatch {
    /// The format of `epo-run probe`, as text.
    pub fn from_json(text: &str) -> Result<Self, ProbeError> {
        Self::from_value(&serde_json::from_str(text)?)
    }

    /// The format of `epo-run probe`.
    pub fn from_value(value: &Value) -> Result<Self, ProbeError> {
        let top = value.as_object().ok_or(ProbeError::NoObject)?;
        let fields = match top.get("batch") {
            Some(batch) => batch.as_object().ok_or(ProbeError::NoObject)?,
            None => top,
        };
        let file = File { fields, mask: mask(fields)? };
        let rows = Rows {
            lengths: file.mask.iter().map(|row| row.iter().filter(|token| **token).count()).collect(),
            episode: file.ids("episode")?,
            group: file.ids("group")?,
            anchor: file.ids("anchor")?,
            turn_index: file.ids("turn")?.or(file.ids("turn_index")?),
            task: file.ids("task")?,
        };
        let mut batch = Batch::new(rows)?;
        file.quantities(&mut batch)?;
        batch.set_texts(Texts {
            response: file.texts("response")?,
            action: file.texts("action")?,
            observation: file.texts("observation")?,
        });
        let past = fields.get("history").map(Past::read).transpose()?;
        // Before the first iteration there was nothing.
        let past = past.or_else(|| (batch.get("iteration").as_deref() == Some(&[0.0])).then(|| Past::One(vec![])));
        let carried = fields.get("carried").map(Carried::read).transpose()?.unwrap_or_default();
        Ok(Self { batch, past, carried, mask: file.mask })
    }

    /// The pipeline's own number of iterations, where the file does not say; `progress` follows.
    pub fn iterations_if_missing(&mut self, iterations: f64) -> Result<(), ProbeError> {
        if !self.batch.has("iterations") {
            self.batch.set("iterations", vec![iterations])?;
        }
        Ok(progress(&mut self.batch)?)
    }

    /// Without padding.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The past of what these look back on; `None`: the file has none, and is not of the first iteration.
    ///
    /// # Errors
    /// If what they look back on has no list in the file, or two have the same.
    pub fn history(&self, loss: Option<&Objective>, advantage: Option<&Advantage>) -> Result<Option<History>, ObjectiveError> {
        let of_advantage = || advantage.into_iter().flat_map(Advantage::histories);
        let needed: Vec<&HistoryExpr> = of_advantage().chain(loss.into_iter().flat_map(Objective::histories)).collect();
        let all: Vec<&HistoryExpr> = of_advantage().chain(loss.into_iter().flat_map(Objective::mentioned_histories)).collect();
        let mut history = match &self.past {
            Some(past) => past.history(&needed, &all)?,
            // Nothing looks back.
            None if all.is_empty() => History::default(),
            None => return Ok(None),
        };
        for carries in loss.map(Objective::carries).into_iter().chain(advantage.map(Advantage::carries)) {
            carries.set(&mut history, |name| self.carried.number(name));
        }
        Ok(Some(history))
    }

    /// One value for each token, in the shape of the file's mask; `elsewhere` in its other places, and where there are no values.
    pub fn pad<T: Copy>(&self, tokens: &[T], elsewhere: T) -> Vec<Vec<T>> {
        let mut next = tokens.iter();
        let mut cell = |token: &bool| if *token { next.next().copied().unwrap_or(elsewhere) } else { elsewhere };
        self.mask.iter().map(|row| row.iter().map(&mut cell).collect()).collect()
    }
}

struct File<'a> {
    fields: &'a Map<String, Value>,
    mask: Vec<Vec<bool>>,
}

impl File<'_> {
    /// Sets every quantity that the file has, by its own name or by the file's word for it.
    fn quantities(&self, batch: &mut Batch) -> Result<(), ProbeError> {
        if let Some(reward) = self.fields.get("reward") {
            let tokens = self.tokens("reward", reward)?;
            let outcome: Vec<f64> = (0..self.mask.len()).map(|row| tokens.get(batch.tokens(row)).unwrap_or(&[]).iter().sum()).collect();
            if self.fields.get("score").is_none() && batch.rows().episode.is_some() {
                // The message speaks of the field that is in the file.
                batch.set_by_row("score", &outcome).map_err(|error| match error {
                    BatchError::Differs { first, second, .. } => BatchError::Differs { quantity: "reward".into(), first, second },
                    error => error,
                })?;
            }
            batch.set("outcome", outcome)?;
        }
        // What belongs to episodes means nothing where the file does not say which rows make one.
        let means = |info: &&QuantityInfo| info.name != "carried" && (info.level != Level::Episode || batch.rows().episode.is_some());
        let known = quantities().filter(means);
        for info in known.collect::<Vec<_>>() {
            let word = ALIASES.iter().find(|(_, name)| *name == info.name).map_or(info.name, |(word, _)| *word);
            // Rows already gave the numbers of the turns; the file's `reward` is the row's sum, not the turn's.
            let own = Some(info.name).filter(|name| *name != "reward");
            let Some((word, value)) = [Some(word), own].into_iter().flatten().find_map(|word| Some((word, self.fields.get(word)?))) else {
                continue;
            };
            match info.level {
                Level::Token if info.name == "advantage" => batch.set_partly(info.name, &self.tokens_partly(word, value)?)?,
                Level::Token => batch.set(info.name, self.tokens(word, value)?)?,
                Level::Turn => batch.set(info.name, self.by_row(word, value)?)?,
                Level::Batch => batch.set(info.name, vec![number(word, "a number", value)?])?,
                _ => batch.set_by_row(info.name, &self.by_row(word, value)?)?,
            }
        }
        Ok(progress(batch)?)
    }

    /// The values where the mask is 1, row after row; what stands elsewhere does not matter.
    fn tokens(&self, field: &str, value: &Value) -> Result<Vec<f64>, ProbeError> {
        self.cells(field, value, |cell| cell.as_f64())
    }

    /// As [`Self::tokens`]; `null` is a token that is left out.
    fn tokens_partly(&self, field: &str, value: &Value) -> Result<Vec<Option<f64>>, ProbeError> {
        self.cells(field, value, |cell| if cell.is_null() { Some(None) } else { cell.as_f64().map(Some) })
    }

    fn cells<T>(&self, field: &str, value: &Value, read: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, ProbeError> {
        let expected = || format!("one list of numbers for each of the {} rows, as long as the row of `mask`", self.mask.len());
        let rows = list(field, &expected(), value)?;
        if rows.len() != self.mask.len() {
            return Err(shape(field, expected(), format!("it has {} rows", rows.len())));
        }
        let mut tokens = Vec::new();
        for (i, (row, mask)) in rows.iter().zip(&self.mask).enumerate() {
            let cells = row.as_array().ok_or_else(|| shape(field, expected(), format!("row {i} is {}", words(row))))?;
            if cells.len() != mask.len() {
                return Err(shape(field, expected(), format!("row {i} has {} places and its mask {}", cells.len(), mask.len())));
            }
            for (j, (cell, _)) in cells.iter().zip(mask).enumerate().filter(|(_, (_, token))| **token) {
                tokens.push(read(cell).ok_or_else(|| shape(field, expected(), format!("place {j} of row {i} is {}", words(cell))))?);
            }
        }
        Ok(tokens)
    }

    fn by_row(&self, field: &str, value: &Value) -> Result<Vec<f64>, ProbeError> {
        let expected = format!("one number for each of the {} rows", self.mask.len());
        let rows = numbers(field, &expected, value)?;
        if rows.len() != self.mask.len() {
            return Err(shape(field, expected, format!("it has {}", rows.len())));
        }
        Ok(rows)
    }

    fn texts(&self, field: &str) -> Result<Option<Vec<String>>, ProbeError> {
        let Some(value) = self.fields.get(field) else { return Ok(None) };
        let expected = format!("one text for each of the {} rows", self.mask.len());
        let rows = list(field, &expected, value)?;
        if rows.len() != self.mask.len() {
            return Err(shape(field, expected, format!("it has {}", rows.len())));
        }
        let cell = |(i, cell): (usize, &Value)| {
            cell.as_str().map(String::from).ok_or_else(|| shape(field, expected.clone(), format!("entry {i} is {}", words(cell))))
        };
        rows.iter().enumerate().map(cell).collect::<Result<Vec<_>, _>>().map(Some)
    }

    fn ids(&self, field: &str) -> Result<Option<Vec<u64>>, ProbeError> {
        let Some(value) = self.fields.get(field) else { return Ok(None) };
        let ids = self.by_row(field, value)?;
        let whole = |(row, id): (usize, &f64)| {
            if *id >= 0.0 && id.fract() == 0.0 && *id < 9e15 {
                return Ok(*id as u64);
            }
            Err(shape(field, "one whole number of 0 or more for each row".into(), format!("that of row {row} is {id}")))
        };
        ids.iter().enumerate().map(whole).collect::<Result<Vec<u64>, _>>().map(Some)
    }
}

fn progress(batch: &mut Batch) -> Result<(), BatchError> {
    if let (false, Some([iteration]), Some([iterations])) =
        (batch.has("progress"), batch.get("iteration").as_deref(), batch.get("iterations").as_deref())
        && *iterations > 0.0
    {
        let progress = (iteration / iterations).clamp(0.0, 1.0);
        batch.set("progress", vec![progress])?;
    }
    Ok(())
}

/// The mask of the file; without one, every place of a quantity of tokens is a response token.
fn mask(fields: &Map<String, Value>) -> Result<Vec<Vec<bool>>, ProbeError> {
    let expected = "one list of 0 and 1 for each row";
    if let Some(mask) = fields.get("mask") {
        let cell = |row: usize, column: usize, cell: &Value| match (cell.as_bool(), cell.as_f64()) {
            (Some(token), _) => Ok(token),
            (_, Some(token)) if token == 0.0 || token == 1.0 => Ok(token == 1.0),
            _ => Err(shape("mask", expected.into(), format!("place {column} of row {row} is {}", words(cell)))),
        };
        let row = |(i, row): (usize, &Value)| list("mask", expected, row)?.iter().enumerate().map(|(j, c)| cell(i, j, c)).collect();
        return list("mask", expected, mask)?.iter().enumerate().map(row).collect();
    }
    let is_tokens = |name: &str| name == "reward" || name == "ret" || quantity_info(name).is_some_and(|info| info.level == Level::Token);
    let (name, value) = fields.iter().find(|(name, _)| is_tokens(name)).ok_or(ProbeError::NoTokens)?;
    let expected = "one list of numbers for each row";
    list(name, expected, value)?.iter().map(|row| Ok(vec![true; list(name, expected, row)?.len()])).collect()
}

fn numbers(field: &str, expected: &str, value: &Value) -> Result<Vec<f64>, ProbeError> {
    let cell = |(i, cell): (usize, &Value)| match (cell.as_f64(), cell.as_bool()) {
        (Some(x), _) => Ok(x),
        (_, Some(flag)) => Ok(f64::from(u8::from(flag))),
        _ => Err(shape(field, expected.into(), format!("entry {i} is {}", words(cell)))),
    };
    list(field, expected, value)?.iter().enumerate().map(cell).collect()
}

fn number(field: &str, expected: &str, value: &Value) -> Result<f64, ProbeError> {
    value.as_f64().ok_or_else(|| shape(field, expected.into(), format!("it is {}", words(value))))
}

pub(super) fn list<'a>(field: &str, expected: &str, value: &'a Value) -> Result<&'a Vec<Value>, ProbeError> {
    value.as_array().ok_or_else(|| shape(field, expected.into(), format!("it is {}", words(value))))
}

pub(super) fn shape(field: &str, expected: String, found: String) -> ProbeError {
    ProbeError::Shape { field: field.into(), expected, found }
}

pub(super) fn words(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(_) => "a string".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}
