//! What did a gateway's HTTP request carry, and why was it refused? A delivery is untrusted until its
//! gateway has verified it; turning a [`Rejection`] into a status line is the web room's work.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

/// One HTTP request that reached a webhook endpoint, as it came over the wire.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Header fields in the order they came, names in lower case, values as they were.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The query string without its `?`; empty when there was none.
    pub query: String,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Delivery {
    /// The header field `name` (lower case). A field that came several times is joined with `", "`, as
    /// RFC 9110 §5.3 says; bytes that are no UTF-8 become U+FFFD, which no signature contains.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut found = self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| String::from_utf8_lossy(v));
        let first = found.next()?;
        Some(found.fold(first, |all, next| Cow::Owned(format!("{all}, {next}"))))
    }
}

/// Why a delivery was refused. The code is what the gateway is told, and what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The header that should carry the signature is absent or empty.
    SignatureMissing,
    /// The signature header can't be read.
    SignatureMalformed,
    /// No signature in the header was made with a known secret over this body.
    SignatureMismatch,
    /// Signed with a known secret, but longer ago than the tolerance.
    SignatureStale,
    /// Signed, but without a readable event id or kind.
    BodyMalformed,
    /// The body is longer than the mount allows.
    TooLarge,
    /// The body broke off before its end.
    BodyIncomplete,
    /// No variant of this name takes deliveries.
    UnknownVariant,
    /// The method is not one that this address answers.
    MethodNotAllowed,
    /// Verification could not be finished now; the gateway should send again.
    Unverifiable,
    /// The event could not be stored; the gateway should send again.
    Unavailable,
}

impl Rejection {
    /// Every rejection, for pages and counters that list them.
    pub const ALL: [Rejection; 11] = [
        Self::SignatureMissing,
        Self::SignatureMalformed,
        Self::SignatureMismatch,
        Self::SignatureStale,
        Self::BodyMalformed,
        Self::TooLarge,
        Self::BodyIncomplete,
        Self::UnknownVariant,
        Self::MethodNotAllowed,
        Self::Unverifiable,
        Self::Unavailable,
    ];

    /// The reason code: the whole response body, and the key of its counter.
    pub fn code(self) -> &'static str {
        match self {
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureMismatch => "signature_mismatch",
            Self::SignatureStale => "signature_stale",
            Self::BodyMalformed => "body_malformed",
            Self::TooLarge => "too_large",
            Self::BodyIncomplete => "body_incomplete",
            Self::UnknownVariant => "unknown_variant",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Unverifiable => "unverifiable",
            Self::Unavailable => "unavailable",
        }
    }

    /// The likely cause, for the person who has to mend it.
    pub fn likely_cause(self) -> &'static str {
        match self {
            Self::SignatureMissing => "something other than the gateway posts here, or a proxy drops the header",
            Self::SignatureMalformed => "something other than the gateway posts here, or a proxy changes the header",
            Self::SignatureMismatch => "the signing secret is of another endpoint or mode, or a proxy changes the body",
            Self::SignatureStale => "this machine's clock is wrong, or an old delivery is being replayed",
            Self::BodyMalformed => "the gateway's payload format is not one that this variant reads",
            Self::TooLarge => "the payload limit of the mount is lower than this gateway's events need",
            Self::BodyIncomplete => "the connection broke before the body was whole",
            Self::UnknownVariant => "the address in the gateway's settings names a variant that is not configured",
            Self::MethodNotAllowed => "a browser or a scanner opened a webhook address",
            Self::Unverifiable => "what verification needs could not be fetched",
            Self::Unavailable => "the database did not take the event in time, or too many were waiting",
        }
    }

    /// What to do about it first, for the same person: a sentence without its full stop.
    pub fn next_step(self) -> &'static str {
        match self {
            Self::SignatureMissing => {
                "see who posts: if it is the gateway, let the proxy pass all of its header fields"
            }
            Self::SignatureMalformed => {
                "see who posts: if it is the gateway, let the proxy leave its header fields alone"
            }
            Self::SignatureMismatch => {
                "compare the secret here with the one that the gateway shows for this very address, in the same mode; if \
                 they are equal, find the proxy or middleware that decompresses or rewrites the body"
            }
            Self::SignatureStale => "set this machine's clock by NTP; if it is right, somebody has recorded deliveries",
            Self::BodyMalformed => {
                "send JSON events in the gateway's standard format to this address, and nothing else"
            }
            Self::TooLarge => "raise the mount's payload_limit, and any limit of a proxy in front of it",
            Self::BodyIncomplete => "nothing, if it is rare: the gateway sends again; else look for a proxy's time-out",
            Self::UnknownVariant => "correct the address in the gateway's settings, or add the variant",
            Self::MethodNotAllowed => "nothing: deliveries come by POST, and somebody has looked",
            Self::Unverifiable => "let this machine reach the gateway's own address; the gateway sends again meanwhile",
            Self::Unavailable => "see the log for what the database said; the gateway sends again meanwhile",
        }
    }

    /// The rejection of this reason code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rejection| rejection.code() == code)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Rejection {}
