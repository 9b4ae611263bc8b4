//! The pieces of a text that a search finds it by, and the pieces of what is searched for. A piece begins a word, or
//! stands at every second place within it in an address or a number, so that any part of three characters or more is
//! found by looking at two ranges of pieces.

use std::collections::BTreeSet;

/// The longest piece that is stored, in characters; what is searched for is compared this far.
const LONGEST: usize = 24;
/// The shortest part that is searched for, in characters.
pub(crate) const SHORTEST: usize = 3;
/// How many pieces one text has at the most.
const MOST: usize = 64;
/// The same of a note, of which people write few.
const MOST_OF_NOTE: usize = 256;
/// After all that begins with a piece.
const LAST: char = '\u{10ffff}';

/// A piece of a text, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Piece {
    pub(crate) word: String,
    /// The character before it, if it begins within a word.
    pub(crate) before: String,
}

/// A range of pieces that begin with what is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sought {
    pub(crate) from: String,
    pub(crate) to: String,
    /// The character that the pieces must have before them; `None` for any.
    pub(crate) before: Option<String>,
}

impl Sought {
    /// Whether this piece lies in the range.
    pub(crate) fn finds(&self, piece: &Piece) -> bool {
        let is_in = self.from <= piece.word && piece.word <= self.to;
        is_in && self.before.as_ref().is_none_or(|before| *before == piece.before)
    }
}

/// The pieces of an email address: of each word, and at every second place of it. The last word of the domain has none:
/// alone it finds too much to be worth a row.
pub(crate) fn of_address(text: &str) -> BTreeSet<Piece> {
    let chars = folded(text);
    let mut words = words(&chars);
    if words.len() > 1 {
        words.pop();
    }
    words.into_iter().flat_map(|(begin, end)| within(&chars, begin, end)).take(MOST).collect()
}

/// The pieces of a name: of each word.
pub(crate) fn of_name(text: &str) -> BTreeSet<Piece> {
    of_each_word(text, MOST)
}

/// The pieces of a note: of each word.
pub(crate) fn of_note(text: &str) -> BTreeSet<Piece> {
    of_each_word(text, MOST_OF_NOTE)
}

fn of_each_word(text: &str, most: usize) -> BTreeSet<Piece> {
    let chars = folded(text);
    words(&chars).into_iter().take(most).map(|(begin, _)| piece(&chars, begin, false)).collect()
}

/// The pieces of an order number: of each word, and at every second place of the last one.
pub(crate) fn of_reference(text: &str) -> BTreeSet<Piece> {
    let chars = folded(text);
    let words = words(&chars);
    let mut pieces = BTreeSet::new();
    if let Some((begin, end)) = words.last() {
        pieces.extend(within(&chars, *begin, *end));
    }
    pieces.extend(words.iter().map(|(begin, _)| piece(&chars, *begin, false)));
    pieces.into_iter().take(MOST).collect()
}

/// A text that is found as a whole, such as the last four digits of a card.
pub(crate) fn of_whole(text: &str) -> Piece {
    let chars = folded(text);
    piece(&chars, 0, false)
}

/// The ranges in which the pieces lie that a search for this text finds. None for a text that is too short.
pub(crate) fn sought(text: &str) -> Vec<Sought> {
    let chars: Vec<char> = folded(text).into_iter().skip_while(|c| !c.is_alphanumeric()).collect();
    let mut ranges = Vec::new();
    if chars.len() < SHORTEST {
        return ranges;
    }
    ranges.push(range(&chars, None));
    // Within a word every second place begins a piece, and so does its last character.
    if chars[1].is_alphanumeric() {
        ranges.push(range(&chars[1..], Some(chars[0].to_string())));
    }
    ranges
}

fn range(chars: &[char], before: Option<String>) -> Sought {
    let from: String = chars.iter().take(LONGEST).collect();
    Sought { to: format!("{from}{LAST}"), from, before }
}

/// The text in lower case and without accents, each white space one blank.
fn folded(text: &str) -> Vec<char> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase().chars().map(plain).collect()
}

/// A letter without its accent, as people leave it out when they type; of the letters of western and central Europe.
fn plain(letter: char) -> char {
    match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'ī' | 'į' => 'i',
        'ł' => 'l',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ř' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ț' | 'ţ' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    }
}

/// Where each word begins and ends: letters and digits.
fn words(chars: &[char]) -> Vec<(usize, usize)> {
    let mut words: Vec<(usize, usize)> = Vec::new();
    for (at, _) in chars.iter().enumerate().filter(|(_, c)| c.is_alphanumeric()) {
        match words.last_mut() {
            Some((_, end)) if *end == at => *end = at + 1,
            _ => words.push((at, at + 1)),
        }
    }
    words
}

/// The pieces from the beginning of a word, and from every second place counted from its end.
fn within(chars: &[char], begin: usize, end: usize) -> impl Iterator<Item = Piece> {
    let places = (begin..end).rev().step_by(2).filter(move |at| *at > begin);
    let pieces: Vec<Piece> = places.map(|at| piece(chars, at, true)).chain([piece(chars, begin, false)]).collect();
    pieces.into_iter().filter(|piece| piece.word.chars().count() >= SHORTEST || piece.before.is_empty())
}

fn piece(chars: &[char], at: usize, is_within: bool) -> Piece {
    let before = if is_within { chars[at - 1].to_string() } else { String::new() };
    Piece { word: chars[at.min(chars.len())..].iter().take(LONGEST).collect(), before }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(pieces: &BTreeSet<Piece>, text: &str) -> bool {
        sought(text).iter().any(|sought| pieces.iter().any(|piece| sought.finds(piece)))
    }

    #[test]
    fn any_part_of_an_address_but_its_last_word_is_found_in_any_case() {
        let address = "Alice.Mueller42@Shop.Example.org";
        let (pieces, chars) = (of_address(address), address.chars().collect::<Vec<_>>());
        let last = address.rfind('.').expect("an address");
        for begin in 0..last {
            for end in begin + SHORTEST..=chars.len() {
                let part: String = chars[begin..end].iter().collect();
                let letters = part.trim_start_matches(|c: char| !c.is_alphanumeric());
                if letters.chars().count() >= SHORTEST && letters != "org" {
                    assert!(finds(&pieces, &part.to_uppercase()), "{part} in {pieces:?}");
                }
            }
        }
        assert!(!finds(&pieces, "alicia") && !finds(&pieces, "muller"));
        assert!(pieces.len() <= 16, "{pieces:?}");
    }

    #[test]
    fn an_order_number_is_found_by_its_words_and_by_its_end() {
        let pieces = of_reference("#ORD-2026-0012345");
        for part in ["ord-2026", "#ord", "2026-00", "0012345", "12345", "2345", "ORD-2026-0012345"] {
            assert!(finds(&pieces, part), "{part} in {pieces:?}");
        }
        assert!(!finds(&pieces, "99999") && pieces.len() <= 7, "{pieces:?}");
    }

    #[test]
    fn a_name_is_found_by_how_its_words_begin() {
        let pieces = of_name("Zoë  Müller-Lüdenscheidt");
        assert!(["zoë", "MÜLL", "ludensch", "Zoe müller"].iter().all(|part| finds(&pieces, part)), "{pieces:?}");
    }

    #[test]
    fn what_is_no_text_has_no_pieces_and_finds_nothing() {
        assert!(sought("ab").is_empty() && sought("  #@").is_empty() && of_address("@@").is_empty());
        assert_eq!(of_whole("4242"), Piece { word: "4242".to_owned(), before: String::new() });
    }
}
