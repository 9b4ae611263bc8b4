//! What does a source text say once comments are out of the way? Just enough of Rust's grammar to trust the answers.

use std::path::{Path, PathBuf};

/// Every file below `folder`, relative to the crate, with its text; sorted. A folder that is not there has none.
pub(super) fn files(folder: &str) -> Vec<(String, String)> {
    fn visit(path: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(path).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { visit(&path, found) } else { found.push(path) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    visit(&root.join(folder), &mut found);
    found.sort();
    let relative = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    found.iter().map(|path| (relative(path), std::fs::read_to_string(path).unwrap())).collect()
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    Name(String),
    Literal(String),
    Mark(char),
}

/// A word of the source and its line, counted from 1.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) word: Word,
}

impl Token {
    pub(super) fn is(&self, text: &str) -> bool {
        match &self.word {
            Word::Name(name) => name == text,
            Word::Mark(mark) => text.chars().eq([*mark]),
            Word::Literal(_) => false,
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        if let Word::Name(name) = &self.word { Some(name) } else { None }
    }
}

/// The words of a source text, without comments; literals keep what stands between their quotes.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let text: Vec<char> = source.chars().collect();
    let at = |place: usize| text.get(place).copied().unwrap_or('\0');
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let (mut found, mut i, mut line) = (Vec::new(), 0, 1);
    while i < text.len() {
        let (begin, begun) = (i, line);
        let mut word = None;
        if at(i) == '/' && at(i + 1) == '/' {
            while i < text.len() && at(i) != '\n' {
                i += 1;
            }
        } else if at(i) == '/' && at(i + 1) == '*' {
            let mut depth = 0;
            while i < text.len() {
                match (at(i), at(i + 1)) {
                    ('/', '*') => (depth, i) = (depth + 1, i + 2),
                    ('*', '/') => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
                if depth == 0 {
                    break;
                }
            }
        } else if let Some(end) = raw_string(&text, i) {
            word = Some(Word::Literal(text[i..end].iter().collect()));
            i = end;
        } else if at(i) == '"' || (at(i) == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'')) {
            i += 1;
            while i < text.len() && at(i) != text[begin] {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            word = Some(Word::Literal(text[begin + 1..i.min(text.len())].iter().collect()));
            i += 1;
        } else if is_name(at(i)) {
            while is_name(at(i)) {
                i += 1;
            }
            word = Some(Word::Name(text[begin..i].iter().collect()));
        } else {
            word = (!at(i).is_whitespace()).then(|| Word::Mark(at(i)));
            i += 1;
        }
        line += text[begin..i.min(text.len())].iter().filter(|c| **c == '\n').count();
        found.extend(word.map(|word| Token { line: begun, word }));
    }
    found
}

/// Where the raw string ends that begins at `start`, if one does: `r"…"`, `br##"…"##`.
fn raw_string(text: &[char], start: usize) -> Option<usize> {
    let at = |place: usize| text.get(place).copied().unwrap_or('\0');
    let mut i = start + usize::from(matches!(at(start), 'b' | 'c'));
    if at(i) != 'r' {
        return None;
    }
    i += 1;
    let hashes = (i..).take_while(|place| at(*place) == '#').count();
    i += hashes;
    if at(i) != '"' {
        return None;
    }
    i += 1;
    while i < text.len() && !(at(i) == '"' && (1..=hashes).all(|n| at(i + n) == '#')) {
        i += 1;
    }
    Some((i + 1 + hashes).min(text.len()))
}

/// Does `#[cfg(test)] mod` stand at `place`? The module's name comes next.
fn is_test_module(tokens: &[Token], place: usize) -> bool {
    tokens[place..].iter().zip(TEST_MODULE).filter(|(token, text)| token.is(text)).count() == TEST_MODULE.len()
}

const TEST_MODULE: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];

/// The tokens that are not in a module marked `#[cfg(test)]`.
pub(super) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let body = i + TEST_MODULE.len() + 1;
        if is_test_module(tokens, i) && tokens.get(body).is_some_and(|token| token.is("{")) {
            i = closing(tokens, body) + 1;
        } else {
            kept.push(tokens[i].clone());
            i += 1;
        }
    }
    kept
}

/// The modules marked `#[cfg(test)]` that are files of their own.
pub(super) fn test_files(tokens: &[Token]) -> Vec<&str> {
    let marked = (0..tokens.len()).filter(|place| is_test_module(tokens, *place));
    let named = marked.filter_map(|place| tokens.get(place + TEST_MODULE.len()..place + TEST_MODULE.len() + 2));
    named.filter(|pair| pair[1].is(";")).filter_map(|pair| pair[0].name()).collect()
}

/// The place of the brace that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate().skip(open) {
        depth += i32::from(token.is("{")) - i32::from(token.is("}"));
        if depth == 0 {
            return place;
        }
    }
    tokens.len()
}

/// What a file takes from the crate's root, by `crate::…` or by enough `super::`s: line and name. `depth` is how many
/// modules the file is below the root.
pub(super) fn roots(tokens: &[Token], depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut modules = Vec::new(); // One entry for each open brace: does it belong to a module?
    let is_path = |place: usize| tokens.get(place..place + 2).is_some_and(|two| two[0].is(":") && two[1].is(":"));
    let mut i = 0;
    while i < tokens.len() {
        let token = &tokens[i];
        if token.is("{") {
            let is_table = i >= 2 && tokens[i - 2].is("table") && tokens[i - 1].is("!"); // diesel makes a module of it.
            modules.push(is_table || (i >= 2 && tokens[i - 2].is("mod")));
        } else if token.is("}") {
            modules.pop();
        } else if token.is("crate") && is_path(i + 1) {
            found.extend(heads(tokens, i + 3));
        } else if token.is("super") && is_path(i + 1) {
            let mut ups = 1;
            while tokens.get(i + 3).is_some_and(|next| next.is("super")) && is_path(i + 4) {
                (ups, i) = (ups + 1, i + 3);
            }
            if ups >= depth + modules.iter().filter(|module| **module).count() {
                found.extend(heads(tokens, i + 3));
            }
        }
        i += 1;
    }
    found
}

/// The first names of the path or of the `{group}` of paths at `place`.
fn heads(tokens: &[Token], place: usize) -> Vec<(usize, String)> {
    let said = |token: &Token| (token.line, token.name().unwrap_or("*").to_owned());
    let Some(first) = tokens.get(place) else { return Vec::new() };
    if !first.is("{") {
        return vec![said(first)];
    }
    let mut depth = 0;
    let mut found = Vec::new();
    for pair in tokens[place..=closing(tokens, place).min(tokens.len() - 1)].windows(2) {
        depth += i32::from(pair[0].is("{")) - i32::from(pair[0].is("}"));
        if depth == 1 && (pair[0].is("{") || pair[0].is(",")) && !pair[1].is("}") {
            found.push(said(&pair[1]));
        }
    }
    found
}
