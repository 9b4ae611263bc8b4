//! How is a stored body shown? Indented, and as a tree that opens and closes, with every number, string and the order
//! of keys as they came: a parser would round big integers and sort the keys, so only the white space is new.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::de::IgnoredAny;

/// The largest body that is shown as a tree, in bytes, and its most lines and levels; what is more is text.
const LARGEST: usize = 64 * 1024;
const LINES: usize = 1_500;
const LEVELS: usize = 16;
/// How many levels are open at first: an event's envelope, and the object in it.
const OPEN: usize = 3;
/// How many levels of text are indented.
const INDENTED: usize = 60;

/// A body as a tree.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/json.html")]
pub(crate) struct Tree {
    /// What opens, what closes, and what is between, from the top; every opening has its end.
    pub(crate) lines: Vec<Line>,
}

/// One line of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// An object or array begins: its key, its brackets, how many it holds, and whether it is open at first.
    Open { key: String, brackets: &'static str, holds: usize, open: bool },
    /// A string, number or word, as it came, with its key.
    Leaf { key: String, value: String },
    /// The innermost object or array ends.
    Close,
}

impl Tree {
    /// `body` as a tree, if it is JSON of a size that people open and close.
    pub(crate) fn of(body: &str) -> Option<Self> {
        if body.len() > LARGEST || serde_json::from_str::<IgnoredAny>(body).is_err() {
            return None;
        }
        let (mut lines, mut opened, mut key) = (Vec::new(), Vec::<usize>::new(), String::new());
        let mut tokens = Tokens(body).peekable();
        while let Some(token) = tokens.next() {
            match token {
                "{" | "[" => {
                    let brackets = if token == "{" { "{…}" } else { "[…]" };
                    count(&mut lines, &opened);
                    let open = opened.len() < OPEN;
                    opened.push(lines.len());
                    lines.push(Line::Open { key: std::mem::take(&mut key), brackets, holds: 0, open });
                }
                "}" | "]" => {
                    opened.pop();
                    lines.push(Line::Close);
                }
                text if tokens.next_if_eq(&":").is_some() => key = text.to_owned(),
                "," => {}
                text => {
                    count(&mut lines, &opened);
                    lines.push(Line::Leaf { key: std::mem::take(&mut key), value: text.to_owned() });
                }
            }
            if opened.len() > LEVELS || lines.len() > LINES {
                return None;
            }
        }
        // A lone string or number needs no tree.
        matches!(lines.first(), Some(Line::Open { .. })).then_some(Self { lines })
    }
}

/// One more in the innermost that is open.
fn count(lines: &mut [Line], opened: &[usize]) {
    if let Some(Line::Open { holds, .. }) = opened.last().and_then(|at| lines.get_mut(*at)) {
        *holds += 1;
    }
}

/// The tokens of JSON, as they are written.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let end = match text.chars().next()? {
            '"' => string(text),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => text.find(|c: char| c.is_ascii_whitespace() || ",:]}".contains(c)).unwrap_or(text.len()),
        };
        let (token, rest) = text.split_at_checked(end)?;
        self.0 = rest;
        Some(token)
    }
}

/// Where the string at the beginning of `text` ends.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            c => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// `body` indented by two spaces per level, or as it is when it is no JSON.
pub(crate) fn pretty(body: &str) -> String {
    if serde_json::from_str::<IgnoredAny>(body).is_err() {
        return body.to_owned();
    }
    let (mut out, mut depth) = (String::with_capacity(body.len() * 2), 0_usize);
    let mut tokens = Tokens(body).peekable();
    while let Some(token) = tokens.next() {
        match token {
            "{" | "[" => {
                out.push_str(token);
                match tokens.next_if(|next| matches!(*next, "}" | "]")) {
                    Some(end) => out.push_str(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push_str(token);
            }
            "," => {
                out.push(',');
                line(&mut out, depth);
            }
            ":" => out.push_str(": "),
            token => out.push_str(token),
        }
    }
    out
}

/// A new line at `depth`. Hostile depth is not indented at all, so that the text stays linear in size.
fn line(out: &mut String, depth: usize) {
    if depth <= INDENTED {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    }
}

impl HtmlSafe for Tree {}

#[cfg(test)]
mod tests {
    use super::{LINES, Line, Tree, pretty};

    #[test]
    fn only_white_space_changes() {
        let body = r#"{"z":9007199254740993, "a":[ 1.10,"q\"{,:}\\"],"e":{ },"n":[]}"#;
        let want = "{\n  \"z\": 9007199254740993,\n  \"a\": [\n    1.10,\n    \"q\\\"{,:}\\\\\"\n  ],\n  \"e\": {},\n  \"n\": []\n}";
        assert_eq!(pretty(body), want);
        assert_eq!(pretty("a=1&b=2"), "a=1&b=2");
    }

    #[test]
    fn a_tree_keeps_keys_and_numbers_as_they_came() {
        let tree = Tree::of(r#" {"z" : 9007199254740993,"a":[1.10,"\"\\"],"e":{ }} "#).expect("a tree");
        let leaf = |key: &str, value: &str| Line::Leaf { key: key.to_owned(), value: value.to_owned() };
        let open = |key: &str, brackets, holds| Line::Open { key: key.to_owned(), brackets, holds, open: true };
        let expected = [
            open("", "{…}", 3),
            leaf("\"z\"", "9007199254740993"),
            open("\"a\"", "[…]", 2),
            leaf("", "1.10"),
            leaf("", r#""\"\\""#),
            Line::Close,
            open("\"e\"", "{…}", 0),
            Line::Close,
            Line::Close,
        ];
        assert_eq!(tree.lines, expected);
    }

    #[test]
    fn what_is_too_deep_or_too_long_or_no_json_is_no_tree() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Tree::of(&deep(10)).is_some() && Tree::of(&deep(100)).is_none());
        let endless = deep(100_000);
        assert!(Tree::of(&endless).is_none() && pretty(&endless).len() < 3 * endless.len());
        assert!(Tree::of(&format!("[{}1]", "1,".repeat(LINES))).is_none());
        assert!(["a=1&b=2", "{", "5", ""].into_iter().all(|body| Tree::of(body).is_none()));
    }
}
