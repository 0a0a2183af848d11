//! `export`: a policy as a folder that other tools load.

use super::card::Card;
use super::context::Context;
use super::contract::{Output, Stage};
use super::error::RunError;
use super::outside::Outside;
use super::policies::policy;
use crate::kind;
use crate::kind::Artifact;
use crate::policy::{Policy, PolicyInput, Published, TOKENIZER, WEIGHTS};

/// A folder in the folder: an adapter by itself.
const ADAPTER: &str = "adapter";
/// A model card.
const README: &str = "README.md";

kind! {
    /// Writes a policy in the layout of Hugging Face: `config.json`, `model.safetensors`, `tokenizer.json`, and a model card. An adapter is merged
    /// into the weights, and stands by itself in the folder `adapter`, in the layout of PEFT.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     shown = collect { on = house.train, actor = expert, episodes = 20 }
    ///     warm  = sft { episodes = shown, policy = decoder { tokenizer = words } }
    ///     out   = export { policy = warm }
    ///   }
    /// }
    /// ```
    pub(crate) struct Export as "export" {
        /// The policy.
        policy: PolicyInput [inherit],
    }
}

impl Export {
    pub(crate) const OUTPUTS: &[Output] = &[Output { name: "folder", artifact: Artifact::Folder }];
}

impl Stage for Export {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        Self::OUTPUTS.to_vec()
    }

    fn draws(&self) -> bool {
        matches!(self.policy, PolicyInput::New(_))
    }

    fn is_final(&self) -> bool {
        true
    }

    fn shows_names(&self) -> bool {
        false
    }

    fn outside(&self) -> Vec<Outside<'_>> {
        Outside::policy(&self.policy).into_iter().collect()
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        run(self, context)
    }
}

fn run(stage: &Export, context: &mut dyn Context) -> Result<(), RunError> {
    let policy = policy(context, &stage.policy)?;
    let config = policy.weights.config();
    let published = policy.published.as_ref();
    let context_length = published.map_or(config.context, |p| p.context);
    let mut description = crate::model::pretrained::description::write(config, context_length)?;
    description["eos_token_id"] = match published {
        Some(published) => serde_json::json!(published.ends),
        None => policy.tokenizer.end().into(),
    };
    description["pad_token_id"] = policy.tokenizer.pad().into();
    let card = Card {
        family: description["model_type"].as_str().unwrap_or("llama"),
        config,
        context: context_length,
        source: published.map(|published| published.source.as_str()),
        adapter: policy.weights.adapter().is_some(),
        chat: published.is_some_and(|published| published.template.is_some()),
        maker: context.inputs("policy").first(),
    }
    .text();
    let beside = published.map(|published| beside(&policy, published)).transpose()?.unwrap_or_default();
    let merged = policy.weights.adapter().map(|_| policy.weights.merged()).transpose()?;
    if let Some(name) = merged.as_ref().map(|merged| merged.not_finite(1)).transpose()?.flatten() {
        return Err(RunError::Failed(format!("`{name}` with its adapter merged is not finite")));
    }
    context.folder().write_output("folder", |folder| {
        let text = serde_json::to_vec_pretty(&description)?;
        std::fs::write(folder.join("config.json"), text)?;
        merged.as_ref().unwrap_or(&policy.weights).save(&folder.join(WEIGHTS))?;
        if let Some(adapter) = policy.weights.adapter() {
            let place = folder.join(ADAPTER);
            std::fs::create_dir(&place)?;
            adapter.save_peft(&place, published.map(|p| below(&p.source)))?;
        }
        std::fs::write(folder.join(README), &card)?;
        for (name, content) in &beside {
            std::fs::write(folder.join(name), content)?;
        }
        Ok(policy.tokenizer.save(&folder.join(TOKENIZER))?)
    })?;
    let place = context.folder().path().join("outputs/folder");
    context.say(&format!("exported to {}", place.display()));
    Ok(())
}

/// The model below an adapter by the name that other tools know it by, and its revision.
fn below(source: &str) -> (&str, Option<&str>) {
    match source.strip_prefix("hub:").and_then(|rest| rest.split_once('@')) {
        Some((name, revision)) => (name, Some(revision)),
        None => (source, None),
    }
}

/// What a pretrained model's folder has beside: how it ends, and how it is talked to.
fn beside(policy: &Policy, published: &Published) -> Result<Vec<(&'static str, String)>, RunError> {
    let generation = serde_json::json!({ "eos_token_id": published.ends, "pad_token_id": published.pad });
    let mut about = serde_json::json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": policy.tokenizer.decode_marked(&[policy.tokenizer.end()])?,
        "pad_token": policy.tokenizer.decode_marked(&[published.pad])?,
        "model_max_length": published.context,
    });
    let mut files = Vec::new();
    if let Some(template) = &published.template {
        if !template.bos_token.is_empty() {
            about["bos_token"] = template.bos_token.clone().into();
        }
        files.push(("chat_template.jinja", template.source.clone()));
    }
    let pretty = |value: &serde_json::Value| format!("{value:#}\n");
    files.extend([("generation_config.json", pretty(&generation)), ("tokenizer_config.json", pretty(&about))]);
    Ok(files)
}
