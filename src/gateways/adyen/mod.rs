//! The gateway for Adyen. [`Adyen`] is one standard webhook of a merchant account, test or live. With an API key it
//! also makes payment links and acts on payments. Webhooks of Adyen's platform are verified as well, and kept for
//! handlers.
//!
//! See [`Adyen`] for an example of a variant's configuration.

mod api;
mod interpret;
mod item;
pub mod money;
mod setup;
mod verify;

use super::believed::Believed;
use super::hmac_webhooks::{Encoding, HeaderField, HmacWebhooks, KeyEncoding};
use super::json_api::call_supported;
use super::signature::Secret;
use super::{
    BoxFuture, Call, Gateway, GatewayError, Mode, PaymentRequest, Reply, Setup, Started, TEST_KIND, Verb, Verification,
    test_interpretation,
};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, Verified};
use crate::domain::identifier::GatewayRef;
use api::Api;
#[cfg(feature = "testing")]
pub(crate) use interpret::MANUAL as MANUAL_CAPTURE;

/// The header field with the signature of platform webhooks.
const PLATFORM: &str = "hmacsignature";

/// One standard webhook of an Adyen merchant account, test or live.
///
/// Adyen signs eight fields of each notification: the references, the account, the amount, the kind and the success.
/// Facts are read from these alone. Its time is not signed, so a delivery that is tampered with on its way could be put
/// into another order; TLS and [`Adyen::basic_auth`] prevent that.
///
/// Events find their payment by the payment's token, which is the `merchantReference`. A host that creates payments
/// itself passes the token to Adyen as `reference`.
///
/// ```
/// use actix_payments::gateways::{Gateway, adyen::Adyen};
///
/// let key = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
/// assert_eq!(Adyen::new(key).live().check(), Ok(()));
/// ```
#[derive(Debug, Clone)]
pub struct Adyen {
    keys: Vec<(String, Secret)>,
    platform: HmacWebhooks,
    basic_auth: Option<(String, Secret)>,
    live: bool,
    manual_capture: bool,
    merchant_accounts: Believed,
    api: Option<Api>,
}

impl Adyen {
    /// A webhook with its HMAC key (hexadecimal, as the Customer Area shows it), which gets the label `primary`. It is
    /// one of a test account unless [`Adyen::live`] says otherwise.
    pub fn new(hmac_key: impl Into<String>) -> Self {
        let key = hmac_key.into();
        // <https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures/>
        let platform = HmacWebhooks::new("Adyen", HeaderField::whole(PLATFORM), key.clone())
            .key(KeyEncoding::Hex)
            .encoding(Encoding::Base64)
            .id_from(["/type", "/data/id", "/timestamp"])
            .occurred_at("/timestamp");
        Self {
            keys: vec![("primary".to_owned(), Secret::new(key))],
            platform,
            basic_auth: None,
            live: false,
            manual_capture: false,
            merchant_accounts: Believed::all("merchant account", &["merchantAccountCode"]),
            api: None,
        }
    }

    /// Adds another HMAC key, such as the next one during a rotation. The label shows which one matched. Default: none.
    pub fn secret(mut self, label: impl Into<String>, hmac_key: impl Into<String>) -> Self {
        let (label, key) = (label.into(), hmac_key.into());
        self.platform = self.platform.secret(label.clone(), key.clone());
        self.keys.push((label, Secret::new(key)));
        self
    }

    /// Sets the user name and the password of basic authentication that the webhook has at Adyen. Default: none is
    /// required. The HMAC key proves who sent a notification; this keeps others from altering what is not signed.
    pub fn basic_auth(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.basic_auth = Some((name.into(), Secret::new(password)));
        self
    }

    /// Declares the account a live one. Default: a test account. A notification's own statement about this is not
    /// signed, so it is not used.
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// Declares that the account captures payments by a separate request. Default: Adyen captures each payment when it
    /// is authorized, as accounts do unless their capture delay says `manual`. A notification's own statement about
    /// this is not signed, so it is not used. Payments that are started here with a manual capture are recognized by
    /// their reference.
    ///
    /// After a partial capture, the rest counts as released, as is Adyen's default.
    pub fn manual_capture(mut self) -> Self {
        self.manual_capture = true;
        self
    }

    /// Names merchant accounts whose notifications are believed. Default: that of [`Adyen::api_key`], and without an
    /// API key all. A webhook of the company account receives notifications of all its merchant accounts; those of
    /// accounts that are not named here are kept for handlers.
    pub fn merchant_accounts(mut self, accounts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.merchant_accounts.name(accounts);
        self
    }

    /// Sets the API key and the merchant account with which the crate calls Adyen's Checkout API. Default: none, and
    /// the host makes all calls itself. Only notifications of this account are believed, unless
    /// [`Adyen::merchant_accounts`] names more. A live account needs [`Adyen::live_url_prefix`] as well.
    ///
    /// [`Payments::create`](crate::Payments::create) then makes a payment link and returns its address. Captures,
    /// cancels and refunds use the key as well; Adyen only confirms that it received them, and their results come as
    /// events.
    pub fn api_key(mut self, key: impl Into<String>, merchant_account: impl Into<String>) -> Self {
        let merchant_account = merchant_account.into();
        self.merchant_accounts.name([merchant_account.clone()]);
        self.api = Some(Api::new(key, merchant_account));
        self
    }

    /// Sets the prefix of a live account's API address (`1797a841fbb37ca7-ShopECOM`), as the Customer Area shows it.
    /// Default: the test environment. Has an effect only after [`Adyen::api_key`].
    pub fn live_url_prefix(mut self, prefix: impl AsRef<str>) -> Self {
        if let Some(api) = &mut self.api {
            api.json.base = format!("https://{}-checkout-live.adyenpayments.com/checkout", prefix.as_ref());
        }
        self
    }

    /// Sets the address of Adyen's API, for tests with a fake: `https://`, or `http://` to this machine. Default:
    /// Adyen's test environment. Has an effect only after [`Adyen::api_key`].
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.json.base = base.into();
        }
        self
    }

    /// Sets how often a call is retried when Adyen can't be reached or reports an error of its own. Default: 2. Every
    /// try has the same idempotency key. Has an effect only after [`Adyen::api_key`].
    pub fn api_retries(mut self, retries: u32) -> Self {
        if let Some(api) = &mut self.api {
            api.json.retries = retries;
        }
        self
    }

    fn verified(&self, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
        if let Some((name, password)) = &self.basic_auth {
            verify::basic_auth(delivery, name, password)?;
        }
        let mut verified = match delivery.header(PLATFORM) {
            Some(_) => self.platform.verified(delivery, now)?,
            None => verify::verified(&self.keys, delivery)?,
        };
        for event in &mut verified.events {
            event.livemode = Some(self.live);
        }
        Ok(verified)
    }
}

impl Gateway for Adyen {
    fn name(&self) -> &'static str {
        "Adyen"
    }

    fn check(&self) -> Result<(), String> {
        self.platform.check()?;
        if self.basic_auth.as_ref().is_some_and(|(name, password)| name.contains(':') || password.is_blank()) {
            return Err("expected a name and a password for basic authentication, got others".to_owned());
        }
        self.api.as_ref().map_or(Ok(()), |api| api.check(self.live))?;
        self.merchant_accounts.check("Adyen")
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(self.verified(delivery, now))
    }

    fn reply(&self, outcome: Result<(), Rejection>) -> Option<Reply> {
        // Any 2xx is a success by now; this is what Adyen asked for before.
        outcome.is_ok().then(|| Reply { status: 200, body: "[accepted]".to_owned() })
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        if event.kind == TEST_KIND {
            return Ok(test_interpretation());
        }
        self.merchant_accounts.heard(event, || interpret::interpret(event, self.manual_capture))
    }

    fn references(&self, event: &Recorded<'_>) -> References {
        interpret::references(event)
    }

    fn setup(&self) -> Setup {
        setup::setup(self.platform.secret_statuses(), self.api.is_some())
    }

    fn signed_delivery(&self, _: &str, event: &[u8], _: Timestamp) -> Option<Delivery> {
        let (_, key) = self.keys.first()?;
        let mut delivery = verify::signed(key, event)?;
        if let Some((name, password)) = &self.basic_auth {
            delivery.headers.push(("authorization".to_owned(), verify::credentials(name, password).into_bytes()));
        }
        Some(delivery)
    }

    fn test_delivery(&self, id: &str, now: Timestamp) -> Option<Delivery> {
        self.signed_delivery(id, &setup::test_notification(id, now)?, now)
    }

    fn dashboard_url(&self, gateway_ref: &GatewayRef, mode: Mode) -> Option<String> {
        let host = if mode == Mode::Live { "ca-live.adyen.com" } else { "ca-test.adyen.com" };
        let is_psp = gateway_ref.len() == 16 && gateway_ref.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_psp.then(|| format!("https://{host}/ca/ca/accounts/showTx.shtml?pspReference={gateway_ref}&txType=Payment"))
    }

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.checkout(payment)),
            None => Box::pin(std::future::ready(Ok(Started::Done))),
        }
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        match verb {
            Verb::Complete => Err("Adyen completes a payment by itself.".to_owned()),
            Verb::Refresh => Err("Adyen has no call that shows how a payment stands.".to_owned()),
            _ if self.api.is_none() => {
                Err("This variant has no API key, so Adyen can't be asked for anything from here.".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        call_supported(self.api.as_ref(), self.supports(call.verb), |api| Box::pin(api.call(call)))
    }
}
