//! `adamw`: what a stage uses that names no optimiser.

use super::OptimizerKind;
use crate::equation::{Now, ScheduleField};
use crate::kind;
use crate::kind::{BelowOne, NonNegative, Part, Positive};
use crate::lang::Span;
use crate::model::{AdamW, Role, Update};
use std::sync::Arc;

kind! {
    /// AdamW (Loshchilov and Hutter, arXiv:1711.05101): Adam with decoupled weight decay, which spares vectors (norms, biases).
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   optimizer = adamw { lr = cosine(3e-4, warmup = 0.1, floor = 0.2), weight_decay = 0.01, clip_norm = 1 }
    ///   policy = decoder { tokenizer = words }
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     shown = collect { on = house.train, actor = expert, episodes = 4 }
    ///     warm  = sft { episodes = shown, epochs = 1 }
    ///     test  = evaluate { policy = warm, on = house.train }
    ///     page  = report { of = [test] }
    ///   }
    /// }
    /// ```
    pub(crate) struct Adamw as "adamw" {
        /// Learning rate: a number or a schedule over `progress`.
        lr: ScheduleField [default ScheduleField::constant(1e-3)],
        /// Decoupled weight decay, times the learning rate.
        weight_decay: NonNegative [default NonNegative(0.01)],
        /// Decay of the first moment.
        beta1: BelowOne [default BelowOne(0.9)],
        /// Decay of the second moment.
        beta2: BelowOne [default BelowOne(0.999)],
        /// Added to the root of the second moment.
        eps: Positive [default Positive(1e-8)],
        /// The gradient is scaled down to this norm over all parameters; left out, it is not.
        clip_norm: Option<Positive> [default None],
    }
}

impl Adamw {
    /// What a stage uses whose pipeline names no optimiser.
    pub(crate) fn standard() -> Part<dyn OptimizerKind> {
        Part { kind: Self::INFO.name, value: Arc::new(Self::default()), span: Span::NONE }
    }

    /// Its numbers at one moment, for a parameter that decays or does not.
    fn at(&self, now: Now, decays: bool) -> AdamW {
        AdamW {
            lr: self.lr.at(now),
            beta1: self.beta1.0,
            beta2: self.beta2.0,
            eps: self.eps.0,
            weight_decay: if decays { self.weight_decay.0 } else { 0.0 },
        }
    }
}

impl OptimizerKind for Adamw {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn rate(&self, now: Now) -> f64 {
        self.lr.at(now)
    }

    fn clip_norm(&self) -> Option<f64> {
        self.clip_norm.map(|most| most.0)
    }

    fn keeps(&self, _: Role) -> &'static [&'static str] {
        AdamW::KEEPS
    }

    fn update(&self, number: u64, now: Now) -> Box<Update<'_>> {
        let (matrix, vector) = (self.at(now, true), self.at(now, false));
        Box::new(move |parameter| match parameter.role {
            Role::Vector => vector.update(number, parameter),
            _ => matrix.update(number, parameter),
        })
    }
}
