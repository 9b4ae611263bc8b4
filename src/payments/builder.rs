//! How payments are configured. Every mistake that can be known before the first request is refused by
//! [`Builder::build`], with what was expected and what was given.

mod alarms;
mod handlers;
mod limits;
mod persons;
mod replica;
mod shown;
mod subscriptions;
mod variants;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OnceCell};

use super::Payments;
use super::bounds::{at_most, of_source, positive};
use crate::domain::Timestamp;
use crate::domain::event::storable;
use crate::domain::identifier::{VariantName, slug};
use crate::domain::retry::Backoff;
use crate::engine::Variant;
use crate::engine::configured::{AskHost, Configured, Source, SourceLimits};
use crate::engine::handler::{Handlers, PROCESS};
use crate::engine::replica::Replica;
use crate::engine::{AlarmHook, AlarmThresholds, Arrivals, Chores, Clock, Engine, Erasures, HandlerError, Retention};
use crate::error::Error;
use crate::store::database::Database;
use crate::store::dialect::HostConnection;
use crate::store::writer::{Limits, Writer};

/// Configures [`Payments`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder<C: HostConnection> {
    database: Database<C>,
    replica: Option<Database<C>>,
    variants: Vec<(VariantName, Variant)>,
    /// What configures variants at run time.
    source: Option<AskHost>,
    source_limits: SourceLimits,
    handlers: Handlers,
    retired: Vec<String>,
    backoff: Backoff,
    chores: Chores,
    on_alarm: Option<AlarmHook>,
    thresholds: AlarmThresholds,
    retention: Retention,
    erasures: Erasures,
    growth_bound: Option<u64>,
    handler_timeout: Duration,
    grace: Duration,
    active_for: Duration,
    limits: Limits,
    address: Option<String>,
    clock: Clock,
    /// What handlers get as their handle, once it is there.
    handle: Handle,
}

/// The handle that `build` makes, for the handlers that were added before. Weak, so that it keeps nothing alive.
#[derive(Clone, Default)]
struct Handle(Arc<OnceLock<Weak<Engine>>>);

impl Handle {
    fn payments(&self) -> Result<Payments, HandlerError> {
        let engine = self.0.get().and_then(Weak::upgrade);
        engine.map(Payments).ok_or_else(|| HandlerError::retry("the payments that the handler is of are gone"))
    }
}

impl Payments {
    /// Begins to configure payments that live in `database`.
    pub fn builder<C: HostConnection>(database: Database<C>) -> Builder<C> {
        Builder::new(database)
    }
}

/// How long it may be remembered that an owner is active: who was refunded elsewhere is not let in for longer.
const LONGEST_CACHE: Duration = Duration::from_secs(60);

impl<C: HostConnection> Builder<C> {
    pub(super) fn new(database: Database<C>) -> Self {
        Self {
            database,
            replica: None,
            variants: Vec::new(),
            source: None,
            source_limits: SourceLimits::default(),
            handlers: Handlers::default(),
            retired: Vec::new(),
            backoff: Backoff::default(),
            chores: Chores::default(),
            on_alarm: None,
            thresholds: AlarmThresholds::default(),
            retention: Retention::never(),
            erasures: Erasures::default(),
            growth_bound: None,
            handler_timeout: Duration::from_secs(60),
            grace: Duration::from_secs(3 * 24 * 60 * 60),
            active_for: Duration::from_secs(5),
            limits: Limits { waiting: 1024, bytes: 64 * 1024 * 1024, batch: 256 },
            address: None,
            clock: Arc::new(Timestamp::now_utc),
            handle: Handle::default(),
        }
    }

    /// Adds a variant: a gateway under a name that appears in its address and its rows. A name consists of lower-case
    /// letters, digits and hyphens; `admin`, `process` and `static` are reserved.
    pub fn variant(mut self, name: impl Into<VariantName>, gateway: impl Into<Variant>) -> Self {
        self.variants.push((name.into(), gateway.into()));
        self
    }

    /// How often, and after which waits, failed processing is retried. Default: 12 attempts, with waits from 5 seconds
    /// that double up to an hour, which covers an outage of some hours.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// A worker's periodic tasks, for gateways that can be asked. Default [`Chores::default`]: missed events are
    /// fetched at every start and every 15 minutes, and the gateway is asked about a payment that stays pending or
    /// authorized for an hour.
    pub fn chores(mut self, chores: Chores) -> Self {
        self.chores = chores;
        self
    }

    /// How long the bodies and stored headers of events are kept. Default [`Retention::never`]: nothing is pruned. One
    /// worker per database prunes every hour, a few hundred events at a time; [`Payments::prune`] does so at once.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// How long a handler may run before its attempt counts as failed. Default 60 seconds.
    pub fn handler_timeout(mut self, timeout: Duration) -> Self {
        self.handler_timeout = timeout;
        self
    }

    /// Where browsers reach the mount, as a path or a whole address without the trailing slash. Used for addresses that
    /// are shown or sent; the routes themselves follow the mount. Default: the path of the first mount, and `/payments`
    /// where there is none. Set it if the mount is nested or behind a proxy that strips a prefix, with both for example
    /// to `https://shop.example/market/shop/payments`, and in every process without a mount, such as a worker, or links
    /// in alarms lead to `/payments`. A payment that was created before keeps its link.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// The clock. Default: the system's; tests can set their own.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks everything and starts the inbox.
    ///
    /// # Errors
    /// `Configuration`, if a name is invalid, reserved or taken, a gateway's configuration can't work, or a limit is
    /// zero.
    pub fn build(self) -> Result<Payments, Error> {
        if self.variants.is_empty() && self.source.is_none() {
            return Err(Error::configuration("expected at least one variant, got none"));
        }
        let variants = checked_variants(self.variants)?;
        of_source(self.source_limits)?;
        check_handlers(&self.handlers, &self.retired).map_err(Error::configuration)?;
        check_address(self.address.as_deref())?;
        self.retention.check().map_err(Error::configuration)?;
        self.erasures.check().map_err(Error::configuration)?;
        self.thresholds.check().map_err(Error::configuration)?;
        positive("queue", self.limits.waiting as u128, "deliveries")?;
        at_most("active_cache", self.active_for, LONGEST_CACHE)?;
        positive("queue_bytes", self.limits.bytes as u128, "bytes")?;
        positive("handler_timeout", self.handler_timeout.as_millis(), "milliseconds")?;
        positive("backoff.attempts", u128::from(self.backoff.attempts), "attempts")?;
        let source = self.source.map(|host| Source::new(host, self.source_limits)).transpose()?;
        let store = self.database.store();
        let engine = Arc::new(Engine {
            writer: Writer::open(store.clone(), self.limits)?,
            arrivals: Arrivals::new(self.limits.bytes),
            store,
            replica: self.replica.map(|replica| Replica::new(replica.store())),
            configured: Configured::new(variants, source),
            handlers: self.handlers,
            retired: self.retired,
            is_registered: OnceCell::new(),
            reported_lacking: Mutex::default(),
            backoff: self.backoff,
            chores: self.chores,
            on_alarm: self.on_alarm,
            thresholds: self.thresholds,
            grace: self.grace,
            active_for: self.active_for,
            activity: Default::default(),
            hints: Default::default(),
            stubborn: Default::default(),
            retention: self.retention,
            erasures: self.erasures,
            growth_bound: self.growth_bound,
            // Renewed before each handler, so it has to outlast one and no more: what a crash leaves running waits
            // this long.
            lease: self.handler_timeout.saturating_add(Duration::from_secs(15)),
            handler_timeout: self.handler_timeout,
            address: self.address.map_or_else(OnceLock::new, |address| address.trim_end_matches('/').to_owned().into()),
            clock: self.clock,
            available: Notify::new(),
            looking: Arc::default(),
        });
        let _ = self.handle.0.set(Arc::downgrade(&engine));
        Ok(Payments(engine))
    }
}

fn checked_variants(given: Vec<(VariantName, Variant)>) -> Result<BTreeMap<VariantName, Variant>, Error> {
    let mut variants = BTreeMap::new();
    for (name, variant) in given {
        name.check().map_err(Error::configuration)?;
        variant
            .gateway
            .check()
            .map_err(|why| Error::configuration(format!("variant {name:?} ({}): {why}", variant.gateway.name())))?;
        if variants.insert(name.clone(), variant).is_some() {
            let message = format!("expected every variant to have a name of its own, got {name:?} twice");
            return Err(Error::configuration(message));
        }
    }
    Ok(variants)
}

/// Names are how a finished handler is remembered, so each must be its own.
fn check_handlers(handlers: &Handlers, retired: &[String]) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in handlers.names() {
        slug("handler", name)?;
        if name == PROCESS {
            return Err(format!("expected a handler name other than the reserved {PROCESS:?}, got it"));
        }
        if !seen.insert(name) {
            return Err(format!("expected every handler to have a name of its own, got {name:?} twice"));
        }
    }
    if let Some(name) = retired.iter().find(|name| seen.contains(name)) {
        return Err(format!("expected to retire a handler that is gone, got {name:?}, which is added as well"));
    }
    handlers.kinds().try_for_each(|(name, kind)| check_kind(name, kind))
}

/// A pattern that no event's kind can match is a handler that never runs.
fn check_kind(handler: &str, kind: &str) -> Result<(), String> {
    if kind.is_empty() {
        return Err(format!("expected handler {handler:?} to name a kind, got an empty one"));
    }
    let beginning = kind.strip_suffix('*').unwrap_or(kind);
    let expected = |what: &str| Err(format!("expected handler {handler:?} to name a kind{what}, got {kind:?}"));
    if beginning.contains('*') {
        return expected(", or its beginning followed by one *");
    }
    if beginning != beginning.trim() || !(beginning.is_empty() || storable(beginning)) {
        return expected(" of at most 255 characters without blanks around it");
    }
    Ok(())
}

/// Addresses are handed out as they are, so a path needs its slash.
fn check_address(address: Option<&str>) -> Result<(), Error> {
    let is_good = |text: &str| {
        let is_path = text.is_empty() || text.starts_with('/') && !text.starts_with("//");
        let is_whole =
            ["https://", "http://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
        (is_path || is_whole) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    match address.filter(|text| !is_good(text)) {
        Some(got) => Err(Error::configuration(format!(
            "expected an address like \"/payments\" or \"https://shop.example/payments\", got {got:?}"
        ))),
        None => Ok(()),
    }
}
