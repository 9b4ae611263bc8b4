//! Does the page of a variant lead a stranger through its set-up, and keep its secrets?

use actix_payments::gateways::Gateway;

use super::{Company, adyen, lemon_squeezy, mercado_pago, paddle, polar, razorpay, square, variant};
use crate::app::{App, Kind, on_both_databases};

/// Asserts that the page shows every step with the address in it, every kind to tick and each link, whether there is a
/// key for outgoing calls, and no secret.
async fn leads<G: Gateway>(kind: Kind, name: &str, gateways: [G; 2], secrets: &[&str]) {
    let setup = gateways[1].setup();
    assert!(setup.steps.len() >= 3 && !setup.kinds.is_empty() && !setup.docs.is_empty(), "{name}");
    let [without, with] = gateways;
    for (gateway, has_key) in [(without, false), (with, true)] {
        let app = App::bare(kind, |builder| builder.variant(name, gateway)).await;
        let page = app.get(&format!("/payments/admin/variants/{name}")).await;
        let text = page.text();
        assert_eq!(page.status, 200, "{text}");
        let address =
            text.split_whitespace().find(|word| word.ends_with(&format!("/payments/{name}/"))).expect("an address");
        for step in &setup.steps {
            assert!(text.contains(&step.replace("{address}", address)), "{name}: {step}: {text}");
        }
        for kind in &setup.kinds {
            assert!(text.split_whitespace().any(|word| word.trim_matches(',') == *kind), "{name}: {kind}: {text}");
        }
        for (words, link) in &setup.docs {
            assert!(link.starts_with("https://") && text.contains(words), "{name}: {words}");
            assert!(page.body.contains(&format!("href=\"{link}\"")), "{name}: {link}");
        }
        assert!(!text.contains('{'), "{name}: {text}");
        assert_eq!(text.contains("API key not set"), !has_key, "{name}: {text}");
        for secret in secrets {
            assert!(!page.body.contains(secret), "{name}: {secret}");
        }
    }
}

/// The same of a company, with and without a key.
async fn leads_at<C: Company>(kind: Kind, with: C::Gateway) {
    leads(kind, &variant::<C>(0), [C::gateway(), with], &[C::SECRET, "hidden-key"]).await;
}

on_both_databases! {
    async fn the_setup_page_leads_a_stranger(kind) {
        leads_at::<paddle::Of>(kind, paddle::Of::gateway().api_key("hidden-key")).await;
        let of = lemon_squeezy::Of::gateway();
        leads_at::<lemon_squeezy::Of>(kind, of.api_key("hidden-key", "11").product_variant("22", "EUR")).await;
        leads_at::<polar::Of>(kind, polar::Of::gateway().access_token("hidden-key").product("product-1")).await;
        leads_at::<razorpay::Of>(kind, razorpay::Of::gateway().api_key("rzp_test_1", "hidden-key")).await;
        leads_at::<square::Of>(kind, square::Of::gateway().access_token("hidden-key", "L1")).await;
        leads_at::<adyen::Of>(kind, adyen::Of::gateway().api_key("hidden-key", "ShopECOM")).await;
        let of = || mercado_pago::gateway();
        leads(kind, "mercado-pago", [of(), of().access_token("hidden-key")], &[mercado_pago::SECRET, "hidden-key"]).await;
    }
}
