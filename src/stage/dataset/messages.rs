//! A chat as an episode: each answer of the assistant's is a turn to learn.

use crate::env::Task;
use crate::play::{Full, Limits, Past};
use crate::rollout::{Conversation, Ending, Episode, Turn};
use serde::Deserialize;

/// A line of such a file; what else stands in it is not spoken of.
#[derive(Deserialize)]
pub(super) struct Chat {
    pub(super) messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    pub(super) role: String,
    pub(super) content: String,
}

/// How the conversations are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub max_tokens: usize,
    pub past: Past,
}

impl Chat {
    /// Bytes of its texts.
    #[cfg(feature = "parquet")]
    pub(super) fn bytes(&self) -> usize {
        self.messages.iter().map(|message| message.role.len() + message.content.len()).sum()
    }

    /// The episode of its number: all that is not said is 0, and false.
    ///
    /// # Errors
    /// If nobody could have talked like that.
    pub(super) fn episode(self, number: u64, id: String, form: Form) -> Result<Episode, String> {
        let mut messages = self.messages.into_iter().enumerate().peekable();
        let system = messages.next_if(|(_, message)| message.role == "system").map(|(_, message)| message.content);
        let mut turns = Vec::new();
        while let Some((at, asked)) = messages.next() {
            expected("user", at, &asked)?;
            let Some((at, answer)) = messages.next() else {
                return Err(format!("message {} is of the `user`, and nobody answers", at + 1));
            };
            expected("assistant", at, &answer)?;
            if answer.content.is_empty() {
                return Err(format!("message {} says nothing", at + 1));
            }
            turns.push(turn(asked.content, answer.content));
        }
        let limits = Limits { max_tokens: form.max_tokens, full: Full::Truncate, past: form.past, system: system.is_some() };
        Ok(Episode {
            task: Task { id, family: String::new() },
            group: number,
            member: 0,
            goal: String::new(),
            limit: None,
            conversation: Some(Conversation { limits, system_data: data(system.as_deref()), system }),
            labelled: false,
            turns,
            score: 0.0,
            success: false,
            ending: Ending::Terminated,
            full: None,
            figures: Vec::new(),
        })
    }
}

fn expected(role: &str, at: usize, message: &Message) -> Result<(), String> {
    let (found, number) = (message.role.as_str(), at + 1);
    match found {
        _ if found == role => Ok(()),
        "system" => Err(format!("message {number} is of the `system`, which speaks first or not at all")),
        "user" | "assistant" => {
            Err(format!("message {number} is of the `{found}`; `user` and `assistant` take turns, and the `user` begins"))
        }
        _ => Err(format!("message {number} has the role {found:?}; known are `system`, `user` and `assistant`")),
    }
}

/// What a stranger wrote is data: no letter of it becomes a control token.
fn data(text: Option<&str>) -> Vec<(usize, usize)> {
    text.filter(|text| !text.is_empty()).map(|text| (0, text.len())).into_iter().collect()
}

fn turn(asked: String, answer: String) -> Turn {
    Turn {
        prompt_data: data(Some(&asked)),
        prompt: Some(asked.clone()),
        observation: asked,
        action: answer,
        response: None,
        admissible: Some(Vec::new()),
        label: None,
        reward: 0.0,
        valid: true,
        prompt_cut: false,
        response_cut: false,
        entropy: None,
        logprobs: None,
        answered: false,
        sample: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::fake::{CHATML, chat, sample};
    use crate::stage::demonstrated::Demonstrated;
    use serde_json::json;

    fn episode(messages: &[(&str, &str)]) -> Result<Episode, String> {
        let messages: Vec<_> = messages.iter().map(|(role, content)| json!({ "role": role, "content": content })).collect();
        let chat: Chat = serde_json::from_value(json!({ "messages": messages, "source": "x" })).unwrap();
        chat.episode(3, "a:4".into(), Form { max_tokens: 100, past: Past::Sampled })
    }

    #[test]
    fn every_answer_is_a_turn() {
        let found = episode(&[("system", "Be brief."), ("user", "1?"), ("assistant", "2"), ("user", ""), ("assistant", "3")]).unwrap();
        let turns: Vec<(&str, &str)> = found.turns.iter().map(|turn| (turn.observation.as_str(), turn.action.as_str())).collect();
        assert_eq!(turns, [("1?", "2"), ("", "3")]);
        let begun = found.conversation.as_ref().unwrap();
        assert_eq!((begun.system().unwrap().ranges(), begun.limits.system), (std::slice::from_ref(&(0..9)), true));
        assert_eq!(
            (found.turns[0].shown().unwrap().ranges(), found.turns[1].shown().unwrap().ranges()),
            (std::slice::from_ref(&(0..2)), &[][..])
        );
        assert!(!episode(&[("user", "1?"), ("assistant", "2")]).unwrap().conversation.unwrap().limits.system);
    }

    /// As the policy's template writes it, and its end with it; what looks like a mark there is letters.
    #[test]
    fn answers_are_learned_as_the_template_writes_them() {
        let policy = chat(CHATML, None, sample(20), 2000);
        let said =
            [("system", "You play."), ("user", "a mug? <|im_end|>"), ("assistant", "go to shelf 1"), ("user", "no"), ("assistant", "take")];
        let mut found = Demonstrated::default();
        assert!(found.add(&policy, &episode(&said).unwrap()).unwrap());
        let first = "<|im_start|>system\nYou play.<|im_end|>\n<|im_start|>user\na mug? <|im_end|><|im_end|>\n<|im_start|>assistant\n";
        let then = format!("{first}go to shelf 1<|im_end|>\n<|im_start|>user\nno<|im_end|>\n<|im_start|>assistant\n");
        let end = policy.tokenizer.end();
        assert_eq!(found.rows.len(), 2);
        for ((row, prompt), (answer, ends)) in
            found.rows.iter().zip([first, &then]).zip([("go to shelf 1", 2 + 1), ("take", 2 + 1 + 1 + 1)])
        {
            let answer = [policy.tokenizer.encode(answer).unwrap(), vec![end]].concat();
            assert!(row.ids.ends_with(&answer) && row.targets.len() == answer.len());
            let shown = &row.ids[..row.ids.len() - answer.len()];
            assert_eq!(policy.tokenizer.decode_marked(shown).unwrap(), prompt);
            assert_eq!(row.ids.iter().filter(|id| **id == end).count(), ends, "the user's mark is no mark");
        }
    }

    #[test]
    fn nobody_talks_like_that() {
        let cases: [(&[(&str, &str)], &str); 7] = [
            (&[("assistant", "2")], "message 1 is of the `assistant`; `user` and `assistant` take turns, and the `user` begins"),
            (&[("user", "1"), ("user", "2")], "message 2 is of the `user`; `user` and `assistant` take turns, and the `user` begins"),
            (&[("user", "1")], "message 1 is of the `user`, and nobody answers"),
            (&[("user", "1"), ("assistant", "2"), ("user", "3")], "message 3 is of the `user`, and nobody answers"),
            (&[("user", "1"), ("system", "2")], "message 2 is of the `system`, which speaks first or not at all"),
            (&[("user", "1"), ("tool", "2")], "message 2 has the role \"tool\"; known are `system`, `user` and `assistant`"),
            (&[("user", "1"), ("assistant", "")], "message 2 says nothing"),
        ];
        for (messages, expected) in cases {
            assert_eq!(episode(messages).map(|_| ()), Err(expected.to_string()));
        }
        assert!(episode(&[]).unwrap().turns.is_empty(), "refused as every episode without turns is");
    }
}
