//! Episodes that several ranks play.

use super::deal::{Assignment, Rollout, RolloutError};
use super::episode::{Episode, Sample};
use crate::model::{Row, Target};
use crate::ranks::{Pack, Ranks, RanksError, Unpack};
use std::sync::Arc;

impl Rollout<'_> {
    /// As [`Rollout::play`], each rank a part of the assignments; every rank gets all episodes, in the order of the assignments. On the CPU nothing that an episode is made
    /// of depends on who plays it.
    ///
    /// # Errors
    /// As [`Rollout::play`], and if another rank fails.
    pub(crate) fn play_among(&self, ranks: &Ranks, assignments: &[Assignment]) -> Result<Vec<Episode>, RolloutError> {
        let size = ranks.size();
        if size == 1 {
            return self.play(assignments);
        }
        // Neighbours are of one task, and take about as long.
        let own: Vec<Assignment> = assignments.iter().skip(ranks.rank()).step_by(size).cloned().collect();
        let mut pack = Pack::default();
        let own = if own.is_empty() { Vec::new() } else { self.play(&own)? };
        for episode in own {
            put(&mut pack, &episode)?;
        }
        let mut played: Vec<std::vec::IntoIter<Episode>> = Vec::with_capacity(size);
        for bytes in ranks.gather(pack.bytes())? {
            let (mut unpack, mut episodes) = (Unpack(&bytes), Vec::new());
            while !unpack.is_empty() {
                episodes.push(take(&mut unpack)?);
            }
            played.push(episodes.into_iter());
        }
        let all = (0..assignments.len()).map(|i| played.get_mut(i % size).and_then(Iterator::next));
        Ok(all.collect::<Option<Vec<_>>>().ok_or(RanksError::Unreadable)?)
    }
}

/// The episode as files have it, and what the policy did in it.
fn put(pack: &mut Pack, episode: &Episode) -> Result<(), RanksError> {
    pack.list(&serde_json::to_vec(episode).map_err(|_| RanksError::Unreadable)?);
    for turn in &episode.turns {
        let Some(Sample { row, logp, entropy }) = &turn.sample else {
            pack.number(0);
            continue;
        };
        pack.number(1);
        pack.list(&row.ids);
        pack.list(logp);
        pack.list(entropy);
        pack.number(row.targets.len());
        for Target { position, token, allowed } in &row.targets {
            pack.number(*position);
            pack.list(&[*token]);
            // One that allows nothing is none.
            pack.list(allowed.as_deref().unwrap_or_default());
        }
    }
    Ok(())
}

fn take(unpack: &mut Unpack<'_>) -> Result<Episode, RanksError> {
    let mut episode: Episode = serde_json::from_slice(&unpack.list::<u8>()?).map_err(|_| RanksError::Unreadable)?;
    for turn in &mut episode.turns {
        if unpack.number()? == 0 {
            continue;
        }
        let (ids, logp, entropy) = (unpack.list()?, unpack.list()?, unpack.list()?);
        let mut targets = Vec::new();
        for _ in 0..unpack.number()? {
            let position = unpack.number()?;
            let token = *unpack.list::<u32>()?.first().ok_or(RanksError::Unreadable)?;
            let allowed = Some(unpack.list::<u32>()?).filter(|allowed| !allowed.is_empty()).map(Arc::from);
            targets.push(Target { position, token, allowed });
        }
        turn.sample = Some(Sample { row: Row { ids, targets }, logp, entropy });
    }
    Ok(episode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::local;
    use crate::rollout::fake::{choose, decoder, house, play, play_among, sample};

    /// Everything of an episode, to the bit.
    fn text(episodes: &[Episode]) -> Vec<String> {
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let sample = |sample: &Sample| format!("{:?} {:?} {:?}", sample.row, bits(&sample.logp), bits(&sample.entropy));
        let samples = |episode: &Episode| episode.turns.iter().map(|turn| turn.sample.as_ref().map(sample)).collect::<Vec<_>>();
        episodes.iter().map(|episode| format!("{} {:?}", serde_json::to_string(episode).unwrap(), samples(episode))).collect()
    }

    #[test]
    fn it_does_not_matter_who_plays() {
        let house = house(r#"windowed { then = "{history}{observation}\n>" }"#);
        for decode in [choose(), sample(6)] {
            let policy = decoder(decode, 2000);
            let alone = text(&play(&house, &policy, 5).unwrap());
            assert!(alone[0].contains("Row"), "{}", alone[0]);
            for size in [2, 3, 7] {
                let found = std::thread::scope(|scope| {
                    let play = |ranks| scope.spawn(|| text(&play_among(&{ ranks }, &house, &policy, 5).unwrap()));
                    let playing: Vec<_> = local::ranks(size, None).into_iter().map(play).collect();
                    playing.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
                });
                assert!(found.iter().all(|found| *found == alone), "{size} ranks");
            }
        }
    }

    #[test]
    fn every_bit_comes_back() {
        let house = house(r#"windowed { then = "{observation}\n>" }"#);
        let mut played = play(&house, &decoder(choose(), 2000), 2).unwrap();
        played[0].score = 0.1 + 0.2;
        let target = |position, allowed: Option<&[u32]>| Target { position, token: 7, allowed: allowed.map(Arc::from) };
        let row = Row { ids: vec![1, 2, 7], targets: vec![target(1, None), target(2, Some(&[3, 7]))] };
        played[0].turns[0].sample = Some(Sample { row, logp: vec![-0.1, f32::NAN], entropy: vec![f32::MIN_POSITIVE, -0.0] });
        played[1].turns[0].sample = None;
        let mut pack = Pack::default();
        played.iter().for_each(|episode| put(&mut pack, episode).unwrap());
        let bytes = pack.bytes();
        let mut unpack = Unpack(&bytes);
        let back = [take(&mut unpack).unwrap(), take(&mut unpack).unwrap()];
        assert!(unpack.is_empty());
        assert_eq!(text(&back), text(&played));
        assert!(take(&mut Unpack(&bytes[..bytes.len() / 3])).is_err());
    }
}
