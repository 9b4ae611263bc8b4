//! Texts of our own in which words of a person may stand, such as sentences on what became of an event.

use std::collections::BTreeSet;

/// What is put in the place of a word that was erased.
const GONE: &str = "(erased)";
/// How many words of a person are looked for.
const MOST: usize = 400;

/// The words of a person, the longest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words(Vec<String>);

impl Words {
    /// Email addresses, and the personal texts of bodies.
    pub(crate) fn new(emails: &BTreeSet<String>, texts: &BTreeSet<String>) -> Self {
        let is_telling = |text: &&String| {
            let letters = text.chars().filter(|c| c.is_alphabetic()).count();
            text.chars().count() <= 255 && (letters >= 3 || text.starts_with('+')) && !text.contains("://")
        };
        let found: BTreeSet<String> = texts.iter().filter(is_telling).map(|text| text.to_ascii_lowercase()).collect();
        let mut words: Vec<String> = found.into_iter().collect();
        // Names are short and are among the few words of many events; what is unique to each event is a description.
        words.sort_by_key(|word| word.len());
        words.truncate(MOST);
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let mut all: Vec<String> = emails.iter().cloned().collect();
        all.extend(words);
        Self(all)
    }

    /// Only those that can be nothing but a person's: in JSON of our own another word might be a state.
    pub(crate) fn sure(&self) -> Self {
        let is_sure = |word: &&String| word.contains('@') || word.contains(' ');
        Self(self.0.iter().filter(is_sure).cloned().collect())
    }
}

/// The text without these words, if it has one of them. The case of A to Z makes no difference, and a word is whole.
pub(crate) fn scrubbed(text: &str, words: &Words) -> Option<String> {
    let (mut out, mut lower) = (text.to_owned(), text.to_ascii_lowercase());
    for word in words.0.iter().filter(|word| !word.is_empty()) {
        let mut from = 0;
        while let Some(at) = lower[from..].find(word.as_str()).map(|at| from + at) {
            let end = at + word.len();
            let beside = [lower[..at].chars().next_back(), lower[end..].chars().next()];
            if beside.iter().flatten().any(|c| c.is_alphanumeric()) {
                from = end;
                continue;
            }
            out.replace_range(at..end, GONE);
            lower.replace_range(at..end, GONE);
            from = at + GONE.len();
        }
    }
    (out != text).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_go_in_any_case_and_parts_of_others_stay() {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let words = Words::new(&set(&["mia@b.example"]), &set(&["Ann Lee", "Ann", "12345", "X", "+49 30 1234567"]));
        assert_eq!(
            scrubbed("ANN LEE (Mia@B.example) cannot pay 12345; Ann said so", &words).as_deref(),
            Some("(erased) ((erased)) cannot pay 12345; (erased) said so")
        );
        assert_eq!(scrubbed("call +49 30 1234567.", &words).as_deref(), Some("call (erased)."));
        assert_eq!((scrubbed("planned", &words), scrubbed("", &words)), (None, None));
        assert_eq!(scrubbed("Ann, Ann Lee", &words.sure()).as_deref(), Some("Ann, (erased)"));
    }
}
