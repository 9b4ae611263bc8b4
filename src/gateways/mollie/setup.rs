//! The steps to set up a profile of Mollie's (<https://docs.mollie.com/docs/getting-started>). There is nothing to
//! register and no secret: Mollie is told the address with each payment.

use crate::gateways::Setup;

/// The steps, with the state of the configuration.
pub(super) fn setup(has_api_key: bool) -> Setup {
    let steps = [
        "In Mollie's dashboard, open Developers, then API keys, and give a key of the website profile to this \
         variant: test_… or live_…. Without one, Mollie's hints are kept and wait: they name a payment and say \
         nothing of it.",
        "Give the public address of {address} to the variant as webhook_url. Mollie gets it with every payment \
         that is created here; there is nothing to register in the dashboard.",
        "If your own code creates payments, pass that address to Mollie as their webhookUrl, and the payment's token \
         as payment_token in their metadata, so that events find their payment.",
        "Mollie signs nothing. Whoever posts an id here only has Mollie asked for that payment, a bounded number of \
         times; Mollie's answer decides.",
    ];
    Setup {
        steps: steps.map(str::to_owned).into(),
        api_key: Some(has_api_key),
        docs: vec![
            ("Mollie on webhooks", "https://docs.mollie.com/reference/webhooks"),
            ("Mollie's API keys", "https://my.mollie.com/dashboard/developers/api-keys"),
        ],
        ..Setup::default()
    }
}
