//! Writing HTML and SVG that is well formed and escaped by construction.
//!
//! Names of elements and attributes are `&'static str`, so they come from this crate's source; everything else passes through [`escape`].
//! The page is written so that an XML parser reads it too: elements are closed, void elements are `<br/>`.

use std::fmt::Display;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Markup {
    out: String,
}

/// Attributes of an element, in order.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Markup {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn as_str(&self) -> &str {
        &self.out
    }

    /// What was written elsewhere.
    pub(super) fn append(&mut self, other: &Markup) {
        self.out.push_str(&other.out);
    }

    /// `<name …>body</name>`
    pub(super) fn element(&mut self, name: &'static str, attributes: Attributes, body: impl FnOnce(&mut Self)) {
        self.open(name, attributes);
        self.out.push('>');
        body(self);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// `<name …>text</name>`
    pub(super) fn leaf(&mut self, name: &'static str, attributes: Attributes, text: impl Display) {
        self.element(name, attributes, |m| m.text(text));
    }

    /// `<name …/>`: void elements of HTML, and any element of SVG.
    pub(super) fn empty(&mut self, name: &'static str, attributes: Attributes) {
        self.open(name, attributes);
        self.out.push_str("/>");
    }

    pub(super) fn text(&mut self, text: impl Display) {
        escape(&text.to_string(), &mut self.out);
    }

    pub(super) fn newline(&mut self) {
        self.out.push('\n');
    }

    /// As it stands: only what is compiled in.
    pub(super) fn fixed(&mut self, text: &'static str) {
        self.out.push_str(text);
    }

    fn open(&mut self, name: &'static str, attributes: Attributes) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            escape(value, &mut self.out);
            self.out.push('"');
        }
    }
}

/// Appends `text` so that it is text in HTML, in XML and inside a quoted attribute. Characters that XML 1.0 does not allow become `�`.
pub(super) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(c),
            // A parser would turn a carriage return into a newline: so do we, and the text stays one line per line.
            '\r' => {}
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_text_stays_text() {
        let mut m = Markup::new();
        m.element("p", &[("title", "\" onload='x' <")], |m| m.text("</script><img onerror=alert(1)>\u{1b}[31m\0"));
        assert_eq!(
            m.finish(),
            "<p title=\"&quot; onload=&#39;x&#39; &lt;\">&lt;/script&gt;&lt;img onerror=alert(1)&gt;\u{fffd}[31m\u{fffd}</p>"
        );
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_a_parser(text in any::<String>(), attribute in any::<String>()) {
            let mut m = Markup::new();
            m.leaf("p", &[("title", &attribute)], &text);
            let page = m.finish();
            let parsed = roxmltree::Document::parse(&page).expect("well formed");
            let plain = |text: &str| -> String {
                text.chars().filter(|c| *c != '\r').map(|c| if c.is_control() && c != '\n' && c != '\t' || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c }).collect()
            };
            prop_assert_eq!(parsed.root_element().text().unwrap_or(""), plain(&text));
            // Attribute values have their white space normalised by the parser.
            prop_assert_eq!(parsed.root_element().attribute("title").unwrap_or(""), plain(&attribute).replace(['\n', '\t'], " "));
        }
    }
}
