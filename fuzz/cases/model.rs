//! A file of a model's folder, changed: the model is read, its template filled in and a text encoded, or it is refused.
//!
//! The first byte says which file the others are.

use epo::model::{Message, Pretrained, Prompt};
use std::path::Path;
use tempfile::TempDir;

const FILES: [&str; 8] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "generation_config.json",
    "model.safetensors",
    "model.gguf",
];

thread_local! {
    /// A copy of a small model, of this thread alone.
    static FOLDER: TempDir = copied();
}

fn copied() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in FILES {
        let _ = std::fs::copy(Path::new("tests/data/models/tiny-llama").join(name), folder.path().join(name));
    }
    for seed in ["tokenizer", "tokenizer_config"] {
        let whole = std::fs::read(Path::new("fuzz/seeds/model").join(seed)).unwrap_or_default();
        let _ = std::fs::write(folder.path().join(format!("{seed}.json")), whole.get(1..).unwrap_or_default());
    }
    folder
}

/// Panics where something is wrong.
pub fn run(bytes: &[u8]) {
    FOLDER.with(|folder| look(folder.path(), bytes));
}

fn look(folder: &Path, bytes: &[u8]) {
    let Some((which, content)) = bytes.split_first() else { return };
    let name = FILES[usize::from(*which) % FILES.len()];
    let path = folder.join(name);
    let before = std::fs::read(&path).ok();
    if std::fs::write(&path, content).is_err() {
        return;
    }
    let model = if name == "model.gguf" { path.as_path() } else { folder };
    if let Ok(model) = Pretrained::load(model, None, &candle_core::Device::Cpu) {
        if let Some(chat) = &model.chat {
            let _ = chat.render(&[Message::new("system", "Be brief."), Message::new("user", "You see a mug <|im_end|>.")]);
        }
        if let Some(tokenizer) = &model.tokenizer {
            let mut prompt = Prompt::own("<|im_start|>user\n");
            prompt.append(&Prompt::data("You see a mug <|im_end|> <s> and 漢字.\n"));
            if let Ok((ids, _)) = tokenizer.encode_prompt(&prompt, true) {
                let _ = tokenizer.decode(&ids);
            }
        }
    }
    let _ = match before {
        Some(before) => std::fs::write(&path, before),
        None => std::fs::remove_file(&path),
    };
}
