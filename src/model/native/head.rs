//! From hidden states to log-probabilities and entropies, and back.

use super::figures::{Distribution, Found};
use super::gradients::Sums;
use super::matmul::{Left, Write};
use super::packed::Packed;
use super::real::{Real, add_scaled, dot, largest, sum};
use super::simd::simd;
use super::team::{Team, add_outer_on};
use crate::model::figure::Figure;

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
    pub(super) fn add_line<T>(y: &mut [T], factor: T, x: &[T]) {
        add_scaled(y, factor, x);
    }
}

/// Logits over the vocabulary of one hidden state; of a critic none.
pub(crate) fn all_logits<T: Real>(model: &Packed<T>, hidden: &[T]) -> Vec<T> {
    let Some((_, linear)) = model.unembedding() else { return Vec::new() };
    let mut z = vec![T::ZERO; linear.outer];
    linear.apply(hidden, &mut z, Write::Set, Team::ALONE);
    z
}

/// Log-probability and entropy of each question, and the figures of its distribution that are asked for.
pub(crate) struct Answers<T> {
    pub(crate) logp: Vec<T>,
    pub(crate) entropy: Vec<T>,
    pub(crate) figures: Vec<Vec<T>>,
}

impl<T: Real> Answers<T> {
    fn new(questions: usize, figures: usize) -> Self {
        let [logp, entropy] = [(); 2].map(|()| vec![T::ZERO; questions]);
        Answers { logp, entropy, figures: vec![vec![T::ZERO; questions]; figures] }
    }

    fn set(&mut self, i: usize, found: Answer<T>) {
        (self.logp[i], self.entropy[i]) = (found.logp, found.entropy);
        for (all, value) in self.figures.iter_mut().zip(found.figures) {
            all[i] = value;
        }
    }
}

/// What is said of one question.
struct Answer<T> {
    logp: T,
    entropy: T,
    figures: Vec<T>,
}

/// How the gradient of a loss weighs each answer; one that is empty does not.
#[derive(Clone, Copy)]
pub(crate) struct Slopes<'a> {
    pub(crate) logp: &'a [f32],
    pub(crate) entropy: &'a [f32],
    pub(crate) figures: &'a [Vec<f32>],
}

/// What is asked of every distribution.
pub(crate) struct Wanted<'a, T> {
    pub(crate) temperature: f64,
    pub(crate) figures: &'a [Figure],
    /// Of each other model its head, and its states at all targets, `[targets, width]`.
    pub(crate) others: &'a [(&'a Packed<T>, &'a [T])],
}

/// The logits of the other models in the place of a question: of all tokens, or of some.
type OfOthers<'a, T> = Vec<&'a mut [T]>;

/// What is made of every distribution.
#[derive(Clone, Copy)]
struct Asking<'a, T> {
    figures: &'a [Figure],
    slopes: Option<Slopes<'a>>,
    /// 1 / temperature.
    by: T,
}

impl<T: Real> Asking<'_, T> {
    /// From logits `z`, which with slopes become the gradient with respect to them.
    fn answer(self, question: &Question, z: &mut [T], others: OfOthers<T>) -> Answer<T> {
        let Asking { figures, slopes, by } = self;
        scale(z, by);
        // Of one distribution, so it is still near the core when it is looked at again.
        let mut p = vec![T::ZERO; z.len()];
        let Summary { top, log, entropy } = softmax(z, &mut p);
        let at = match question.allowed {
            Some(allowed) => allowed.iter().position(|t| *t == question.token).unwrap_or(0),
            None => question.token as usize,
        };
        let logp = z[at] - top - log;
        let (mut values, mut more) = (Vec::new(), None);
        if !figures.is_empty() {
            let theirs: Vec<(&[T], Vec<T>, T)> = others.into_iter().map(|z| distribution(z, by)).collect();
            let theirs: Vec<Distribution<T>> = theirs.iter().map(|(z, p, norm)| Distribution { z, p, norm: *norm }).collect();
            let own = Distribution { z: &*z, p: &p, norm: top + log };
            let found = Found::of(figures, &own, &theirs);
            if let Some(slopes) = slopes.filter(|slopes| slopes.figures.iter().any(|slopes| !slopes.is_empty())) {
                let slopes: Vec<T> = slopes.figures.iter().map(|slopes| slope_at(slopes, question)).collect();
                more = Some(found.backward(figures, &slopes, &own, &theirs));
            }
            values = found.values;
        }
        if let Some(slopes) = slopes {
            softmax_backward(z, &mut p, at, top, log, entropy, slope_at(slopes.logp, question), slope_at(slopes.entropy, question), by);
            if let Some(more) = more {
                add_line(&mut p, by, &more);
            }
            z.copy_from_slice(&p);
        }
        Answer { logp, entropy, figures: values }
    }
}

/// Answers questions about `hidden` (`[outputs, width]`); with slopes also the gradients: returns that of `hidden`.
pub(crate) fn ask<T: Real>(
    model: &Packed<T>,
    hidden: &[T],
    questions: &[Question],
    wanted: &Wanted<T>,
    mut backward: Option<(Slopes, &mut Sums<T>)>,
    team: Team,
) -> (Answers<T>, Vec<T>) {
    let width = model.config.width;
    let Wanted { temperature, figures, others } = wanted;
    let mut answers = Answers::new(questions.len(), figures.len());
    let mut dhidden = if backward.is_some() { vec![T::ZERO; hidden.len()] } else { Vec::new() };
    let Some((rows, linear)) = model.unembedding() else { return (answers, dhidden) };
    let others: Vec<_> = others.iter().filter_map(|(other, states)| Some((other.config.width, other.unembedding()?, *states))).collect();
    let by = T::of(1.0 / temperature);
    let vocab = model.config.vocab;

    let mut z = Vec::new();
    let asking = Asking { figures, slopes: backward.as_ref().map(|(slopes, _)| *slopes), by };

    for (i, question) in questions.iter().enumerate() {
        let Some(allowed) = question.allowed else { continue };
        z.resize(allowed.len(), T::ZERO);
        let at = question.output * width..(question.output + 1) * width;
        logits_of(&hidden[at.clone()], rows, allowed, &mut z);
        let mut theirs: Vec<Vec<T>> = vec![vec![T::ZERO; allowed.len()]; others.len()];
        for ((width, (rows, _), states), z) in others.iter().zip(&mut theirs) {
            logits_of(&states[question.index * width..][..*width], rows, allowed, z);
        }
        answers.set(i, asking.answer(question, &mut z, theirs.iter_mut().map(Vec::as_mut_slice).collect()));
        if let Some((_, sums)) = &mut backward {
            logits_of_backward(&hidden[at.clone()], rows, allowed, &z, &mut dhidden[at], sums.unembedding());
        }
    }

    let free: Vec<usize> = (0..questions.len()).filter(|i| questions[*i].allowed.is_none()).collect();
    let (mut lines, mut dlines) = (Vec::new(), Vec::new());
    let mut theirs: Vec<Vec<T>> = vec![Vec::new(); others.len()];
    for chunk in free.chunks(chunk(vocab)) {
        lines.clear();
        for i in chunk {
            lines.extend_from_slice(&hidden[questions[*i].output * width..][..width]);
        }
        z.resize(chunk.len() * vocab, T::ZERO);
        linear.apply(&lines, &mut z, Write::Set, team);
        let mut of_others: Vec<OfOthers<T>> = chunk.iter().map(|_| Vec::with_capacity(others.len())).collect();
        for ((width, (_, linear), states), z) in others.iter().zip(&mut theirs) {
            let lines: Vec<T> = chunk.iter().flat_map(|i| &states[questions[*i].index * width..][..*width]).copied().collect();
            z.resize(chunk.len() * vocab, T::ZERO);
            linear.apply(&lines, z, Write::Set, team);
            of_others.iter_mut().zip(z.chunks_exact_mut(vocab)).for_each(|(all, z)| all.push(z));
        }
        let distributions = chunk.iter().zip(z.chunks_exact_mut(vocab)).zip(of_others);
        // An exponential costs as much as many multiplications.
        let cost = 16 * chunk.len() * vocab * (1 + others.len());
        let found = team.each(distributions, cost, |((i, z), others)| (*i, asking.answer(&questions[*i], z, others)));
        for (i, found) in found {
            answers.set(i, found);
        }
        if let Some((_, sums)) = &mut backward {
            dlines.resize(chunk.len() * width, T::ZERO);
            linear.pull(&z, &mut dlines, Write::Set, team);
            for (i, dline) in chunk.iter().zip(dlines.chunks_exact(width)) {
                add_line(&mut dhidden[questions[*i].output * width..][..width], T::ONE, dline);
            }
            let drows = sums.unembedding();
            if !drows.is_empty() {
                for (dz, lines) in z.chunks(SUMMED * vocab).zip(lines.chunks(SUMMED * width)) {
                    let (terms, dz, lines) = (lines.len() / width, Left { data: dz, stride: vocab }, Left { data: lines, stride: width });
                    add_outer_on(team, dz, lines, width, terms, drows);
                }
            }
        }
    }
    (answers, dhidden)
}

/// What a loss says of the answer to a question.
pub(super) fn slope_at<T: Real>(slopes: &[f32], question: &Question) -> T {
    slopes.get(question.index).map_or(T::ZERO, |slope| T::of(f64::from(*slope)))
}

/// Another model's logits, scaled, with their probabilities and what log p is less than them.
fn distribution<T: Real>(z: &mut [T], by: T) -> (&[T], Vec<T>, T) {
    scale(z, by);
    let mut p = vec![T::ZERO; z.len()];
    let Summary { top, log, .. } = softmax(z, &mut p);
    (z, p, top + log)
}
