//! What asks for a note, and what finds one.

/// The form that asks for a note.
#[derive(Debug)]
pub(crate) struct NoteForm {
    /// Where it posts to.
    pub(crate) action: String,
    /// How many characters it may have.
    pub(crate) longest: usize,
}

/// The search for words in the notes of a payment.
#[derive(Debug)]
pub(crate) struct NoteSearch {
    /// The payment's page.
    pub(crate) action: String,
    /// The same with the whole timeline.
    pub(crate) all: String,
    /// What remembers the list that the payment was opened from, as name and value.
    pub(crate) within: Vec<(&'static str, String)>,
    /// What is looked for now.
    pub(crate) words: String,
}
