//! What texts were asked.

use super::super::error::ObjectiveError;
use super::super::levels::Level;
use super::super::program::Node;
use super::super::text::TextQuestion;
use super::{Data, Evaluator, Value};

impl Evaluator<'_> {
    pub(super) fn of_text(&self, node: &Node, question: &TextQuestion) -> Result<Value, ObjectiveError> {
        let missing = || ObjectiveError::Missing { quantity: question.text(), place: node.place() };
        let answers = self.batch.answers(question).ok_or_else(missing)?;
        Ok(Value { data: Data::Numbers(self.constant(node, answers)?), level: Level::Turn, presence: None })
    }
}
