//! Do the sentences of the sources and the templates keep to plain words?

use super::source::{Word, files, tokens, without_tests};

/// Where people would read "told", which says neither who nor how.
fn telling(path: &str, text: &str) -> Vec<String> {
    let says =
        |literal: &str| literal.split(|c: char| !c.is_alphanumeric() && !"_{".contains(c)).any(|word| word == "told");
    let found = without_tests(&tokens(text)).into_iter();
    let found = found.filter(|token| matches!(&token.word, Word::Literal(literal) if says(literal)));
    found.map(|token| format!("{path}:{}", token.line)).collect()
}

#[test]
fn no_sentence_says_that_somebody_was_told() {
    let sources = files("src");
    let found: Vec<String> = sources.iter().flat_map(|(path, text)| telling(path, text)).collect();
    assert_eq!(found, [""; 0]);
    for (path, text) in files("templates") {
        assert!(!text.contains(" told"), "{path}");
    }
    assert_eq!(telling("bad", "// told\nlet told = \"nobody was told.\";"), ["bad:2"]);
    assert_eq!(telling("good", "format!(\"{told} told_at\")"), [""; 0]);
}
