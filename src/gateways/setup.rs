//! What a host has to set up at a company, and which secrets are missing.

/// What has to be set up at the company, shown on the variant's admin page.
///
/// ```
/// use actix_payments::gateways::{SecretStatus, Setup};
///
/// let mut setup = Setup::default();
/// setup.steps = vec!["In Acme's settings, add a webhook to {address}.".to_owned()];
/// setup.secrets = vec![SecretStatus::of("primary", "a secret that is not shown")];
/// assert!(setup.secrets[0].is_set);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setup {
    /// The steps, in order, as plain sentences. `{address}` stands for the variant's address.
    pub steps: Vec<String>,
    /// The kinds to subscribe to: those in which [`Gateway::interpret`](super::Gateway::interpret) finds facts.
    pub kinds: Vec<&'static str>,
    /// The signing secrets, without their values.
    pub secrets: Vec<SecretStatus>,
    /// Whether an API key for outgoing calls is configured; `None` for a gateway that makes no calls.
    pub api_key: Option<bool>,
    /// The reasons that the company accepts for a refund. Empty if it accepts none.
    pub refund_reasons: Vec<&'static str>,
    /// Links to the company's documentation: a title and an `https://` address.
    pub docs: Vec<(&'static str, &'static str)>,
}

/// A signing secret, without its value.
///
/// See [`Setup`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretStatus {
    /// Its label, which is stored with the events that it verified.
    pub label: String,
    /// Whether it has a usable value.
    pub is_set: bool,
}

impl SecretStatus {
    /// The status of this secret. It has a usable value unless it is blank.
    pub fn of(label: impl Into<String>, secret: &str) -> Self {
        Self { label: label.into(), is_set: !secret.trim().is_empty() }
    }
}
