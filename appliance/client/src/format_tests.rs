use super::*;

/// Bold as `<b>`, italic as `<i>`, code as `<c>`.
fn shown(text: &str) -> String {
    let mut lines = Vec::new();
    for line in format(text) {
        let words = |words: &[Span]| {
            let span = |span: &Span| {
                let mut text = span.text.clone();
                for (is, tag) in [(span.code, "c"), (span.italic, "i"), (span.bold, "b")] {
                    if is {
                        text = format!("<{tag}>{text}</{tag}>");
                    }
                }
                text
            };
            words.iter().map(span).collect::<String>()
        };
        lines.push(match line {
            Line::Words(said) => words(&said),
            Line::Item { level, number, words: said } => {
                let number = number.map_or_else(|| "-".to_owned(), |number| number.to_string());
                format!("{level}[{number}] {}", words(&said))
            }
            Line::Code(code) => format!("|{code}|"),
        });
    }
    lines.join("/")
}

#[test]
fn marks_form_what_they_stand_around() {
    for (text, form) in [
        ("bed **4** is free", "bed <b>4</b> is free"),
        ("*now*, _please_", "<i>now</i>, <i>please</i>"),
        ("give `5 mg *iv*`", "give <c>5 mg *iv*</c>"),
        ("***both***", "<b><i>both</i></b>"),
        ("**all *of* it**", "<b>all </b><b><i>of</i></b><b> it</b>"),
        ("*a **b** c*", "<i>a </i><b><i>b</i></b><i> c</i>"),
        ("(**4 West**)", "(<b>4 West</b>)"),
        ("**Müller**: ok", "<b>Müller</b>: ok"),
        ("- one\n  - two\n    * three\n          - deep", "0[-] one/1[-] two/2[-] three/2[-] deep"),
        ("1. first\n12. twelfth", "0[1] first/0[12] twelfth"),
        ("```\n*as* it is\n\n```\nend", "|*as* it is|/||/end"),
        ("a\r\n\r\nb", "a//b"),
    ] {
        assert_eq!(shown(text), form, "{text}");
    }
}

#[test]
fn what_forms_nothing_stands_for_itself() {
    for text in [
        "",
        "5*3*2 = 30",
        "bed_4_west",
        "2 * 3",
        "**",
        "****",
        "* ",
        "*",
        "a ** b",
        "**open",
        "`open",
        "``",
        "1987. was a year",
        "1.5 mg",
        "-5",
        "- ",
        "```",
        "# no heading",
        "[no link](https://example.org)",
        "<b>no tag</b>",
        "![no picture](x)",
        "> no quote",
    ] {
        let form = shown(text);
        assert!(form == text || text == "- " || text == "* ", "{text}: {form}");
    }
}

/// 64 bits that look random.
fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 31).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (value ^ value >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ value >> 32
}

/// Short texts of what matters and what does not.
fn some_text(seed: u64) -> String {
    let parts = ["*", "**", "_", "`", "```", " ", "\n", "a", "é", "7", "1. ", "- ", "ab c", "\u{202e}", "\r"];
    (0..mix(seed) % 24).map(|at| parts[(mix(seed * 31 + at) % parts.len() as u64) as usize]).collect()
}

fn is_subsequence(part: &str, whole: &str) -> bool {
    let mut whole = whole.chars();
    part.chars().all(|c| whole.any(|other| other == c))
}

#[test]
fn nothing_but_marks_goes_and_nothing_comes() {
    for seed in 0..200_000 {
        let text = some_text(seed);
        let formed = format(&text);
        let mut words = String::new();
        for line in &formed {
            match line {
                Line::Words(spans) | Line::Item { words: spans, .. } => words.push_str(&joined(spans)),
                Line::Code(code) => words.push_str(code),
            }
            words.push('\n');
        }
        words.pop();
        assert!(is_subsequence(&words, &text), "{text:?}: {words:?}");
        let kept = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
        assert_eq!(kept(&words), kept(&text), "{text:?}");
        for line in &formed {
            if let Line::Words(spans) | Line::Item { words: spans, .. } = line {
                assert!(spans.iter().all(|span| !span.text.is_empty()), "{text:?}");
                assert!(spans.iter().all(|span| !span.text.contains('\n')), "{text:?}");
            }
        }
    }
}

#[test]
fn a_long_text_of_marks_alone_takes_no_longer_than_another() {
    // Quadratic work would not end within anybody's patience.
    for part in ["*", "**", "_a", "`", "*a ", "```\n", "- *", "**_`"] {
        let text = part.repeat(4_000_000 / part.len());
        assert!(!format(&text).is_empty());
    }
}
