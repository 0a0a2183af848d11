//! The keys and values that a run of tokens attends to: those of the tokens on its way from the root.
//!
//! A walk in preorder goes back to a fork and on from there, so each key is copied once for each head, whatever the number of its followers.

use super::attention::Memory;
use super::pass::zeros;
use super::real::Real;
use super::simd::LANES;

/// The key of a token, and its value, out of one key head's `[tokens, 2 head]`.
fn key_value<T>(numbers: &[T], head: usize, place: usize) -> (&[T], &[T]) {
    numbers[place * 2 * head..][..2 * head].split_at(head)
}

/// What the forward pass reads.
pub(crate) struct Path<T> {
    head: usize,
    stride: usize,
    keys: Vec<T>,
    values: Vec<T>,
}

fn column<T: Real>(columns: &mut [T], stride: usize, position: usize, values: &[T]) {
    for (column, value) in columns.chunks_exact_mut(stride).zip(values) {
        column[position] = *value;
    }
}

impl<T: Real> Path<T> {
    /// Empty, with room for `depth` positions.
    pub(crate) fn new(depth: usize, head: usize) -> Path<T> {
        let stride = depth.next_multiple_of(LANES);
        Path { head, stride, keys: zeros(head * stride), values: zeros(depth * head.next_multiple_of(LANES)) }
    }

    /// The token at `place` stands at `position` from now on.
    pub(crate) fn put(&mut self, numbers: &[T], place: usize, position: usize) {
        let (key, value) = key_value(numbers, self.head, place);
        column(&mut self.keys, self.stride, position, key);
        let padded = self.head.next_multiple_of(LANES);
        self.values[position * padded..][..self.head].copy_from_slice(value);
    }

    pub(crate) fn memory(&self) -> Memory<'_, T> {
        Memory { keys: &self.keys, stride: self.stride, values: &self.values, head: self.head }
    }
}

/// What the backward pass reads, and the gradients that it finds. Columns are `[head, stride]`, rows `[position, padded]`.
pub(crate) struct BackwardPath<T> {
    pub(crate) head: usize,
    pub(crate) stride: usize,
    pub(crate) keys: Vec<T>,
    pub(crate) key_rows: Vec<T>,
    pub(crate) values: Vec<T>,
    /// Gradients as rows, added to.
    pub(crate) dkeys: Vec<T>,
    pub(crate) dvalues: Vec<T>,
    /// Where the token at each position lies.
    places: Vec<usize>,
}

impl<T: Real> BackwardPath<T> {
    pub(crate) fn new(depth: usize, head: usize) -> BackwardPath<T> {
        let (stride, padded) = (depth.next_multiple_of(LANES), head.next_multiple_of(LANES));
        let (columns, rows) = (|| zeros(head * stride), || zeros(depth * padded));
        let (keys, values, key_rows, dkeys, dvalues) = (columns(), columns(), rows(), rows(), rows());
        BackwardPath { head, stride, keys, key_rows, values, dkeys, dvalues, places: Vec::new() }
    }

    /// The next token on the way.
    pub(crate) fn push(&mut self, numbers: &[T], place: usize) {
        let (padded, position) = (self.head.next_multiple_of(LANES), self.places.len());
        let (key, value) = key_value(numbers, self.head, place);
        column(&mut self.keys, self.stride, position, key);
        column(&mut self.values, self.stride, position, value);
        self.key_rows[position * padded..][..self.head].copy_from_slice(key);
        self.places.push(place);
    }

    /// Goes back to where `length` tokens are left: the gradients of the others are complete, and added to theirs.
    pub(crate) fn back(&mut self, length: usize, dnumbers: &mut [T]) {
        let (head, padded) = (self.head, self.head.next_multiple_of(LANES));
        for (position, place) in self.places.iter().enumerate().skip(length) {
            let (dkey, dvalue) = dnumbers[place * 2 * head..][..2 * head].split_at_mut(head);
            for (sums, found) in [(dkey, &mut self.dkeys), (dvalue, &mut self.dvalues)] {
                let found = &mut found[position * padded..][..padded];
                for (sum, found) in sums.iter_mut().zip(&*found) {
                    *sum += *found;
                }
                found.fill(T::ZERO);
            }
        }
        self.places.truncate(length);
    }
}
