//! What does a worker do from time to time, besides processing? It fetches what was missed, and asks about payments and
//! subscriptions that nobody has told of for long; once per database, however many processes there are.

use std::sync::Arc;

use std::time::Duration;

use super::round::{Ended, Round};
use crate::domain::later;
use crate::domain::operation::SubscriptionVerb;
use crate::domain::payment::Status;
use crate::engine::drift::Comparable;
use crate::engine::request::{Requester, Wanted};
use crate::engine::{Chores, Engine, Variant, reconcile_chore};
use crate::error::{Error, loggable};
use crate::gateways::Verb;
use crate::operations::SubscriptionOrder;
use crate::store::Tx;
use crate::store::calls::{ChoreRow, Stale};
use crate::store::subscriptions::Doubts;

/// The chores that are of no variant.
const CLOCKS: &str = "clocks";
const AUTHORIZATIONS: &str = "authorized";
/// Several processes that start together compare once.
const START: Duration = Duration::from_secs(60);
/// How often stale payments are looked for, how many at a time, and how long one is left alone after it was asked
/// about.
const LOOK: Duration = Duration::from_secs(300);
const AT_ONCE: i64 = 20;
const ALONE: Duration = Duration::from_secs(6 * 3600);
/// For how long where the gateway answered nothing at the last look: it is asked again whether it is back.
const ALONE_IN_VAIN: Duration = Duration::from_secs(1800);
/// How often doubts are looked for, and how long one must have stood: most are over with the next event, which comes in
/// moments. A worker asks about the same one until it was answered twice, and where the gateway does not answer twice a
/// day, and about one subscription so often in the time in which others are left alone.
const DOUBTS: Duration = Duration::from_secs(60);
const STANDS: Duration = Duration::from_secs(10);
const PER_DOUBT: i64 = 2;
const PER_SUBSCRIPTION: i64 = 6;
const UNANSWERED: Duration = Duration::from_secs(86_400);
/// How often authorizations that are about to end are looked for, and how many of them the log names.
const NOTICE: Duration = Duration::from_secs(3600);
const NAMED: i64 = 5;
/// Up to which age: a checkout is open for a day, a card's authorization stands for a week or a month.
const PENDING: Duration = Duration::from_secs(8 * 86_400);
const AUTHORIZED: Duration = Duration::from_secs(32 * 86_400);

/// How many variants that are configured at run time are looked at in one step.
const PART: i64 = 50;

/// The name of what is done for such a variant.
fn variant_chore(name: &str) -> String {
    format!("variant:{name}")
}

/// What asks a gateway from time to time. Each waits for no other, since a gateway may take its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GatewayChore {
    /// Its list of events is compared with the inbox.
    Reconcile,
    /// It is asked about payments of which nobody has heard for long.
    Payments,
    /// The same of subscriptions.
    Subscriptions,
    /// All is compared with it.
    Compare,
}

impl Engine {
    /// A worker has started: what was missed meanwhile is fetched at its next look.
    pub(crate) async fn chores_at_start(self: &Arc<Self>) -> Result<(), Error> {
        let now = self.now();
        let names: Vec<String> = self.fixed().map(|(name, _)| reconcile_chore(name)).collect();
        let hurry = move |tx: &mut dyn Tx| names.iter().try_for_each(|name| tx.hurry_chore(name, now, now - START));
        self.write(hurry).await
    }

    /// What asks gateways from time to time, with the variant that it is for.
    pub(crate) fn gateway_chores(&self) -> Vec<(String, GatewayChore)> {
        let of = |chore: GatewayChore| {
            let able = self.fixed().filter(move |(_, variant)| chore.is_for(variant));
            able.map(move |(name, _)| (name.to_string(), chore))
        };
        GatewayChore::ALL.into_iter().flat_map(of).collect()
    }

    /// Does this for the variant, if it is due.
    pub(crate) async fn look_after_gateway(self: &Arc<Self>, variant: &str, chore: GatewayChore) -> Result<(), Error> {
        let Chores { reconcile_every, refresh_after, .. } = self.chores;
        let refreshing = format!("refresh:{variant}");
        match (chore, reconcile_every, refresh_after) {
            (GatewayChore::Reconcile, Some(every), _) if self.is_mine(reconcile_chore(variant), every).await? => {
                if let Err(error) = self.reconcile(variant).await {
                    log::warn!("payments: {variant} was not reconciled: {}", loggable(&error.to_string()));
                }
                Ok(())
            }
            (GatewayChore::Payments, _, Some(after)) if self.is_mine(refreshing.clone(), LOOK).await? => {
                let asked = self.ask_about_stale(variant, after).await;
                self.ended(&refreshing, asked).await
            }
            (GatewayChore::Subscriptions, _, Some(after)) => self.look_after_subscriptions(variant, after).await,
            (GatewayChore::Compare, ..) => self.compare_a_while(variant).await,
            _ => Ok(()),
        }
    }

    /// Some variants that are configured at run time and that are to be looked after, of those that there are rows of, from
    /// this name on, and the name with which the next ones begin.
    pub(crate) async fn variants_to_look_after(
        self: &Arc<Self>,
        from: String,
    ) -> Result<(Vec<String>, Option<String>), Error> {
        let (engine, now) = (self.clone(), self.now());
        self.read(move |tx| {
            let mut names = tx.variants_from(&from, PART + 1)?;
            let next = if names.len() as i64 > PART { names.pop() } else { None };
            let mut due = Vec::new();
            for name in names.into_iter().filter(|name| !engine.is_fixed(name)) {
                if tx.is_chore_due(&variant_chore(&name), now)? {
                    due.push(name);
                }
            }
            Ok((due, next))
        })
        .await
    }

    /// Does for a variant that is configured at run time what is due. The host's function is asked for it once in that
    /// time, by one process.
    pub(crate) async fn look_after_variant(self: &Arc<Self>, name: &str) -> Result<(), Error> {
        if !self.is_mine(variant_chore(name), LOOK).await? {
            return Ok(());
        }
        // The log has why it can't be loaded.
        let Ok(Some(variant)) = self.load(name).await else { return Ok(()) };
        for chore in GatewayChore::ALL.into_iter().filter(|chore| chore.is_for(&variant)) {
            self.look_after_gateway(name, chore).await?;
        }
        Ok(())
    }

    /// Does what is due and asks no gateway.
    pub(crate) async fn chores(self: &Arc<Self>) -> Result<(), Error> {
        if self.is_mine(CLOCKS.to_owned(), LOOK).await? {
            let brought = self.bring_forward().await;
            self.ended(CLOCKS, brought.map(|()| Ended::Well)).await?;
        }
        match self.chores.notice_authorized_after {
            Some(after) if self.is_mine(AUTHORIZATIONS.to_owned(), NOTICE).await? => {
                let noticed = self.notice_authorized(after).await;
                self.ended(AUTHORIZATIONS, noticed.map(|()| Ended::Well)).await
            }
            _ => Ok(()),
        }
    }

    /// Makes due what a process put off whose clock was ahead, as in what it took in or held when it ended.
    async fn bring_forward(self: &Arc<Self>) -> Result<(), Error> {
        let (now, lease) = (self.now(), self.lease);
        let count = self.write(move |tx| tx.bring_forward(now, lease)).await?;
        if count > 0 {
            log::warn!("payments: {count} rows were due far in the future, as by a wrong clock; they are due now");
            self.notify();
        }
        Ok(())
    }

    /// Asks about subscriptions that are not certain, and about those whose renewal or end nobody has told of.
    async fn look_after_subscriptions(self: &Arc<Self>, variant: &str, after: Duration) -> Result<(), Error> {
        let (doubting, refreshing) = (format!("doubts:{variant}"), format!("subscriptions:{variant}"));
        if self.is_mine(doubting.clone(), DOUBTS).await? {
            let (now, variant) = (self.now(), variant.to_owned());
            let doubts = move |tx: &mut dyn Tx| {
                tx.doubtful_subscriptions(&Doubts {
                    variant: &variant,
                    since: now - STANDS,
                    asked: now - ALONE,
                    asker: Requester::Worker.name(),
                    unanswered: now - UNANSWERED,
                    per_doubt: PER_DOUBT,
                    per_subscription: PER_SUBSCRIPTION,
                    limit: AT_ONCE,
                })
            };
            let asked = self.ask_about_subscriptions(self.read(doubts).await).await;
            // The same gateway answers or fails the looks at what is stale.
            self.ended(&doubting, asked.map(|_| Ended::Well)).await?;
        }
        if self.is_mine(refreshing.clone(), LOOK).await? {
            let (now, variant, alone) = (self.now(), variant.to_owned(), self.left_alone(refreshing.clone()).await?);
            let stale = move |tx: &mut dyn Tx| {
                let tokens = tx.stale_subscriptions(&variant, now - after, now - alone, AT_ONCE)?;
                let is_any = !tokens.is_empty() || !tx.stale_subscriptions(&variant, now - after, now, 2)?.is_empty();
                Ok((tokens, is_any))
            };
            let stale = self.read(stale).await;
            let is_any = stale.as_ref().map_or(true, |(_, is_any)| *is_any);
            let asked = self.ask_about_subscriptions(stale.map(|(tokens, _)| tokens)).await;
            let asked = asked.map(|ended| ended.or_well(!is_any));
            self.ended(&refreshing, asked).await?;
        }
        Ok(())
    }

    async fn ask_about_subscriptions(self: &Arc<Self>, tokens: Result<Vec<String>, Error>) -> Result<Ended, Error> {
        let mut round = Round::begin();
        for token in tokens? {
            let order = SubscriptionOrder {
                requester: Requester::Worker,
                ..SubscriptionOrder::by_host(SubscriptionVerb::Refresh)
            };
            let asked = self.operate_subscription(&token, order).await;
            if let Err(error) = &asked {
                log::info!("payments: subscription={token} was asked about: {}", loggable(&error.to_string()));
            }
            if round.is_over_after(&asked) {
                break;
            }
        }
        Ok(round.ended())
    }

    /// For how long this chore leaves alone what it asked about.
    async fn left_alone(self: &Arc<Self>, name: String) -> Result<Duration, Error> {
        Ok(if self.is_failing(name).await? { ALONE_IN_VAIN } else { ALONE })
    }

    async fn is_failing(self: &Arc<Self>, name: String) -> Result<bool, Error> {
        let chore = self.read(move |tx| tx.chore(&name)).await?;
        Ok(chore.is_some_and(|chore| chore.failing_since.is_some()))
    }

    async fn notice_authorized(self: &Arc<Self>, after: Duration) -> Result<(), Error> {
        let before = self.now() - after;
        for (token, at) in self.read(move |tx| tx.authorized_before(before, NAMED)).await? {
            log::warn!("payments: payment={token} was authorized on {}: capture or cancel it", at.date());
        }
        Ok(())
    }

    /// Whether the chore is due and this process is the one to do it.
    async fn is_mine(self: &Arc<Self>, name: String, every: Duration) -> Result<bool, Error> {
        Ok(self.claim_chore(name, every).await?.is_some())
    }

    /// Notes for an alarm how a chore ended.
    async fn ended(self: &Arc<Self>, name: &str, done: Result<Ended, Error>) -> Result<(), Error> {
        let why = match self.noting_failure(name, done).await? {
            Ended::Unasked => return Ok(()),
            // Mostly all was well before, and nothing is to be written.
            Ended::Well if !self.is_failing(name.to_owned()).await? => return Ok(()),
            Ended::Well => None,
            Ended::InVain(why) => Some(why),
        };
        let (name, now) = (name.to_owned(), self.now());
        self.write(move |tx| tx.note_failure(&name, now, why.as_deref())).await
    }

    /// Notes for an alarm why a chore failed, if it did. Where the database is away, that can't be noted either.
    pub(super) async fn noting_failure<T>(self: &Arc<Self>, chore: &str, done: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &done {
            let (chore, now, why) = (chore.to_owned(), self.now(), error.to_string());
            let _ = self.write(move |tx| tx.note_failure(&chore, now, Some(&why))).await;
        }
        done
    }

    /// Takes the chore if it is due, and says that it is due again after `every`.
    pub(crate) async fn claim_chore(
        self: &Arc<Self>,
        name: String,
        every: Duration,
    ) -> Result<Option<ChoreRow>, Error> {
        let now = self.now();
        let due = self.read({
            let name = name.clone();
            move |tx| tx.is_chore_due(&name, now)
        });
        // Most looks end here, without a write.
        if !due.await? {
            return Ok(None);
        }
        self.write(move |tx| tx.claim_chore(&name, now, later(now, every))).await
    }

    async fn ask_about_stale(self: &Arc<Self>, variant: &str, after: Duration) -> Result<Ended, Error> {
        let (now, alone) = (self.now(), self.left_alone(format!("refresh:{variant}")).await?);
        let name = variant.to_owned();
        let stale = self.read(move |tx| {
            let (mut tokens, mut is_any) = (Vec::new(), false);
            for (status, oldest) in [(Status::Pending, PENDING), (Status::Authorized, AUTHORIZED)] {
                let (created_after, created_before) = (now - oldest, now - after);
                let mut stale = |asked, limit| {
                    tx.stale_payments(&Stale { variant: &name, status, created_after, created_before, asked, limit })
                };
                tokens.extend(stale(now - alone, AT_ONCE)?);
                is_any |= !tokens.is_empty() || !stale(now, 2)?.is_empty();
            }
            Ok((tokens, is_any))
        });
        let mut round = Round::begin();
        let (tokens, is_any) = stale.await?;
        for token in tokens {
            let wanted = Wanted { requester: Requester::Worker, ..Wanted::by_host(Verb::Refresh) };
            let asked = self.operate(&token, wanted).await;
            if let Err(error) = &asked {
                log::info!("payments: payment={token} was asked about: {}", loggable(&error.to_string()));
            }
            if round.is_over_after(&asked) {
                break;
            }
        }
        Ok(round.ended().or_well(!is_any))
    }
}

impl GatewayChore {
    const ALL: [Self; 4] = [Self::Reconcile, Self::Payments, Self::Subscriptions, Self::Compare];

    /// Whether the variant's gateway can be asked for it.
    fn is_for(self, variant: &Variant) -> bool {
        let gateway = &variant.gateway;
        match self {
            Self::Reconcile => gateway.supports_list().is_ok(),
            Self::Payments => gateway.supports(Verb::Refresh).is_ok(),
            Self::Subscriptions => {
                gateway.subscriptions().is_some_and(|its| its.supports(SubscriptionVerb::Refresh).is_ok())
            }
            Self::Compare => Comparable::of(variant).is_ok(),
        }
    }
}
