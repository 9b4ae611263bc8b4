//! How is a stored body shown? Indented, with every number, string and the order of keys as they came: a parser
//! would round big integers and sort the keys, so only the white space is new.

use serde::de::IgnoredAny;

/// `body` indented by two spaces per level, or as it is when it is no JSON.
pub(crate) fn pretty(body: &str) -> String {
    if serde_json::from_str::<IgnoredAny>(body).is_err() {
        return body.to_owned();
    }
    let mut out = String::with_capacity(body.len() * 2);
    let (mut depth, mut chars) = (0_usize, body.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                let mut escaped = false;
                for c in chars.by_ref() {
                    out.push(c);
                    if c == '"' && !escaped {
                        break;
                    }
                    escaped = c == '\\' && !escaped;
                }
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                match chars.next_if(|c| matches!(c, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

/// A new line at `depth`. Hostile depth indents no further than sixty levels, so the text stays linear in size.
fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth.min(60)));
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn only_white_space_changes() {
        let body = r#"{"z":9007199254740993, "a":[ 1.10,"q\"{,:}\\"],"e":{ },"n":[]}"#;
        let want = "{\n  \"z\": 9007199254740993,\n  \"a\": [\n    1.10,\n    \"q\\\"{,:}\\\\\"\n  ],\n  \"e\": {},\n  \"n\": []\n}";
        assert_eq!(pretty(body), want);
        assert_eq!(pretty("a=1&b=2"), "a=1&b=2");
    }
}
