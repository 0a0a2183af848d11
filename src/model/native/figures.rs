//! More of one distribution than the log-probability of a token: values, and their gradients.

use super::real::{Real, dot, largest, sum};
use super::simd::simd;
use crate::model::figure::Figure;

/// A distribution over the tokens that may stand in a place.
pub(super) struct Distribution<'a, T> {
    /// Scaled logits.
    pub(super) z: &'a [T],
    /// Their probabilities.
    pub(super) p: &'a [T],
    /// log p = z − `norm`.
    pub(super) norm: T,
}

/// The figures of one distribution, and what their gradients need.
pub(super) struct Found<T> {
    pub(super) values: Vec<T>,
    /// The likeliest tokens' places, the likeliest first, of equal ones the first.
    leading: Vec<usize>,
}

simd! {
    /// Σ p (a − b + shift).
    fn weighted_difference<T>(p: &[T], a: &[T], b: &[T], shift: T) -> T {
        let (whole_p, rest_p) = p.as_chunks::<16>();
        let (whole_a, rest_a) = a.as_chunks::<16>();
        let (whole_b, rest_b) = b.as_chunks::<16>();
        let mut lanes = [T::ZERO; 16];
        for ((p, a), b) in whole_p.iter().zip(whole_a).zip(whole_b) {
            for i in 0..16 {
                lanes[i] = p[i].fma(a[i] - b[i] + shift, lanes[i]);
            }
        }
        let mut total = sum(&lanes);
        for ((p, a), b) in rest_p.iter().zip(rest_a).zip(rest_b) {
            total = p.fma(*a - *b + shift, total);
        }
        total
    }
}

/// Σ p ln(p / q); rounding does not make it negative.
fn divergence<T: Real>(p: &Distribution<T>, q: &Distribution<T>) -> T {
    let found = weighted_difference(p.p, p.z, q.z, q.norm - p.norm);
    if found < T::ZERO { T::ZERO } else { found }
}

/// The places of the `count` likeliest.
fn leading<T: Real>(p: &[T], count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..p.len()).collect();
    let order = |a: &usize, b: &usize| p[*b].to_f64().total_cmp(&p[*a].to_f64()).then(a.cmp(b));
    if count < places.len() && count > 0 {
        places.select_nth_unstable_by(count - 1, order);
    }
    places.truncate(count);
    places.sort_unstable_by(order);
    places
}

impl<T: Real> Found<T> {
    pub(super) fn of(figures: &[Figure], own: &Distribution<T>, others: &[Distribution<T>]) -> Found<T> {
        let most = figures.iter().map(|figure| if let Figure::TopShare(count) = figure { *count } else { 0 }).max().unwrap_or(0);
        let leading = if most > 0 { leading(own.p, most) } else { Vec::new() };
        let share = |count: usize| leading.iter().take(count).fold(T::ZERO, |share, place| share + own.p[*place]);
        let value = |figure: &Figure| match *figure {
            Figure::Collision => dot(own.p, own.p),
            Figure::Largest => largest(own.p),
            Figure::TopShare(count) => share(count),
            Figure::To(other) => others.get(other).map_or(T::ZERO, |other| divergence(own, other)),
            Figure::From(other) => others.get(other).map_or(T::ZERO, |other| divergence(other, own)),
        };
        Found { values: figures.iter().map(value).collect(), leading }
    }

    /// The gradient of Σ slope · figure with respect to the scaled logits.
    pub(super) fn backward(&self, figures: &[Figure], slopes: &[T], own: &Distribution<T>, others: &[Distribution<T>]) -> Vec<T> {
        let p = own.p;
        let mut pulled = vec![T::ZERO; p.len()];
        let all = || figures.iter().zip(&self.values).zip(slopes).map(|((figure, value), by)| (*figure, *value, *by));
        // What each probability is multiplied by.
        for (figure, value, by) in all() {
            match figure {
                Figure::Collision => {
                    let twice = by + by;
                    pulled.iter_mut().zip(p).for_each(|(c, p)| *c += twice * (*p - value));
                }
                Figure::Largest | Figure::TopShare(_) => pulled.iter_mut().for_each(|c| *c -= by * value),
                Figure::To(other) => {
                    let Some(other) = others.get(other) else { continue };
                    let shift = other.norm - own.norm - value;
                    pulled.iter_mut().zip(own.z).zip(other.z).for_each(|((c, z), q)| *c += by * (*z - *q + shift));
                }
                Figure::From(_) => pulled.iter_mut().for_each(|c| *c += by),
            }
        }
        pulled.iter_mut().zip(p).for_each(|(c, p)| *c = *p * *c);
        for (figure, value, by) in all() {
            match figure {
                Figure::Collision | Figure::To(_) => {}
                Figure::Largest => {
                    let place = p.iter().position(|p| *p == value).unwrap_or(0);
                    pulled.get_mut(place).into_iter().for_each(|own| *own += by * value);
                }
                Figure::TopShare(count) => self.leading.iter().take(count).for_each(|place| pulled[*place] += by * p[*place]),
                Figure::From(other) => {
                    let Some(other) = others.get(other) else { continue };
                    pulled.iter_mut().zip(other.p).for_each(|(c, q)| *c -= by * *q);
                }
            }
        }
        pulled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_ones_the_first() {
        let p = [0.2, 0.3, 0.1, 0.3, 0.1];
        assert_eq!(leading(&p, 1), [1]);
        assert_eq!(leading(&p, 3), [1, 3, 0]);
        assert_eq!(leading(&p, 4), [1, 3, 0, 2]);
        assert_eq!(leading(&p, 9), [1, 3, 0, 2, 4]);
        assert!(leading::<f64>(&[], 2).is_empty() && leading(&p, 0).is_empty());
        // Weights that are not finite are refused elsewhere; here they stop nothing.
        assert_eq!(leading(&[f32::NAN, 1.0, f32::NAN], 2).len(), 2);
    }
}
