//! The things by which somebody is recognised in what comes later.

/// The longest text that may be an id or a word.
pub(super) const LONGEST: usize = 255;

/// One thing by which somebody is recognised in what comes later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Trait {
    /// An email address, in lower case.
    Email(String),
    /// A gateway's id of a customer, where a body calls it so.
    Customer(String),
    /// An id that is like no other text: of a customer, of a payment, or of a gateway's object.
    Object(String),
}

impl Trait {
    /// The kind of thing and the thing, for a hash.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Email(text) => ("email", text),
            Self::Customer(text) => ("customer", text),
            Self::Object(text) => ("object", text),
        }
    }
}

/// Whether a text is like no other by itself.
pub(super) fn is_object(text: &str) -> bool {
    let is_word = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@');
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    (6..=LONGEST).contains(&text.len()) && is_word && has(u8::is_ascii_alphabetic) && has(u8::is_ascii_digit)
}
