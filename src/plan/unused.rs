use super::build::StageGraph;
use crate::lang::{Diagnostic, Diagnostics};
use crate::spec::PipelineSpec;
use petgraph::graph::NodeIndex;
use std::collections::BTreeSet;

/// `W0401` for each stage whose outputs no stage uses and that is not wanted for itself. A stage that only stands in an `after` is not used.
pub(super) fn warn(graph: &StageGraph, instances: &[PipelineSpec], wanted: &BTreeSet<NodeIndex>) -> Vec<Diagnostic> {
    let used: BTreeSet<(usize, &str)> =
        instances.iter().flat_map(|i| &i.stages).flat_map(|s| &s.inputs).map(|input| (input.pipeline, input.stage.as_str())).collect();
    // One line of text is one matter: the seeds and sweeps of a pipeline, and what other pipelines inherit from it.
    let used_in_some: BTreeSet<_> =
        used.iter().filter_map(|(i, stage)| instances.get(*i)?.stages.iter().find(|s| s.name == *stage)).map(|s| s.span).collect();
    let mut warnings = Diagnostics::default();
    for node in wanted {
        let (i, s) = graph[*node];
        let Some((pipeline, stage)) = instances.get(i).and_then(|p| Some((p, p.stages.get(s)?))) else { continue };
        if stage.stage.is_final() || used_in_some.contains(&stage.span) {
            continue;
        }
        let name = &stage.name;
        let message = format!("nothing uses what stage `{name}` of `{}` gives", pipeline.name);
        let warning = Diagnostic::warning("W0401", stage.span, message);
        let written_here = stage.span.source == pipeline.span.source && pipeline.span.range().contains(&stage.span.range().start);
        let use_it = format!("use it in another stage, show it in a report (`page = report {{ of = [{name}] }}`), or take it out");
        warnings.push(match written_here {
            true => warning.help(use_it),
            false => warning.also(pipeline.span, "inherited here").help(format!("{use_it} (`without stages.{name}`)")),
        });
    }
    warnings.0
}
