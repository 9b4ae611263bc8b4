//! Is a variant set up, and does it work? What is known of it without asking anybody, and a test event that goes the
//! way that real ones go.

use super::{Actor, Inner, Payments, random_word, reconcile};
use crate::domain::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::gateways::send::{self, Answered};
use crate::gateways::{Setup, TEST_KIND, Verb};
use crate::store::Tx;
use crate::store::rows::{EventRow, NewAct, Refused};

/// How many of a variant's newest events are asked which secret signed them.
pub(crate) const SECRETS_OF: i64 = 1_000;
/// How far back refused deliveries are told, in days.
pub(crate) const REFUSED_DAYS: i64 = 30;
const REFUSED: time::Duration = time::Duration::days(REFUSED_DAYS);

/// How a variant is doing, in short.
pub(crate) struct Standing {
    pub name: String,
    pub gateway: &'static str,
    pub setup: Setup,
    pub last_event: Option<EventRow>,
    /// When the last one came that was no test of an operator's.
    pub last_real: Option<Timestamp>,
    pub refused: Vec<Refused>,
}

/// How a variant is doing.
pub(crate) struct Checkup {
    pub standing: Standing,
    /// Whether a test event can be sent.
    pub can_test: bool,
    /// Whether the gateway can be asked for events that were missed; if not, why not.
    pub can_ask: Result<(), String>,
    /// When the gateway's list was last compared with the inbox, and what came of it.
    pub reconciled: Option<(Timestamp, String)>,
    /// The labels of the secrets that signed the newest events, each with the last time.
    pub matched: Vec<(String, Timestamp)>,
    /// Whether those are all events of the variant.
    pub matched_all: bool,
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
    /// How every variant is doing, and how often deliveries to addresses of no variant came.
    pub(crate) async fn standings(&self) -> Result<(Vec<Standing>, i64), Error> {
        self.blocking(|inner| {
            inner.store.ask(|tx| {
                let refused = tx.refused(inner.now() - REFUSED)?;
                let mut standings = Vec::new();
                for name in inner.variants.keys() {
                    standings.extend(standing(inner, tx, name, &refused)?);
                }
                Ok((standings, refused.iter().filter(|one| one.variant.is_empty()).map(|one| one.count).sum()))
            })
        })
        .await
    }

    /// How the variant is doing, and what became of the test event `test`; `None` when there is no such variant.
    pub(crate) async fn checkup(&self, name: &str, test: Option<String>) -> Result<Option<Checkup>, Error> {
        let name = name.to_owned();
        self.blocking(move |inner| inner.store.ask(|tx| checkup(inner, tx, &name, test.as_deref()))).await
    }

    /// The header fields that make `body` a genuine delivery to the variant now, where its gateway's secret is ours to
    /// sign with.
    pub(crate) fn sign(&self, variant: &str, body: &[u8]) -> Option<Vec<(String, String)>> {
        self.variant(variant)?.gateway.sign(body, self.now())
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

fn standing(inner: &Inner, tx: &mut dyn Tx, name: &str, refused: &[Refused]) -> Result<Option<Standing>, Error> {
    let Some(variant) = inner.variants.get(name) else { return Ok(None) };
    Ok(Some(Standing {
        name: name.to_owned(),
        gateway: variant.gateway.name(),
        setup: variant.gateway.setup(),
        last_event: tx.last_event_of(name)?,
        last_real: tx.last_but(name, TEST_KIND, SECRETS_OF)?,
        refused: refused.iter().filter(|one| one.variant == name).cloned().collect(),
    }))
}

fn checkup(inner: &Inner, tx: &mut dyn Tx, name: &str, test: Option<&str>) -> Result<Option<Checkup>, Error> {
    let now = inner.now();
    let refused = tx.refused(now - REFUSED)?;
    let Some(standing) = standing(inner, tx, name, &refused)? else { return Ok(None) };
    let Some(gateway) = inner.variants.get(name).map(|variant| &variant.gateway) else { return Ok(None) };
    let can_test = gateway.test_delivery("evt_test", now).is_some();
    let chore = tx.chore(&reconcile::chore(name))?;
    let secrets = tx.recent_secrets(name, TEST_KIND, SECRETS_OF)?;
    let test = match test {
        Some(id) => tx.event_named(name, id)?,
        None => None,
    };
    Ok(Some(Checkup {
        standing,
        can_test,
        can_ask: gateway.supports(Verb::Refresh),
        reconciled: chore.and_then(|chore| Some((chore.ran_at?, chore.note?))),
        // A window that is not full has all; tests of operators, which are left out, only make it less certain.
        matched_all: secrets.iter().map(|one| one.events).sum::<i64>() < SECRETS_OF / 2,
        matched: secrets.into_iter().filter_map(|one| Some((one.secret?, one.last))).collect(),
        test,
    }))
}
