//! Gradients of an equation with respect to what the models say of each token.

use std::collections::BTreeMap;

/// Of `minimize` with respect to each token's quantity, row after row; `None` if the equation does not reach it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gradient {
    /// ∂minimize/∂logp.
    pub logp: Option<Vec<f64>>,
    /// ∂minimize/∂entropy.
    pub entropy: Option<Vec<f64>>,
    /// ∂minimize/∂value.
    pub value: Option<Vec<f64>>,
    /// ∂minimize/∂ of what else of the distributions it reaches, by the names of the quantities: `collision`, `top_share(3)`, …
    pub figures: BTreeMap<&'static str, Vec<f64>>,
}

/// Euclidean norms of a term's own gradient with respect to each quantity; 0 where it reaches none.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Norms {
    /// ‖∂term/∂logp‖.
    pub logp: f64,
    /// ‖∂term/∂entropy‖.
    pub entropy: f64,
    /// ‖∂term/∂value‖.
    pub value: f64,
    /// Those of what else it reaches, by the names of the quantities.
    #[serde(flatten)]
    pub figures: BTreeMap<&'static str, f64>,
}

impl Norms {
    /// Of all together.
    pub fn whole(&self) -> f64 {
        let Self { logp, entropy, value, figures } = self;
        [logp, entropy, value].into_iter().chain(figures.values()).map(|norm| norm.powi(2)).sum::<f64>().sqrt()
    }
}

impl Gradient {
    pub(super) fn norms(&self) -> Norms {
        let norm = |g: &[f64]| g.iter().map(|g| g * g).sum::<f64>().sqrt();
        let of = |g: &Option<Vec<f64>>| g.as_deref().map_or(0.0, norm);
        let figures = self.figures.iter().map(|(name, g)| (*name, norm(g))).collect();
        Norms { logp: of(&self.logp), entropy: of(&self.entropy), value: of(&self.value), figures }
    }
}
