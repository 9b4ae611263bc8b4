//! The sign of a browser that has logged in before, in a cookie: others' wrong tries do not make it wait. It opens
//! nothing by itself. (OWASP: "Slow down online guessing attacks with device cookies".)

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::domain::hex::hex;

const NAME: &str = "payments-device";
/// For how long a browser is known, in seconds: half a year.
const KNOWN_FOR: u64 = 180 * 24 * 60 * 60;

/// The cookie that an answer is to set; put at the request by the policy.
pub(super) struct SetCookie(pub(super) HeaderValue);

/// What signs the cookies: the same after a restart and in other processes, another one with another password.
pub(super) struct DeviceKey([u8; 32]);

impl DeviceKey {
    /// Of the stored hash of the password, which nobody else knows.
    pub(super) fn of(hash: &str) -> Self {
        Self(mac(hash.as_bytes(), "payments device cookie"))
    }

    /// The id of the browser, if it is known.
    pub(super) fn known(&self, req: &HttpRequest) -> Option<String> {
        let cookies = req.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
        let mut values = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        values.find_map(|(name, value)| {
            let (id, signature) = value.split_once('.').filter(|_| name == NAME)?;
            bool::from(self.signature(id).as_bytes().ct_eq(signature.as_bytes())).then(|| id.to_owned())
        })
    }

    /// A cookie for a browser that was not known, for the pages below `path`.
    pub(super) fn cookie(&self, path: &str, secure: bool) -> Option<SetCookie> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).ok()?;
        let id = hex(&bytes);
        let secure = if secure { "; Secure" } else { "" };
        let signature = self.signature(&id);
        let cookie =
            format!("{NAME}={id}.{signature}; Path={path}; Max-Age={KNOWN_FOR}; HttpOnly; SameSite=Strict{secure}");
        HeaderValue::from_str(&cookie).ok().map(SetCookie)
    }

    fn signature(&self, id: &str) -> String {
        hex(&mac(&self.0, id))
    }
}

/// HMAC takes keys of any length, so this can't fail.
fn mac(key: &[u8], text: &str) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}
