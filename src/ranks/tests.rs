use super::local::ranks;
use super::*;
use proptest::prelude::*;

/// What every rank makes of the same work.
fn each<R: Send>(ranks: Vec<Ranks>, work: impl Fn(Ranks) -> R + Sync) -> Vec<R> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = ranks.into_iter().map(|rank| scope.spawn(|| work(rank))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn plainly(sum: &mut [f32], more: &[f32]) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// The sum of some parts, each of two lists, dealt to so many ranks; as every rank has it.
fn sums(parts: &[[Vec<f32>; 2]], size: usize) -> Vec<[Vec<f32>; 2]> {
    each(ranks(size, None), |rank| {
        let holders = rank.holders(parts.len());
        let mut own = rank.own(parts.to_vec());
        if own.is_empty() {
            own.push(parts[0].clone().map(|list| vec![f32::NAN; list.len()]));
        }
        let mut lists: Vec<Vec<&mut [f32]>> = own.iter_mut().map(|part| part.iter_mut().map(Vec::as_mut_slice).collect()).collect();
        rank.add_up(&holders, &mut lists, plainly).unwrap();
        own.swap_remove(0)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_sum_has_the_same_bits_however_its_parts_are_dealt(
        parts in prop::collection::vec((prop::collection::vec(-1e6f32..1e6, 7), prop::collection::vec(-1e-3f32..1e-3, 3)), 1..12),
        size in 2usize..7,
    ) {
        let parts: Vec<[Vec<f32>; 2]> = parts.into_iter().map(|(a, b)| [a, b]).collect();
        let mut alone = parts[0].clone();
        for part in &parts[1..] {
            alone.iter_mut().zip(part).for_each(|(sum, more)| plainly(sum, more));
        }
        for found in sums(&parts, size) {
            for (found, alone) in found.iter().flatten().zip(alone.iter().flatten()) {
                prop_assert_eq!(found.to_bits(), alone.to_bits());
            }
        }
    }

    #[test]
    fn every_part_is_one_rank_s(parts in 0usize..100, size in 1usize..20) {
        let dealt: Vec<usize> = (0..size).flat_map(|rank| share(parts, rank, size)).collect();
        prop_assert_eq!(dealt, (0..parts).collect::<Vec<_>>());
    }
}

#[test]
fn a_sum_of_many_pieces() {
    let parts: Vec<[Vec<f32>; 2]> =
        (0..5).map(|part| [(0..600_000).map(|i| (i * (part + 3) % 1009) as f32 * 0.1).collect(), vec![part as f32]]).collect();
    let alone = sums(&parts, 1);
    assert!(sums(&parts, 3).iter().all(|found| *found == alone[0]));
    // Each rank but the last sends it to the next; the last one to all.
    let sent = each(ranks(3, None), |rank| {
        let mut own = vec![0f32; 1000];
        rank.add_up(&[0, 1, 2], &mut [vec![own.as_mut_slice()]], plainly).unwrap();
        rank.sent()
    });
    assert_eq!(sent, [4032, 4032, 4032]);
}

#[test]
fn all_have_what_each_has() {
    let found = each(ranks(3, None), |rank| {
        let own = vec![rank.rank() as u8; rank.rank() * (PIECE / 2 + 1)];
        (rank.gather(own).unwrap(), rank.first_says(rank.is_first()).unwrap(), rank.first_says(!rank.is_first()).unwrap())
    });
    for (all, yes, no) in found {
        assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [0, PIECE / 2 + 1, PIECE + 2]);
        assert!(all.iter().enumerate().all(|(rank, bytes)| bytes.iter().all(|byte| *byte == rank as u8)));
        assert_eq!((yes, no), (true, false));
    }
}

#[test]
fn all_hear_why_one_failed_and_go_on_with_what_is_announced_next() {
    let found = each(ranks(3, None), |rank| {
        let told: Vec<Result<(), RanksError>> = match rank.rank() {
            1 => {
                rank.fail("no room");
                rank.fail("twice is once");
                vec![]
            }
            _ => vec![rank.gather(vec![1]).map(drop), rank.wait()],
        };
        let next = match rank.is_first() {
            true => rank.announce(&7).map(|()| 7),
            false => rank.announced::<i32>(),
        };
        (told, next, rank.wait())
    });
    let failed = || Err(RanksError::Failed { rank: 1, message: "no room".into() });
    assert_eq!(found[0], (vec![failed(), Err(RanksError::Over)], Ok(7), Ok(())));
    assert_eq!(found[1], (vec![], Ok(7), Ok(())));
    assert_eq!(found[2], found[0]);
}

#[test]
fn whoever_does_something_else_is_found() {
    let found = each(ranks(3, None), |rank| if rank.rank() == 2 { rank.gather(vec![]).map(drop) } else { rank.wait() });
    assert!(found.iter().all(|found| *found == Err(RanksError::Apart { rank: 2 })));
    let found = each(ranks(3, None), |rank| (rank.agree("a", &1), rank.agree("b", &rank.rank().min(1))));
    let differs = Err(RanksError::Differs { rank: 1, what: "b".into() });
    assert!(found.iter().all(|found| *found == (Ok(()), differs.clone())), "{found:?}");
}

#[test]
fn whoever_is_gone_is_missed() {
    let found = each(ranks(3, Some((1, 2))), |rank| (0..4).map(|_| rank.wait()).collect::<Vec<_>>());
    for (rank, found) in found.into_iter().enumerate() {
        assert_eq!(found[..2], [Ok(()), Ok(())], "rank {rank}");
        assert!(matches!(found[2], Err(RanksError::Lost { .. })), "rank {rank}: {found:?}");
        assert_eq!(found[3], Err(RanksError::Over));
    }
}

#[test]
fn every_bit_comes_back() {
    let mut pack = Pack::default();
    pack.number(3);
    pack.list(&[f32::NAN, -0.0, 1e-45]);
    pack.list::<u32>(&[]);
    let bytes = pack.bytes();
    let mut unpack = Unpack(&bytes);
    assert_eq!(unpack.number(), Ok(3));
    let bits: Vec<u32> = unpack.list::<f32>().unwrap().iter().map(|x| x.to_bits()).collect();
    assert_eq!(bits, [f32::NAN.to_bits(), (-0.0f32).to_bits(), 1]);
    assert!(unpack.list::<u32>().unwrap().is_empty() && unpack.is_empty());
    assert_eq!(unpack.number(), Err(RanksError::Unreadable));
    assert_eq!(Unpack(&u64::MAX.to_le_bytes()).list::<u64>(), Err(RanksError::Unreadable));
}
