//! Object names of the official games: the class before the first `_bar_`, and a number.

use crate::env::pddl::{Name, Naming};
use std::collections::HashMap;

/// Numbers the objects of each class from the highest down, in order of ids.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClassNames;

impl Naming for ClassNames {
    fn names(&self, ids: &[&str]) -> Vec<Name> {
        let classes: Vec<Option<String>> = ids.iter().map(|id| class(id)).collect();
        let mut left: HashMap<&str, usize> = HashMap::new();
        for class in classes.iter().flatten() {
            *left.entry(class).or_default() += 1;
        }
        let named = ids.iter().zip(&classes).map(|(id, class)| {
            let Some(class) = class else { return format!("{} ", unmangled(id)) };
            let number = left.get_mut(class.as_str()).map_or(0, |number| {
                *number -= 1;
                *number + 1
            });
            format!("{class} {number}")
        });
        named.map(|name| Name { name, indefinite: "a".into(), definite: "the".into() }).collect()
    }
}

/// `None` for what is no thing of the room (agent, types).
fn class(id: &str) -> Option<String> {
    let (class, _) = id.split_once("_bar_")?;
    let class = unmangled(class);
    // Basins lie in sinks and bathtubs and carry their ids with a mark of their own.
    Some(if id.contains("basin") { format!("{class}basin") } else { class })
}

fn unmangled(text: &str) -> String {
    text.replace("_minus_", "-").replace("_plus_", "+").replace("_dot_", ".").replace("_comma_", ",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_run_down_within_a_class() {
        let ids = ["agent1", "apple", "apple_bar_1", "apple_bar_2", "sink_bar_1", "sink_bar_1_bar_sinkbasin"];
        let names: Vec<String> = ClassNames.names(&ids).into_iter().map(|name| name.name).collect();
        assert_eq!(names, ["agent1 ", "apple ", "apple 2", "apple 1", "sink 1", "sinkbasin 1"]);
    }
}
