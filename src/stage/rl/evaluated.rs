//! What policy and critic say of a minibatch, and the gradients of a loss of it.

use crate::model::{
    Asked, Compute, Evaluation, Gradients, JointEvaluation, ModelError, Row, ScoreGradients, Scores, ValueEvaluation, Weights,
    evaluate_with_figures,
};
use crate::policy::Estimator;

pub(super) enum Evaluated<'a> {
    Apart {
        policy: Box<Evaluation<'a>>,
        critic: Option<ValueEvaluation<'a>>,
    },
    /// By one pass through the policy's trunk.
    Together(JointEvaluation<'a>),
}

/// Of the policy, and of what the critic has of its own.
pub(super) struct Pulled {
    pub policy: Option<Gradients>,
    pub critic: Option<Gradients>,
}

impl<'a> Evaluated<'a> {
    pub(super) fn of(
        policy: &'a Weights,
        critic: Option<&'a Estimator>,
        rows: &'a [Row],
        (temperature, more): (f64, Asked<'a>),
        compute: &Compute,
    ) -> Result<Self, ModelError> {
        if let Some(Estimator::OnTrunk(head)) = critic {
            return Ok(Self::Together(head.evaluate_with_figures(policy, rows, temperature, more, compute)?));
        }
        let policy = Box::new(evaluate_with_figures(policy, rows, temperature, more, compute)?);
        let critic = match critic {
            Some(Estimator::Apart(critic)) => Some(critic.evaluate(rows, compute)?),
            _ => None,
        };
        Ok(Self::Apart { policy, critic })
    }

    pub(super) fn scores(&self) -> &Scores {
        match self {
            Self::Apart { policy, .. } => &policy.scores,
            Self::Together(both) => &both.scores,
        }
    }

    /// Of the same distributions what was asked for.
    pub(super) fn figures(&self) -> &[Vec<f32>] {
        match self {
            Self::Apart { policy, .. } => &policy.figures,
            Self::Together(both) => &both.figures,
        }
    }

    pub(super) fn values(&self) -> Option<&[f32]> {
        match self {
            Self::Apart { critic, .. } => critic.as_ref().map(|critic| critic.values.as_slice()),
            Self::Together(both) => Some(&both.values),
        }
    }

    /// The gradients of a loss with these slopes; of a model that it does not reach there are none.
    pub(super) fn backward(self, slopes: Option<(&ScoreGradients, &[Vec<f32>])>, values: Option<&[f32]>) -> Result<Pulled, ModelError> {
        match self {
            Self::Together(_) if slopes.is_none() && values.is_none() => Ok(Pulled { policy: None, critic: None }),
            Self::Together(both) => {
                let none = ScoreGradients::default();
                let (scores, figures) = slopes.unwrap_or((&none, &[]));
                let (policy, head) = both.backward_with_figures(scores, figures, values.unwrap_or_default())?;
                Ok(Pulled { policy: Some(policy), critic: values.map(|_| head) })
            }
            Self::Apart { policy, critic } => Ok(Pulled {
                policy: slopes.map(|(scores, figures)| policy.backward_with_figures(scores, figures)).transpose()?,
                critic: critic.zip(values).map(|(critic, values)| critic.backward(values)).transpose()?,
            }),
        }
    }
}
