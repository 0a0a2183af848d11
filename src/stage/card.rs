//! The `README.md` of an exported folder: a model card of what is known, and of nothing that two runs of one task could say otherwise.

use super::context::InputFolder;
use crate::model::DecoderConfig;
use crate::store::read_json;
use serde_json::Value;
use std::fmt::Write;

/// What a card tells.
pub(crate) struct Card<'a> {
    /// `qwen2`, `llama`: what other tools take it for.
    pub family: &'a str,
    pub config: &'a DecoderConfig,
    pub context: usize,
    /// The source of the pretrained model that it began as.
    pub source: Option<&'a str>,
    /// Whether an adapter was trained, which is merged and lies beside.
    pub adapter: bool,
    /// Whether it has a chat template.
    pub chat: bool,
    /// The task that made it; `None`: it was made here.
    pub maker: Option<&'a InputFolder>,
}

impl Card<'_> {
    pub(crate) fn text(&self) -> String {
        let Self { config, .. } = self;
        let mut out = self.front_matter();
        out.push_str("\n# A policy from epo\n\nA language model that acts in text environments, in the layout of Hugging Face.\n\n");
        out.push_str("```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n");
        out.push_str("model = AutoModelForCausalLM.from_pretrained(\".\")\ntokenizer = AutoTokenizer.from_pretrained(\".\")\n```\n\n");
        out.push_str("| | |\n|---|---|\n");
        let mut row = |name: &str, value: String| {
            let _ = writeln!(out, "| {name} | {value} |");
        };
        row("family", self.family.to_owned());
        row("parameters", config.parameters().to_string());
        row("layers, width", format!("{}, {}", config.layers, config.width));
        row("heads, of keys", format!("{}, {}", config.heads, config.kv_heads));
        row("vocabulary", config.vocab.to_string());
        row("context", self.context.to_string());
        row("chat template", if self.chat { "`chat_template.jinja`" } else { "none: prompts are plain texts" }.to_owned());
        row("began as", self.source.map_or("new weights".into(), began));
        if self.adapter {
            row("adapter", "merged into the weights; by itself in `adapter/`, for PEFT".to_owned());
        }
        out.push_str("\n## How it was made\n\n");
        match self.maker {
            Some(maker) => self.made(&mut out, maker),
            None => out.push_str("No stage trained it.\n"),
        }
        out.push_str("\n## What is not said here\n\n");
        out.push_str("How well it does: the run's report and its pack say so, with the games that were played. For which uses it is fit, and under which licence: whoever publishes it says so");
        out.push_str(if self.source.is_some() { "; the model that it began as has a licence of its own.\n" } else { ".\n" });
        out
    }

    fn front_matter(&self) -> String {
        let mut out = String::from("---\nlibrary_name: transformers\npipeline_tag: text-generation\ntags:\n- epo\n- agent\n");
        if let Some((name, _)) = self.source.and_then(|source| source.strip_prefix("hub:")).and_then(|rest| rest.split_once('@')) {
            let relation = if self.adapter { "adapter" } else { "finetune" };
            let _ = write!(out, "base_model: {}\nbase_model_relation: {relation}\n", Value::from(name));
        }
        out + "---\n"
    }

    fn made(&self, out: &mut String, maker: &InputFolder) {
        let _ = writeln!(out, "By the task `{}`, its output `{}`: a stage `{}` of a recipe.", maker.digest, maker.output, maker.kind);
        // What the digest is the hash of: whoever asked for the task, it is the same.
        let key = read_json::<Value>(&maker.folder.join("status.json")).ok().and_then(|status| status.get("key").cloned());
        if let Some(key) = key {
            let text = format!("{key:#}").replace("```", "'''");
            let _ = write!(out, "All that could change it:\n\n```json\n{text}\n```\n\n");
            out.push_str("Tasks that are named in it by their digests are in the same run; `epo-run pack RUN` puts them, with the text of the recipe, into one file.\n");
        }
    }
}

/// A published model by its name; what a folder is called on one disk tells others nothing.
fn began(source: &str) -> String {
    let published = source.starts_with("hub:") || source.starts_with("pip:");
    if published { format!("`{}`", source.replace('`', "")) } else { "a pretrained model in a folder".into() }
}
