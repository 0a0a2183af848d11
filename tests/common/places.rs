//! Messages without the line numbers of compiled-in files: a line more in `std/losses.epo` is no other message.

/// `163` becomes `…` in `::: std/losses.epo:163:61` and in front of the lines that are shown below it; margins are as wide as the other numbers need.
pub(crate) fn without_library_lines(rendered: &str) -> String {
    rendered.split("\n\n").map(message).collect::<Vec<_>>().join("\n\n")
}

fn message(text: &str) -> String {
    // Tests read the library from the repository's folder; a message of the program names its files without it.
    let in_library = |place: &str| -> Option<String> {
        let place = place.strip_prefix("pipelines/").unwrap_or(place);
        (place.starts_with("std/") || place.starts_with("lib/")).then(|| place.to_owned())
    };
    let Some(margin) = text.lines().find_map(|line| line.find("--> ")) else { return text.to_owned() };
    let mut library = false;
    let mut rows: Vec<(&str, String)> = Vec::new();
    let mut width = 1;
    for line in text.split('\n') {
        let (head, rest) = line.split_at_checked(margin).unwrap_or(("", line));
        let number = head.trim();
        if let Some(place) = rest.strip_prefix("--> ").or(rest.strip_prefix("::: ")) {
            let place = in_library(place);
            library = place.is_some();
            match place.as_deref().map(|place| place.split(':').collect::<Vec<_>>()).as_deref() {
                Some([file, _, column]) => rows.push((" ", format!("{}{file}:…:{column}", &rest[..4]))),
                _ => rows.push((" ", rest.to_owned())),
            }
        } else if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && rest.starts_with(" |") {
            let number = if library { "…" } else { number };
            width = width.max(number.chars().count());
            rows.push((number, rest.to_owned()));
        } else if number.is_empty() && !head.is_empty() {
            rows.push((" ", rest.to_owned()));
        } else {
            rows.push(("", line.to_owned()));
        }
    }
    let laid = |(head, rest): &(&str, String)| if head.is_empty() { rest.clone() } else { format!("{head:>width$}{rest}") };
    rows.iter().map(laid).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_line_more_in_a_library_changes_nothing() {
    let with = |number: &str, space: &str| {
        format!(
            "error[E0305]: words\n{space}--> a.epo:6:57\n{space} |\n{user} | a line\n{space}::: std/losses.epo:{number}:35\n{space} |\n\
             {number} | fn\n{space} | -- inside\n{space} = help: do\n{space}         this\n\nwarning[W0001]: words\n --> a.epo:9:1\n\
             \x20 |\n9 | b\n2 errors\n",
            user = format_args!("{:>1$}", 6, space.len()),
        )
    };
    let found = without_library_lines(&with("99", "  "));
    assert_eq!(found, without_library_lines(&with("101", "   ")));
    assert_eq!(found, with("…", " "));
    assert_eq!(found, without_library_lines(&with("99", "  ").replace("std/", "pipelines/std/")));
}
