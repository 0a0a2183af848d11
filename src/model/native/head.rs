//! From hidden states to log-probabilities and entropies, and back.

use super::gradients::Sums;
use super::matmul::{Left, Write};
use super::packed::{Packed, Top, variable};
use super::real::{Real, add_scaled, dot, largest, sum};
use super::simd::simd;
use super::team::{Team, add_outer_on};
use crate::model::weights::{VALUE_BIAS, VALUE_WEIGHT};
use crate::model::{ModelError, Weights};

/// One token whose log-probability is asked for, at output `output` of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    /// Among all that is asked: where its answer belongs, and where slopes have its own.
    pub(crate) index: usize,
    pub(crate) output: usize,
    pub(crate) token: u32,
    pub(crate) allowed: Option<&'a [u32]>,
}

/// Outputs whose gradients are added up before they go to the sum of the matrix.
const SUMMED: usize = 64;

/// Outputs whose logits over the whole vocabulary exist at the same time. The matrix is passed over twice for each of these chunks, which is much of the
/// work where it is large and they are small. No bit depends on it.
fn chunk(vocab: usize) -> usize {
    if vocab < 16_384 { SUMMED } else { 4 * SUMMED }
}

/// Scaled logits of one distribution become probabilities; gives (top, log of the denominator, entropy):
/// log p = z - top - log.
pub(crate) struct Summary<T> {
    pub(crate) top: T,
    pub(crate) log: T,
    pub(crate) entropy: T,
}

simd! {
    /// `z / temperature`, in place.
    pub(crate) fn scale<T>(z: &mut [T], by: T) {
        for z in z {
            *z *= by;
        }
    }
}

simd! {
    /// Fills `p` with softmax(z).
    pub(crate) fn softmax<T>(z: &[T], p: &mut [T]) -> Summary<T> {
        let top = largest(z);
        for (p, z) in p.iter_mut().zip(z) {
            *p = (*z - top).expo();
        }
        let total = sum(p);
        let share = T::ONE / total;
        let mut mean = T::ZERO;
        let (whole_p, rest_p) = p.as_chunks_mut::<16>();
        let (whole_z, rest_z) = z.as_chunks::<16>();
        let mut lanes = [T::ZERO; 16];
        for (p, z) in whole_p.iter_mut().zip(whole_z) {
            for i in 0..16 {
                p[i] *= share;
                lanes[i] = p[i].fma(z[i] - top, lanes[i]);
            }
        }
        for (p, z) in rest_p.iter_mut().zip(rest_z) {
            *p *= share;
            mean = p.fma(*z - top, mean);
        }
        mean += sum(&lanes);
        let log = total.log();
        Summary { top, log, entropy: log - mean }
    }
}

simd! {
    /// `p` becomes the gradient of `by_logp · log p[at] + by_entropy · H` with respect to the unscaled logits.
    fn softmax_backward<T>(z: &[T], p: &mut [T], at: usize, top: T, log: T, entropy: T, by_logp: T, by_entropy: T, by: T) {
        for (p, z) in p.iter_mut().zip(z) {
            let logp = *z - top - log;
            *p = -*p * (by_logp + by_entropy * (logp + entropy)) * by;
        }
        if let Some(p) = p.get_mut(at) {
            *p += by_logp * by;
        }
    }
}

simd! {
    /// Logits of a few tokens.
    pub(crate) fn logits_of<T>(hidden: &[T], rows: &[T], tokens: &[u32], out: &mut [T]) {
        for (out, token) in out.iter_mut().zip(tokens) {
            *out = dot(hidden, &rows[*token as usize * hidden.len()..][..hidden.len()]);
        }
    }
}

simd! {
    /// Gradients of [`logits_of`]; of frozen rows there are none, `drows` is empty.
    fn logits_of_backward<T>(hidden: &[T], rows: &[T], tokens: &[u32], dz: &[T], dhidden: &mut [T], drows: &mut [T]) {
        for (dz, token) in dz.iter().zip(tokens) {
            let at = *token as usize * hidden.len();
            add_scaled(dhidden, *dz, &rows[at..at + hidden.len()]);
            if let Some(drow) = drows.get_mut(at..at + hidden.len()) {
                add_scaled(drow, *dz, hidden);
            }
        }
    }
}

simd! {
    /// `y += factor * x`.
    fn add_line<T>(y: &mut [T], factor: T, x: &[T]) {
        add_scaled(y, factor, x);
    }
}

/// Logits over the vocabulary of one hidden state; of a critic none.
pub(crate) fn all_logits<T: Real>(model: &Packed<T>, hidden: &[T]) -> Vec<T> {
    let Top::Vocabulary { linear, .. } = &model.top else { return Vec::new() };
    let mut z = vec![T::ZERO; linear.outer];
    linear.apply(hidden, &mut z, Write::Set, Team::ALONE);
    z
}

/// Log-probability and entropy of each question; where they are asked for, Σπ² and the largest probability of its distribution.
pub(crate) struct Answers<T> {
    pub(crate) logp: Vec<T>,
    pub(crate) entropy: Vec<T>,
    pub(crate) collision: Vec<T>,
    pub(crate) largest: Vec<T>,
}

impl<T: Real> Answers<T> {
    fn new(questions: usize, figures: bool) -> Self {
        let [logp, entropy] = [(); 2].map(|()| vec![T::ZERO; questions]);
        let [collision, largest] = [(); 2].map(|()| vec![T::ZERO; if figures { questions } else { 0 }]);
        Answers { logp, entropy, collision, largest }
    }

    fn set(&mut self, i: usize, found: Answer<T>) {
        (self.logp[i], self.entropy[i]) = (found.logp, found.entropy);
        if let Some(figures) = found.figures {
            (self.collision[i], self.largest[i]) = (figures.collision, figures.largest);
        }
    }
}

/// What is said of one question.
struct Answer<T> {
    logp: T,
    entropy: T,
    figures: Option<Figures<T>>,
}

/// More of one distribution.
#[derive(Clone, Copy)]
struct Figures<T> {
    collision: T,
    largest: T,
    /// The place of the largest, the first of several.
    at: usize,
}

impl<T: Real> Figures<T> {
    fn of(p: &[T]) -> Self {
        let largest = largest(p);
        let at = p.iter().position(|p| *p == largest).unwrap_or(0);
        Figures { collision: dot(p, p), largest, at }
    }

    /// The gradient of `by_collision · Σπ² + by_largest · max π` with respect to the scaled logits.
    fn backward(self, p: &[T], by_collision: T, by_largest: T) -> Vec<T> {
        let twice = by_collision + by_collision;
        let mut gradient: Vec<T> = p.iter().map(|p| *p * (twice * (*p - self.collision) - by_largest * self.largest)).collect();
        if let Some(own) = gradient.get_mut(self.at) {
            *own += by_largest * self.largest;
        }
        gradient
    }
}

/// How the gradient of a loss weighs each answer; one that is empty does not.
#[derive(Clone, Copy)]
pub(crate) struct Slopes<'a> {
    pub(crate) logp: &'a [f32],
    pub(crate) entropy: &'a [f32],
    pub(crate) collision: &'a [f32],
    pub(crate) largest: &'a [f32],
}

/// Answers questions about `hidden` (`[outputs, width]`) at a temperature, with `figures` all of [`Answers`]; with slopes also the gradients: returns that
/// of `hidden`.
pub(crate) fn ask<T: Real>(
    model: &Packed<T>,
    hidden: &[T],
    questions: &[Question],
    (temperature, figures): (f64, bool),
    mut backward: Option<(Slopes, &mut Sums<T>)>,
    team: Team,
) -> (Answers<T>, Vec<T>) {
    let width = model.config.width;
    let mut answers = Answers::new(questions.len(), figures);
    let mut dhidden = if backward.is_some() { vec![T::ZERO; hidden.len()] } else { Vec::new() };
    let Top::Vocabulary { rows, linear } = &model.top else { return (answers, dhidden) };
    let rows = if rows.is_empty() { &model.embedding } else { rows };
    let by = T::of(1.0 / temperature);
    let vocab = model.config.vocab;

    let (mut z, mut p) = (Vec::new(), Vec::new());
    let slopes = backward.as_ref().map(|(slopes, _)| *slopes);
    let answer = |question: &Question, z: &mut [T], p: &mut [T]| {
        scale(z, by);
        let Summary { top, log, entropy } = softmax(z, p);
        let at = match question.allowed {
            Some(allowed) => allowed.iter().position(|t| *t == question.token).unwrap_or(0),
            None => question.token as usize,
        };
        let logp = z[at] - top - log;
        let figures = figures.then(|| Figures::of(p));
        if let Some(slopes) = slopes {
            let slope = |s: &[f32]| s.get(question.index).map_or(T::ZERO, |s| T::of(f64::from(*s)));
            let more = figures.filter(|_| !slopes.collision.is_empty() || !slopes.largest.is_empty());
            let more = more.map(|figures| figures.backward(p, slope(slopes.collision), slope(slopes.largest)));
            softmax_backward(z, p, at, top, log, entropy, slope(slopes.logp), slope(slopes.entropy), by);
            if let Some(more) = more {
                add_line(p, by, &more);
            }
        }
        Answer { logp, entropy, figures }
    };

    for (i, question) in questions.iter().enumerate() {
        let Some(allowed) = question.allowed else { continue };
        z.resize(allowed.len(), T::ZERO);
        p.resize(allowed.len(), T::ZERO);
        let at = question.output * width..(question.output + 1) * width;
        logits_of(&hidden[at.clone()], rows, allowed, &mut z);
        answers.set(i, answer(question, &mut z, &mut p));
        if let Some((_, sums)) = &mut backward {
            logits_of_backward(&hidden[at.clone()], rows, allowed, &p, &mut dhidden[at], sums.unembedding());
        }
    }

    let free: Vec<usize> = (0..questions.len()).filter(|i| questions[*i].allowed.is_none()).collect();
    let (mut lines, mut dlines) = (Vec::new(), Vec::new());
    for chunk in free.chunks(chunk(vocab)) {
        lines.clear();
        for i in chunk {
            lines.extend_from_slice(&hidden[questions[*i].output * width..][..width]);
        }
        z.resize(chunk.len() * vocab, T::ZERO);
        p.resize(chunk.len() * vocab, T::ZERO);
        linear.apply(&lines, &mut z, Write::Set, team);
        let distributions = chunk.iter().zip(z.chunks_exact_mut(vocab)).zip(p.chunks_exact_mut(vocab));
        // An exponential costs as much as many multiplications.
        let found = team.each(distributions, 16 * chunk.len() * vocab, |((i, z), p)| (*i, answer(&questions[*i], z, p)));
        for (i, found) in found {
            answers.set(i, found);
        }
        if let Some((_, sums)) = &mut backward {
            dlines.resize(chunk.len() * width, T::ZERO);
            linear.pull(&p, &mut dlines, Write::Set, team);
            for (i, dline) in chunk.iter().zip(dlines.chunks_exact(width)) {
                add_line(&mut dhidden[questions[*i].output * width..][..width], T::ONE, dline);
            }
            let drows = sums.unembedding();
            if !drows.is_empty() {
                for (p, lines) in p.chunks(SUMMED * vocab).zip(lines.chunks(SUMMED * width)) {
                    let (terms, p, lines) = (lines.len() / width, Left { data: p, stride: vocab }, Left { data: lines, stride: width });
                    add_outer_on(team, p, lines, width, terms, drows);
                }
            }
        }
    }
    (answers, dhidden)
}

/// What makes an estimate of the return out of a final hidden state.
pub(crate) struct ValueHead<T> {
    weight: Vec<T>,
    bias: T,
}

impl<T: Real> ValueHead<T> {
    /// That of a critic, or one that stands on a policy.
    pub(crate) fn of(weights: &Weights) -> Result<ValueHead<T>, ModelError> {
        let bias = variable::<T>(weights.variables(), VALUE_BIAS)?.first().copied().unwrap_or_default();
        Ok(ValueHead { weight: variable(weights.variables(), VALUE_WEIGHT)?, bias })
    }

    /// The estimate at the output of each question.
    pub(crate) fn values(&self, hidden: &[T], questions: &[Question]) -> Vec<T> {
        let width = self.weight.len();
        questions
            .iter()
            .map(|question| {
                let mut value = [T::ZERO];
                logits_of(&hidden[question.output * width..][..width], &self.weight, &[0], &mut value);
                value[0] + self.bias
            })
            .collect()
    }

    /// The gradients of [`ValueHead::values`]: adds that of `hidden`.
    pub(crate) fn backward(&self, hidden: &[T], questions: &[Question], slopes: &[f32], dhidden: &mut [T], sums: &mut Sums<T>) {
        let width = self.weight.len();
        for question in questions {
            let slope = slopes.get(question.index).map_or(T::ZERO, |slope| T::of(f64::from(*slope)));
            let at = question.output * width..(question.output + 1) * width;
            add_line(&mut dhidden[at.clone()], slope, &self.weight);
            add_line(&mut sums.value, slope, &hidden[at]);
            for bias in &mut sums.bias {
                *bias += slope;
            }
        }
    }
}
