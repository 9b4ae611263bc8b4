//! Is a variant set up, and does it work? What is known of it without asking anybody, and a test event that goes the
//! way that real ones go.

use std::sync::Arc;

use crate::domain::Timestamp;
#[cfg(feature = "testing")]
use crate::domain::delivery::Delivery;
use crate::domain::identifier::asked;
use crate::domain::scope::Scope;
use crate::engine::{Engine, reconcile_chore};
use crate::error::Error;
use crate::gateways::{Setup, TEST_KIND};
use crate::reports::browse::COUNT_CAP;
use crate::store::Tx;
use crate::store::audit::Refused;
use crate::store::fetches::OpenFetches;
use crate::store::rows::EventRow;

/// How many of a variant's newest events are asked which secret signed them.
pub(crate) const SECRETS_OF: i64 = 1_000;
/// How far back refused deliveries are told, in days.
pub(crate) const REFUSED_DAYS: i64 = 30;
/// How many of the variants that a function configures are shown at a time.
const PART: usize = 50;
const REFUSED: time::Duration = time::Duration::days(REFUSED_DAYS);

/// How a variant is doing, in short.
pub(crate) struct Standing {
    pub name: String,
    /// `None` where the variant is not configured, or can't be loaded.
    pub configured: Option<(&'static str, Setup)>,
    pub last_event: Option<EventRow>,
    /// When the last one came that was no test of an operator's.
    pub last_real: Option<Timestamp>,
    pub refused: Vec<Refused>,
}

/// How variants are doing.
pub(crate) struct Standings {
    pub rows: Vec<Standing>,
    /// How often deliveries to addresses of no variant came.
    pub nobody: i64,
    /// The name with which the next part begins.
    pub next: Option<String>,
}

/// How a variant is doing.
pub(crate) struct Checkup {
    pub standing: Standing,
    pub gateway: &'static str,
    pub setup: Setup,
    /// Whether a test event can be sent.
    pub can_test: bool,
    /// Whether the gateway can be asked for events that were missed; if not, why not.
    pub can_list: Result<(), String>,
    /// The questions to the gateway that are open, and why it can't be asked, if it can't.
    pub open_fetches: Option<OpenFetches>,
    pub cannot_fetch: Option<String>,
    /// When the gateway's list was last compared with the inbox, and what came of it.
    pub reconciled: Option<(Timestamp, String)>,
    /// The labels of the secrets that signed the newest events, each with the last time.
    pub matched: Vec<(String, Timestamp)>,
    /// Whether those are all events of the variant.
    pub matched_all: bool,
    /// The test event that was asked for, once it is in the inbox.
    pub test: Option<EventRow>,
}

impl Engine {
    /// How variants are doing: all that the builder has and, of those that a function configures, some that there are rows
    /// of, from this name on. Whoever may see some only is shown those.
    pub(crate) async fn standings(self: &Arc<Self>, from: Option<String>, scope: Scope) -> Result<Standings, Error> {
        let (engine, from) = (self.clone(), from.map(asked));
        self.look(move |tx| {
            let refused = tx.refused(engine.now() - REFUSED)?;
            let mut names = if from.is_none() { engine.names_seen(&scope) } else { Vec::new() };
            let mut next = None;
            if scope.is_all() {
                let (some, after) = at_run_time(&engine, tx, from.as_deref().unwrap_or_default())?;
                names.extend(some);
                next = after;
            }
            let rows = names.iter().map(|name| standing(&engine, tx, name, &refused)).collect::<Result<_, _>>()?;
            let nobodys = refused.iter().filter(|one| one.variant.is_empty() && scope.allows(&one.variant));
            Ok(Standings { rows, nobody: nobodys.map(|one| one.count).sum(), next })
        })
        .await
    }

    /// How the variant is doing, and what became of the test event `test`; `None` when there is no such variant.
    pub(crate) async fn checkup(self: &Arc<Self>, name: &str, test: Option<String>) -> Result<Option<Checkup>, Error> {
        let (engine, name) = (self.clone(), name.to_owned());
        self.load(&name).await?;
        self.look(move |tx| checkup(&engine, tx, &name, test.as_deref())).await
    }

    /// The header fields that make `body` a genuine delivery to the variant now, where its gateway's secret is ours to
    /// sign with.
    pub(crate) async fn sign(self: &Arc<Self>, variant: &str, body: &[u8]) -> Option<Vec<(String, String)>> {
        self.load(variant).await.ok().flatten()?.gateway.sign(body, self.now())
    }

    /// A genuine delivery of `event` to the variant now, for the test kit.
    #[cfg(feature = "testing")]
    pub(crate) async fn signed_delivery(self: &Arc<Self>, variant: &str, id: &str, event: &[u8]) -> Option<Delivery> {
        self.load(variant).await.ok().flatten()?.gateway.signed_delivery(id, event, self.now())
    }
}

/// Some variants that a function configures and that there are rows of, from this name on, and the name after them.
fn at_run_time(engine: &Engine, tx: &mut dyn Tx, from: &str) -> Result<(Vec<String>, Option<String>), Error> {
    if !engine.has_source() {
        return Ok(Default::default());
    }
    let most = PART + engine.fixed().count();
    let mut names = tx.variants_from(from, most as i64 + 1)?;
    names.retain(|name| !engine.is_fixed(name));
    let next = names.get(PART).cloned();
    names.truncate(PART);
    Ok((names, next))
}

fn standing(engine: &Engine, tx: &mut dyn Tx, name: &str, refused: &[Refused]) -> Result<Standing, Error> {
    let variant = engine.variant(name);
    Ok(Standing {
        name: name.to_owned(),
        configured: variant.map(|variant| (variant.gateway.name(), variant.gateway.setup())),
        last_event: tx.last_event_of(name)?,
        last_real: tx.last_but(name, TEST_KIND, SECRETS_OF)?,
        refused: refused.iter().filter(|one| one.variant == name).cloned().collect(),
    })
}

fn checkup(engine: &Engine, tx: &mut dyn Tx, name: &str, test: Option<&str>) -> Result<Option<Checkup>, Error> {
    let now = engine.now();
    let refused = tx.refused(now - REFUSED)?;
    let Some(variant) = engine.variant(name) else { return Ok(None) };
    let standing = standing(engine, tx, name, &refused)?;
    let gateway = &variant.gateway;
    let can_test = gateway.test_delivery("evt_test", now).is_some();
    let chore = tx.chore(&reconcile_chore(name))?;
    let secrets = tx.recent_secrets(name, TEST_KIND, SECRETS_OF)?;
    let test = match test {
        Some(id) => tx.event_named(name, &asked(id))?,
        None => None,
    };
    Ok(Some(Checkup {
        standing,
        gateway: gateway.name(),
        setup: gateway.setup(),
        can_test,
        can_list: gateway.supports_list(),
        open_fetches: tx.open_fetches(name, COUNT_CAP)?,
        cannot_fetch: gateway.supports_fetch().err(),
        reconciled: chore.and_then(|chore| Some((chore.ran_at?, chore.note?))),
        // A window that is not full has all; tests of operators, which are left out, only make it less certain.
        matched_all: secrets.iter().map(|one| one.events).sum::<i64>() < SECRETS_OF / 2,
        matched: secrets.into_iter().filter_map(|one| Some((one.secret?, one.last))).collect(),
        test,
    }))
}
