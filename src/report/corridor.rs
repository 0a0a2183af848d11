//! The entropy of one pipeline in its corridor: the band `κ_l·H̄_W` … `κ_r·H̄_W`, the reference `H̄_W` (mean of all earlier iterations) and, below, the
//! phase weight β (arXiv:2509.22576v2, eq. 3–5).

use super::chart::{Band, Figure, Format, Line, Panel, Stroke};
use super::curve::Group;

const PHASE: &str = "phase weight β";

/// `None` where the group has neither bounds nor a reference. With several groups the title names its own.
pub(super) fn figure(group: &Group, several: bool) -> Option<(String, Figure)> {
    let (low, high, reference) = (group.mean("entropy.low"), group.mean("entropy.high"), group.mean("entropy.reference"));
    if low.is_empty() && high.is_empty() && reference.is_empty() {
        return None;
    }
    let mut lines = group.lines("entropy");
    for line in lines.iter_mut().filter(|l| l.stroke == Stroke::Thick) {
        line.name = "entropy".into();
    }
    if !reference.is_empty() {
        lines.push(Line { name: "reference".into(), color: group.color, stroke: Stroke::Reference, points: reference });
    }
    let band = band(&low, &high);
    let mut bands = Vec::new();
    if band.is_empty() {
        // Half a corridor is a line.
        for (name, points) in [("lower bound", low), ("upper bound", high)] {
            if !points.is_empty() {
                lines.push(Line { name: name.into(), color: group.color, stroke: Stroke::Reference, points });
            }
        }
    } else {
        bands.push(Band { name: "corridor".into(), color: group.color, points: band });
    }
    let mut panels = vec![Panel { height: 150.0, unit: "nats".into(), format: Format::Plain, range: Some((0.0, 0.0)), bands, lines }];
    let phase = group.lines("phase");
    let weighted = !phase.is_empty();
    if weighted {
        let lines = phase.into_iter().map(|l| Line { name: if l.stroke == Stroke::Thin { l.name } else { PHASE.into() }, ..l }).collect();
        panels.push(Panel { height: 44.0, unit: PHASE.into(), lines, ..Panel::default() });
    }
    let title = if several { format!("Entropy in its corridor: {}", group.name) } else { "Entropy in its corridor".to_string() };
    let note = "Entropy, mean over tokens; dashed: its mean over all earlier iterations; shaded: the corridor around that mean.";
    let note = if weighted { format!("{note} Below: how strongly leaving it counts.") } else { note.to_string() };
    let figure = Figure { title, description: note.clone(), horizontal: "iteration".into(), panels, legend: true };
    Some((note, figure))
}

/// Both bounds where both are known.
fn band(low: &[(f64, f64)], high: &[(f64, f64)]) -> Vec<(f64, f64, f64)> {
    let mut upper = high.iter().peekable();
    let mut band = Vec::new();
    for (x, lower) in low {
        while upper.next_if(|(at, _)| at < x).is_some() {}
        if let Some((_, above)) = upper.next_if(|(at, _)| at == x) {
            band.push((*x, *lower, *above));
        }
    }
    band
}
