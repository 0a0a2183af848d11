use super::super::{ChatTemplate, Message};
use super::*;

const CHATML: &str =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{{ '<|im_start|>assistant\\n' }}";

fn template(source: &str) -> ChatTemplate {
    ChatTemplate::new(source.into(), Some("<s>".into()), Some("</s>".into()))
}

fn refused(source: &str, system: bool) -> String {
    template(source).appended(system).unwrap_err().to_string()
}

/// The conversation in pieces, and what the template makes of it from nothing.
fn appended_and_whole(source: &str, system: Option<&str>, said: &[&str], answers: &[&str]) -> (String, String) {
    let template = template(source);
    let frame = template.appended(system.is_some()).unwrap_or_else(|e| panic!("{e}"));
    let given = system.map(Prompt::data);
    let mut text = frame.opening(given.as_ref(), &Prompt::data(said[0])).text().to_string();
    for (answer, message) in answers.iter().zip(&said[1..]) {
        text += answer;
        text += frame.next(&Prompt::data(*message)).text();
    }
    let mut messages: Vec<Message> = system.map(|text| Message::new("system", text)).into_iter().collect();
    for (turn, message) in said.iter().enumerate() {
        messages.push(Message::new("user", message));
        messages.extend(answers.get(turn).map(|answer| Message::new("assistant", answer)));
    }
    (text, template.render(&messages).unwrap())
}

#[test]
fn appended_it_is_what_the_template_renders_from_nothing() {
    let said = [" a mug\n", "{{ a shelf }}", "", "the end"];
    let answers = [" take it ", "<think>\nhm\n</think>\n\ngo", "\nlook"];
    let trims_users = "{{ bos_token }}{% for m in messages %}[{{ m.role }}]\
        {{ m.content if m.role == 'assistant' else m.content | trim }}{{ eos_token }}{% endfor %}[assistant]";
    let merges_system = "{% if messages[0].role == 'system' %}{% set s = messages[0].content + '\n\n' %}{% set rest = messages[1:] %}\
        {% else %}{% set s = '' %}{% set rest = messages %}{% endif %}\
        {% for m in rest %}{% if m.role == 'user' %}{{ bos_token }}[INST]{{ s if loop.first else '' }}{{ m.content }}[/INST]\
        {% else %}{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}";
    let first_special = "{% if messages[0].role != 'system' %}<sys>none</sys>{% endif %}\
        {% for m in messages %}{% if m.role == 'system' %}<sys>{{ m.content }}</sys>{% elif loop.first %}<first>{{ m.content }}<go>\
        {% elif m.role == 'user' %}<more>{{ m.content }}<go>{% else %}{{ m.content }}<end>{% endif %}{% endfor %}";
    for source in [CHATML, trims_users, merges_system, first_special] {
        for system in [None, Some(" Be {brief}. ")] {
            let (text, whole) = appended_and_whole(source, system, &said, &answers);
            assert_eq!(text, whole, "{source}");
        }
    }
}

#[test]
fn what_is_said_stays_data() {
    let frame = template(CHATML).appended(true).unwrap();
    let opening = frame.opening(Some(&Prompt::own("Look: ")), &Prompt::data("<|im_end|>"));
    assert_eq!(opening.text(), "<|im_start|>system\nLook: <|im_end|>\n<|im_start|>user\n<|im_end|><|im_end|>\n<|im_start|>assistant\n");
    assert_eq!(opening.ranges().iter().map(|at| &opening.text()[at.clone()]).collect::<Vec<_>>(), ["<|im_end|>"]);
    assert_eq!(opening.ranges()[0].start, opening.text().find("user\n").unwrap() + 5);
    assert_eq!(frame.between(), "<|im_end|>\n<|im_start|>user\n");
}

#[test]
fn the_first_difference_is_shown() {
    let trims = "{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}[end]{% endfor %}[assistant]";
    assert!(
        refused(trims, false).starts_with(
            "the chat template does not leave an answer as it was given, and a conversation keeps its tokens as they were sampled: \
             of \" \\n go \\n \" it later writes \"go\"\n`past = template`"
        ),
        "{}",
        refused(trims, false)
    );
    let forgets_thoughts = "{% for m in messages %}<{{ m.role }}>{{ m.content.split('</think>')[-1] }}<end>{% endfor %}<assistant>";
    assert!(refused(forgets_thoughts, false).contains("of \"<think>\\nWhere?\\n</think>\\n\\ngo\" it later writes \"\\n\\ngo\""));
    let only_past = "{% set last = messages | length - 1 %}{% for m in messages %}<{{ m.role }}>\
        {{ m.content.split('</think>')[-1] if loop.index0 < last - 2 else m.content }}<end>{% endfor %}<assistant>";
    assert!(refused(only_past, false).contains("it later writes \"\\n\\ngo\""));
    let opens_thoughts = CHATML.replace("assistant\\n'", "assistant\\n<think>\\n\\n</think>\\n\\n'");
    assert!(
        refused(&opens_thoughts, true).starts_with(
            "the chat template changes what is past, and a conversation is only ever appended to: behind what the user says in turn 1 \
             it writes first \"<|im_end|>\\n<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n\", and later \"<|im_end|>\\n<|im_start|>assistant\\n\"\n"
        ),
        "{}",
        refused(&opens_thoughts, true)
    );
    let system_last = "{% for m in messages %}{% if loop.last and messages[0].role == 'system' %}<sys>{% endif %}{{ m.role }}:{{ m.content }};{% endfor %}>";
    assert!(refused(system_last, true).contains("behind the system message it writes first \";<sys>user:\", and later \";user:\""));
    let numbered = "{% for m in messages %}{{ loop.index if m.role == 'user' else '' }}:{{ m.content }};{% endfor %}:";
    assert!(refused(numbered, false).contains("behind the answer of turn 2 it writes in one turn \";3:\", and in the next \";5:\""));
}

#[test]
fn a_message_that_is_left_out_or_changed() {
    let last_only = "{{ messages[-1].content }}>";
    assert!(refused(last_only, false).starts_with("the chat template leaves out what the user says"), "{}", refused(last_only, false));
    assert!(refused("{% for m in messages %}{{ m.content | upper }}{% endfor %}", false).contains("changes what the user says"));
    let twice = "{% for m in messages %}{{ m.content }}{{ m.content if m.role == 'assistant' }};{% endfor %}";
    assert!(refused(twice, false).contains("writes what the assistant said 2 times"), "{}", refused(twice, false));
    let no_system = "{% for m in messages if m.role != 'system' %}{{ m.content }};{% endfor %}";
    assert!(refused(no_system, true).contains("leaves out the system message"));
}

#[test]
fn anew_it_is_what_the_template_renders_and_answers_stay_data() {
    let source = "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{{ m.content.split('</think>')[-1] | trim }}\
        {% else %}{{ m.content | trim }}{% endif %}<|im_end|>\n{% endfor %}<|im_start|>assistant\n<think>";
    let template = template(source);
    let anew = template.anew(true).unwrap();
    let said = [" a mug ", "a shelf", "an <|im_end|>"];
    let mut thought = Prompt::own("<think>");
    thought.append(&Prompt::data("hm</think> take <|im_end|> "));
    let answers = [thought, Prompt::data("go\u{100000}")];
    let messages: Vec<Prompt> = said.iter().map(|text| Prompt::data(*text)).collect();
    let refs: Vec<&Prompt> = messages.iter().collect();
    let prompt = template.whole(&anew, Some(&Prompt::own("Play.")), &refs, &answers).unwrap();
    let turn = |who: &str, text: &str| format!("<|im_start|>{who}\n{text}<|im_end|>\n");
    let expected = [
        turn("system", "Play."),
        turn("user", "a mug"),
        turn("assistant", "take <|im_end|>"),
        turn("user", "a shelf"),
        turn("assistant", "go\u{FFFD}"),
        turn("user", "an <|im_end|>"),
        "<|im_start|>assistant\n<think>".into(),
    ]
    .concat();
    assert_eq!(prompt.text(), expected);
    let data: Vec<&str> = prompt.ranges().iter().map(|at| &prompt.text()[at.clone()]).collect();
    assert_eq!(data, ["a mug", "take <|im_end|>", "a shelf", "go\u{FFFD}", "an <|im_end|>"]);
}
