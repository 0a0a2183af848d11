//! What can be said of methods from a few trainings of each: the seed is what repeats, and every seed plays the same panel of tasks.
//!
//! | question | answer | source |
//! |---|---|---|
//! | how high? | mean and interquartile mean over seeds | Agarwal and others, arXiv:2108.13264, section 4.3 |
//! | how sure? | percentile interval of a bootstrap that draws seeds and, within their strata, tasks | Owen, Annals of Applied Statistics 1:386–411 (2007), section 4; Efron and Tibshirani, An Introduction to the Bootstrap (1993), eq. 13.5 |
//! | is one higher than another? | paired t test over seeds; Welch's where the seeds are not the same | Student, Biometrika 6:1–25 (1908); Welch, Biometrika 34:28–35 (1947), eq. 28 |
//! | the same, without normality | exact test over all changes of signs | Fisher, The Design of Experiments (1935), section 21 |
//! | of two policies instead of two methods? | exact McNemar test over tasks | McNemar, Psychometrika 12:153–157 (1947) |
//! | how often would one be higher? | chance of improvement, P(X > Y) + P(X = Y)/2 over pairs of seeds | Agarwal and others, section 4.3; Mann and Whitney, Annals of Mathematical Statistics 18:50–60 (1947) |
//! | with so many comparisons? | Holm's step-down | Holm, Scandinavian Journal of Statistics 6:65–70 (1979) |
//! | what could have been seen? | minimum detectable effect (t₁₋α/₂ + t₀.₈) · standard error | Bloom, Evaluation Review 19:547–556 (1995) |
//!
//! Everything is a function of its numbers and of a seed; no clock, no thread.

mod bootstrap;
mod comparison;
mod detect;
mod heaps;
mod interval;
mod moments;
mod sample;
mod significance;
mod student;

pub use bootstrap::{Bootstrap, Draws, middle, percentile};
pub use comparison::{Comparison, Test, compare, test};
pub use detect::{Design, smallest_difference};
pub use heaps::{Heaps, heaps};
pub use interval::Interval;
pub use moments::{deviation, interquartile_mean, mean};
pub use sample::{Sample, Seeded};
pub use significance::{TTest, chance_of_improvement, holm, mcnemar, paired_t, sign_flips, welch_t};
pub use student::{normal_quantile, t_cdf, t_quantile};
