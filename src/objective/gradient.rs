//! Gradients of an equation with respect to what the models say of each token.

/// Of `minimize` with respect to each token's quantity, row after row; `None` if the equation does not reach it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gradient {
    /// ∂minimize/∂logp.
    pub logp: Option<Vec<f64>>,
    /// ∂minimize/∂entropy.
    pub entropy: Option<Vec<f64>>,
    /// ∂minimize/∂value.
    pub value: Option<Vec<f64>>,
    /// ∂minimize/∂collision.
    pub collision: Option<Vec<f64>>,
    /// ∂minimize/∂confidence.
    pub confidence: Option<Vec<f64>>,
}

/// Euclidean norms of a term's own gradient with respect to each quantity; 0 where it reaches none.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Norms {
    /// ‖∂term/∂logp‖.
    pub logp: f64,
    /// ‖∂term/∂entropy‖.
    pub entropy: f64,
    /// ‖∂term/∂value‖.
    pub value: f64,
    /// ‖∂term/∂collision‖.
    pub collision: f64,
    /// ‖∂term/∂confidence‖.
    pub confidence: f64,
}

impl Norms {
    /// Of all together.
    pub fn whole(self) -> f64 {
        let Self { logp, entropy, value, collision, confidence } = self;
        [logp, entropy, value, collision, confidence].iter().map(|norm| norm.powi(2)).sum::<f64>().sqrt()
    }
}

impl Gradient {
    pub(super) fn norms(&self) -> Norms {
        let norm = |g: &Option<Vec<f64>>| g.as_ref().map_or(0.0, |g| g.iter().map(|g| g * g).sum::<f64>().sqrt());
        Norms {
            logp: norm(&self.logp),
            entropy: norm(&self.entropy),
            value: norm(&self.value),
            collision: norm(&self.collision),
            confidence: norm(&self.confidence),
        }
    }
}
