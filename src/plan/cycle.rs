use super::build::StageGraph;
use crate::lang::{Diagnostic, Diagnostics, Span};
use crate::spec::PipelineSpec;
use petgraph::algo::tarjan_scc;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One message for each knot of stages that need one another, along a shortest circle through its first stage.
pub(super) fn diagnose(graph: &StageGraph, instances: &[PipelineSpec]) -> Diagnostics {
    let mut knots: Vec<BTreeSet<NodeIndex>> = tarjan_scc(graph)
        .into_iter()
        .map(|nodes| nodes.into_iter().collect::<BTreeSet<_>>())
        .filter(|nodes| nodes.len() > 1 || nodes.iter().any(|n| graph.contains_edge(*n, *n)))
        .collect();
    knots.sort();
    let mut diagnostics = Diagnostics::default();
    for knot in knots {
        if let Some(diagnostic) = knot.first().and_then(|first| circle(graph, &knot, *first)).and_then(|c| message(graph, instances, &c)) {
            diagnostics.push(diagnostic);
        }
    }
    diagnostics
}

/// The references along a shortest way from `first` through the knot and back, as (used, user, place).
fn circle(graph: &StageGraph, knot: &BTreeSet<NodeIndex>, first: NodeIndex) -> Option<Vec<(NodeIndex, NodeIndex, Span)>> {
    let mut came_by = BTreeMap::new();
    let mut open = VecDeque::from([first]);
    while let Some(node) = open.pop_front() {
        let mut edges: Vec<_> = graph.edges(node).filter(|e| knot.contains(&e.target())).collect();
        edges.sort_by_key(|e| (e.target(), *e.weight()));
        for edge in edges {
            if came_by.contains_key(&edge.target()) {
                continue;
            }
            came_by.insert(edge.target(), (node, *edge.weight()));
            open.push_back(edge.target());
        }
        if came_by.contains_key(&first) {
            break;
        }
    }
    let mut steps = Vec::new();
    let mut user = first;
    loop {
        let (used, span) = *came_by.get(&user)?;
        steps.push((used, user, span));
        user = used;
        if user == first {
            return Some(steps);
        }
    }
}

fn message(graph: &StageGraph, instances: &[PipelineSpec], steps: &[(NodeIndex, NodeIndex, Span)]) -> Option<Diagnostic> {
    let name = |node: NodeIndex| {
        let (i, s) = graph[node];
        instances.get(i).and_then(|p| Some(format!("`{}.{}`", p.name, p.stages.get(s)?.name))).unwrap_or_default()
    };
    let (_, first, span) = *steps.first()?;
    let says = |used, user| format!("{} needs {}", name(user), name(used));
    let mut diagnostic = match steps {
        [_] => Diagnostic::error("E0401", span, format!("stage {} needs itself", name(first))),
        _ => {
            let chain: Vec<String> = std::iter::once(name(first)).chain(steps.iter().map(|(used, _, _)| name(*used))).collect();
            Diagnostic::error("E0401", span, format!("stages need one another in a circle: {}", chain.join(" needs ")))
        }
    };
    for (i, (used, user, span)) in steps.iter().enumerate() {
        diagnostic = if i == 0 { diagnostic.saying(says(*used, *user)) } else { diagnostic.also(*span, says(*used, *user)) };
    }
    Some(diagnostic.help("one of these references must go, or point to a stage that comes earlier"))
}
