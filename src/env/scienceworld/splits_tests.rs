use super::*;
use sha2::{Digest, Sha256};

fn choice(tasks: &[&str], balanced: bool) -> Choice {
    Choice { tasks: tasks.iter().map(|name| (*name).to_owned()).collect(), balanced }
}

fn of_all(split: &str, balanced: bool, count: Option<usize>) -> Panel {
    panel(split, &choice(&[], balanced), "easy", count).expect("a panel")
}

#[test]
fn thirty_tasks_in_alphabetical_order() {
    assert_eq!(kinds().len(), 30);
    assert!(kinds().is_sorted_by(|a, b| a.name < b.name));
    assert_eq!(kinds().iter().map(|kind| kind.variations).sum::<u32>(), 7207);
    for kind in kinds() {
        let [(first, train), (dev_first, dev), (test_first, test)] = kind.sets;
        assert_eq!((first, dev_first, test_first, kind.variations), (0, train + 1, dev + 1, test + 1), "{kind:?}: unbroken and whole");
    }
}

#[test]
fn sizes() {
    let sizes = [3592, 1796, 1819, 3322, 1661, 3322, 1684, 2242, 549];
    for (split, size) in SPLITS.iter().zip(sizes) {
        assert_eq!(pairs(split).map(|pairs| pairs.len()), Some(size), "{split}");
    }
    assert_eq!(pairs("l3_test"), None);
}

/// By the hashes of the lists of the papers' code, a task and a variation a line, and of the table of the simulator's own sets.
#[test]
fn every_pair_is_that_of_the_papers() {
    let sha256 = |text: &str| format!("{:x}", Sha256::digest(text));
    assert_eq!(sha256(include_str!("splits/official.tsv")), "69ca23da33ef3af023fb54ed4f1e53165861b64e9446748bc42bc33c3e64d310");
    for (split, hash) in [
        ("l0_train", "b972522bd5f8f9f7afdd3c874320a9a1cb695ab223ca62030ad750b3132bad68"),
        ("l0_test", "0bb43c354ae2b6fbb9ec22fcd5ca988937f1091f661465d0574378f4d27c60ad"),
        ("l1_train", "b972522bd5f8f9f7afdd3c874320a9a1cb695ab223ca62030ad750b3132bad68"),
        ("l1_test", "ba0df62905dc697c14bce3ecd28b24a593a2ce46153761416fca809ad228e169"),
        ("l2_train", "f32461d9bb279ddac253dea7720b746cbb10a83cfa092a682422e4c74bb58925"),
        ("l2_test", "314c7623535cf10f333087ca25d71bde9dd9b4b5b1fa4eafb3ca24f583040506"),
    ] {
        let rows = pairs(split).expect("a split").iter().map(|(task, variation)| format!("{task}\t{variation}\n")).collect::<String>();
        assert_eq!(sha256(&format!("task_index\tvariation\n{rows}")), hash, "{split}");
    }
}

#[test]
fn a_panel_is_all_of_its_split_once() {
    for split in SPLITS {
        for balanced in [false, true] {
            let panel = of_all(split, balanced, None);
            let mut ids: Vec<String> = panel.tasks.iter().map(|task| task.id.clone()).collect();
            let mut all: Vec<String> =
                pairs(split).expect("a split").iter().map(|(task, variation)| format!("{}/{variation}", kinds()[*task].name)).collect();
            ids.sort_unstable();
            all.sort_unstable();
            assert_eq!(ids, all, "{split}");
        }
    }
}

#[test]
fn the_order_is_fixed() {
    // Panels of published runs are made of this order: it is never to change.
    let ids = |panel: Panel| panel.tasks.iter().map(|task| task.id.clone()).collect::<Vec<_>>().join(" ");
    let uniform = "test-conductivity/333 test-conductivity-of-unknown-substances/122 boil/0 measure-melting-point-known-substance/146";
    assert_eq!(ids(of_all("l0_train", false, Some(4))), uniform);
    let balanced = "test-conductivity-of-unknown-substances/520 measure-melting-point-unknown-substance/248 find-plant/230 inclined-plane-friction-unnamed-surfaces/121";
    assert_eq!(ids(of_all("l2_test", true, Some(4))), balanced);
    assert_eq!(of_all("l2_test", false, None).hash, "54285935204351945ad96a6d9736a22046431fb29b7dcbe9cfe07919099e2baf");
}

#[test]
fn fewer_are_the_first_of_more() {
    for balanced in [false, true] {
        let (ten, all) = (of_all("l1_test", balanced, Some(10)), of_all("l1_test", balanced, None));
        assert_eq!(ten.tasks, all.tasks[..10]);
        assert_ne!(ten.hash, all.hash);
    }
    let some = panel("l1_test", &choice(&["boil", "melt"], false), "easy", None).expect("a panel");
    let kept: Vec<Task> =
        of_all("l1_test", false, None).tasks.into_iter().filter(|task| ["boil", "melt"].contains(&task.family.as_str())).collect();
    assert_eq!(some.tasks, kept);
}

#[test]
fn balanced_takes_turns() {
    let panel = of_all("l0_train", true, Some(29 * 3));
    for kind in &kinds()[..29] {
        assert_eq!(panel.tasks.iter().filter(|task| task.family == kind.name).count(), 3, "{}", kind.name);
    }
    // The smallest has 4 for training: then the others go on.
    assert_eq!(of_all("l0_train", true, Some(29 * 5)).tasks.iter().filter(|task| task.family == "identify-life-stages-2").count(), 4);
}

#[test]
fn the_hash_tells_games_apart() {
    let easy = of_all("dev", false, Some(5)).hash;
    assert_eq!(easy, of_all("dev", false, Some(5)).hash);
    assert_ne!(easy, panel("dev", &Choice::default(), "", Some(5)).expect("a panel").hash);
    assert_ne!(easy, of_all("test", false, Some(5)).hash);
}

#[test]
fn what_does_not_exist() {
    let message =
        |split: &str, tasks: &[&str], count| panel(split, &choice(tasks, false), "easy", count).expect_err("an error").to_string();
    assert_eq!(message("l2_tset", &[], None), "ScienceWorld has no split `l2_tset`; did you mean `l2_test`?");
    assert_eq!(message("train", &["boill"], None), "ScienceWorld has no task `boill`; did you mean `boil`?");
    assert_eq!(message("l0_train", &["use-thermometer"], None), "the split `l0_train` has no game of `use-thermometer`");
    assert_eq!(
        message("l2_test", &[], Some(600)),
        "the split `l2_test` has 549 games of the tasks wanted, not 600; ask for fewer or leave the count out"
    );
}
