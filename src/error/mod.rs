//! Errors for the developer of the host: one opaque type with a kind. (A gateway's request is answered with a
//! `Rejection`, and a handler returns a `HandlerError`.)

mod loggable;
pub(crate) mod repeated;

use std::error::Error as StdError;
use std::fmt;

pub(crate) use loggable::loggable;

/// The kind of an [`Error`].
///
/// See [`Error`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration can't work; the message says what was expected and what was given.
    Configuration,
    /// The database or a queue did not answer in time, or its tables are missing or older than this release; try again.
    Unavailable,
    /// A concurrent change came first; try again.
    Conflict,
    /// The database refused, or it contains something that this release does not expect.
    Storage,
    /// The gateway did not do what was asked.
    Gateway,
    /// There is no such payment, event or variant.
    NotFound,
    /// The current state doesn't allow it; the message says why.
    Refused,
}

/// An error of this crate. Messages hold no secret and no payload.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
/// # fn main() { shop(async |payments| {
/// use actix_payments::ErrorKind;
///
/// let error = payments.capture(&"unknown".into(), None).await.unwrap_err();
/// match error.kind() {
///     ErrorKind::NotFound => println!("no such payment: {error}"),
///     ErrorKind::Refused => println!("not now: {error}"),
///     _ if error.is_retryable() => println!("try again: {error}"),
///     _ => println!("look into the log: {error}"),
/// }
/// # assert_eq!(error.kind(), ErrorKind::NotFound);
/// # Ok(()) }) }
/// ```
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    /// Whether the connection that it came from is of no more use.
    spoils_connection: bool,
    /// Whether a row holds what this release does not know.
    is_unreadable: bool,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, spoils_connection: false, is_unreadable: false }
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says that the connection that it came from is of no more use.
    pub(crate) fn spoiling_connection(mut self) -> Self {
        self.spoils_connection = true;
        self
    }

    pub(crate) fn spoils_connection(&self) -> bool {
        self.spoils_connection
    }

    /// Says that a row holds what this release does not know.
    pub(crate) fn of_unreadable_row(mut self) -> Self {
        self.is_unreadable = true;
        self
    }

    /// Why a row can't be read, if it is about that.
    pub(crate) fn why_unreadable(&self) -> Option<String> {
        let source = self.source.as_ref().filter(|_| self.is_unreadable)?;
        Some(source.to_string())
    }

    /// The same as one that may be over soon.
    pub(crate) fn into_unavailable(self) -> Self {
        Self { kind: ErrorKind::Unavailable, ..self }
    }

    /// Logs it, with what failed by it. What fails many by the same error is logged once and then with growing pauses.
    pub(crate) fn report(&self, what: impl fmt::Display) {
        self.log(log::Level::Error, what);
    }

    /// The same at another level.
    pub(crate) fn log(&self, level: log::Level, what: impl fmt::Display) {
        let text = loggable(&self.to_string());
        repeated::log(level, &text, format_args!("{what}: {text}"));
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed when tried again.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Conflict)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

/// The same as `Display`: what `main` prints when it returns the error is a sentence.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
