//! What was said in an episode, as a server is sent it: whole messages, the responses among them as they were received.

use crate::model::Prompt;
use crate::play::{Full, Limits};
use crate::remote::{Message, Role, Usage};

/// The part of a prompt that is free again when the oldest turns were dropped.
const FREE: u64 = 4;

#[derive(Clone, Debug)]
struct Exchange {
    message: String,
    answer: String,
    /// How much longer the prompt became by both, as the server counts.
    tokens: u64,
}

/// An episode so far.
#[derive(Clone, Debug)]
pub(super) struct Chat {
    system: Option<String>,
    /// Of a conversation; otherwise every prompt stands for itself.
    limits: Option<Limits>,
    exchanges: Vec<Exchange>,
    asked: String,
    /// Whether turns were dropped.
    pub forgot: bool,
}

impl Chat {
    /// Without a word; `system`: the endpoint's own message.
    pub(super) fn new(system: Option<&str>, limits: Option<Limits>) -> Chat {
        Chat { system: system.map(str::to_owned), limits, exchanges: Vec::new(), asked: String::new(), forgot: false }
    }

    /// What stands before the first message.
    pub(super) fn begin(&mut self, system: Option<&Prompt>) {
        if let Some(system) = system {
            self.system = Some(system.text().to_owned());
        }
    }

    /// Adds a message and gives all that is sent; `None` where the conversation is full. Only the server can count tokens, so that is known when it has
    /// counted, a turn later than elsewhere.
    pub(super) fn ask(&mut self, message: &Prompt) -> Option<Vec<Message>> {
        message.text().clone_into(&mut self.asked);
        let said = |role, text: &str| Message { role, content: text.to_owned() };
        let mut messages: Vec<Message> = self.system.iter().map(|system| said(Role::System, system)).collect();
        if let Some(Limits { max_tokens, full, .. }) = self.limits {
            let most = max_tokens as u64;
            if self.tokens() >= most {
                if full == Full::Truncate {
                    return None;
                }
                // The first turn stays.
                while self.exchanges.len() > 1 && self.tokens() > most - most / FREE {
                    self.exchanges.remove(1);
                    self.forgot = true;
                }
                if self.tokens() >= most {
                    return None;
                }
            }
            for Exchange { message, answer, .. } in &self.exchanges {
                messages.extend([said(Role::User, message), said(Role::Assistant, answer)]);
            }
        }
        messages.push(said(Role::User, &self.asked));
        Some(messages)
    }

    /// What was answered to the last message.
    pub(super) fn answer(&mut self, text: &str, usage: Option<Usage>) {
        if self.limits.is_some() {
            let tokens = usage.map_or(0, |usage| usage.total().saturating_sub(self.tokens()));
            self.exchanges.push(Exchange { message: std::mem::take(&mut self.asked), answer: text.to_owned(), tokens });
        }
    }

    fn tokens(&self) -> u64 {
        self.exchanges.iter().map(|exchange| exchange.tokens).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::play::Past;

    fn limits(max_tokens: usize, full: Full) -> Limits {
        Limits { max_tokens, full, past: Past::Sampled, system: false }
    }

    /// What is sent, in short.
    fn sent(chat: &mut Chat, message: &str) -> Option<String> {
        let messages = chat.ask(&Prompt::own(message))?;
        Some(messages.iter().map(|m| format!("{:?}:{}", m.role, m.content)).collect::<Vec<_>>().join(" "))
    }

    fn usage(prompt: u64) -> Usage {
        Usage { prompt, completion: 5 }
    }

    #[test]
    fn a_window_is_sent_by_itself() {
        let mut chat = Chat::new(Some("s"), None);
        assert_eq!(sent(&mut chat, "a").unwrap(), "System:s User:a");
        chat.answer("x", Some(usage(1000)));
        assert_eq!(sent(&mut chat, "b").unwrap(), "System:s User:b");
    }

    #[test]
    fn a_conversation_is_sent_as_it_was_until_it_is_full() {
        let mut chat = Chat::new(None, Some(limits(40, Full::Truncate)));
        chat.begin(Some(&Prompt::own("rules")));
        assert_eq!(sent(&mut chat, "a").unwrap(), "System:rules User:a");
        chat.answer(" x \n", Some(usage(10)));
        assert_eq!(sent(&mut chat, "b").unwrap(), "System:rules User:a Assistant: x \n User:b");
        chat.answer("y", Some(usage(35)));
        assert_eq!(sent(&mut chat, "c"), None);
    }

    #[test]
    fn the_oldest_turns_behind_the_first_are_forgotten() {
        let mut chat = Chat::new(None, Some(limits(40, Full::Forget)));
        for (message, prompt) in [("a", 5), ("b", 15), ("c", 25), ("d", 35)] {
            assert!(sent(&mut chat, message).is_some());
            chat.answer(&message.to_uppercase(), Some(usage(prompt)));
        }
        assert_eq!(sent(&mut chat, "e").unwrap(), "User:a Assistant:A User:c Assistant:C User:d Assistant:D User:e");
        assert!(chat.forgot);
        let mut large = Chat::new(None, Some(limits(4, Full::Forget)));
        assert!(sent(&mut large, "a").is_some());
        large.answer("A", Some(usage(5)));
        assert_eq!(sent(&mut large, "b"), None);
    }

    #[test]
    fn a_server_that_counts_nothing_sets_no_limit() {
        let mut chat = Chat::new(None, Some(limits(1, Full::Truncate)));
        for _ in 0..20 {
            assert!(sent(&mut chat, "a").is_some());
            chat.answer("b", None);
        }
    }
}
