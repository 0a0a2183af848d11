//! Names that a pipeline defines and nothing reads.

use super::Resolver;
use super::lines::Body;
use crate::lang::Diagnostic;
use crate::lang::diagnostic::closest;
use crate::lang::value::Value;
use std::rc::Rc;
use std::sync::Arc;

impl<'a> Resolver<'a> {
    /// Like [`Self::line`], but reading the line does not count as use.
    pub(super) fn line_unread(&self, instance: usize, path: &str) -> Arc<Value> {
        let this = &self.instances[instance];
        if let Some(value) = this.memo.borrow().get(path) {
            return value.clone();
        }
        let guard = format!("{instance}:{path}");
        let span = this.lines.get(path).map(|l| l.name_span);
        let value = self.guarded(guard, path, span, || self.entry(&this.lines, path, Some(Rc::from(path))));
        this.memo.borrow_mut().insert(path.to_string(), value.clone());
        value
    }

    /// [`Self::line`] without use: for what is known before the run.
    pub fn line_quietly(&self, instance: usize, path: &str) -> Option<Arc<Value>> {
        super::lines::mentions(&self.instances[instance].lines, path).then(|| self.line_unread(instance, path))
    }

    /// To be called when everything has been read: reports each pipeline's own lines that nothing read. Inherited ones are exempt: a child
    /// may leave part of its parent unused. A name close to one that would have been read is an error, any other a warning.
    pub fn report_unused(&self, pipelines: &[usize]) {
        for &pipeline in pipelines {
            let Some(&instance) = self.find_instances(pipeline).first() else { continue };
            let lines = &self.instances[instance].lines;
            for (path, line) in lines {
                if line.written_in != pipeline
                    || path.starts_with("stages.")
                    || path == "stages"
                    || path.starts_with("loss.")
                    || path == "loss"
                {
                    continue;
                }
                if path.contains('.') || self.used.borrow().contains(&line.name_span) {
                    continue;
                }
                if !matches!(line.body, Body::Function(_)) {
                    // its own mistakes are shown even if nobody reads it
                    let _ = self.line_unread(instance, path);
                }
                let known = self.words.inherited.iter().chain(&self.words.settings).copied();
                let diagnostic = match closest(path, known) {
                    Some(close) => Diagnostic::error("E0110", line.name_span, format!("nothing reads `{path}`"))
                        .help(format!("did you mean `{close}`?")),
                    None => Diagnostic::warning("W0110", line.name_span, format!("nothing reads `{path}`")),
                };
                self.report(diagnostic);
            }
        }
    }
}
