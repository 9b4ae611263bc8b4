//! Texts from elsewhere as they may stand in a log: short, on one line, and without e-mail addresses.

/// How many characters of a text are kept.
const LONGEST: usize = 300;

/// The text of a gateway, a handler or a stranger, for a line in the log.
pub(crate) fn loggable(text: &str) -> String {
    let cut: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let more = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    let words: Vec<String> = cut.split(' ').map(masked).collect();
    format!("{}{more}", words.join(" "))
}

/// A word, or what stands for it if there is an e-mail address in it.
fn masked(word: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let Some((before, after)) = word.split_once('@') else { return word.to_owned() };
    let name = before.trim_end_matches(is_part);
    let rest = after.trim_start_matches(is_part);
    if name.len() == before.len() || rest.len() == after.len() {
        return word.to_owned();
    }
    // A full stop after the address is the sentence's.
    let stop = if after[..after.len() - rest.len()].ends_with('.') { "." } else { "" };
    format!("{name}(an e-mail address){stop}{}", masked(rest))
}

#[cfg(test)]
mod tests {
    use super::loggable;

    #[test]
    fn addresses_are_not_shown_and_nothing_is_endless() {
        assert_eq!(
            loggable("no customer <mia.k+1@shop.example>, nor bob@shop.example."),
            "no customer <(an e-mail address)>, nor (an e-mail address)."
        );
        assert_eq!(loggable("a @ b, @handle\nand 5@"), "a @ b, @handle and 5@");
        assert_eq!(loggable(&"x".repeat(70_000)).chars().count(), 301);
    }
}
