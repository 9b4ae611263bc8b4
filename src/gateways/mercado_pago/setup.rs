//! The steps to set up a webhook of an application of Mercado Pago's
//! (<https://www.mercadopago.com.br/developers/en/docs/your-integrations/notifications/webhooks>).

use serde_json::json;

use crate::gateways::{SecretStatus, Setup, TEST_KIND};

/// The topics to subscribe to, by their names in notifications.
const KINDS: [&str; 3] = ["payment", "topic_merchant_order_wh", "topic_chargebacks_wh"];

/// The steps, with the state of the configuration.
pub(super) fn setup(secrets: Vec<SecretStatus>, has_token: bool) -> Setup {
    let steps = [
        "In Mercado Pago's developer panel, open Your integrations, then your application, then Webhooks, and configure \
         notifications. Test and productive mode have separate addresses.",
        "Paste the public address of {address}, and select Payments, Commercial orders and Chargebacks.",
        "Save, copy the secret signature that appears then, give it to this variant and restart the app.",
        "Give the application's access token to this variant: its notifications only name a payment, so Mercado Pago is \
         asked for it. Without a token they are kept, and wait.",
        "If your own code names an address with each preference or payment, append ?source_news=webhooks to it, so that \
         Mercado Pago does not send its older notifications as well. They are not signed, and refused.",
        "If your own code creates preferences or payments, pass the payment's token to Mercado Pago as their \
         external_reference, so that events find their payment.",
        "A simulated notification names a payment that does not exist; the overview then tells that Mercado Pago does not \
         know it.",
    ];
    Setup {
        steps: steps.map(str::to_owned).into(),
        kinds: KINDS.into(),
        secrets,
        api_key: Some(has_token),
        docs: vec![
            (
                "Mercado Pago on webhooks",
                "https://www.mercadopago.com.br/developers/en/docs/your-integrations/notifications/webhooks",
            ),
            ("Mercado Pago's developer panel", "https://www.mercadopago.com.br/developers/panel/app"),
        ],
        ..Setup::default()
    }
}

/// A test notification. The id of what it names is the event's id.
pub(super) fn test_notification(id: &str) -> String {
    json!({"data": {"id": id}, "type": TEST_KIND}).to_string()
}
