//! The goal of a game, from its sentence.

/// What makes an object clean, hot or cool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    Clean,
    Heat,
    Cool,
}

impl Treatment {
    /// As commands and answers say it.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Heat => "heat",
            Self::Cool => "cool",
        }
    }

    /// The kind of receptacle that does it.
    pub(super) fn tool(self) -> &'static str {
        match self {
            Self::Clean => "sinkbasin",
            Self::Heat => "microwave",
            Self::Cool => "fridge",
        }
    }

    /// What undoes it.
    pub(super) fn undone_by(self) -> Option<Treatment> {
        match self {
            Self::Clean => None,
            Self::Heat => Some(Self::Cool),
            Self::Cool => Some(Self::Heat),
        }
    }
}

/// What is to be done with the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Hold it where a lamp of this kind was lit.
    Light(String),
    /// Bring one, after a treatment where there is one, to a receptacle of this kind.
    Bring(Option<Treatment>, String),
    /// Bring two to the same receptacle of this kind.
    BringTwo(String),
}

/// Of a game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Goal {
    /// The kind of the object: `mug`.
    pub object: String,
    pub wish: Wish,
}

impl Goal {
    /// Of the object, before it is brought.
    pub(super) fn treatment(&self) -> Option<Treatment> {
        match &self.wish {
            Wish::Bring(treatment, _) => *treatment,
            _ => None,
        }
    }

    /// Reads the goal sentence of an official game; `None` for any other.
    pub(super) fn parse(sentence: &str) -> Option<Goal> {
        let words: Vec<&str> = sentence.trim().trim_end_matches('.').split_whitespace().collect();
        let goal = |object: &str, wish: Wish| Some(Goal { object: object.to_string(), wish });
        let bring = |object, treatment, place: &str| goal(object, Wish::Bring(treatment, place.to_string()));
        match words.as_slice() {
            ["look", "at", object, "under", "the", lamp] | ["examine", "the", object, "with", "the", lamp] => {
                goal(object, Wish::Light((*lamp).to_string()))
            }
            ["put", "two", object, "in", place] | ["find", "two", object, "and", "put", "them", "in", place] => {
                goal(object, Wish::BringTwo((*place).to_string()))
            }
            ["put", "a", "clean", object, "in", place] | ["clean", "some", object, "and", "put", "it", "in", place] => {
                bring(object, Some(Treatment::Clean), place)
            }
            ["put", "a", "hot", object, "in", place] | ["heat", "some", object, "and", "put", "it", "in", place] => {
                bring(object, Some(Treatment::Heat), place)
            }
            ["put", "a", "cool", object, "in", place] | ["cool", "some", object, "and", "put", "it", "in", place] => {
                bring(object, Some(Treatment::Cool), place)
            }
            ["put", "a", object, "in", place] | ["put", "some", object, "on", place] => bring(object, None, place),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_of_the_six_types() {
        let bring = |treatment| Wish::Bring(treatment, "shelf".to_string());
        for (sentence, wish) in [
            ("look at mug under the desklamp.", Wish::Light("desklamp".into())),
            ("examine the mug with the floorlamp.", Wish::Light("floorlamp".into())),
            ("put a mug in shelf.", bring(None)),
            ("put some mug on shelf.", bring(None)),
            ("clean some mug and put it in shelf.", bring(Some(Treatment::Clean))),
            ("put a clean mug in shelf.", bring(Some(Treatment::Clean))),
            ("heat some mug and put it in shelf.", bring(Some(Treatment::Heat))),
            ("put a hot mug in shelf.", bring(Some(Treatment::Heat))),
            ("cool some mug and put it in shelf.", bring(Some(Treatment::Cool))),
            ("put a cool mug in shelf.", bring(Some(Treatment::Cool))),
            ("find two mug and put them in shelf.", Wish::BringTwo("shelf".into())),
            ("put two mug in shelf.", Wish::BringTwo("shelf".into())),
        ] {
            assert_eq!(Goal::parse(sentence), Some(Goal { object: "mug".into(), wish }), "{sentence}");
        }
        for other in ["", "put mug.", "put a sliced hot mug in shelf.", "look at mug"] {
            assert_eq!(Goal::parse(other), None, "{other}");
        }
    }
}
