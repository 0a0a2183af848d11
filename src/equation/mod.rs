//! Equations as fields of stages: a loss, an advantage, a schedule; and how they are written out in full.

mod fields;
mod latex;
mod readable;
mod rewards;
mod schedule;
mod weight;

pub(crate) use crate::objective::Now;
pub(crate) use fields::{AdvantageField, ConditionField, LossField};
pub use latex::{latex, latex_name};
pub use readable::readable;
pub(crate) use rewards::{REWARDS, RewardField, RewardsField};
pub(crate) use schedule::ScheduleField;
pub(crate) use weight::WeightField;
