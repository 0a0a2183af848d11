//! Budgets of requests and tokens.

use crate::recipe::{place, recipe, runs, same, stops};
use crate::server::{Reply, Server, answer};
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn a_budget_of_requests_is_kept_and_a_higher_one_goes_on_from_there() {
    let calm = place(&Server::well_behaved(), "", "");
    runs(&calm);
    let server = Server::well_behaved();
    let small = place(&server, "requests = 20", "at_once = 5\n");
    let said = stops(&small, "the budget of the endpoint `judge` is used up: 20 requests, ");
    for words in [
        "error[E0501]",
        "far.epo:",
        "`requests` is 20; what was answered is kept: with a higher `requests` the same command goes on from there",
    ] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    assert_eq!(server.bodies().len(), 20);
    // Still: nothing is asked.
    stops(&small, "is used up: 20 requests, ");
    assert_eq!(server.bodies().len(), 20);
    small.write("far.epo", &recipe("requests = 1000"));
    runs(&small);
    let asked: Vec<String> = server.bodies().iter().map(Value::to_string).collect();
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), asked.len());
    same(&calm, &small);
}

#[test]
fn a_budget_of_tokens_ends_with_the_first_request_behind_it() {
    let server = Server::well_behaved();
    let place = place(&server, "tokens = 1000", "at_once = 1\n");
    stops(&place, "`tokens` is 1000; what was answered is kept");
    let used = |bodies: &[Value]| bodies.iter().map(|body| answer(body)["usage"]["total_tokens"].as_u64().unwrap()).sum::<u64>();
    let bodies = server.bodies();
    assert!(used(&bodies) >= 1000 && used(&bodies[..bodies.len() - 1]) < 1000, "{}", used(&bodies));
    place.write("far.epo", &recipe("tokens = 1_000_000"));
    runs(&place);
}

#[test]
fn there_is_no_budget_of_tokens_where_nobody_counts_them() {
    let server = Server::start(|asked| {
        let mut said = answer(asked.path.ends_with("completions").then_some(&asked.body)?);
        said.as_object_mut()?.remove("usage");
        Some(Reply::Json(said))
    });
    stops(&place(&server, "tokens = 1000", ""), "it does not say how many tokens an answer took, so there can be no budget of `tokens`");
    runs(&place(&server, "", ""));
}
