//! `sgd`: stochastic gradient descent.

use super::OptimizerKind;
use crate::equation::{Now, ScheduleField};
use crate::kind;
use crate::kind::{BelowOne, NonNegative, Positive, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::Component;
use crate::model::{Role, Update};

kind! {
    /// Stochastic gradient descent, as `torch.optim.SGD` computes it without dampening: g ← g + weight_decay θ, b ← momentum b + g, θ ← θ − lr b. Weight
    /// decay spares vectors (norms, biases).
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   optimizer = sgd { lr = 0.1, momentum = 0.9, nesterov = true, clip_norm = 1 }
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
    pub(crate) struct Sgd as "sgd" {
        /// Learning rate: a number or a schedule over `progress`.
        lr: ScheduleField [default ScheduleField::constant(1e-3)],
        /// How much of the last step's direction is kept; 0 keeps none, and no memory is needed for it.
        momentum: BelowOne [default BelowOne(0.0)],
        /// Looks ahead by the momentum (Sutskever et al., 2013): the step is g + momentum b instead of b.
        nesterov: bool [default false],
        /// Times the parameter, added to its gradient.
        weight_decay: NonNegative [default NonNegative(0.0)],
        /// The gradient is scaled down to this norm over all parameters; left out, it is not.
        clip_norm: Option<Positive> [default None],
    }
}

/// The running sum of gradients, b.
const BUFFER: &str = "buffer";

impl Sgd {
    pub(super) fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let read = Self::read_fields(component, reader)?;
        if read.nesterov && read.momentum.0 == 0.0 {
            let place = component.fields.get("nesterov").map_or(component.kind_span, |f| f.value.span);
            let message = "without a momentum there is nothing to look ahead by";
            reader.report(Diagnostic::error("E0202", place, message).help("set `momentum`, for example to 0.9, or leave `nesterov` out"));
            return None;
        }
        Some(read)
    }
}

impl OptimizerKind for Sgd {
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
        if self.momentum.0 > 0.0 { &[BUFFER] } else { &[] }
    }

    fn update(&self, _: u64, now: Now) -> Box<Update<'_>> {
        let (lr, momentum) = (self.lr.at(now), self.momentum.0);
        Box::new(move |parameter| {
            let theta = parameter.value();
            let mut direction = match parameter.role {
                Role::Vector => parameter.gradient.clone(),
                _ => (parameter.gradient + (&theta * self.weight_decay.0)?)?,
            };
            if momentum > 0.0 {
                let buffer = ((parameter.kept(BUFFER)? * momentum)? + &direction)?;
                parameter.keep(BUFFER, &buffer)?;
                direction = if self.nesterov { (direction + (buffer * momentum)?)? } else { buffer };
            }
            parameter.set(&(theta - (direction * lr)?)?)
        })
    }
}
