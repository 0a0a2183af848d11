//! Episodes from elsewhere that an iteration learns from beside its own.

use super::super::wanted::Wanted;
use crate::equation::ConditionField;
use crate::kind;
use crate::kind::{Category, Count, Entry, Identity, KindInfo, Reader};
use crate::lang::Diagnostics;
use crate::lang::value::Component;
use crate::objective::Condition;
use crate::policy::EpisodesInput;
use crate::seed::Seed;
use crate::words;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

words! {
    /// Which of the episodes that are there.
    pub(crate) enum Choice {
        /// Drawn anew for each iteration.
        Random = "random",
        /// Those that were played last.
        Latest = "latest",
        /// Of each task the one with the highest score, of equal ones the latest; drawn from these.
        Best = "best",
    }
}

words! {
    /// Of which tasks.
    pub(crate) enum Tasks {
        /// Of any.
        Any = "any",
        /// Of those that the iteration plays itself.
        Played = "played",
    }
}

kind! {
    /// Episodes of the stage's own earlier iterations, once more. Their `old_logp` is what the policy of that time gave its tokens.
    ///
    /// ```epo
    /// import "std/losses.epo"
    /// import "std/advantages.epo"
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   policy = decoder { tokenizer = words }
    ///   advantage = grpo()
    ///   loss { surrogate = mean(ppo_clip(0.2)), minimize = surrogate }
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     train = rl {
    ///       on = house.train, iterations = 4, groups = 4, group_size = 4
    ///       also = replay { last = 2, episodes = 8, choose = best }
    ///     }
    ///     page  = report { of = [train] }
    ///   }
    /// }
    /// ```
    pub(crate) struct Replay as "replay" {
        /// Of so many iterations, those just before this one.
        last: Count<1000> [default Count(4)],
        /// How many an iteration takes, at most.
        episodes: Count<1_000_000> [required],
        /// Which.
        choose: Choice [default Choice::Random],
        /// Of which tasks.
        tasks: Tasks [default Tasks::Any],
        /// Which episodes are of use: a condition over their `score`, `success`, `turns`, or a statistic of their turns.
        r#where: Option<ConditionField> [added default None],
    }
}

kind! {
    /// Episodes of another stage, such as an expert's. Their `old_logp` is what the policy gives their tokens when the iteration is collected.
    ///
    /// ```epo
    /// import "std/losses.epo"
    /// import "std/advantages.epo"
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   policy = decoder { tokenizer = words }
    ///   advantage = grpo()
    ///   loss { surrogate = mean(where(source == 0, ppo_clip(0.2), -advantage * ratio())), minimize = surrogate }
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     shown = collect { on = house.train, actor = expert, episodes = 20 }
    ///     train = rl {
    ///       on = house.train, iterations = 4, groups = 4, group_size = 4
    ///       also = demonstrations { of = shown, episodes = 4, tasks = played }
    ///     }
    ///     page  = report { of = [train] }
    ///   }
    /// }
    /// ```
    pub(crate) struct Demonstrations as "demonstrations" {
        /// Of one `collect` stage or several.
        of: Vec<EpisodesInput> [required],
        /// How many an iteration takes, at most.
        episodes: Count<1_000_000> [required],
        /// Which.
        choose: Choice [default Choice::Random],
        /// Of which tasks.
        tasks: Tasks [default Tasks::Any],
        /// Which episodes are of use: a condition over their `score`, `success`, `turns`, or a statistic of their turns.
        r#where: Option<ConditionField> [added default None],
    }
}

/// Where episodes come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Replay(Replay),
    Demonstrations(Demonstrations),
}

impl Identity for Source {
    fn identity(&self) -> serde_json::Value {
        match self {
            Self::Replay(replay) => replay.identity(),
            Self::Demonstrations(shown) => shown.identity(),
        }
    }
}

impl Category for Source {
    const WORDS: &'static str = "a source of episodes: `replay { … }`, `demonstrations { … }`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<Source>] = &[
            Entry { info: &Replay::INFO, read: |_, c, r| read(c, r, &Replay::INFO, Replay::read_fields, Source::Replay) },
            Entry {
                info: &Demonstrations::INFO,
                read: |_, c, r| read(c, r, &Demonstrations::INFO, Demonstrations::read_fields, Source::Demonstrations),
            },
        ];
        ENTRIES
    }
}

fn read<T>(
    component: &Component,
    reader: &mut Reader<'_, '_>,
    info: &'static KindInfo,
    fields: fn(&Component, &mut Reader<'_, '_>) -> Option<T>,
    source: fn(T) -> Source,
) -> Option<Arc<Source>> {
    reader.refuse_unknown(component, &[info], |_| false);
    let read = fields(component, reader).map(source)?;
    let mut diagnostics = Diagnostics::default();
    let sound = read.condition().is_none_or(|field| Condition::check(&field.0, "where", &mut diagnostics).is_some());
    diagnostics.0.into_iter().for_each(|d| reader.report(d));
    sound.then(|| Arc::new(read))
}

/// What is chosen from, and how.
pub(super) struct Draw {
    pub most: usize,
    pub choose: Choice,
    pub tasks: Tasks,
}

impl Source {
    fn condition(&self) -> Option<&ConditionField> {
        match self {
            Self::Replay(Replay { r#where, .. }) | Self::Demonstrations(Demonstrations { r#where, .. }) => r#where.as_ref(),
        }
    }

    /// Which episodes are of use.
    pub(super) fn wanted(&self) -> Wanted {
        let checked = |field: &ConditionField| Condition::check(&field.0, "where", &mut Diagnostics::default());
        Wanted { only_successes: false, condition: self.condition().and_then(checked) }
    }

    pub(super) fn draw(&self) -> Draw {
        match self {
            Self::Replay(Replay { episodes, choose, tasks, .. }) | Self::Demonstrations(Demonstrations { episodes, choose, tasks, .. }) => {
                Draw { most: episodes.0, choose: *choose, tasks: *tasks }
            }
        }
    }
}

/// What an episode is chosen by.
pub(super) struct Candidate<'a> {
    pub task: &'a str,
    pub score: f64,
}

impl Draw {
    /// The numbers of those that are taken, in order. `candidates`: the earliest first; `played`: the tasks of the iteration.
    pub(super) fn of(&self, candidates: &[Candidate], played: &BTreeSet<&str>, seed: Seed) -> Vec<usize> {
        let mut open: Vec<usize> =
            (0..candidates.len()).filter(|i| self.tasks == Tasks::Any || played.contains(candidates[*i].task)).collect();
        if self.choose == Choice::Best {
            let mut best: BTreeMap<&str, usize> = BTreeMap::new();
            for i in open {
                let of_task = best.entry(candidates[i].task).or_insert(i);
                if candidates[i].score >= candidates[*of_task].score {
                    *of_task = i;
                }
            }
            open = best.into_values().collect();
            open.sort_unstable();
        }
        let first = open.len().saturating_sub(self.most);
        let mut taken: Vec<usize> = match self.choose {
            Choice::Latest => open.split_off(first),
            Choice::Random | Choice::Best => seed.permutation(open.len()).into_iter().take(self.most).map(|place| open[place]).collect(),
        };
        taken.sort_unstable();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken() {
        let candidates: Vec<Candidate> =
            [("a", 0.0), ("b", 1.0), ("a", 1.0), ("b", 1.0), ("c", 0.0)].map(|(task, score)| Candidate { task, score }).into();
        let played = BTreeSet::from(["a", "b"]);
        let taken = |most, choose, tasks, seed| Draw { most, choose, tasks }.of(&candidates, &played, Seed(seed));
        assert_eq!(taken(2, Choice::Latest, Tasks::Any, 0), [3, 4]);
        assert_eq!(taken(2, Choice::Latest, Tasks::Played, 0), [2, 3]);
        assert_eq!(taken(9, Choice::Latest, Tasks::Played, 0), [0, 1, 2, 3]);
        // Of equal ones the latest.
        assert_eq!(taken(9, Choice::Best, Tasks::Any, 0), [2, 3, 4]);
        assert_eq!(taken(9, Choice::Random, Tasks::Any, 0), [0, 1, 2, 3, 4]);
        let drawn: BTreeSet<Vec<usize>> = (0..50).map(|seed| taken(2, Choice::Random, Tasks::Any, seed)).collect();
        assert_eq!(drawn.len(), 10);
        assert!(taken(1, Choice::Best, Tasks::Played, 3).iter().all(|i| [2, 3].contains(i)));
    }
}
