//! Senders whose scheme is known, so that nobody has to type it: each constructor takes the signing secret and knows
//! the header, the hash, and where an event has its id, kind and time. None of them reads facts; add a
//! [`reader`](HmacWebhooks::reader) or handlers.

use super::envelope::IdSource;
use super::{Algorithm, Encoding, HeaderField, HmacWebhooks};

impl HmacWebhooks {
    /// Coinbase Commerce, with the webhook's shared secret
    /// (<https://docs.cdp.coinbase.com/commerce/webhooks/security>). A kind is like `charge:confirmed`.
    pub fn coinbase_commerce(secret: impl Into<String>) -> Self {
        Self::new("Coinbase Commerce", HeaderField::whole("x-cc-webhook-signature"), secret)
            .id("/event/id")
            .kind("/event/type")
            .occurred_at("/event/created_at")
    }

    /// Paystack, with the account's secret API key (<https://paystack.com/docs/payments/webhooks/>). Its events have no
    /// id: the kind, the id or reference of the object, and its status make one. An event with none of these gets a
    /// hash of its bytes, and so does a reminder of a dispute besides: each is an event of its own.
    pub fn paystack(secret_key: impl Into<String>) -> Self {
        let of_object = ["id", "refund_reference", "subscription_code", "invoice_code", "transfer_code", "reference"];
        let mut paystack = Self::new("Paystack", HeaderField::whole("x-paystack-signature"), secret_key)
            .algorithm(Algorithm::Sha512)
            .kind("/event");
        paystack.paths.id = IdSource::FirstOf {
            before: "/event".to_owned(),
            any: of_object.map(|name| format!("/data/{name}")).into(),
            after: "/data/status".to_owned(),
            again: vec!["charge.dispute.remind".to_owned()],
        };
        paystack
    }

    /// Authorize.Net, with the Signature Key as the Merchant Interface shows it: its text is the key, not what its hex
    /// digits stand for (<https://developer.authorize.net/api/reference/features/webhooks.html>).
    pub fn authorize_net(signature_key: impl Into<String>) -> Self {
        Self::new("Authorize.Net", HeaderField::whole("x-anet-signature"), signature_key)
            .algorithm(Algorithm::Sha512)
            .encoding(Encoding::HexUpper)
            .prefix("sha512=")
            .id("/notificationId")
            .kind("/eventType")
            .occurred_at("/eventDate")
    }

    /// Checkout.com, with the signature key of the workflow's webhook action
    /// (<https://www.checkout.com/docs/developer-resources/webhooks>).
    pub fn checkout_com(signature_key: impl Into<String>) -> Self {
        Self::new("Checkout.com", HeaderField::whole("cko-signature"), signature_key).occurred_at("/created_on")
    }

    /// GoCardless, with the endpoint's secret (<https://developer.gocardless.com/api-reference/#webhooks-overview>).
    /// One delivery has many events; a kind is like `payments.confirmed`. A wrong signature is answered 498, as
    /// GoCardless expects.
    pub fn gocardless(secret: impl Into<String>) -> Self {
        Self::new("GoCardless", HeaderField::whole("webhook-signature"), secret)
            .each("/events")
            .kind_from(["/resource_type", "/action"])
            .occurred_at("/created_at")
            .refused_with(498, "Token Invalid")
    }

    /// Mollie's newer webhooks, with the signing secret of the subscription
    /// (<https://docs.mollie.com/reference/webhooks-best-practices>). Its classic ones are not signed at all.
    pub fn mollie(secret: impl Into<String>) -> Self {
        Self::new("Mollie", HeaderField::whole("x-mollie-signature"), secret)
            .prefix("sha256=")
            .occurred_at("/createdAt")
    }
}
