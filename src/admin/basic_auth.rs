//! Keeps the admin pages to one person by one name and one password, of which only a hash is known here; checking it is
//! slow on purpose, and guessing it slower with every try.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::access::{Access, Policy};
use super::device::DeviceKey;
use super::guesses::{Guesser, Guesses};
use crate::domain::Timestamp;
use crate::domain::network::client_network;
use crate::error::{Error, ErrorKind};

/// How many passwords are checked at the same time; each takes tens of megabytes and a processor.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// One name and one password, for small apps; see [`basic_auth`]. Clones share the count of wrong tries, so make one
/// and clone it into each worker's app.
///
/// See [`hash_password`] for an example.
#[derive(Clone)]
#[must_use]
pub struct BasicAuth(Arc<Door>);

struct Door {
    user: String,
    hash: PasswordHash,
    /// A key of this process alone, so that what is remembered can be compared and says nothing.
    key: [u8; 32],
    /// The digest of the name and password that were right, which need not be checked slowly again.
    right: OnceLock<[u8; 32]>,
    devices: DeviceKey,
    guesses: Mutex<Guesses>,
    turns: Semaphore,
}

/// Who asks, and when; put at the request by the guard before the policy is asked.
#[derive(Clone)]
pub(super) struct Asking {
    pub(super) address: Option<String>,
    pub(super) now: Timestamp,
    /// Where the pages are, as the browser sees it.
    pub(super) path: String,
}

/// A policy with one name and one password, given as its argon2 hash (a PHC string, `$argon2id$v=19$…`); see
/// [`hash_password`]. Use it only over TLS, since the browser sends both with every request.
///
/// After five wrong tries an address must wait a second before it may try again, then twice as long each time, up to
/// five minutes. After fifty wrong tries for the name, from any addresses, everybody must wait, up to one minute. A
/// correct try does not reset that. A browser that has logged in before is recognised by a cookie, which opens nothing
/// by itself: it waits only for its own wrong tries, not for others'. Behind a proxy all requests have the proxy's
/// address, unless [`Admin::client_address`](crate::Admin::client_address) is set.
///
/// See [`hash_password`] for an example.
///
/// # Errors
/// `Configuration` if `hash` is no such hash, for example the password itself; the message does not repeat it.
pub fn basic_auth(user: impl Into<String>, hash: impl AsRef<str>) -> Result<BasicAuth, Error> {
    let user = user.into();
    if user.is_empty() || user.contains(':') {
        return Err(Error::configuration(
            "basic_auth expected a name without a colon, got an empty one or one with it",
        ));
    }
    let hash = hash.as_ref().trim();
    let door = Door {
        user,
        hash: parse(hash)?,
        devices: DeviceKey::of(hash),
        key: random()?,
        right: OnceLock::new(),
        guesses: Mutex::default(),
        turns: Semaphore::new(AT_ONCE),
    };
    Ok(BasicAuth(Arc::new(door)))
}

/// The hash of a password by argon2id with a salt of its own, for [`basic_auth`]. It takes about 20 ms and 19 MiB;
/// the parameters are those that OWASP recommends.
///
/// ```
/// use actix_payments::{basic_auth, hash_password};
///
/// // Once, by hand; only the hash is put into the app's configuration.
/// let hash = hash_password("correct horse battery staple")?;
/// assert!(hash.starts_with("$argon2id$"));
///
/// let staff = basic_auth("admin", hash)?;
/// assert!(basic_auth("admin", "correct horse battery staple").is_err());
/// # drop(staff);
/// # Ok::<(), actix_payments::Error>(())
/// ```
///
/// # Errors
/// `Configuration` for an empty password, `Unavailable` when the system gives no random bytes.
pub fn hash_password(password: &str) -> Result<String, Error> {
    if password.is_empty() {
        return Err(Error::configuration("expected a password, got an empty one"));
    }
    let failed = |_| Error::new(ErrorKind::Unavailable, "the password could not be hashed");
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(failed)
}

fn parse(text: &str) -> Result<PasswordHash, Error> {
    let whole = |hash: &PasswordHash| {
        let known = Algorithm::try_from(hash.algorithm.as_str()).is_ok() && Params::try_from(hash).is_ok();
        known && hash.salt.is_some() && hash.hash.is_some()
    };
    let expected = "basic_auth expected the password's hash by argon2 ($argon2id$v=19$…), got another text; \
                    hash_password makes one";
    PasswordHash::new(text.trim()).ok().filter(whole).ok_or_else(|| Error::configuration(expected))
}

fn random() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(ErrorKind::Unavailable, "the system gives no random bytes").with_source(e))?;
    Ok(bytes)
}

impl Policy for BasicAuth {
    fn access(&self, req: HttpRequest) -> Pin<Box<dyn Future<Output = Result<Access, actix_web::Error>>>> {
        let door = self.0.clone();
        Box::pin(async move {
            let asking = req.extensions().get::<Asking>().cloned();
            let (Some(asking), Some((user, password))) = (asking, credentials(&req)) else {
                return Ok(Access::Challenge);
            };
            let known = door.devices.known(&req);
            let guessers = door.guessers(&asking, &user, known.as_ref());
            let access = decide(&door, user, password, &guessers, asking.now).await;
            if known.is_none() && matches!(access, Access::Full(_)) {
                let secure = req.connection_info().scheme() == "https";
                let cookie = door.devices.cookie(&asking.path, secure);
                cookie.map(|cookie| req.extensions_mut().insert(cookie));
            }
            Ok(access)
        })
    }
}

async fn decide(door: &Arc<Door>, user: String, password: String, guessers: &[Guesser], now: Timestamp) -> Access {
    // What is known costs nothing, and who must wait is not told whether it was right.
    if let Some(known) = door.known(&user, &password, guessers, now) {
        return known;
    }
    let Ok(Ok(turn)) = tokio::time::timeout(PATIENCE, door.turns.acquire()).await else {
        return Access::Wait(PATIENCE);
    };
    // While this one waited for its turn, others of the same may have had theirs.
    if let Some(known) = door.known(&user, &password, guessers, now) {
        return known;
    }
    let checking = door.clone();
    let checked = tokio::task::spawn_blocking(move || checking.check(user, &password)).await;
    drop(turn);
    match checked {
        Ok(Some(user)) => Access::Full(user),
        Ok(None) => {
            guessers.iter().for_each(|guesser| door.guesses().wrong(guesser, now));
            let whose = guessers.first().map(ToString::to_string).unwrap_or_default();
            log::warn!("payments: a wrong name or password for the admin pages {whose}");
            Access::Challenge
        }
        Err(_) => Access::Denied,
    }
}

impl Door {
    /// Whose tries this one counts among. Of a name that nobody has there is no account to protect.
    fn guessers(&self, asking: &Asking, user: &str, device: Option<&String>) -> Vec<Guesser> {
        if let Some(device) = device {
            return vec![Guesser::Device(device.clone())];
        }
        let address = client_network(asking.address.as_deref().unwrap_or_default());
        let account = (user == self.user).then(|| Guesser::Account(user.to_owned()));
        std::iter::once(Guesser::Address(address)).chain(account).collect()
    }

    /// What can be said without checking the password.
    fn known(&self, user: &str, password: &str, guessers: &[Guesser], now: Timestamp) -> Option<Access> {
        if let Some(wait) = self.guesses().wait(guessers, now) {
            return Some(Access::Wait(wait));
        }
        let is_right = bool::from(self.right.get()?.ct_eq(&self.digest(user, password)));
        is_right.then(|| Access::Full(user.to_owned()))
    }

    /// Checks name and password. The password is checked whatever the name is, so that a wrong name takes as long.
    fn check(&self, user: String, password: &str) -> Option<String> {
        let right_password = Argon2::default().verify_password(password.as_bytes(), &self.hash).is_ok();
        let right_user = bool::from(self.digest(&user, "").ct_eq(&self.digest(&self.user, "")));
        if !(right_password & right_user) {
            return None;
        }
        self.right.get_or_init(|| self.digest(&user, password));
        Some(user)
    }

    /// The name's length goes first, so that no other name and password run into the same text. HMAC takes keys of any
    /// length, so this can't fail.
    fn digest(&self, user: &str, password: &str) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        mac.update(&(user.len() as u64).to_be_bytes());
        mac.update(user.as_bytes());
        mac.update(password.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn guesses(&self) -> std::sync::MutexGuard<'_, Guesses> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Name and password of `Authorization: Basic …` (RFC 7617).
fn credentials(req: &HttpRequest) -> Option<(String, String)> {
    let header = req.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

impl fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuth").field("user", &self.0.user).finish_non_exhaustive()
    }
}
