//! What is drawn, before it is drawn: panels of lines and bands over a common axis of iterations.

pub(super) use super::scale::Format;

/// One figure: panels above each other that share their horizontal axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figure {
    pub title: String,
    /// One sentence for people who do not see the figure; the ends of every line are added to it.
    pub description: String,
    /// The horizontal axis: `iteration`.
    pub horizontal: String,
    pub panels: Vec<Panel>,
    /// Whether the names of lines and bands are written into the drawing.
    pub legend: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Panel {
    /// Height of the plotting area, in the drawing's units (360 wide).
    pub height: f64,
    /// What the vertical axis counts: `%`, `nats`; empty for none.
    pub unit: String,
    pub format: Format,
    /// The axis covers at least this range.
    pub range: Option<(f64, f64)>,
    pub bands: Vec<Band>,
    pub lines: Vec<Line>,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stroke {
    /// One seed among several.
    Thin,
    /// A mean over seeds, or the only seed there is.
    Thick,
    /// A level to compare with, dashed.
    Reference,
}

/// Points in increasing x. A y that cannot be drawn (NaN, infinite) breaks the line and is marked at the lower edge.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub name: String,
    /// Index into the palette.
    pub color: usize,
    pub stroke: Stroke,
    pub points: Vec<(f64, f64)>,
}

/// The area between two curves: (x, lower, upper).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Band {
    pub name: String,
    pub color: usize,
    pub points: Vec<(f64, f64, f64)>,
}
