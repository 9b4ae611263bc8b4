//! The cache of PayPal's certificates. Each event names the address of its certificate; it is fetched once, over TLS
//! and without redirects, and kept for a day, as the caching headers of PayPal's answer allow. While it can't be fetched
//! anew, the one that was good before is used, as long as its own dates allow: a stranger who has us ask for others must
//! not keep PayPal's deliveries out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls_pki_types::CertificateDer;

use super::certificate;
use crate::domain::Timestamp;
use crate::error::repeated;
use crate::gateways::http::{Client, Method, Request};

/// How long a fetched certificate is kept.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// How many fetched certificates are kept. PayPal uses one or two at a time.
const CAPACITY: usize = 16;
/// How long a fetch may take, in all. PayPal waits for the answer to its delivery meanwhile.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most fetches a minute. A stranger's header can make this process ask PayPal for a certificate, and must not be
/// able to do that without limit.
const FETCHES_A_MINUTE: u32 = 10;

/// A certificate chain as PayPal serves it: the signer's certificate first.
pub(super) type Chain = Arc<[CertificateDer<'static>]>;

/// The certificates of one variant.
#[derive(Debug, Default)]
pub(super) struct CertificateStore {
    /// The chain of each address, and when it was fetched; `None` for a chain from the configuration.
    chains: Mutex<HashMap<String, (Chain, Option<Timestamp>)>>,
    /// The minute of the last fetch, and how many there were in it. Whoever holds the lock fetches; the others wait.
    fetches: tokio::sync::Mutex<(i64, u32)>,
}

impl CertificateStore {
    /// Adds a chain from the configuration, which never expires.
    pub(super) fn add(&self, address: String, chain: Chain) {
        self.lock().insert(address, (chain, None));
    }

    /// The cached chain of this address, unless it has expired.
    pub(super) fn get(&self, address: &str, now: Timestamp) -> Option<Chain> {
        let chains = self.lock();
        let (chain, fetched) = chains.get(address)?;
        fetched.is_none_or(|at| now - at < LIFETIME).then(|| chain.clone())
    }

    /// Fetches the chain from PayPal. It is kept only if `is_valid`, so that a stranger cannot fill the cache with
    /// whatever PayPal serves. `None` when there is no readable answer and there was none before.
    pub(super) async fn fetch(
        &self,
        address: &str,
        now: Timestamp,
        is_valid: impl Fn(&Chain) -> bool,
    ) -> Option<Chain> {
        let before = self.lock().get(address).map(|(chain, _)| chain.clone());
        let mut fetches = match (self.fetches.try_lock(), &before) {
            (Ok(fetches), _) => fetches,
            // Somebody asks already, and it need not be waited for.
            (Err(_), Some(chain)) => return Some(chain.clone()),
            (Err(_), None) => self.fetches.lock().await,
        };
        if let Some(chain) = self.get(address, now) {
            return Some(chain);
        }
        match fetch_anew(address, now, &mut fetches).await {
            Some(chain) if is_valid(&chain) => {
                self.keep(address, chain.clone(), now);
                Some(chain)
            }
            other => before.or(other),
        }
    }

    fn keep(&self, address: &str, chain: Chain, now: Timestamp) {
        let mut chains = self.lock();
        let fetched = chains.iter().filter_map(|(address, (_, at))| Some(((*at)?, address.clone())));
        if chains.len() >= CAPACITY
            && let Some((_, oldest)) = fetched.min()
        {
            chains.remove(&oldest);
        }
        chains.insert(address.to_owned(), (chain, Some(now)));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Chain, Option<Timestamp>)>> {
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fetches it, if that is not done too often.
async fn fetch_anew(address: &str, now: Timestamp, fetches: &mut (i64, u32)) -> Option<Chain> {
    let minute = now.unix_timestamp().div_euclid(60);
    let before = if fetches.0 == minute { fetches.1 } else { 0 };
    if before >= FETCHES_A_MINUTE {
        not_fetched(format_args!("there were {FETCHES_A_MINUTE} fetches this minute"));
        return None;
    }
    *fetches = (minute, before + 1);
    download(address).await
}

async fn download(address: &str) -> Option<Chain> {
    let request = Request { method: Method::Get, url: address.to_owned(), headers: Vec::new(), body: String::new() };
    match Client::new(TIMEOUT).send(request).await {
        Ok(answer) if answer.status == 200 => {
            let chain = certificate::read(&answer.body);
            (!chain.is_empty()).then(|| chain.into())
        }
        Ok(answer) => {
            not_fetched(format_args!("{address} answered {}", answer.status));
            None
        }
        Err(why) => {
            not_fetched(format_args!("{address} {why:?}"));
            None
        }
    }
}

/// Anybody can bring this about, so it is no line each time.
fn not_fetched(why: std::fmt::Arguments<'_>) {
    repeated::log(
        log::Level::Warn,
        "PayPal's certificate",
        format_args!("PayPal's certificate was not fetched: {why}"),
    );
}
