//! What may stand in a note that people write: something, and not a book.

/// The word for a note among the acts of operators.
pub(crate) const ACT: &str = "note";

/// How many characters a note may have.
pub(crate) const LONGEST: usize = 1_000;

/// The note without white space at its ends, or what was expected instead.
pub(crate) fn checked(text: &str) -> Result<&str, String> {
    let note = text.trim();
    let count = note.chars().count();
    if (1..=LONGEST).contains(&count) && !note.contains('\0') {
        return Ok(note);
    }
    Err(format!("expected a note of 1 to {LONGEST} characters, got {count}"))
}
