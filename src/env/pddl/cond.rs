//! Conditions over numbered facts, and the state they are asked of.

/// A fact and whether it must hold: fact · 2 + (1 if it must hold).
pub(crate) type Literal = u32;

pub(crate) fn literal(fact: u32, positive: bool) -> Literal {
    fact << 1 | u32::from(positive)
}

/// Whether a literal holds in a set of facts.
#[inline]
pub(crate) fn holds(bits: &[u64], literal: Literal) -> bool {
    let fact = literal >> 1;
    let word = bits.get((fact >> 6) as usize).copied().unwrap_or(0);
    (word >> (fact & 63) & 1) as u32 == literal & 1
}

/// Makes a literal hold.
#[inline]
pub(crate) fn make(bits: &mut [u64], literal: Literal) {
    let fact = literal >> 1;
    if let Some(word) = bits.get_mut((fact >> 6) as usize) {
        let bit = 1u64 << (fact & 63);
        if literal & 1 == 1 {
            *word |= bit;
        } else {
            *word &= !bit;
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cond {
    Is(Literal),
    All(Box<[Cond]>),
    Any(Box<[Cond]>),
}

impl Cond {
    pub(crate) fn always() -> Cond {
        Cond::All(Box::default())
    }

    pub(crate) fn never() -> Cond {
        Cond::Any(Box::default())
    }

    pub(crate) fn is_always(&self) -> bool {
        matches!(self, Cond::All(parts) if parts.is_empty())
    }

    pub(crate) fn is_never(&self) -> bool {
        matches!(self, Cond::Any(parts) if parts.is_empty())
    }

    pub(crate) fn all(parts: Vec<Cond>) -> Cond {
        if parts.iter().any(Cond::is_never) {
            return Cond::never();
        }
        let mut parts: Vec<Cond> = parts.into_iter().filter(|part| !part.is_always()).collect();
        match parts.len() {
            1 => parts.remove(0),
            _ => Cond::All(parts.into()),
        }
    }

    pub(crate) fn any(parts: Vec<Cond>) -> Cond {
        if parts.iter().any(Cond::is_always) {
            return Cond::always();
        }
        let mut parts: Vec<Cond> = parts.into_iter().filter(|part| !part.is_never()).collect();
        match parts.len() {
            1 => parts.remove(0),
            _ => Cond::Any(parts.into()),
        }
    }

    pub(crate) fn holds(&self, bits: &[u64]) -> bool {
        match self {
            Cond::Is(literal) => holds(bits, *literal),
            Cond::All(parts) => parts.iter().all(|part| part.holds(bits)),
            Cond::Any(parts) => parts.iter().any(|part| part.holds(bits)),
        }
    }

    /// The single facts that a conjunction asks for; `None` for anything else.
    pub(crate) fn conjunction(&self) -> Option<Vec<Literal>> {
        match self {
            Cond::Is(literal) => Some(vec![*literal]),
            Cond::All(parts) => parts.iter().map(|part| if let Cond::Is(l) = part { Some(*l) } else { None }).collect(),
            Cond::Any(_) => None,
        }
    }
}
