//! `muon`: momentum, orthogonalised.

use super::{Adamw, OptimizerKind};
use crate::equation::{Now, ScheduleField};
use crate::kind;
use crate::kind::{BelowOne, NonNegative, Part, Positive, Reader};
use crate::lang::value::Component;
use crate::lang::{Diagnostic, Span};
use crate::model::{ModelError, Role, Update, norm, product};
use candle_core::Tensor;
use std::sync::Arc;

kind! {
    /// Muon (Jordan et al., 2024, kellerjordan.github.io/posts/muon): the momentum of each matrix of the blocks is brought near to an orthogonal matrix by five
    /// Newton–Schulz iterations. Embedding, head and vectors have another optimiser, as its authors recommend. Defaults are those of their
    /// implementation (github.com/KellerJordan/Muon), which computes the iterations in bf16; here they are in 32 bits.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   optimizer = muon { lr = cosine(0.02, warmup = 0.1), others = adamw { lr = 1e-3 } }
    ///   policy = decoder { tokenizer = words }
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     shown = collect { on = house.train, actor = expert, episodes = 4 }
    ///     warm  = sft { episodes = shown, epochs = 1 }
    ///     test  = evaluate { policy = warm, on = house.train }
    ///     page  = report { of = [warm, test] }
    ///   }
    /// }
    /// ```
    pub(crate) struct Muon as "muon" {
        /// Learning rate of the matrices, in units of the spectral norm: a number or a schedule over `progress`.
        lr: ScheduleField [default ScheduleField::constant(0.02)],
        /// Decay of the mean of gradients.
        momentum: BelowOne [default BelowOne(0.95)],
        /// Looks ahead by the momentum: what is orthogonalised is the mean of gradients moved once more towards the gradient.
        nesterov: bool [default true],
        /// Decoupled weight decay of the matrices, times the learning rate.
        weight_decay: NonNegative [default NonNegative(0.0)],
        /// The optimiser of everything else, with a learning rate of its own; left out, `adamw { lr = 3e-4, beta2 = 0.95, eps = 1e-10, weight_decay = 0 }`.
        others: Part<dyn OptimizerKind> [default authors_adamw()],
        /// The gradient is scaled down to this norm over all parameters; left out, it is not.
        clip_norm: Option<Positive> [default None],
    }
}

fn authors_adamw() -> Part<dyn OptimizerKind> {
    let adamw = Adamw {
        lr: ScheduleField::constant(3e-4),
        beta2: BelowOne(0.95),
        eps: Positive(1e-10),
        weight_decay: NonNegative(0.0),
        ..Adamw::default()
    };
    Part { kind: Adamw::INFO.name, value: Arc::new(adamw), span: Span::NONE }
}

/// The mean of gradients.
const MEAN: &str = "mean";

/// Of the iteration X ← A X + B (X Xᵀ) X + C (X Xᵀ)² X: steep at 0, so that five suffice, at the price of singular values between 0.7 and 1.2 instead of 1.
const COEFFICIENTS: [f64; 3] = [3.4445, -4.7750, 2.0315];
const ITERATIONS: usize = 5;

/// U S Vᵀ for a matrix U Σ Vᵀ, where the diagonal of S is near 1.
pub(super) fn orthogonalised(matrix: &Tensor) -> Result<Tensor, ModelError> {
    let (rows, columns) = matrix.dims2()?;
    // the smaller of the two products
    let turn = |x: &Tensor| -> Result<Tensor, ModelError> { Ok(if rows > columns { x.t()?.contiguous()? } else { x.clone() }) };
    let [a, b, c] = COEFFICIENTS;
    let mut x = (turn(matrix)? / (norm(matrix)? + 1e-7))?;
    for _ in 0..ITERATIONS {
        let gram = product(&x, &x.t()?)?;
        let polynomial = ((&gram * b)? + (product(&gram, &gram)? * c)?)?;
        x = ((&x * a)? + product(&polynomial, &x)?)?;
    }
    turn(&x)
}

impl Muon {
    pub(super) fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let read = Self::read_fields(component, reader)?;
        if read.others.clip_norm().is_some() {
            let message = "a gradient is clipped over all parameters together, so this would not be heeded";
            reader.report(Diagnostic::error("E0202", read.others.span, message).help("give `clip_norm` to `muon` itself"));
            return None;
        }
        Some(read)
    }
}

impl OptimizerKind for Muon {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn rate(&self, now: Now) -> f64 {
        self.lr.at(now)
    }

    fn clip_norm(&self) -> Option<f64> {
        self.clip_norm.map(|most| most.0)
    }

    fn keeps(&self, role: Role) -> &'static [&'static str] {
        match role {
            Role::Matrix => &[MEAN],
            _ => self.others.keeps(role),
        }
    }

    fn update(&self, number: u64, now: Now) -> Box<Update<'_>> {
        let (lr, momentum) = (self.lr.at(now), self.momentum.0);
        let others = self.others.update(number, now);
        Box::new(move |parameter| {
            if parameter.role != Role::Matrix {
                return others(parameter);
            }
            let towards = |from: &Tensor, to: &Tensor, part: f64| -> candle_core::Result<Tensor> { (from * (1.0 - part))? + (to * part)? };
            let mean = towards(parameter.gradient, &parameter.kept(MEAN)?, momentum)?;
            parameter.keep(MEAN, &mean)?;
            let direction = if self.nesterov { towards(parameter.gradient, &mean, momentum)? } else { mean };
            let (rows, columns) = direction.dims2()?;
            // the authors' factor, so that a tall matrix changes its outputs as much as a square one
            let scale = (rows as f64 / columns as f64).max(1.0).sqrt();
            let kept = (parameter.value() * (1.0 - lr * self.weight_decay.0))?;
            parameter.set(&(kept - (orthogonalised(&direction)? * (lr * scale))?)?)
        })
    }
}
