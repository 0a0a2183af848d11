//! Which differences a design can tell.

use super::student::{normal_quantile, t_quantile};

/// How often a difference of that size is found.
const POWER: f64 = 0.8;

/// The smallest true difference that a test at level `alpha` finds four times in five: (t₁₋α/₂ + t₀.₈)·standard error, both quantiles with `df` degrees of
/// freedom (Bloom 1995); without `df` those of the normal distribution.
pub fn smallest_difference(standard_error: f64, df: Option<f64>, alpha: f64) -> f64 {
    let quantile = |p: f64| df.map_or_else(|| normal_quantile(p), |df| t_quantile(p, df));
    (quantile(1.0 - alpha / 2.0) + quantile(POWER)) * standard_error
}

/// A table before it is run: two methods with as many seeds each, on one panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Design {
    /// Trainings of each method.
    pub seeds: usize,
    /// Tasks of the panel, each played once by each training.
    pub tasks: usize,
}

impl Design {
    /// The smallest difference of two shares that it can tell, as [`smallest_difference`] at 5 %, where the true shares lie around one half and the
    /// trainings of a method differ by a standard deviation of `between` in truth: one pair of trainings then differs with variance
    /// 2·(¼/tasks + between²). With one seed it is a statement about two policies, and none about methods; `between` then counts as 0. `None` without tasks.
    pub fn tells(self, between: f64) -> Option<f64> {
        if self.seeds == 0 || self.tasks == 0 {
            return None;
        }
        let chance = 0.25 / self.tasks as f64;
        Some(match self.seeds {
            1 => smallest_difference((2.0 * chance).sqrt(), None, 0.05),
            n => smallest_difference((2.0 * (chance + between * between) / n as f64).sqrt(), Some(n as f64 - 1.0), 0.05),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // (1.95996 + 0.84162)·√(0.5/100)
        let one = Design { seeds: 1, tasks: 100 }.tells(0.2).expect("tasks");
        assert!((one - 2.801_585_218 * 0.005f64.sqrt()).abs() < 1e-8, "{one}");
        // t with 4 degrees of freedom: 2.77645 and 0.94096
        let five = Design { seeds: 5, tasks: 100 }.tells(0.0).expect("tasks");
        assert!((five - (2.776_445 + 0.940_965) * 0.001f64.sqrt()).abs() < 1e-6, "{five}");
        assert_eq!(Design { seeds: 5, tasks: 0 }.tells(0.0), None);
    }

    #[test]
    fn more_of_anything_tells_more() {
        let tells = |seeds, tasks, between| Design { seeds, tasks }.tells(between).expect("tasks");
        assert!(tells(5, 100, 0.05) < tells(3, 100, 0.05) && tells(3, 100, 0.05) < tells(2, 100, 0.05));
        assert!(tells(5, 200, 0.05) < tells(5, 100, 0.05) && tells(5, 100, 0.05) < tells(5, 100, 0.1));
    }
}
