//! The facts of one predicate that can ever hold, in order of their objects' ids.

use super::problem::ObjId;
use super::relation::{Relation, key};

/// Numbers of facts that are not tracked.
pub(crate) const NONE: u32 = u32::MAX;

/// Where each object's rows begin, and the rows.
type Starts = (Box<[u32]>, Box<[u32]>);

#[derive(Debug, Default)]
pub(crate) struct Table {
    pub arity: usize,
    pub len: u32,
    rows: Box<[ObjId]>,
    /// The number of the first row's fact; `NONE` when these facts never change (then all of them hold).
    pub base: u32,
    /// The number of "the first row's fact has been made false"; `NONE` when nobody asks.
    pub negative: u32,
    /// Per argument: where each object's rows begin, then the rows. Only where the grammar asks.
    by: Vec<Starts>,
}

impl Table {
    /// Sorts a relation's facts. Also returns the place of each of its rows.
    pub(crate) fn new(relation: &Relation) -> (Table, Vec<u32>) {
        let mut order: Vec<u32> = (0..relation.len() as u32).collect();
        order.sort_unstable_by_key(|&row| key(relation.row(row)));
        let mut places = vec![0; order.len()];
        for (place, &row) in order.iter().enumerate() {
            places[row as usize] = place as u32;
        }
        let rows = order.iter().flat_map(|&row| relation.row(row).iter().copied()).collect();
        let table = Table { arity: relation.arity, len: order.len() as u32, rows, base: NONE, negative: NONE, by: Vec::new() };
        (table, places)
    }

    #[inline]
    pub(crate) fn row(&self, row: u32) -> &[ObjId] {
        let start = row as usize * self.arity;
        self.rows.get(start..start + self.arity).unwrap_or(&[])
    }

    pub(crate) fn index(&mut self, objects: usize) {
        self.by = (0..self.arity)
            .map(|position| {
                let mut starts = vec![0u32; objects + 1];
                for row in 0..self.len {
                    starts[self.row(row)[position] as usize + 1] += 1;
                }
                for object in 0..objects {
                    starts[object + 1] += starts[object];
                }
                let mut next = starts.clone();
                let mut rows = vec![0; self.len as usize];
                for row in 0..self.len {
                    let slot = &mut next[self.row(row)[position] as usize];
                    rows[*slot as usize] = row;
                    *slot += 1;
                }
                (starts.into(), rows.into())
            })
            .collect();
    }

    /// The rows in which an object stands at a position, ascending; `None` without an index.
    #[inline]
    pub(crate) fn with(&self, position: usize, object: ObjId) -> Option<&[u32]> {
        let (starts, rows) = self.by.get(position)?;
        let (start, end) = (*starts.get(object as usize)?, *starts.get(object as usize + 1)?);
        rows.get(start as usize..end as usize)
    }

    pub(crate) fn find(&self, args: &[ObjId]) -> Option<u32> {
        let wanted = key(args);
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low + (high - low) / 2;
            if key(self.row(middle)) < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low < self.len && self.row(low) == args).then_some(low)
    }
}
