//! Instance labels: `seed=1, lambda=0.003` is the variant `lambda=0.003` and the seed `1`.

/// Splits a label into its variant (all that is not the seed) and its seed. Commas inside brackets and strings do not separate.
pub(super) fn split(label: &str) -> (String, Option<String>) {
    let mut variant: Vec<&str> = Vec::new();
    let mut seed = None;
    for part in parts(label) {
        match part.split_once('=') {
            Some((name, value)) if name.trim() == "seed" => seed = Some(value.trim().to_string()),
            _ => variant.push(part),
        }
    }
    (variant.join(", "), seed)
}

fn parts(label: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quoted) = (0, 0usize, false);
    for (at, c) in label.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(&label[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&label[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn the_seed_is_taken_out() {
        assert_eq!(split("seed=1, lambda=0.003"), ("lambda=0.003".into(), Some("1".into())));
        assert_eq!(split("lambda=0.003"), ("lambda=0.003".into(), None));
        assert_eq!(split(""), (String::new(), None));
        assert_eq!(split("seed=7"), (String::new(), Some("7".into())));
    }

    #[test]
    fn commas_inside_values_do_not_separate() {
        assert_eq!(split("clip=[0.2, 0.28], seed=2"), ("clip=[0.2, 0.28]".into(), Some("2".into())));
        assert_eq!(split(r#"name="a, seed=3", seed=2"#), (r#"name="a, seed=3""#.into(), Some("2".into())));
    }
}
