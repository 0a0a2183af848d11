//! Where the generator's logits come from: the CPU kernels, or candle's operations on other devices and in other types.

use crate::model::cached::Cached;
use crate::model::native::Packed;
use crate::model::native::decode::{Cache, Copy, Feed, step};
use crate::model::native::head::logits_of;
use crate::model::native::matmul::Write;
use crate::model::native::packed::Top;
use crate::model::native::pass::{gather, zeros};
use crate::model::native::team::Team;
use crate::model::{ModelError, Weights};
use candle_core::DType;
use std::sync::Arc;

pub(super) enum Engine {
    Native(Box<Native>),
    Composite(Cached),
}

pub(super) struct Native {
    model: Arc<Packed<f32>>,
    cache: Cache<f32>,
    threads: usize,
}

/// The tokens whose logits are wanted behind a feed; `None`: all.
pub(super) type Wanted = Option<Arc<[u32]>>;

impl Engine {
    pub(super) fn new(weights: &Weights, slots: usize, capacity: usize) -> Result<Engine, ModelError> {
        if !weights.device().is_cpu() || weights.dtype() != DType::F32 {
            return Ok(Engine::Composite(Cached::new(weights, slots, capacity)?));
        }
        let model = weights.packed::<f32>(false, 1)?;
        let cache = Cache::new(&model, slots, capacity);
        Ok(Engine::Native(Box::new(Native { model, cache, threads: 1 })))
    }

    pub(super) fn on(&mut self, threads: usize) {
        if let Engine::Native(native) = self {
            native.threads = threads;
        }
    }

    /// Takes over changed parameters.
    pub(super) fn refresh(&mut self, weights: &Weights) -> Result<(), ModelError> {
        if let Engine::Native(native) = self {
            native.model = weights.packed(false, native.threads)?;
        }
        Ok(())
    }

    pub(super) fn copy(&mut self, copy: Copy) -> Result<(), ModelError> {
        match self {
            Engine::Native(native) => native.cache.copy(copy),
            Engine::Composite(cached) => cached.copy(copy)?,
        }
        Ok(())
    }

    /// Feeds tokens and gives the wanted logits behind the last one of each feed.
    pub(super) fn logits(
        &mut self,
        weights: &Weights,
        feeds: &[Feed],
        copies: &[Copy],
        wanted: &[Wanted],
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        match self {
            Engine::Native(native) => Ok(native.logits(feeds, copies, wanted)),
            Engine::Composite(cached) => {
                let all = cached.step(weights, feeds, copies)?.into_iter().zip(wanted);
                Ok(all.map(|(z, wanted)| wanted.as_ref().map_or(z.clone(), |w| w.iter().map(|id| z[*id as usize]).collect())).collect())
            }
        }
    }
}

impl Native {
    fn logits(&mut self, feeds: &[Feed], copies: &[Copy], wanted: &[Wanted]) -> Vec<Vec<f32>> {
        let Native { model, cache, threads } = self;
        let hidden = step(model, cache, feeds, copies, *threads);
        let width = model.config.width;
        let Top::Vocabulary { rows, linear } = &model.top else { return Vec::new() };
        let rows = if rows.is_empty() { &model.embedding } else { rows };
        // The head is the largest matrix: all that want the whole of it go through it together.
        let together: Vec<usize> = (0..wanted.len()).filter(|at| wanted[*at].is_none()).collect();
        let mut heads = zeros(together.len() * linear.outer);
        linear.apply(&gather(&hidden, width, &together), &mut heads, Write::Set, Team::of(*threads, 1));
        let mut heads = heads.chunks_exact(linear.outer);
        let one = |(wanted, hidden): (&Wanted, &[f32])| match wanted {
            None => heads.next().unwrap_or_default().to_vec(),
            Some(tokens) => {
                let mut z = zeros(tokens.len());
                logits_of(hidden, rows, tokens, &mut z);
                z
            }
        };
        wanted.iter().zip(hidden.chunks_exact(width)).map(one).collect()
    }
}
