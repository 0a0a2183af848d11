//! Differentiable operations on flat f64 tensors on the CPU.
//!
//! candle's automatic differentiation builds the graph and adds gradients up; the slopes are our own (see [`crate::builtin`]). A gradient of 0 is
//! never multiplied with a slope, so a branch that was not taken cannot turn a gradient into NaN however large its values are.

use super::super::layout::Chain;
use crate::builtin::{Binary, Unary};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Device, Error, Layout, Result, Shape, Tensor};
use std::sync::Arc;

/// `f` of each element.
pub(super) fn map1(f: &'static Unary, x: &Tensor) -> Result<Tensor> {
    x.apply_op1(Map1(f))
}

/// `f` of each pair of elements; both tensors have the same length.
pub(super) fn map2(f: &'static Binary, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    a.apply_op2(b, Map2(f))
}

/// `a` where `mask` is true, else `b`.
pub(super) fn select(mask: &Arc<[bool]>, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    a.apply_op2(b, Select(mask.clone()))
}

/// `x` where `mask` is true, else 0.
pub(super) fn keep(mask: &Arc<[bool]>, x: &Tensor) -> Result<Tensor> {
    select(mask, x, &constant(vec![0.0; mask.len()])?)
}

/// The factors of a chain: one for all steps, or each step's own.
#[derive(Clone)]
pub(super) enum Factor {
    Same(f64),
    Each(Arc<[f64]>),
}

impl Factor {
    /// Of a step.
    pub(super) fn at(&self, step: usize) -> f64 {
        match self {
            Self::Same(factor) => *factor,
            Self::Each(factors) => factors.get(step).copied().unwrap_or(0.0),
        }
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Same(a), Self::Same(b)) => Self::Same(a * b),
            (Self::Each(factors), _) | (_, Self::Each(factors)) => {
                Self::Each((0..factors.len()).map(|step| self.at(step) * other.at(step)).collect())
            }
        }
    }

    /// Each of its numbers with its factor.
    pub(super) fn of(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Same(factor) => x * *factor,
            Self::Each(factors) => x * constant(factors.to_vec())?,
        }
    }
}

/// `y = x + factor · y[next]` along a chain, from its ends backwards.
pub(super) fn scan(chain: &Chain, factor: Factor, x: &Tensor) -> Result<Tensor> {
    x.apply_op1(Scan { chain: chain.clone(), factor })
}

pub(super) fn constant(values: Vec<f64>) -> Result<Tensor> {
    let length = values.len();
    Tensor::from_vec(values, length, &Device::Cpu)
}

fn slice<'a>(op: &'static str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f64]> {
    let CpuStorage::F64(values) = storage else {
        return Err(Error::Msg(format!("{op} works on f64")));
    };
    let range = layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op })?;
    values.get(range.0..range.1).ok_or(Error::RequiresContiguous { op })
}

fn output(values: Vec<f64>) -> (CpuStorage, Shape) {
    let shape = Shape::from(values.len());
    (CpuStorage::F64(values), shape)
}

/// `gradient · slope`, 0 wherever the gradient is.
fn chained(gradient: f64, slope: f64) -> f64 {
    if gradient == 0.0 { 0.0 } else { gradient * slope }
}

struct Map1(&'static Unary);

impl CustomOp1 for Map1 {
    fn name(&self) -> &'static str {
        "elementwise of one"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok(output(slice(self.name(), storage, layout)?.iter().map(|&x| (self.0.value)(x)).collect()))
    }

    fn bwd(&self, arg: &Tensor, res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (x, y, g) = (arg.to_vec1::<f64>()?, res.to_vec1::<f64>()?, grad.to_vec1::<f64>()?);
        let gradient = x.iter().zip(&y).zip(&g).map(|((&x, &y), &g)| chained(g, (self.0.slope)(x, y))).collect();
        constant(gradient).map(Some)
    }
}

struct Map2(&'static Binary);

impl CustomOp2 for Map2 {
    fn name(&self) -> &'static str {
        "elementwise of two"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (a, b) = (slice(self.name(), s1, l1)?, slice(self.name(), s2, l2)?);
        Ok(output(a.iter().zip(b).map(|(&a, &b)| (self.0.value)(a, b)).collect()))
    }

    fn bwd(&self, a: &Tensor, b: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (x, y, g) = (a.to_vec1::<f64>()?, b.to_vec1::<f64>()?, grad.to_vec1::<f64>()?);
        let slopes = || x.iter().zip(&y).zip(&g).map(|((&x, &y), &g)| (g, (self.0.slopes)(x, y)));
        let by_a = a.track_op().then(|| constant(slopes().map(|(g, s)| chained(g, s.0)).collect())).transpose()?;
        let by_b = b.track_op().then(|| constant(slopes().map(|(g, s)| chained(g, s.1)).collect())).transpose()?;
        Ok((by_a, by_b))
    }
}

struct Select(Arc<[bool]>);

impl CustomOp2 for Select {
    fn name(&self) -> &'static str {
        "where"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (a, b) = (slice("where", s1, l1)?, slice("where", s2, l2)?);
        Ok(output(self.0.iter().zip(a.iter().zip(b)).map(|(&mask, (&a, &b))| if mask { a } else { b }).collect()))
    }

    fn bwd(&self, a: &Tensor, b: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let g = grad.to_vec1::<f64>()?;
        let part = |wanted: bool| constant(self.0.iter().zip(&g).map(|(&mask, &g)| if mask == wanted { g } else { 0.0 }).collect());
        Ok((a.track_op().then(|| part(true)).transpose()?, b.track_op().then(|| part(false)).transpose()?))
    }
}

struct Scan {
    chain: Chain,
    factor: Factor,
}

impl CustomOp1 for Scan {
    fn name(&self) -> &'static str {
        "scan"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut y = slice("scan", storage, layout)?.to_vec();
        for &i in self.chain.order.iter() {
            let next = self.chain.next.get(i as usize).and_then(|&next| y.get(next as usize)).copied();
            if let (Some(next), Some(y)) = (next, y.get_mut(i as usize)) {
                *y += self.factor.at(i as usize) * next;
            }
        }
        Ok(output(y))
    }

    fn bwd(&self, _arg: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let mut g = grad.to_vec1::<f64>()?;
        for &i in self.chain.order.iter().rev() {
            let own = g.get(i as usize).copied().unwrap_or(0.0);
            if let Some(next) = self.chain.next.get(i as usize).and_then(|&next| g.get_mut(next as usize)) {
                *next += self.factor.at(i as usize) * own;
            }
        }
        constant(g).map(Some)
    }
}
