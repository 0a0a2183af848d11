//! What is kept of a distribution beside the token that was drawn from it.

use crate::model::native::head::softmax;

/// How likely the model itself held a token, whatever the temperature and the truncation that it was drawn with.
#[derive(Clone, Debug, PartialEq)]
pub struct Likely {
    /// log softmax(logits) of the token.
    pub logp: f32,
    /// The most likely tokens with theirs, the likeliest first; of equal ones the smaller id.
    pub most: Vec<(u32, f32)>,
}

/// Of one response.
#[derive(Debug)]
pub(super) struct Watch {
    most: usize,
    seen: Vec<Likely>,
}

impl Watch {
    pub(super) fn new(most: usize) -> Watch {
        Watch { most, seen: Vec::new() }
    }

    /// Token `at` was drawn where the logits were `z`; `p` is room for as many numbers.
    pub(super) fn see(&mut self, z: &[f32], at: usize, p: &mut [f32]) {
        let summary = softmax(z, p);
        let logp = |at: usize| z[at] - summary.top - summary.log;
        let most = largest(z, self.most).into_iter().map(|at| (at as u32, logp(at))).collect();
        self.seen.push(Likely { logp: logp(at), most });
    }

    pub(super) fn take(&mut self) -> Vec<Likely> {
        std::mem::take(&mut self.seen)
    }
}

/// Where the `most` largest stand, in falling order.
fn largest(z: &[f32], most: usize) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::with_capacity(most + 1);
    for (at, value) in z.iter().enumerate() {
        if found.len() == most && found.last().is_none_or(|last| *value <= z[*last]) {
            continue;
        }
        let place = found.partition_point(|other| z[*other] >= *value);
        found.insert(place, at);
        found.truncate(most);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_come_first() {
        let z = [0.5, 2.0, -1.0, 2.0, 1.0];
        assert_eq!(largest(&z, 3), [1, 3, 4]);
        assert_eq!(largest(&z, 9), [1, 3, 4, 0, 2]);
        assert!(largest(&z, 0).is_empty());
        let mut watch = Watch::new(2);
        watch.see(&z, 4, &mut [0.0; 5]);
        let [Likely { logp, most }] = &*watch.take() else { panic!("one token was seen") };
        let total: f32 = z.iter().map(|z| z.exp()).sum();
        assert!((logp - (1.0 - total.ln())).abs() < 1e-6 && (most[1].1 - (2.0 - total.ln())).abs() < 1e-6);
        assert_eq!(most.iter().map(|(token, _)| *token).collect::<Vec<_>>(), [1, 3]);
    }
}
