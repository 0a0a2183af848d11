//! What equations ask of next-token distributions beyond log-probabilities and entropies.

use super::super::error::RunError;
use crate::model::{Asked, Compute, Figure, ModelError, Other, Row, Weights};
use crate::objective::{Batch, Needs, top_share};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The quantities that are read, as figures of the model; and the models that they compare with.
#[derive(Default)]
pub(crate) struct Figures {
    names: Vec<&'static str>,
    kinds: Vec<Figure>,
    others: Vec<Arc<Weights>>,
}

impl Figures {
    pub(super) fn of(needs: &Needs, reference: Option<&Arc<Weights>>, teacher: Option<&Arc<Weights>>) -> Self {
        let mut all = Self::default();
        for name in &needs.quantities {
            let figure = match (*name, reference, teacher) {
                ("collision", ..) => Figure::Collision,
                ("confidence", ..) => Figure::Largest,
                ("kl_to_reference", Some(other), _) | ("kl_to_teacher", _, Some(other)) => Figure::To(all.other(other)),
                ("kl_from_reference", Some(other), _) | ("kl_from_teacher", _, Some(other)) => Figure::From(all.other(other)),
                _ => match top_share(name) {
                    Some(count) => Figure::TopShare(count),
                    None => continue,
                },
            };
            all.names.push(name);
            all.kinds.push(figure);
        }
        all
    }

    fn other(&mut self, weights: &Arc<Weights>) -> usize {
        self.others.iter().position(|own| Arc::ptr_eq(own, weights)).unwrap_or_else(|| {
            self.others.push(weights.clone());
            self.others.len() - 1
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// What the other models make of these rows.
    pub(super) fn others(&self, rows: &[Row], compute: &Compute) -> Result<Vec<Other<'_>>, ModelError> {
        self.others.iter().map(|other| Other::of(other, rows, compute)).collect()
    }

    pub(super) fn asked<'a>(&'a self, others: &'a [Other<'a>]) -> Asked<'a> {
        Asked { figures: &self.kinds, others }
    }

    /// Gives the quantities their values.
    pub(super) fn set(&self, batch: &mut Batch, values: &[Vec<f32>]) -> Result<(), RunError> {
        for (name, values) in self.names.iter().zip(values) {
            let values = values.iter().map(|&x| f64::from(x)).collect();
            batch.set(name, values).map_err(|error| RunError::Failed(error.to_string()))?;
        }
        Ok(())
    }

    /// What a loss says of each of them.
    pub(super) fn slopes(&self, gradients: &BTreeMap<&'static str, Vec<f64>>) -> Vec<Vec<f32>> {
        let narrow = |name: &&str| gradients.get(name).map(|slopes| slopes.iter().map(|&x| x as f32).collect());
        self.names.iter().map(|name| narrow(name).unwrap_or_default()).collect()
    }
}
