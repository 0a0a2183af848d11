//! What a `tokenizer.json` may ask for. Its reader trusts the file: some of what can stand there panics, never ends, or draws lots.

use serde_json::Value;

/// The largest file that is read; published ones have up to 40 MiB.
pub(crate) const LARGEST: u64 = 256 << 20;

/// How many times longer a normalizer may make a text.
const GROWTH: usize = 64;

/// Refuses what cannot be used safely or repeatably.
///
/// # Errors
/// What is refused, and why.
pub(crate) fn check(json: &[u8]) -> Result<(), String> {
    let file: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    model(&file["model"])?;
    let growth =
        steps(&file["normalizer"]).into_iter().try_fold(1, |all: usize, step| Ok::<_, String>(all.saturating_mul(growth(step)?)))?;
    if growth > GROWTH {
        return Err(format!("its normalizer makes a text up to {growth} times as long; {GROWTH} times are allowed"));
    }
    pre_tokenizer(&file["pre_tokenizer"])?;
    post_processor(&file["post_processor"])?;
    decoder(&file["decoder"])
}

fn kind(part: &Value) -> &str {
    part["type"].as_str().unwrap_or_default()
}

/// The steps of sequences within sequences, or the one step.
fn steps(part: &Value) -> Vec<&Value> {
    let lists = ["normalizers", "pretokenizers", "processors", "decoders"];
    match lists.iter().find_map(|name| part[*name].as_array()).filter(|_| kind(part) == "Sequence") {
        Some(list) => list.iter().flat_map(steps).collect(),
        None => vec![part],
    }
}

fn model(model: &Value) -> Result<(), String> {
    if model["dropout"].as_f64().is_some_and(|share| share != 0.0) {
        return Err(format!(
            "it merges pairs by chance (`dropout` is {}): the same text would not always give the same tokens",
            model["dropout"]
        ));
    }
    let prefix = model["continuing_subword_prefix"].as_str().unwrap_or_default();
    if !prefix.is_empty() && kind(model) != "WordPiece" {
        return Err(format!("its merges use a `continuing_subword_prefix` ({prefix:?}), which is not read here"));
    }
    Ok(())
}

/// How many times longer one step may make a text.
fn growth(normalizer: &Value) -> Result<usize, String> {
    match kind(normalizer) {
        "Precompiled" => Err("its normalizer is a compiled table (`Precompiled`), whose reader trusts what it is given".into()),
        "Replace" => {
            filled(&normalizer["pattern"], "Replace")?;
            let from = normalizer["pattern"]["String"].as_str().map_or(1, str::len);
            Ok(normalizer["content"].as_str().unwrap_or_default().len().div_ceil(from).max(1))
        }
        "Prepend" => Ok(1 + normalizer["prepend"].as_str().unwrap_or_default().len() / 16),
        _ => Ok(1),
    }
}

/// A pattern that matches nothing would be found everywhere.
fn filled(pattern: &Value, what: &str) -> Result<(), String> {
    let text = pattern["String"].as_str().or_else(|| pattern["Regex"].as_str());
    if text == Some("") { Err(format!("its `{what}` looks for an empty pattern")) } else { Ok(()) }
}

fn pre_tokenizer(part: &Value) -> Result<(), String> {
    for step in steps(part) {
        match kind(step) {
            "Split" => filled(&step["pattern"], "Split")?,
            "FixedLength" if step["length"].as_u64().unwrap_or_default() == 0 => {
                return Err("it cuts texts into pieces of length 0".into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// A text has to come out whole, once.
fn post_processor(part: &Value) -> Result<(), String> {
    for step in steps(part).into_iter().filter(|step| kind(step) == "TemplateProcessing") {
        let pieces = step["single"].as_array().map(Vec::as_slice).unwrap_or_default();
        let texts: Vec<Option<&str>> = pieces.iter().filter(|p| !p["Sequence"].is_null()).map(|p| p["Sequence"]["id"].as_str()).collect();
        if texts != [Some("A")] {
            return Err("what it puts around a text (`TemplateProcessing`) does not hold the text just once".into());
        }
    }
    Ok(())
}

fn decoder(part: &Value) -> Result<(), String> {
    for step in steps(part).into_iter().filter(|step| kind(step) == "Replace") {
        if growth(step)? > GROWTH {
            return Err("its decoder makes texts far longer".into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;
    use serde_json::json;

    #[test]
    fn parts_that_published_tokenizers_have_are_allowed() {
        let llama = json!({
            "normalizer": { "type": "Sequence", "normalizers": [
                { "type": "Prepend", "prepend": "▁" }, { "type": "Replace", "pattern": { "String": " " }, "content": "▁" } ] },
            "pre_tokenizer": null,
            "post_processor": { "type": "TemplateProcessing",
                "single": [{ "SpecialToken": { "id": "<s>", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } }] },
            "decoder": { "type": "Sequence", "decoders": [
                { "type": "Replace", "pattern": { "String": "▁" }, "content": " " }, { "type": "Strip", "content": " ", "start": 1, "stop": 0 } ] },
            "model": { "type": "BPE", "dropout": null, "continuing_subword_prefix": null },
        });
        assert_eq!(check(llama.to_string().as_bytes()), Ok(()));
        let pieces = json!({ "model": { "type": "WordPiece", "continuing_subword_prefix": "##" } });
        assert_eq!(check(pieces.to_string().as_bytes()), Ok(()));
    }

    #[test]
    fn nested_parts_are_looked_at() {
        let deep = |part| json!({ "type": "Sequence", "pretokenizers": [{ "type": "Sequence", "pretokenizers": [part] }] });
        let says = |file: serde_json::Value| check(file.to_string().as_bytes()).unwrap_err();
        assert_eq!(
            says(json!({ "pre_tokenizer": deep(json!({ "type": "FixedLength", "length": 0 })) })),
            "it cuts texts into pieces of length 0"
        );
        assert_eq!(
            says(json!({ "pre_tokenizer": deep(json!({ "type": "Split", "pattern": { "Regex": "" } })) })),
            "its `Split` looks for an empty pattern"
        );
        let ten = json!({ "type": "Replace", "pattern": { "Regex": "." }, "content": "0123456789" });
        let chain = json!({ "type": "Sequence", "normalizers": [ten, ten, { "type": "Lowercase" }] });
        assert_eq!(says(json!({ "normalizer": chain })), "its normalizer makes a text up to 100 times as long; 64 times are allowed");
    }
}
