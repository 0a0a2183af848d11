//! Optimisers.

use crate::equation::ScheduleField;
use crate::kind;
use crate::kind::{Category, Entry, Fraction, Identity, NonNegative, Part, Positive, Reader};
use crate::lang::Span;
use crate::lang::value::{Component, Value};
use std::fmt;
use std::sync::Arc;

pub(crate) trait OptimizerKind: Identity + fmt::Debug + Send + Sync + 'static {
    fn adamw(&self) -> &Adamw;
}

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
        beta1: Fraction [default Fraction(0.9)],
        /// Decay of the second moment.
        beta2: Fraction [default Fraction(0.999)],
        /// Added to the root of the second moment.
        eps: Positive [default Positive(1e-8)],
        /// The gradient is scaled down to this norm over all parameters; left out, it is not.
        clip_norm: Option<Positive> [default None],
    }
}

impl Adamw {
    /// What a stage uses whose pipeline names no optimiser.
    pub(crate) fn standard() -> Part<dyn OptimizerKind> {
        let adamw = Self {
            lr: ScheduleField::constant(1e-3),
            weight_decay: NonNegative(0.01),
            beta1: Fraction(0.9),
            beta2: Fraction(0.999),
            eps: Positive(1e-8),
            clip_norm: None,
        };
        Part { kind: "adamw", value: Arc::new(adamw), span: Span::NONE }
    }
}

impl OptimizerKind for Adamw {
    fn adamw(&self) -> &Adamw {
        self
    }
}

fn read(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn OptimizerKind>> {
    reader.refuse_unknown(component, &[&Adamw::INFO], |_| false);
    Some(Arc::new(Adamw::read_fields(component, reader)?))
}

impl Category for dyn OptimizerKind {
    const WORDS: &'static str = "an optimizer such as `adamw { … }`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<dyn OptimizerKind>] = &[Entry { info: &Adamw::INFO, read }];
        ENTRIES
    }
}
