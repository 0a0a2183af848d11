//! `endpoint { … }`: a player behind a server that answers chats.

use super::decode::{Decode, Sample};
use crate::kind;
use crate::kind::{Count, Part, Reader};
use crate::lang::value::Component;
use crate::lang::{Diagnostic, Span};
use std::sync::Arc;

kind! {
    /// A model behind a server that speaks OpenAI's protocol, for `evaluate` and `collect`: [how](../endpoint.md). Prompts are sent as chat messages, and what is
    /// answered is recorded, so that nothing is asked twice.
    ///
    /// Which server that is says the setting `endpoint.NAME.url`, and where its key is kept `endpoint.NAME.key_variable` or `endpoint.NAME.key_file`; a recipe
    /// names no address and no key. Where a model's weights are needed (`sft`, `rl`, `export`), there is no place for it.
    ///
    /// ```epo
    /// prompt p = "{task} {observation} You can: {admissible}. Answer with one of these."
    /// house = household { prompt = windowed { then = p }, seen = games { split = "seen", count = 20 } }
    /// pipeline a {
    ///   policy = endpoint {
    ///     name = "local", model = "SmolLM2-135M-Instruct"
    ///     decode = sample { temperature = 0.4, max_tokens = 32, stop = ["\n"] }, requests = 2000
    ///   }
    ///   stages {
    ///     test = evaluate { on = house.seen }
    ///     page = report { of = [test] }
    ///   }
    /// }
    /// ```
    pub(crate) struct Endpoint as "endpoint" {
        /// Of the server, in settings: small letters, digits, `_`, `-`. `endpoint.NAME.url` is its address.
        name: String [untouched required],
        /// The model, as the server calls it.
        model: String [required],
        /// A system message before everything; a `conversation` may have its own instead.
        system: Option<String> [default None],
        /// How responses are made: `sample { … }`. `top_k` and `min_p` are no part of OpenAI's protocol; several servers know them.
        decode: Part<Decode> [default sample()],
        /// Whether the log-probability of each token is asked for.
        logprobs: bool [default false],
        /// The most requests of one stage, over all attempts to run it. When they are used up, the run stops.
        requests: Option<Count> [untouched default None],
        /// The most tokens of one stage, of prompts and responses together, as the server counts them. The run stops at the first request behind it.
        tokens: Option<Count> [untouched default None],
    }
}

fn sample() -> Part<Decode> {
    Part { kind: Sample::INFO.name, value: Arc::new(Sample::default().decode()), span: Span::NONE }
}

impl Endpoint {
    pub(super) fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let read = Self::read_fields(component, reader)?;
        let at = |field: &str| component.fields.get(field).map_or(component.kind_span, |field| field.value.span);
        let is_name = read.name.starts_with(|c: char| c.is_ascii_lowercase())
            && read.name.len() <= 64
            && read.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        if !is_name {
            let message = format!("{:?} cannot be the name of a server", read.name);
            let help = "it begins with a small letter; digits, `_` and `-` may follow. The address is a setting: `endpoint.NAME.url`";
            reader.report(Diagnostic::error("E0202", at("name"), message).help(help));
        }
        let has_model = !read.model.trim().is_empty();
        if !has_model {
            reader.report(Diagnostic::error("E0202", at("model"), "a server has no model without a name"));
        }
        let says = says(&read.decode, reader);
        (is_name && has_model && says).then_some(read)
    }

    /// Reports what a stage asks of it in vain. `at`: where the stage names it; `decode`: how the stage decodes; `system`: whether a prompt has a system message of its own.
    pub(crate) fn suits(&self, at: Span, decode: Option<&Part<Decode>>, system: bool, reader: &mut Reader<'_, '_>) -> bool {
        let twice = system && self.system.is_some();
        if twice {
            let message = "the endpoint and its conversation both have a text for the system message";
            reader.report(Diagnostic::error("E0202", at, message).help("leave out one of the two `system`"));
        }
        decode.is_none_or(|decode| says(decode, reader)) && !twice
    }
}

/// Whether it is a way to make a text; reports it where it is not.
fn says(decode: &Part<Decode>, reader: &mut Reader<'_, '_>) -> bool {
    let says = matches!(**decode, Decode::Sample { .. });
    if !says {
        let message = format!("an endpoint answers in text, and `{}` needs a model's own probabilities", decode.kind);
        reader.report(
            Diagnostic::error("E0202", decode.span, message)
                .help("write `sample { … }`, and list the `{admissible}` actions in the prompt"),
        );
    }
    says
}
