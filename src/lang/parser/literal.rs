//! Numbers with units, and strings.

use super::super::ast::ExprKind;
use super::super::diagnostic::Diagnostic;
use super::super::source::Span;

/// Seconds in a unit of time.
const DURATIONS: &[(&str, f64)] = &[("ms", 0.001), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86400.0)];
/// Bytes in a unit of size.
const SIZES: &[(&str, f64)] = &[
    ("KiB", 1024.0),
    ("MiB", 1048576.0),
    ("GiB", 1073741824.0),
    ("TiB", 1099511627776.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("B", 1.0),
];

pub(super) fn is_unit(word: &str) -> bool {
    units().any(|u| u == word)
}

fn units() -> impl Iterator<Item = &'static str> {
    DURATIONS.iter().chain(SIZES).map(|(name, _)| *name)
}

/// Reads `1_000`, `5e-6`, `30min`, `4GiB`; `span` is that of the whole literal.
pub(super) fn number(literal: &str, span: Span) -> Result<ExprKind, Diagnostic> {
    let unit_start = unit_start(literal);
    let (digits, unit) = literal.split_at(unit_start);
    let unit_span = Span { start: span.start + unit_start as u32, ..span };
    let bad = |message: String| Diagnostic::error("E0007", span, message);
    if let Some(help) = based(literal) {
        return Err(bad(format!("`{literal}` is no number")).help(help));
    }
    if digits.matches('.').count() > 1 {
        return Err(bad(format!("`{literal}` has more than one decimal point")));
    }
    if lone_underscore(literal, unit_start) {
        return Err(bad(format!("`{literal}` is no number")).help("`_` stands between two digits, as in `1_000`"));
    }
    let value: f64 = digits.replace('_', "").parse().map_err(|_| bad(format!("`{literal}` is no number")))?;
    if !value.is_finite() {
        return Err(bad(format!("`{literal}` is too large for a number")).help("the largest number is about 1.8e308"));
    }
    if unit.is_empty() {
        return Ok(ExprKind::Number(value));
    }
    if let Some((_, seconds)) = DURATIONS.iter().find(|(name, _)| *name == unit) {
        return Ok(ExprKind::Duration(value * seconds));
    }
    if let Some((_, bytes)) = SIZES.iter().find(|(name, _)| *name == unit) {
        let size = value * bytes;
        if size.fract() != 0.0 || size >= u64::MAX as f64 {
            return Err(bad(format!("`{literal}` is no whole number of bytes below 2^64")));
        }
        return Ok(ExprKind::Size(size as u64));
    }
    let message = if matches!(unit, "e" | "E") {
        return Err(bad(format!("`{literal}` has no exponent")).help(format!("write `{digits}e-6`, or `{digits}` alone")));
    } else {
        Diagnostic::error("E0008", unit_span, format!("unknown unit `{unit}`"))
    };
    Err(match suggestion(unit) {
        Some(name) => message.help(format!("did you mean `{digits}{name}`?")),
        None => message
            .help("units are `ms`, `s`, `min`, `h`, `d` for durations and `kB`, `MB`, `GB`, `TB`, `KiB`, `MiB`, `GiB`, `TiB` for sizes"),
    })
}

/// Where the letters behind the digits begin.
fn unit_start(literal: &str) -> usize {
    let bytes = literal.as_bytes();
    let run = |from: usize, accept: fn(u8) -> bool| bytes.get(from..).unwrap_or(&[]).iter().take_while(|b| accept(**b)).count();
    let mantissa = run(0, |b| b.is_ascii_digit() || matches!(b, b'_' | b'.'));
    if !matches!(bytes.get(mantissa), Some(b'e' | b'E')) {
        return mantissa;
    }
    let sign = usize::from(matches!(bytes.get(mantissa + 1), Some(b'+' | b'-')));
    match run(mantissa + 1 + sign, |b| b.is_ascii_digit()) {
        0 => mantissa,
        exponent => mantissa + 1 + sign + exponent,
    }
}

fn lone_underscore(literal: &str, unit_start: usize) -> bool {
    let bytes = literal.as_bytes();
    let digit = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    (0..unit_start).any(|i| bytes.get(i) == Some(&b'_') && !(digit(i.checked_sub(1)) && digit(Some(i + 1))))
}

fn based(literal: &str) -> Option<&'static str> {
    let lower = literal.to_ascii_lowercase();
    ["0x", "0b", "0o"].iter().any(|p| lower.len() > 2 && lower.starts_with(p)).then_some("numbers are written in base ten")
}

fn suggestion(unit: &str) -> Option<&'static str> {
    let known = match unit.to_ascii_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "mins" | "minute" | "minutes" => "min",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "day" | "days" => "d",
        "msec" | "millis" | "milliseconds" => "ms",
        "k" | "kb" => "kB",
        "g" | "gb" => "GB",
        "mb" => "MB",
        "t" | "tb" => "TB",
        "ki" | "kib" => "KiB",
        "mi" | "mib" => "MiB",
        "gi" | "gib" => "GiB",
        "ti" | "tib" => "TiB",
        _ => return super::super::diagnostic::closest(unit, units().filter(|u| u.len() > 1)),
    };
    Some(known)
}

/// Of `{1b}…` the character, and how many signs were read.
fn numbered(text: &str) -> Option<(char, usize)> {
    let (digits, _) = text.strip_prefix('{')?.split_once('}')?;
    // Rust's own reading takes a sign.
    let plain = (1..=6).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = plain.then(|| u32::from_str_radix(digits, 16).ok())??;
    Some((char::from_u32(number)?, digits.len() + 2))
}

/// What a string with its quotes means. A text between triple quotes is taken as it stands, without its first newline; line ends are
/// `\n` on every machine.
pub(super) fn text(literal: &str, span: Span, messages: &mut Vec<Diagnostic>) -> String {
    if let Some(inner) = literal.strip_prefix("\"\"\"").and_then(|rest| rest.strip_suffix("\"\"\"")) {
        let inner = inner.replace("\r\n", "\n");
        return inner.strip_prefix('\n').map(str::to_owned).unwrap_or(inner);
    }
    let inner = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(literal);
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        let escape = chars.next().map(|(_, c)| c);
        match (escape, numbered(chars.as_str())) {
            (Some('n'), _) => value.push('\n'),
            (Some('t'), _) => value.push('\t'),
            (Some('"'), _) => value.push('"'),
            (Some('\\'), _) => value.push('\\'),
            (Some('u'), Some((found, length))) => {
                value.push(found);
                chars.by_ref().take(length).for_each(drop);
            }
            (other, _) => {
                let start = span.start + 1 + at as u32;
                let other = other.map(String::from).unwrap_or_default();
                let place = Span { start, end: start + 1 + other.len() as u32, ..span };
                messages.push(
                    Diagnostic::error("E0009", place, format!("unknown escape `\\{other}`"))
                        .help("escapes are `\\n`, `\\t`, `\\\"`, `\\\\` and `\\u{1b}`; between triple quotes a backslash is a backslash"),
                );
            }
        }
    }
    value
}
