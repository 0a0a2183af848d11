//! What a node computes, as a hash: the same whatever it is called and wherever it stands.
//!
//! The words below are written to disk, by way of the names under which histories are kept in checkpoints. They are spelled out here so that renaming a
//! type cannot change them.

use super::super::levels::Level;
use super::super::program::{NodeId, Op};
use super::Checker;
use crate::builtin::{Elementwise, Reduction};

impl Checker<'_> {
    pub(super) fn digest(&self, op: &Op, args: &[NodeId], level: Level) -> blake3::Hash {
        if let (Op::Named(_), [body]) = (op, args) {
            return self.program.nodes[*body].digest;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.words(op, level).as_bytes());
        for &arg in args {
            hasher.update(self.program.nodes[arg].digest.as_bytes());
        }
        hasher.finalize()
    }

    fn words(&self, op: &Op, level: Level) -> String {
        match op {
            Op::Number(value) => format!("number {:016x}", value.to_bits()),
            Op::Bool(value) => format!("bool {value}"),
            Op::Quantity(info) => format!("quantity {}", info.name),
            Op::Named(name) => format!("named {name}"),
            Op::Elementwise(builtin, how) => match how {
                Elementwise::Unary(_) | Elementwise::Binary(_) | Elementwise::Compare(_) => format!("function {}", builtin.name()),
                Elementwise::Not => "Not".into(),
                Elementwise::And => "And".into(),
                Elementwise::Or => "Or".into(),
                Elementwise::Clip => "Clip".into(),
                Elementwise::Where => "Where".into(),
                Elementwise::Only => "Only".into(),
                Elementwise::Stop => "Stop".into(),
            },
            Op::Reduce(how) => format!("reduce {} by {level}", reduction(*how)),
            Op::Noise => format!("noise by {level}"),
            Op::Top => "Top".into(),
            Op::Whiten => format!("whiten per {level}"),
            Op::Gae(time) => format!("gae by {} per {}", time.by, time.per),
            Op::Discount(time) => format!("discount by {} per {}", time.by, time.per),
            Op::SoFar(time) => format!("so_far by {} per {}", time.by, time.per),
            Op::OnLast(time) => format!("on_last by {} per {}", time.by, time.per),
            Op::History(row) => self.program.histories.get(*row).map_or(String::new(), |history| {
                let window = history.window.map_or("None".into(), |window| format!("Some({window})"));
                let mut words = format!("history {} {window}", history.id);
                if let Some(decay) = history.decay {
                    words.push_str(&format!(" decay {:016x}", decay.to_bits()));
                }
                if let Some(quantile) = history.quantile {
                    words.push_str(&format!(" quantile {:016x}", quantile.to_bits()));
                }
                if history.prior != 0.0 {
                    words.push_str(&format!(" prior {:016x}", history.prior.to_bits()));
                }
                words
            }),
            Op::Quantile => format!("quantile by {level}"),
            Op::Rank(by) => format!("rank by {by}"),
            Op::Neighbour { time, after } => {
                format!("{} by {} per {}", if *after { "next" } else { "previous" }, time.by, time.per)
            }
            Op::Collected(row) => {
                self.program.collected.get(*row).map_or(String::new(), |expression| format!("collected {}", expression.id))
            }
            Op::Carry(row) => self.program.carries.get(*row).map_or(String::new(), |expression| format!("carry {}", expression.id)),
            Op::OfText(question) => format!("text {question}"),
        }
    }
}

fn reduction(how: Reduction) -> &'static str {
    match how {
        Reduction::Mean => "Mean",
        Reduction::Sum => "Sum",
        Reduction::Std => "Std",
        Reduction::Count => "Count",
        Reduction::Min => "Min",
        Reduction::Max => "Max",
        Reduction::Initial => "Initial",
        Reduction::Final => "Final",
    }
}
