//! Means over the tokens of a minibatch in which some count more than others.

use crate::model::Row;

/// The weights of all tokens of a minibatch in one mean: 0 for those that have no part in it.
#[derive(Default)]
pub(super) struct Share(Vec<f64>);

impl Share {
    fn push(&mut self, weight: f64, count: usize) -> &mut Self {
        self.0.extend(std::iter::repeat_n(weight, count));
        self
    }

    pub(super) fn sum(&self) -> f64 {
        self.0.iter().sum()
    }

    /// 0 where nothing has a part.
    pub(super) fn mean(&self, of: &[f32]) -> f64 {
        let sum = self.sum();
        if sum > 0.0 { of.iter().zip(&self.0).map(|(&x, weight)| f64::from(x) * weight).sum::<f64>() / sum } else { 0.0 }
    }

    /// What each token counts in the mean.
    pub(super) fn parts(&self) -> impl Iterator<Item = f64> {
        let sum = self.sum();
        self.0.iter().map(move |weight| if sum > 0.0 { weight / sum } else { 0.0 })
    }
}

/// Of the actions and of the prompts of rows with these weights, whose prompts are made targets from there on.
pub(super) fn shares<'r>(rows: impl Iterator<Item = (&'r mut Row, (f64, Option<usize>))>) -> (Share, Share) {
    let (mut actions, mut prompts) = (Share::default(), Share::default());
    for (row, (weight, known)) in rows {
        let learned = row.targets.len();
        if let Some(known) = known {
            row.learn_prompt(known);
        }
        let added = row.targets.len() - learned;
        actions.push(0.0, added).push(weight, learned);
        prompts.push(weight, added).push(0.0, learned);
    }
    (actions, prompts)
}
