//! What a node of an expression evaluates to.

use super::super::levels::Level;
use candle_core::Tensor;
use std::sync::Arc;

/// Values of one level, one for each of its elements.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub data: Data,
    pub level: Level,
    /// Elements that have no proper value; `None`: all have one.
    pub presence: Option<Arc<[Presence]>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Data {
    Numbers(Tensor),
    Conditions(Arc<[bool]>),
}

/// Ordered: what is computed of several elements is as the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Presence {
    Here,
    /// Needs an earlier iteration where there is none: counts as 0 beside others in a reduction.
    NoPast,
    /// Left out, or a mean over nothing, such as over the tokens of a row without any: not counted by what reduces further.
    Void,
}

impl Value {
    pub(crate) fn numbers(tensor: Tensor, level: Level, presence: Option<Arc<[Presence]>>) -> Self {
        Self { data: Data::Numbers(tensor), level, presence }
    }

    /// The numbers, if it is no condition.
    pub(crate) fn tensor(&self) -> Option<Tensor> {
        match &self.data {
            Data::Numbers(tensor) => Some(tensor.clone()),
            Data::Conditions(_) => None,
        }
    }

    pub(crate) fn presence_of(&self, element: usize) -> Presence {
        self.presence.as_ref().and_then(|p| p.get(element)).copied().unwrap_or(Presence::Here)
    }

    /// Whether each element has a proper value, if not all have.
    pub(crate) fn here(&self) -> Option<Arc<[bool]>> {
        self.presence.as_ref().map(|presence| presence.iter().map(|&p| p == Presence::Here).collect())
    }
}

/// Presence of what is computed element by element of several values of the same length.
pub(crate) fn together<'a>(values: impl IntoIterator<Item = &'a Value>) -> Option<Arc<[Presence]>> {
    let mut all: Option<Arc<[Presence]>> = None;
    for presence in values.into_iter().filter_map(|value| value.presence.as_ref()) {
        all = Some(match all {
            None => presence.clone(),
            Some(all) => all.iter().zip(presence.iter()).map(|(a, b)| *a.max(b)).collect(),
        });
    }
    all
}
