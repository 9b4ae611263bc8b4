//! Is a variant set up, and does it work? What is known of it without asking anybody, and a test event that goes the
//! way that real ones go.

use super::{Actor, Payments, random_word, reconcile};
use crate::domain::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::gateways::send::{self, Answered};
use crate::gateways::{Setup, TEST_KIND, Verb};
use crate::store::rows::{EventRow, NewAct, Refused};

/// How many of a variant's newest events are asked which secret signed them.
pub(crate) const SECRETS_OF: i64 = 1_000;
/// How far back refused deliveries are told, in days.
pub(crate) const REFUSED_DAYS: i64 = 30;

/// How a variant is doing.
pub(crate) struct Checkup {
    pub gateway: &'static str,
    pub setup: Setup,
    /// Whether a test event can be sent.
    pub can_test: bool,
    /// Whether the gateway can be asked for events that were missed; if not, why not.
    pub can_ask: Result<(), String>,
    pub last_event: Option<EventRow>,
    /// When the gateway's list was last compared with the inbox, and what came of it.
    pub reconciled: Option<(Timestamp, String)>,
    /// When the last one came that was no test of an operator's.
    pub last_real: Option<Timestamp>,
    /// The labels of the secrets that signed the newest events, each with the last time.
    pub matched: Vec<(String, Timestamp)>,
    /// Whether those are all events of the variant.
    pub matched_all: bool,
    pub refused: Vec<Refused>,
    /// The test event that was asked for, once it is in the inbox.
    pub test: Option<EventRow>,
}

/// A test event that was sent.
pub(crate) struct Tested {
    /// The gateway event id.
    pub id: String,
    /// What the endpoint answered, or why it did not.
    pub answer: Result<Answered, String>,
}

impl Payments {
    /// How the variant is doing, and what became of the test event `test`; `None` when there is no such variant.
    pub(crate) async fn checkup(&self, name: &str, test: Option<String>) -> Result<Option<Checkup>, Error> {
        let Some(variant) = self.variant(name) else { return Ok(None) };
        let now = self.now();
        let (gateway, setup) = (variant.gateway.name(), variant.gateway.setup());
        let can_ask = variant.gateway.supports(Verb::Refresh);
        let can_test = variant.gateway.test_delivery("evt_test", now).is_some();
        let (name, since) = (name.to_owned(), now - time::Duration::days(REFUSED_DAYS));
        let found = self.read(move |tx| {
            let last_event = tx.last_event_of(&name)?;
            let chore = tx.chore(&reconcile::chore(&name))?;
            let reconciled = chore.and_then(|chore| Some((chore.ran_at?, chore.note?)));
            let secrets = tx.recent_secrets(&name, TEST_KIND, SECRETS_OF)?;
            let test = match &test {
                Some(id) => tx.event_named(&name, id)?,
                None => None,
            };
            Ok((last_event, reconciled, secrets, tx.refused(&name, since)?, test))
        });
        let (last_event, reconciled, secrets, refused, test) = found.await?;
        // A page that is not full is the last one; tests of operators, which are left out, only make it less certain.
        let matched_all = (secrets.len() as i64) < SECRETS_OF / 2;
        let last_real = secrets.first().map(|(_, at)| *at);
        let mut matched: Vec<(String, Timestamp)> = Vec::new();
        for (label, at) in secrets {
            let Some(label) = label.filter(|label| matched.iter().all(|(known, _)| known != label)) else { continue };
            matched.push((label, at));
        }
        Ok(Some(Checkup {
            gateway,
            setup,
            can_test,
            can_ask,
            last_event,
            reconciled,
            last_real,
            matched,
            matched_all,
            refused,
            test,
        }))
    }

    /// The header fields that make `body` a genuine delivery to the variant now, where its gateway's secret is ours to
    /// sign with.
    pub(crate) fn sign(&self, variant: &str, body: &[u8]) -> Option<Vec<(String, String)>> {
        self.variant(variant)?.gateway.sign(body, self.now())
    }

    /// How often deliveries to addresses of no variant came.
    pub(crate) async fn refused_to_nobody(&self) -> Result<i64, Error> {
        let since = self.now() - time::Duration::days(REFUSED_DAYS);
        let refused = self.read(move |tx| tx.refused("", since)).await?;
        Ok(refused.iter().map(|one| one.count).sum())
    }

    /// Sends a signed test event to `endpoint`, which is the variant's own, and writes down who asked.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant, `Refused` where its gateway has no test events.
    pub(crate) async fn test_variant(&self, name: &str, endpoint: &str, actor: Actor) -> Result<Tested, Error> {
        let unknown = || Error::new(ErrorKind::NotFound, "there is no such variant");
        let gateway = &self.variant(name).ok_or_else(unknown)?.gateway;
        let (id, now) = (format!("evt_test_{}", random_word(16)?), self.now());
        let none = || Error::new(ErrorKind::Refused, "this gateway's test events can be sent by the company alone");
        let delivery = gateway.test_delivery(&id, now).ok_or_else(none)?;
        let act = NewAct {
            actor: actor.name,
            act: "test",
            event_id: None,
            payment_id: None,
            variant: Some(name.to_owned()),
            address: actor.address,
            detail: Some(format!("sent {id}")),
            created_at: now,
        };
        self.blocking(move |inner| inner.store.transaction(|tx| tx.add_act(&act))).await?;
        Ok(Tested { id, answer: send::send(endpoint, delivery).await })
    }
}
