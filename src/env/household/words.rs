//! What there is in a house: rooms, receptacles, objects, and which goes where. All lists are alphabetical, so that the order of an enum
//! is the order of its words and of everything that is listed to the player.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $(#[doc = concat!("`", $word, "`")] $variant),* }

        impl $name {
            /// In the order of the words.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// As the player reads and writes it.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What a goal asks for. The word is also the family in tables and in `env::Task`.
    Family {
        Clean = "clean",
        Cool = "cool",
        Heat = "heat",
        Look = "look",
        Put = "put",
        Two = "two",
    }
}

words! {
    /// The kinds of rooms; a house has at most one of each.
    Room {
        Bathroom = "bathroom",
        Bedroom = "bedroom",
        Kitchen = "kitchen",
        Lounge = "lounge",
        Study = "study",
    }
}

words! {
    /// The classes of receptacles (places to go to). Lamps are among them although nothing can be put there.
    Receptacle {
        Armchair = "armchair",
        Bathtub = "bathtub",
        Bed = "bed",
        Bookcase = "bookcase",
        Cabinet = "cabinet",
        Chest = "chest",
        Counter = "counter",
        Desk = "desk",
        Desklamp = "desklamp",
        Drawer = "drawer",
        Dresser = "dresser",
        Floorlamp = "floorlamp",
        Fridge = "fridge",
        Hamper = "hamper",
        Microwave = "microwave",
        Nightstand = "nightstand",
        Rack = "rack",
        Safe = "safe",
        Shelf = "shelf",
        Sink = "sink",
        Sofa = "sofa",
        Stove = "stove",
        Table = "table",
        Wardrobe = "wardrobe",
    }
}

words! {
    /// The classes of objects.
    Object {
        Apple = "apple",
        Book = "book",
        Bowl = "bowl",
        Bread = "bread",
        Candle = "candle",
        Card = "card",
        Clock = "clock",
        Cloth = "cloth",
        Comb = "comb",
        Cup = "cup",
        Egg = "egg",
        Fork = "fork",
        Glass = "glass",
        Hat = "hat",
        Kettle = "kettle",
        Key = "key",
        Knife = "knife",
        Laptop = "laptop",
        Letter = "letter",
        Lettuce = "lettuce",
        Mug = "mug",
        Pan = "pan",
        Pen = "pen",
        Pencil = "pencil",
        Phone = "phone",
        Pillow = "pillow",
        Plate = "plate",
        Pot = "pot",
        Potato = "potato",
        Remote = "remote",
        Soap = "soap",
        Sponge = "sponge",
        Spoon = "spoon",
        Tomato = "tomato",
        Towel = "towel",
        Vase = "vase",
        Watch = "watch",
    }
}

impl Family {
    /// Where the object is made clean, hot or cold, when the goal asks for it.
    pub(super) fn tool(self) -> Option<Receptacle> {
        match self {
            Family::Clean => Some(Receptacle::Sink),
            Family::Cool => Some(Receptacle::Fridge),
            Family::Heat => Some(Receptacle::Microwave),
            Family::Look | Family::Put | Family::Two => None,
        }
    }

    /// Whether the goal can be asked of this class of objects.
    pub(super) fn suits(self, object: Object) -> bool {
        match self {
            Family::Clean => object.cleanable(),
            Family::Cool => object.coolable(),
            Family::Heat => object.heatable(),
            Family::Look | Family::Put | Family::Two => true,
        }
    }
}

impl Room {
    /// What may stand in the room, and how many of each at most.
    pub(super) fn furniture(self) -> &'static [(Receptacle, usize)] {
        use Receptacle::*;
        match self {
            Room::Bathroom => &[(Bathtub, 1), (Cabinet, 4), (Counter, 3), (Drawer, 4), (Hamper, 1), (Rack, 2), (Shelf, 3), (Sink, 1)],
            Room::Bedroom => &[
                (Bed, 1),
                (Chest, 2),
                (Desk, 2),
                (Desklamp, 1),
                (Drawer, 4),
                (Dresser, 1),
                (Nightstand, 2),
                (Safe, 1),
                (Shelf, 3),
                (Wardrobe, 2),
            ],
            Room::Kitchen => {
                &[(Cabinet, 4), (Counter, 3), (Drawer, 4), (Fridge, 1), (Microwave, 1), (Shelf, 3), (Sink, 1), (Stove, 1), (Table, 2)]
            }
            Room::Lounge => &[(Armchair, 2), (Bookcase, 2), (Cabinet, 4), (Chest, 2), (Floorlamp, 1), (Safe, 1), (Sofa, 2), (Table, 2)],
            Room::Study => &[(Armchair, 1), (Bookcase, 2), (Desk, 2), (Desklamp, 1), (Drawer, 4), (Floorlamp, 1), (Safe, 1), (Shelf, 3)],
        }
    }

    pub(super) fn has(self, receptacle: Receptacle) -> bool {
        self.furniture().iter().any(|(r, _)| *r == receptacle)
    }
}

impl Receptacle {
    /// It has a door or a lid, and is closed when the game begins.
    pub(super) fn openable(self) -> bool {
        use Receptacle::*;
        matches!(self, Cabinet | Chest | Drawer | Fridge | Hamper | Microwave | Safe | Wardrobe)
    }

    pub(super) fn lamp(self) -> bool {
        matches!(self, Receptacle::Desklamp | Receptacle::Floorlamp)
    }
}

impl Object {
    /// The classes of receptacles that can hold it: where it may lie, and where it can be put.
    pub(super) fn homes(self) -> &'static [Receptacle] {
        use Receptacle::*;
        match self {
            Object::Apple | Object::Bread | Object::Egg | Object::Lettuce | Object::Potato | Object::Tomato => {
                &[Counter, Fridge, Microwave, Shelf, Sink, Table]
            }
            Object::Bowl | Object::Cup | Object::Mug | Object::Plate => {
                &[Cabinet, Counter, Desk, Dresser, Fridge, Microwave, Nightstand, Shelf, Sink, Table]
            }
            Object::Glass => &[Cabinet, Counter, Desk, Fridge, Nightstand, Shelf, Sink, Table],
            Object::Pan | Object::Pot => &[Cabinet, Counter, Fridge, Shelf, Sink, Stove, Table],
            Object::Kettle => &[Cabinet, Counter, Shelf, Sink, Stove, Table],
            Object::Fork | Object::Knife | Object::Spoon => &[Cabinet, Counter, Drawer, Sink, Table],
            Object::Cloth => &[Bathtub, Cabinet, Counter, Drawer, Hamper, Rack, Shelf, Sink],
            Object::Soap | Object::Sponge => &[Bathtub, Cabinet, Counter, Drawer, Rack, Shelf, Sink],
            Object::Towel => &[Bathtub, Bed, Cabinet, Chest, Hamper, Rack, Shelf],
            Object::Comb => &[Cabinet, Counter, Drawer, Dresser, Nightstand, Rack, Shelf],
            Object::Candle => &[Bathtub, Bookcase, Cabinet, Counter, Desk, Drawer, Dresser, Nightstand, Shelf, Table],
            Object::Hat => &[Armchair, Bed, Chest, Dresser, Rack, Sofa, Wardrobe],
            Object::Pillow => &[Armchair, Bed, Chest, Sofa, Wardrobe],
            Object::Book => &[Armchair, Bed, Bookcase, Chest, Desk, Drawer, Dresser, Nightstand, Shelf, Sofa, Table],
            Object::Letter => &[Bed, Bookcase, Chest, Desk, Drawer, Dresser, Safe, Sofa, Table],
            Object::Pen | Object::Pencil => &[Bookcase, Counter, Desk, Drawer, Dresser, Nightstand, Shelf, Table],
            Object::Laptop => &[Armchair, Bed, Desk, Dresser, Safe, Sofa, Table],
            Object::Phone => &[Armchair, Bed, Counter, Desk, Drawer, Dresser, Nightstand, Safe, Shelf, Sofa, Table],
            Object::Remote => &[Armchair, Bed, Drawer, Dresser, Nightstand, Sofa, Table],
            Object::Card => &[Armchair, Bookcase, Counter, Desk, Drawer, Dresser, Nightstand, Safe, Sofa, Table],
            Object::Key => &[Cabinet, Chest, Counter, Desk, Drawer, Dresser, Nightstand, Safe, Table],
            Object::Watch => &[Bookcase, Desk, Drawer, Dresser, Nightstand, Safe, Shelf, Sofa, Table],
            Object::Clock => &[Bookcase, Counter, Desk, Dresser, Nightstand, Safe, Shelf, Table],
            Object::Vase => &[Bookcase, Cabinet, Counter, Desk, Dresser, Safe, Shelf, Table],
        }
    }

    pub(super) fn fits(self, receptacle: Receptacle) -> bool {
        self.homes().contains(&receptacle)
    }

    pub(super) fn cleanable(self) -> bool {
        use Object::*;
        matches!(
            self,
            Apple
                | Bowl
                | Cloth
                | Comb
                | Cup
                | Egg
                | Fork
                | Glass
                | Kettle
                | Knife
                | Lettuce
                | Mug
                | Pan
                | Plate
                | Pot
                | Potato
                | Soap
                | Sponge
                | Spoon
                | Tomato
        )
    }

    pub(super) fn heatable(self) -> bool {
        use Object::*;
        matches!(self, Apple | Bowl | Bread | Cup | Egg | Mug | Plate | Potato | Tomato)
    }

    pub(super) fn coolable(self) -> bool {
        use Object::*;
        matches!(self, Apple | Bowl | Bread | Cup | Egg | Glass | Lettuce | Mug | Pan | Plate | Pot | Potato | Tomato)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_every_list_is_the_order_of_its_words() {
        assert!(Room::ALL.is_sorted_by_key(|x| x.word()));
        assert!(Family::ALL.is_sorted_by_key(|x| x.word()));
        assert!(Receptacle::ALL.is_sorted_by_key(|x| x.word()));
        assert!(Object::ALL.is_sorted_by_key(|x| x.word()));
        assert!(Room::ALL.iter().all(|room| room.furniture().is_sorted()));
        assert!(Object::ALL.iter().all(|object| object.homes().is_sorted()));
    }

    #[test]
    fn every_receptacle_stands_somewhere_and_holds_something_unless_a_lamp() {
        for receptacle in Receptacle::ALL {
            assert!(Room::ALL.iter().any(|room| room.has(*receptacle)), "{receptacle} stands nowhere");
            let holds = Object::ALL.iter().any(|object| object.fits(*receptacle));
            assert_eq!(holds, !receptacle.lamp(), "{receptacle}");
        }
    }
}
