//! Which certificates are at hand, and how does a new one come? PayPal says with each event where its certificate is;
//! it is fetched once, over TLS and without redirects, and kept for a day, as PayPal's own answer allows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls_pki_types::CertificateDer;

use super::certificate;
use crate::domain::Timestamp;
use crate::gateways::http::{Client, Request};

/// How long a fetched certificate is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// The most that are kept; PayPal uses one or two at a time.
const MOST: usize = 16;
/// How long a fetch may take, all in all: PayPal waits for the answer meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most fetches a minute. Whoever writes the name of a certificate into a header makes this process ask PayPal,
/// and must not make it ask without end.
const FETCHES: u32 = 10;

/// A chain as PayPal serves it: the signer's certificate first.
pub(super) type Chain = Arc<[CertificateDer<'static>]>;

/// The certificates of one variant.
#[derive(Debug, Default)]
pub(super) struct Store {
    kept: Mutex<HashMap<String, (Chain, Option<Timestamp>)>>,
    /// The minute of the last fetch, and how many there were in it. Who holds it fetches; the others wait.
    fetches: tokio::sync::Mutex<(i64, u32)>,
}

impl Store {
    /// Keeps a chain for ever: what the host gave.
    pub(super) fn give(&self, address: String, chain: Chain) {
        self.lock().insert(address, (chain, None));
    }

    /// The chain of this address, if it is at hand.
    pub(super) fn get(&self, address: &str, now: Timestamp) -> Option<Chain> {
        let kept = self.lock();
        let (chain, fetched) = kept.get(address)?;
        fetched.is_none_or(|at| now - at < KEPT).then(|| chain.clone())
    }

    /// Asks PayPal for the chain. `believe` says whether it is one to keep: a stranger must not fill the store with
    /// whatever PayPal serves. `None` when there is no answer, or none that can be read: nothing is known then.
    pub(super) async fn fetch(&self, address: &str, now: Timestamp, believe: impl Fn(&Chain) -> bool) -> Option<Chain> {
        let mut fetches = self.fetches.lock().await;
        if let Some(chain) = self.get(address, now) {
            return Some(chain);
        }
        let minute = now.unix_timestamp().div_euclid(60);
        let before = if fetches.0 == minute { fetches.1 } else { 0 };
        if before >= FETCHES {
            log::warn!("payments: PayPal's certificate is not fetched: {FETCHES} fetches this minute");
            return None;
        }
        *fetches = (minute, before + 1);
        let chain = ask(address).await?;
        if believe(&chain) {
            self.keep(address, chain.clone(), now);
        }
        Some(chain)
    }

    fn keep(&self, address: &str, chain: Chain, now: Timestamp) {
        let mut kept = self.lock();
        let fetched = kept.iter().filter_map(|(address, (_, at))| Some(((*at)?, address.clone())));
        if kept.len() >= MOST
            && let Some((_, oldest)) = fetched.min()
        {
            kept.remove(&oldest);
        }
        kept.insert(address.to_owned(), (chain, Some(now)));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Chain, Option<Timestamp>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(address: &str) -> Option<Chain> {
    let request = Request { post: false, url: address.to_owned(), headers: Vec::new(), body: String::new() };
    match Client::new(PATIENCE).send(request).await {
        Ok(answer) if answer.status == 200 => {
            let chain = certificate::read(&answer.body);
            (!chain.is_empty()).then(|| chain.into())
        }
        Ok(answer) => {
            log::warn!("payments: PayPal's certificate could not be fetched: {address} answered {}", answer.status);
            None
        }
        Err(why) => {
            log::warn!("payments: PayPal's certificate could not be fetched: {address} {why:?}");
            None
        }
    }
}
