//! A shell's command line as far as launchers use it: words, quotes, lines that go on, variables, and sums of whole numbers.

use super::given::Setting;
use std::collections::BTreeMap;

/// The commands of a script, in words; what cannot be known before it runs stays as it is written.
///
/// # Errors
/// A quote that does not end.
pub(super) fn commands(script: &str) -> Result<Vec<Vec<String>>, String> {
    let (mut variables, mut commands) = (BTreeMap::new(), Vec::new());
    for line in script.replace("\\\r\n", " ").replace("\\\n", " ").lines() {
        let words = split(line, &variables)?;
        let assigned = words.iter().take_while(|word| assignment(word).is_some()).count();
        if assigned == words.len() {
            variables.extend(words.iter().filter_map(|word| assignment(word)).map(|(name, value)| (name.to_owned(), value.to_owned())));
        } else {
            commands.push(words.into_iter().skip(assigned).collect());
        }
    }
    Ok(commands)
}

/// `key=value` behind the program that trains; the last such command counts.
///
/// # Errors
/// If there is no such program.
pub(super) fn settings(commands: &[Vec<String>]) -> Result<Vec<Setting>, String> {
    let trains = |words: &&Vec<String>| {
        words.iter().any(|word| word.contains("main_ppo") || word.contains(".main_") || word.contains("verl.trainer"))
    };
    let words = commands.iter().rev().find(trains).or_else(|| commands.iter().rev().find(|words| words.iter().any(|word| is_key(word))));
    let words = words.ok_or("no command in it sets keys of verl (`trainer.total_epochs=150`)")?;
    Ok(words.iter().filter(|word| is_key(word)).filter_map(|word| word.split_once('=')).map(|(key, value)| setting(key, value)).collect())
}

fn setting(key: &str, value: &str) -> Setting {
    Setting { key: key.trim_start_matches('+').to_owned(), value: value.to_owned() }
}

/// `a.b=c`, not `--flag=c` and not `NAME=c`.
fn is_key(word: &str) -> bool {
    word.split_once('=').is_some_and(|(key, _)| {
        let key = key.trim_start_matches('+');
        key.contains('.') && !key.starts_with('-') && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.')
    })
}

fn assignment(word: &str) -> Option<(&str, &str)> {
    let word = word.strip_prefix("export ").unwrap_or(word);
    let (name, value) = word.split_once('=')?;
    let plain =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    plain.then_some((name, value))
}

/// The words of one line, quotes taken off and variables put in.
fn split(line: &str, variables: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut begun) = (Vec::new(), String::new(), false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '#' if !begun => break,
            '\'' => {
                begun = true;
                loop {
                    match rest.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err(format!("a quote does not end: {}", line.trim().chars().take(80).collect::<String>())),
                    }
                }
            }
            '"' => {
                begun = true;
                let mut inner = String::new();
                loop {
                    match rest.next() {
                        Some('"') => break,
                        Some('\\') => inner.extend(rest.next()),
                        Some(c) => inner.push(c),
                        None => return Err(format!("a quote does not end: {}", line.trim().chars().take(80).collect::<String>())),
                    }
                }
                word.push_str(&expanded(&inner, variables));
            }
            '\\' => {
                begun = true;
                word.extend(rest.next());
            }
            '$' => {
                begun = true;
                let mut name = String::from('$');
                match rest.peek() {
                    Some('{' | '(') => {
                        let mut depth = 0;
                        for c in rest.by_ref() {
                            name.push(c);
                            depth += i32::from(matches!(c, '{' | '(')) - i32::from(matches!(c, '}' | ')'));
                            if depth == 0 {
                                break;
                            }
                        }
                    }
                    _ => {
                        while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                            name.push(c);
                        }
                        if name == "$" {
                            name.extend(rest.next_if(|c| "@*#?".contains(*c)));
                        }
                    }
                }
                word.push_str(&expanded(&name, variables));
            }
            c if c.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            ';' | '&' | '|' if !begun => {}
            c => {
                begun = true;
                word.push(c);
            }
        }
    }
    if begun {
        words.push(word);
    }
    words.retain(|word| !["$@", "$*", "export", "set", "-x", "\\"].contains(&word.as_str()));
    Ok(words)
}

/// With the values of `$NAME`, `${NAME}`, `${NAME:-default}` and `$((a * b))`.
fn expanded(text: &str, variables: &BTreeMap<String, String>) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('$') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let behind = rest.get(at + 1..).unwrap_or_default();
        if let Some((inner, after)) = behind.strip_prefix("((").and_then(|inner| inner.split_once("))")) {
            out.push_str(&sum(inner, variables).map_or_else(|| format!("$(({inner}))"), |value| value.to_string()));
            rest = after;
        } else if let Some((inner, after)) = behind.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            let (name, default) = inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default)));
            let value = variables.get(name).cloned().or_else(|| default.map(str::to_owned));
            out.push_str(&value.unwrap_or_else(|| format!("${{{inner}}}")));
            rest = after;
        } else {
            let length = behind.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(behind.len());
            let (name, after) = behind.split_at(length);
            out.push_str(&variables.get(name).cloned().unwrap_or_else(|| format!("${name}")));
            rest = after;
        }
    }
    out + rest
}

/// Whole numbers and variables with one operator or none.
fn sum(text: &str, variables: &BTreeMap<String, String>) -> Option<i64> {
    let value = |name: &str| {
        let name = name.trim().trim_start_matches('$');
        variables.get(name).map_or(name, String::as_str).parse::<i64>().ok()
    };
    for operator in ['*', '/', '+', '-'] {
        if let Some((a, b)) = text.split_once(operator) {
            let (a, b) = (value(a)?, value(b)?);
            return match operator {
                '*' => a.checked_mul(b),
                '/' => a.checked_div(b),
                '+' => a.checked_add(b),
                _ => a.checked_sub(b),
            };
        }
    }
    value(text)
}
