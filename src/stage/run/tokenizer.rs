//! Listens to the environment and learns a vocabulary.

use super::shared::{once_each, open, say_failures};
use crate::model::Tokenizer as Bpe;
use crate::policy::TOKENIZER;
use crate::rollout::{Player, Plays, play};
use crate::stage::tokenizer::Tokenizer;
use crate::stage::{Context, Progress, RunError};

pub fn run(stage: &Tokenizer, context: &mut dyn Context) -> Result<(), RunError> {
    let mut texts: Vec<String> = Vec::new();
    let total = (stage.on.len() * 2 * stage.episodes.0) as u64;
    let mut done = 0;
    for (index, split) in stage.on.iter().enumerate() {
        let (world, panel) = open(context, split)?;
        let seed = context.seeds().child("split", index as u64);
        let repeats = stage.episodes.0.div_ceil(panel.tasks.len());
        let mut assignments = once_each(&panel, repeats, seed);
        assignments.truncate(stage.episodes.0);
        for player in [Player::Expert, Player::Random] {
            let plays = Plays { environment: &split.environment, world: &*world, player, keep_prompts: true, threads: context.threads() };
            let episodes = play(&plays, &assignments)?;
            say_failures(context, &episodes);
            for turn in episodes.into_iter().flat_map(|e| e.turns) {
                texts.extend(turn.prompt);
                texts.push(turn.response.unwrap_or(turn.action));
            }
            done += assignments.len() as u64;
            context.progress(Progress { done, total, unit: "episodes", notes: vec![("texts", texts.len().to_string())] });
            if context.interrupted() {
                return Err(RunError::Interrupted);
            }
        }
    }
    let tokenizer = Bpe::train(texts.into_iter(), stage.vocabulary.0, &[])?;
    context.folder().write_output("tokenizer", |folder| Ok(tokenizer.save(&folder.join(TOKENIZER))?))?;
    Ok(())
}
