//! Jobs that differ in their seed or sweep alone are arrays of Slurm's: one `sbatch` for all, each element behind that element of another array that it needs.

use super::super::{Job, Needs};
use crate::store::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// Slurm's own bound on the number of a job in its array, if nobody changed it.
const MOST: usize = 1000;

/// Jobs for one `sbatch`; several are an array.
#[derive(Clone, Debug)]
pub(super) struct Batch<'j> {
    /// With their numbers in the array.
    pub jobs: Vec<(usize, &'j Job)>,
    /// What all of it comes after, in Slurm's words.
    pub dependency: Option<String>,
}

/// Jobs of one stage that do not wait for each other, in the order in which they can be handed over.
pub(super) fn groups(jobs: &[Job]) -> Vec<Vec<&Job>> {
    // How many jobs stand in a row before it.
    let mut depth: BTreeMap<&Digest, usize> = BTreeMap::new();
    let mut groups: BTreeMap<(usize, usize), Vec<&Job>> = BTreeMap::new();
    let mut first: BTreeMap<(usize, &str, &Needs), usize> = BTreeMap::new();
    for (place, job) in jobs.iter().enumerate() {
        let own = job.after.iter().filter_map(|task| depth.get(task)).map(|depth| depth + 1).max().unwrap_or(0);
        depth.insert(&job.task, own);
        let group = *first.entry((own, &job.stage, &job.needs)).or_insert(place);
        groups.entry((own, group)).or_default().push(job);
    }
    groups.into_values().collect()
}

/// A group as few batches: in one, the rest of what its jobs come after is the same for all, once the element of its own number in other arrays is taken
/// away. `known`: the names of the jobs that were handed over.
pub(super) fn batches<'j>(group: &[&'j Job], known: &BTreeMap<Digest, String>) -> Vec<Batch<'j>> {
    type Key = (BTreeSet<String>, BTreeSet<String>);
    let mut found: Vec<(Key, Batch<'j>)> = Vec::new();
    for job in group {
        let after: BTreeSet<&str> = job.after.iter().filter_map(|task| known.get(task)).map(String::as_str).collect();
        let elements = after.iter().filter_map(|name| name.split_once('_'));
        let number = elements.clone().find_map(|(_, number)| number.parse().ok()).unwrap_or(job.instance);
        let arrays: BTreeSet<String> = elements.filter(|(_, of)| of.parse() == Ok(number)).map(|(array, _)| array.to_owned()).collect();
        let is_own = |name: &&str| name.split_once('_').is_some_and(|(array, of)| of.parse() == Ok(number) && arrays.contains(array));
        let rest: BTreeSet<String> = after.iter().filter(|name| !is_own(name)).map(|name| (*name).to_owned()).collect();
        let key = (arrays, rest);
        let fits = |(known, batch): &&mut (Key, Batch<'_>)| *known == key && batch.jobs.iter().all(|(other, _)| *other != number);
        match found.iter_mut().find(fits).filter(|_| number <= MOST) {
            Some((_, batch)) => batch.jobs.push((number, job)),
            None => found.push((key, Batch { jobs: vec![(number, job)], dependency: None })),
        }
    }
    found.into_iter().map(|((arrays, rest), batch)| Batch { dependency: words(&arrays, &rest, &batch), ..batch }).collect()
}

fn words(arrays: &BTreeSet<String>, rest: &BTreeSet<String>, batch: &Batch<'_>) -> Option<String> {
    let all = |word: &str, names: Vec<String>| (!names.is_empty()).then(|| format!("{word}:{}", names.join(":")));
    let rest = rest.iter().cloned();
    match batch.jobs.as_slice() {
        // What is no array names the elements.
        [(number, _)] => all("afterok", arrays.iter().map(|array| format!("{array}_{number}")).chain(rest).collect()),
        _ => {
            let words: Vec<String> =
                [all("aftercorr", arrays.iter().cloned().collect()), all("afterok", rest.collect())].into_iter().flatten().collect();
            (!words.is_empty()).then(|| words.join(","))
        }
    }
}

impl<'j> Batch<'j> {
    pub(super) fn is_array(&self) -> bool {
        self.jobs.len() > 1
    }

    /// What Slurm calls one of its jobs.
    pub(super) fn name(&self, job: u64, number: usize) -> String {
        if self.is_array() { format!("{job}_{number}") } else { job.to_string() }
    }

    /// Its jobs, for each to be one of its own.
    pub(super) fn alone(&self) -> impl Iterator<Item = &'j Job> {
        self.jobs.iter().map(|(_, job)| *job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::of_bytes(text.as_bytes())
    }

    fn job(stage: &str, instance: usize, after: &[&str]) -> Job {
        Job {
            task: digest(&format!("{stage}{instance}")),
            name: String::new(),
            stage: stage.into(),
            instance,
            needs: Needs { ranks: 1, cpus: 1, gpus: 0, memory: None, time: None },
            after: after.iter().map(|text| digest(text)).collect(),
        }
    }

    fn known(names: &[(&str, &str)]) -> BTreeMap<Digest, String> {
        names.iter().map(|(task, name)| (digest(task), (*name).to_owned())).collect()
    }

    /// Numbers, and what they come after.
    fn shape(group: &[&Job], names: &[(&str, &str)]) -> Vec<(Vec<usize>, String)> {
        let batches = batches(group, &known(names));
        batches.iter().map(|b| (b.jobs.iter().map(|(number, _)| *number).collect(), b.dependency.clone().unwrap_or_default())).collect()
    }

    #[test]
    fn seeds_are_an_array_that_comes_after_the_other_element_by_element() {
        // Two seeds share a beginning with two values.
        let mut jobs = vec![job("words", 0, &[])];
        jobs.extend((0..2).map(|seed| job("warm", seed, &["words0"])));
        jobs.extend((0..4).map(|i| job("train", i, &[&format!("warm{}", i % 2)])));
        jobs.push(job("page", 0, &["train0", "train1", "train2", "train3", "warm0"]));
        let groups = groups(&jobs);
        let sizes: Vec<(&str, usize)> = groups.iter().map(|group| (group[0].stage.as_str(), group.len())).collect();
        assert_eq!(sizes, [("words", 1), ("warm", 2), ("train", 4), ("page", 1)]);
        assert_eq!(shape(&groups[0], &[]), [(vec![0], String::new())]);
        assert_eq!(shape(&groups[1], &[("words0", "7")]), [(vec![0, 1], "afterok:7".to_owned())]);
        let warm = [("warm0", "8_0"), ("warm1", "8_1")];
        assert_eq!(shape(&groups[2], &warm), [(vec![0, 1], "aftercorr:8".to_owned()), (vec![0, 1], "aftercorr:8".to_owned())]);
        // One of them was handed over at another time.
        assert_eq!(
            shape(&groups[2][..2], &[("warm0", "8_0"), ("warm1", "9")]),
            [(vec![0], "afterok:8_0".to_owned()), (vec![1], "afterok:9".to_owned())]
        );
        let trains = [("train0", "10_0"), ("train1", "10_1"), ("train2", "11_0"), ("train3", "11_1"), ("warm0", "8_0")];
        assert_eq!(shape(&groups[3], &trains), [(vec![0], "afterok:10_0:11_0:8_0:10_1:11_1".to_owned())]);
    }

    #[test]
    fn numbers_that_an_array_cannot_have() {
        let jobs = [job("next", 2_000, &[]), job("next", 2_001, &[])];
        let groups = groups(&jobs);
        assert_eq!(shape(&groups[0], &[]), [(vec![2_000], String::new()), (vec![2_001], String::new())]);
    }
}
