//! What was done: `runs`, `report`, `diff` with a run; and the text a run leaves.

use crate::support::{Place, SMALL};

#[test]
fn a_run_and_what_is_left_of_it() {
    let place = Place::new(&[("small.epo", SMALL)]);
    place.epo(&["runs"]).is(0, "", "there are no runs in runs\n");
    place.epo(&["runs", "--json"]).answers("[]\n");
    place.epo(&["report", "small"]).refuses("error: there are no runs in `runs`\n");

    let run = place.epo(&["small.epo", "--quiet", "--device", "cpu"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let list: serde_json::Value = serde_json::from_str(&place.epo(&["runs", "--json"]).out).expect("JSON");
    let id = list[0]["id"].as_str().expect("an id").to_string();
    let line = place.epo(&["runs"]);
    let words: Vec<&str> = line.out.split_whitespace().collect();
    assert!(line.code == 0 && words.starts_with(&[&id, "finished", "3/3", "tasks"]), "{line:?}");

    // the report again, in the same words as at the end of the run
    let report = place.epo(&["report", "small"]);
    assert_eq!((report.code, report.err.as_str(), report.out.as_str()), (0, "", run.out.as_str()));
    assert!(report.out.contains(&format!("runs/{id}/report.html")) && report.out.contains("expert"), "{}", report.out);

    let table = place.epo(&["report", "small", "--markdown"]);
    assert!(table.code == 0 && table.out.starts_with("|  | seen |\n|---|---|\n| random | "), "{table:?}");
    assert!(table.out.contains("| expert | 0.0 % [0.0, 56.1] (0/3) |"), "{table:?}");

    // another title: the page is made again, with it
    place.write("small.epo", &SMALL.replace("\"Small\"", "\"Little\""));
    let plan = place.epo(&["plan", "small.epo"]);
    assert!(plan.out.contains("3 tasks, 2 up to date, 1 to run"), "{plan:?}");
    let again = place.epo(&["small.epo", "--quiet"]);
    let page = again.out.lines().next().expect("a page");
    assert!(again.code == 0 && place.read(page).contains("Little"), "{again:?}");
    place.write("small.epo", SMALL);
    assert_eq!(place.epo(&["runs", "rm", page.trim_start_matches("runs/").trim_end_matches("/report.html")]).code, 0);

    // the resolved text runs alone, and has nothing left to do
    let resolved = format!("runs/{id}/resolved.epo");
    assert!(!place.read(&resolved).contains("import"));
    place.epo(&["check", &resolved, "--deny-warnings"]).answers(&format!("{resolved}: no mistakes\n"));
    let plan = place.epo(&["plan", &resolved]);
    assert!(plan.out.contains("3 tasks, everything is up to date"), "{plan:?}");
    place.epo(&["diff", &id, "small.epo:small"]).answers("no differences\n");

    place.epo(&["runs", "rm", "nothing"]).refuses("error: no run is called `nothing`; `epo-run runs` lists them\n");
    let removed = place.epo(&["runs", "rm", &id]);
    assert!(removed.code == 0 && removed.out.starts_with(&format!("removed {id}: 3 tasks, ")), "{removed:?}");
    place.epo(&["runs"]).is(0, "", "there are no runs in runs\n");
}

#[test]
fn a_run_without_a_report() {
    let text = SMALL.replace(
        "page   = report { of = [chance, oracle] }",
        "other = evaluate { actor = random, on = house.seen, after = [chance, oracle] }",
    );
    let place = Place::new(&[("small.epo", &text)]);
    let run = place.epo(&["small.epo", "--quiet"]);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    let said = place.epo(&["report", "small"]);
    assert!(said.code == 1 && said.err.ends_with("has no report: its pipelines have no `report` stage\n"), "{said:?}");
}

/// Two processes of a program that cannot be ranks would do the same work twice.
#[test]
#[cfg(not(feature = "mpi"))]
fn one_of_several_ranks_in_a_binary_without_them() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let rank = |rank: &str| {
        let launched = [("OMPI_COMM_WORLD_RANK", rank), ("OMPI_COMM_WORLD_SIZE", "2")];
        place.epo_with(&["small.epo", "--quiet"], "", &launched)
    };
    let words = "error: started as one of 2 ranks, but this binary was built without them (cargo build --features mpi)\n";
    rank("0").is(1, "", words);
    rank("1").is(1, "", &format!("rank 1: {words}"));
    assert!(!place.path("runs").exists());
    // A launcher of one process is none.
    let alone = place.epo_with(&["small.epo", "--quiet"], "", &[("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")]);
    assert_eq!(alone.code, 0, "{}", alone.err);
}
