//! Conditions and queries: `atlocation(a:agent, l:location) & receptacleatlocation(r:receptacle, l:location)`.

use super::TextError;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub predicate: String,
    /// Name and type; a variable without a type is of the type of its name.
    pub variables: Vec<(String, String)>,
}

/// The search for answers recurses once for each part.
const MAX_PARTS: usize = 32;

pub(crate) fn parse(text: &str) -> Result<Vec<Part>, TextError> {
    let error = |message: String| TextError::new(format!("in the query `{}`: {message}", text.trim()));
    let mut parts = Vec::new();
    if text.split('&').count() > MAX_PARTS {
        return Err(error(format!("more than {MAX_PARTS} parts")));
    }
    for part in text.split('&') {
        let part = part.trim();
        let (name, rest) = part.split_once('(').ok_or_else(|| error("expected `predicate(variable:type, …)`".into()))?;
        let inner = rest.strip_suffix(')').ok_or_else(|| error("expected `)` after the variables".into()))?;
        let name = name.trim();
        if !is_name(name) {
            return Err(error(format!("`{name}` is no name of a predicate")));
        }
        let mut variables = Vec::new();
        for variable in inner.split(',').map(str::trim).filter(|_| !inner.trim().is_empty()) {
            let (name, kind) = variable.split_once(':').unwrap_or((variable, variable));
            let (name, kind) = (name.trim(), kind.trim());
            if !is_name(name) || !is_name(kind) {
                return Err(error(format!("`{variable}` is no `variable:type`")));
            }
            variables.push((name.to_string(), kind.to_string()));
        }
        parts.push(Part { predicate: name.to_string(), variables });
    }
    Ok(parts)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-/'".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let found = parse(" in(o:object, r:receptacle) & open(r) ").unwrap();
        let variable = |name: &str, kind: &str| (name.to_string(), kind.to_string());
        let wanted = [
            Part { predicate: "in".into(), variables: vec![variable("o", "object"), variable("r", "receptacle")] },
            Part { predicate: "open".into(), variables: vec![variable("r", "r")] },
        ];
        assert_eq!(found, wanted);
        assert_eq!(parse("ready()").unwrap()[0].variables, vec![]);
    }

    #[test]
    fn mistakes() {
        let message = |text: &str| parse(text).unwrap_err().message;
        assert_eq!(message("in(o:object"), "in the query `in(o:object`: expected `)` after the variables");
        assert_eq!(message("a(x:y) & "), "in the query `a(x:y) &`: expected `predicate(variable:type, …)`");
        assert_eq!(message("a(x:y:z)"), "in the query `a(x:y:z)`: `x:y:z` is no `variable:type`");
    }
}
