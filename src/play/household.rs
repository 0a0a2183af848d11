//! `household { … }`: the embedded environment.

use super::environment::WorldKind;
use crate::env::household::{Config, Family, Household as House, Room, SPLITS};
use crate::env::{EnvError, Machine, World};
use crate::kind;
use crate::kind::{Count, Field, Fraction, Identity, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::{Component, Value};
use std::sync::Arc;

/// A bare word of the house's own lists.
macro_rules! listed {
    ($name:ident, $inner:ty) => {
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name(pub $inner);

        impl Identity for $name {
            fn identity(&self) -> serde_json::Value {
                self.0.word().into()
            }
        }

        impl Field for $name {
            fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
                let words: Vec<&'static str> = <$inner>::ALL.iter().map(|x| x.word()).collect();
                let word = reader.word(value, &words)?;
                <$inner>::ALL.iter().find(|x| x.word() == word).copied().map(Self)
            }

            fn expects() -> String {
                let words: Vec<String> = <$inner>::ALL.iter().map(|x| format!("`{}`", x.word())).collect();
                format!("one of {}", words.join(", "))
            }

            fn shown(&self) -> Option<String> {
                Some(self.0.word().into())
            }
        }
    };
}

listed!(FamilyWord, Family);
listed!(RoomWord, Room);

kind! {
    /// Text rooms generated from a seed: find an object, do to it what the goal asks, bring it where the goal says. One reward, at the end.
    ///
    /// Splits: `train`; `seen` (other houses, goals that training has); `unseen` (goals whose combination of object, receptacle and room no
    /// task of `train` has). The fields of every environment belong to it too (`epo-run kinds household`).
    ///
    /// ```epo
    /// prompt look = """
    /// {task}
    /// {history}{observation}
    /// """
    /// house = household {
    ///   receptacles = 6, objects = 5, families = [put, clean, look]
    ///   prompt = windowed { then = look, history = 2 }
    ///   train  = games { split = "train" }
    ///   seen   = games { split = "seen", count = 100 }
    ///   unseen = games { split = "unseen", count = 100 }
    /// }
    /// ```
    pub(crate) struct Household as "household" with own identity {
        /// Rooms of a house, each of another kind: 1 to 5.
        rooms: Count [default Count(Config::default().rooms)],
        /// The kinds of rooms that occur.
        kinds: Vec<RoomWord> [default Config::default().kinds.into_iter().map(RoomWord).collect()],
        /// Receptacles of a house: from 4 a room (at least 5) to 10 a room.
        receptacles: Count [default Count(Config::default().receptacles)],
        /// The share of receptacles that must be opened before one sees into them.
        openable: Fraction [default Fraction(Config::default().openable)],
        /// Objects of a house.
        objects: Count [default Count(Config::default().objects)],
        /// The families of goals; tasks take turns through this list.
        families: Vec<FamilyWord> [default Config::default().families.into_iter().map(FamilyWord).collect()],
        /// The seed of the world: another one gives other games in every split.
        world_seed: u64 [default Config::default().seed],
    }
}

impl Household {
    fn config(&self) -> Config {
        Config {
            rooms: self.rooms.0,
            kinds: self.kinds.iter().map(|k| k.0).collect(),
            receptacles: self.receptacles.0,
            openable: self.openable.0,
            objects: self.objects.0,
            families: self.families.iter().map(|f| f.0).collect(),
            seed: self.world_seed,
        }
    }
}

pub(super) fn read(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn WorldKind>> {
    let read = Household::read_fields(component, reader)?;
    if let Err(error) = House::new(read.config()) {
        let place = component.fields.get(error.field).map_or(component.kind_span, |f| f.value.span);
        reader.report(Diagnostic::error("E0202", place, error.to_string()));
        return None;
    }
    Some(Arc::new(read))
}

/// What a pipeline calls `world_seed`, among seeds of other things, is the generator's `seed`.
impl Identity for Household {
    fn identity(&self) -> serde_json::Value {
        let Self { rooms, kinds, receptacles, openable, objects, families, world_seed } = self;
        serde_json::json!({
            "rooms": rooms.identity(),
            "kinds": kinds.identity(),
            "receptacles": receptacles.identity(),
            "openable": openable.identity(),
            "objects": objects.identity(),
            "families": families.identity(),
            "seed": world_seed.identity(),
        })
    }
}

impl WorldKind for Household {
    fn open(&self, _: &Machine) -> Result<Arc<dyn World>, EnvError> {
        let house = House::new(self.config()).map_err(|e| EnvError::Task(e.to_string()))?;
        Ok(Arc::new(house))
    }

    fn splits(&self) -> Option<Vec<&str>> {
        Some(SPLITS.to_vec())
    }

    fn most_games(&self, split: &str, drawn: bool) -> Option<usize> {
        House::most(split, drawn)
    }
}
