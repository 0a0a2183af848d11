//! The keys and values that a run of tokens attends to: those of the tokens on its way from the root.
//!
//! A walk in preorder goes back to a fork and on from there, so each key is copied once for each head, whatever the number of its followers.

use super::attention::Memory;
use super::real::Real;
use super::simd::LANES;

/// One key head of all tokens of a forest in one layer: rows `[keys, values]`, as many numbers each as all key heads have together.
#[derive(Clone, Copy)]
pub(crate) struct KeyHead {
    /// Numbers of all keys, or all values, of a token.
    pub(crate) width: usize,
    /// Numbers of one head.
    pub(crate) head: usize,
    pub(crate) index: usize,
}

impl KeyHead {
    pub(crate) fn key<'a, T>(&self, rows: &'a [T], place: usize) -> &'a [T] {
        &rows[place * 2 * self.width + self.index * self.head..][..self.head]
    }

    pub(crate) fn value<'a, T>(&self, rows: &'a [T], place: usize) -> &'a [T] {
        &rows[(place * 2 + 1) * self.width + self.index * self.head..][..self.head]
    }

    fn keys_and_values<'a, T>(&self, rows: &'a mut [T], place: usize) -> (&'a mut [T], &'a mut [T]) {
        let (keys, values) = rows[place * 2 * self.width..][..2 * self.width].split_at_mut(self.width);
        let part = self.index * self.head..(self.index + 1) * self.head;
        (&mut keys[part.clone()], &mut values[part])
    }
}

/// What the forward pass reads.
#[derive(Default)]
pub(crate) struct Path<T> {
    stride: usize,
    keys: Vec<T>,
    values: Vec<T>,
}

fn column<T: Real>(columns: &mut [T], stride: usize, position: usize, values: &[T]) {
    for (column, value) in columns.chunks_exact_mut(stride).zip(values) {
        column[position] = *value;
    }
}

fn room<T: Real>(buffer: &mut Vec<T>, size: usize) {
    buffer.clear();
    buffer.resize(size, T::ZERO);
}

impl<T: Real> Path<T> {
    /// Empty, with room for `depth` positions.
    pub(crate) fn start(&mut self, depth: usize, of: KeyHead) {
        self.stride = depth.next_multiple_of(LANES);
        room(&mut self.keys, of.head * self.stride);
        room(&mut self.values, depth * of.head.next_multiple_of(LANES));
    }

    /// The token at `place` stands at `position` from now on.
    pub(crate) fn put(&mut self, rows: &[T], of: KeyHead, place: usize, position: usize) {
        column(&mut self.keys, self.stride, position, of.key(rows, place));
        let padded = of.head.next_multiple_of(LANES);
        self.values[position * padded..][..of.head].copy_from_slice(of.value(rows, place));
    }

    pub(crate) fn memory(&self, of: KeyHead) -> Memory<'_, T> {
        Memory { keys: &self.keys, stride: self.stride, values: &self.values, head: of.head }
    }
}

/// What the backward pass reads, and the gradients that it finds. Columns are `[head, stride]`, rows `[position, padded]`.
#[derive(Default)]
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
    pub(crate) fn start(&mut self, depth: usize, of: KeyHead) {
        let padded = of.head.next_multiple_of(LANES);
        (self.head, self.stride) = (of.head, depth.next_multiple_of(LANES));
        for columns in [&mut self.keys, &mut self.values] {
            room(columns, of.head * self.stride);
        }
        for rows in [&mut self.key_rows, &mut self.dkeys, &mut self.dvalues] {
            room(rows, depth * padded);
        }
        self.places.clear();
    }

    /// The next token on the way.
    pub(crate) fn push(&mut self, rows: &[T], of: KeyHead, place: usize) {
        let (padded, position) = (of.head.next_multiple_of(LANES), self.places.len());
        column(&mut self.keys, self.stride, position, of.key(rows, place));
        column(&mut self.values, self.stride, position, of.value(rows, place));
        self.key_rows[position * padded..][..of.head].copy_from_slice(of.key(rows, place));
        self.places.push(place);
    }

    /// Goes back to where `length` tokens are left: the gradients of the others are complete, and added to theirs.
    pub(crate) fn back(&mut self, length: usize, drows: &mut [T], of: KeyHead) {
        let padded = of.head.next_multiple_of(LANES);
        for (position, place) in self.places.iter().enumerate().skip(length) {
            let (dkey, dvalue) = of.keys_and_values(drows, *place);
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
