//! Is a subscription paused, changed and managed at its gateway exactly once, and is what a gateway lacks refused?

use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::gateways::braintree::Braintree;
use actix_payments::gateways::paypal::PayPal;
use actix_payments::{ErrorKind, NewSubscription, Outcome, PlanChange, Proration, Token};
use serde_json::{Value, json};

use super::billing::{Billing, Fault};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::stripe::recorded::assert_as_recorded;

/// An app that knows the fake's one subscription.
async fn app(kind: Kind) -> (App, Billing, Token) {
    app_of(kind, None).await
}

/// The same where the subscription is of a connected account.
async fn app_of(kind: Kind, account: Option<&str>) -> (App, Billing, Token) {
    let billing = Billing::new(NOW);
    let id = billing.state().subscribe("user-42", false);
    let gateway = billing.gateway(SECRET).accounts(account);
    let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
    let of_account = |event: &Value| {
        let mut event = event.clone();
        event.as_object_mut().unwrap().extend(account.map(|account| ("account".to_owned(), json!(account))));
        event.to_string()
    };
    let told: Vec<String> = billing.state().events.iter().map(of_account).collect();
    app.deliver(&told.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let token = app.subscription(&id).await.token;
    (app, billing, token)
}

/// Lets time pass for both.
fn pass(app: &App, billing: &Billing, seconds: i64) {
    app.pass(seconds);
    billing.state().now += seconds;
}

on_both_databases! {
    async fn a_pause_is_begun_and_ended(kind) {
        let (app, billing, token) = app(kind).await;
        pass(&app, &billing, 1);
        assert_eq!(app.payments.pause_subscription(&token).await.unwrap(), Outcome::Done);
        let paused = app.payments.subscription(&token).await.unwrap().unwrap();
        assert_eq!(paused.state.pause.as_ref().map(|pause| pause.behavior.as_str()), Some("void"));
        assert_eq!(paused.status(), SubscriptionStatus::Active, "Stripe keeps the status");
        let again = app.payments.pause_subscription(&token).await.unwrap_err();
        assert_eq!((again.kind(), again.to_string().as_str()), (ErrorKind::Refused, "It is paused already."));
        pass(&app, &billing, 1);
        assert_eq!(app.payments.unpause_subscription(&token).await.unwrap(), Outcome::Done);
        assert_eq!(app.payments.subscription(&token).await.unwrap().unwrap().state.pause, None);
        let not = app.payments.unpause_subscription(&token).await.unwrap_err();
        assert_eq!((not.kind(), not.to_string().as_str()), (ErrorKind::Refused, "It is not paused."));
    }

    async fn a_connected_accounts_subscription_is_asked_about_there(kind) {
        for account in [Some("acct_connected"), None] {
            let (app, billing, token) = app_of(kind, account).await;
            pass(&app, &billing, 1);
            assert_eq!(app.payments.pause_subscription(&token).await.unwrap(), Outcome::Done);
            let paused = app.payments.subscription(&token).await.unwrap().unwrap();
            assert!(paused.state.pause.is_some(), "the answer is believed: {:?}", app.outcomes());
            pass(&app, &billing, 1);
            app.payments.refresh_subscription(&token).await.unwrap();
            app.payments.portal_link(&token, "https://shop.example/").await.unwrap();
            pass(&app, &billing, 1);
            app.payments.cancel_subscription(&token).await.unwrap();
            let heard = billing.listener.heard();
            assert!(heard.len() > 5, "{heard:?}");
            for heard in heard {
                assert_eq!(heard.header("stripe-account"), account, "{} {}", heard.method, heard.path);
            }
            let ended = app.payments.subscription(&token).await.unwrap().unwrap();
            assert_eq!(ended.status(), SubscriptionStatus::Canceled);
        }
    }

    async fn what_is_paused_as_a_whole_lets_nobody_in_and_is_charged_at_once_only_after_its_period(kind) {
        let (app, billing, token) = app(kind).await;
        let id = app.payments.subscription(&token).await.unwrap().unwrap().gateway_ref.unwrap();
        let words = [
            (1, "unchanged", 1, "Stripe charges again, from the next period on."),
            (40 * 86_400, "now", 2, "No period of it is under way, so a new one may begin and be charged at once."),
        ];
        for (seconds, anchor, invoices, meaning) in words {
            pass(&app, &billing, seconds);
            billing.state().change(&id, json!({"status": "paused"}));
            app.payments.refresh_subscription(&token).await.unwrap();
            assert!(!app.payments.active("user-42").await.unwrap(), "paused lets nobody in");
            let page = format!("/payments/admin/subscriptions/{token}");
            let shown = app.get(&page).await.text();
            assert!(shown.contains("until it is unpaused, and it does not count as active."), "{shown}");
            let asked = app.get(&format!("{page}/unpause")).await.text();
            assert!(asked.contains(meaning), "{asked}");
            pass(&app, &billing, 1);
            assert_eq!(app.payments.unpause_subscription(&token).await.unwrap(), Outcome::Done);
            assert_eq!(app.subscription(&id).await.status(), SubscriptionStatus::Active);
            assert!(app.payments.active("user-42").await.unwrap());
            let effect = billing.state().effects.last().cloned().unwrap();
            assert_eq!(effect, format!("POST resume billing_cycle_anchor={anchor}"));
            assert_eq!(billing.state().invoices.len(), invoices, "{anchor}");
        }
    }

    async fn a_price_and_a_quantity_are_changed_once(kind) {
        let (app, billing, token) = app(kind).await;
        pass(&app, &billing, 1);
        billing.state().faults = [None, Some(Fault::CutAfter)].into();
        let change = PlanChange::new().price("price_pro").quantity(3).proration(Proration::InvoiceNow);
        assert_eq!(app.payments.change_subscription(&token, change).await.unwrap(), Outcome::Underway);
        pass(&app, &billing, 60);
        app.drain().await;
        let changed = app.payments.subscription(&token).await.unwrap().unwrap();
        let item = &changed.state.items[0];
        assert_eq!((item.price.as_str(), item.quantity), ("price_pro", Some(3)));
        let effects = billing.state().effects.clone();
        let [effect] = &effects[..] else { panic!("{effects:?}") };
        assert!(effect.contains("proration_behavior=always_invoice") && effect.contains("items[0][price]=price_pro"), "{effect}");
        // What is so already is not asked for again.
        pass(&app, &billing, 1);
        assert_eq!(app.payments.change_subscription(&token, PlanChange::new().quantity(3)).await.unwrap(), Outcome::Done);
        assert_eq!(billing.state().effects.len(), 1);
        let of_other = PlanChange::new().quantity(4).of("price_other");
        let refused = app.payments.change_subscription(&token, of_other).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Gateway);
        for nothing in [PlanChange::new(), PlanChange::new().quantity(0), PlanChange::new().price("")] {
            assert_eq!(app.payments.change_subscription(&token, nothing).await.unwrap_err().kind(), ErrorKind::Refused);
        }
    }

    async fn what_a_schedule_decides_is_left_to_it(kind) {
        let (app, billing, token) = app(kind).await;
        let id = app.payments.subscription(&token).await.unwrap().unwrap().gateway_ref.unwrap();
        pass(&app, &billing, 2);
        billing.state().change(&id, json!({"schedule": "sub_sched_1"}));
        app.payments.refresh_subscription(&token).await.unwrap();
        let found = app.subscription(&id).await;
        assert_eq!((found.state.schedule.as_deref(), found.state.doubt), (Some("sub_sched_1"), None));
        let why = "The gateway's schedule sub_sched_1 decides that: change it there.";
        for refused in [
            app.payments.cancel_subscription_at_end(&token).await.unwrap_err(),
            app.payments.change_subscription(&token, PlanChange::new().quantity(2)).await.unwrap_err(),
        ] {
            assert_eq!((refused.kind(), refused.to_string().as_str()), (ErrorKind::Refused, why));
        }
        let page = app.get(&format!("/payments/admin/subscriptions/{token}")).await.text();
        assert!(page.contains("Schedule sub_sched_1"), "{page}");
        assert_eq!(app.payments.cancel_subscription(&token).await.unwrap(), Outcome::Done);
    }

    async fn a_customer_is_led_to_the_gateways_own_page(kind) {
        let (app, billing, token) = app(kind).await;
        let link = app.payments.portal_link(&token, "https://shop.example/tea/{token}").await.unwrap();
        assert_eq!(link, "https://billing.stripe.com/p/cus_F1EF46kBRDxh4Y");
        let heard = billing.listener.heard().pop().unwrap();
        assert_as_recorded("billingPortal.sessions.create", &heard, &["customer", "return_url"]);
        assert!(heard.body.contains(&format!("return_url=https%3A%2F%2Fshop.example%2Ftea%2F{token}")), "{}", heard.body);
        assert!(!app.dump().iter().any(|row| row.contains("billing.stripe.com")), "it is stored nowhere");
        assert_eq!(app.payments.portal_link(&"psub_x".into(), "/").await.unwrap_err().kind(), ErrorKind::NotFound);
    }

    async fn an_operator_pauses_and_the_audit_says_so(kind) {
        let (app, billing, token) = app(kind).await;
        pass(&app, &billing, 1);
        let page = format!("/payments/admin/subscriptions/{token}/pause");
        let asked = app.get(&page).await;
        assert!(asked.text().contains("Stripe charges nothing until the subscription is unpaused."), "{}", asked.text());
        let key = asked.body.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!(app.post(&page, &format!("key={key}")).await.status, 303);
        assert_eq!(app.post(&page, &format!("key={key}")).await.status, 409, "a form acts once");
        assert_eq!(billing.state().effects.len(), 1);
        assert_eq!(app.texts("SELECT actor || ' ' || act AS t FROM pay_audit"), ["admin pause"]);
        let shown = app.get(&format!("/payments/admin/subscriptions/{token}")).await.text();
        assert!(shown.contains("charging paused") && shown.contains("Unpause"), "{shown}");
        // To what it is changed is the host's to say.
        assert_eq!(app.get(&format!("/payments/admin/subscriptions/{token}/change")).await.status, 404);
    }

    async fn an_operator_decides_an_end_takes_it_back_asks_again_and_ends_it(kind) {
        let (app, billing, token) = app(kind).await;
        let page = format!("/payments/admin/subscriptions/{token}");
        let steps = [
            ("cancel_at_end", "Cancel at the period's end?", "Until then it can be resumed.", "Paid for, and it ends on"),
            ("resume", "Resume?", "Stripe lets the subscription go on", "then it renews"),
            ("refresh", "Refresh?", "That changes nothing at Stripe.", "Money is due"),
            ("cancel", "Cancel now?", "That can't be taken back.", "It ended on"),
        ];
        for (verb, question, meaning, sentence) in steps {
            pass(&app, &billing, 1);
            if verb == "refresh" {
                // Of which no event tells.
                let id = app.payments.subscription(&token).await.unwrap().unwrap().gateway_ref.unwrap();
                billing.state().change(&id, json!({"status": "past_due"}));
            }
            let asked = app.get(&format!("{page}/{verb}")).await;
            let text = asked.text();
            assert!(text.contains(question) && text.contains(meaning) && text.contains("user-42"), "{text}");
            let key = asked.body.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap();
            let done = app.post(&format!("{page}/{verb}"), &format!("key={key}")).await;
            let shown_at = format!("{page}?done={verb}");
            assert_eq!((done.status, done.header("location")), (303, Some(shown_at.as_str())), "{}", done.text());
            let shown = app.get(&shown_at).await.text();
            assert!(shown.contains(": done by Stripe") && shown.contains(sentence), "no {sentence:?} in {shown}");
            assert_eq!(app.post(&format!("{page}/{verb}"), &format!("key={key}")).await.status, 409, "a form acts once");
        }
        let effects = ["POST  cancel_at_period_end=true", "POST  cancel_at_period_end=false", "DELETE  "];
        assert_eq!(billing.state().effects, effects);
        let acts = app.texts("SELECT actor || ' ' || act AS t FROM pay_audit ORDER BY id");
        assert_eq!(acts, ["admin cancel_at_end", "admin resume", "admin refresh", "admin cancel"]);
        let shown = app.get(&page).await.text();
        for (verb, why) in [("cancel", "It has ended."), ("resume", "It has ended.")] {
            let refused = app.get(&format!("{page}/{verb}")).await;
            assert!(refused.status == 409 && refused.text().contains(why), "{}", refused.text());
        }
        assert!(shown.contains("by admin; "), "{shown}");
        assert_eq!(app.post(&format!("{page}/cancel"), "key=x").await.status, 409);
    }

    async fn what_other_gateways_lack_is_refused_with_words(kind) {
        let app = App::bare(kind, |builder| {
            builder.variant("paypal", PayPal::new("WH1").roots(include_bytes!("../../fixtures/paypal/root.pem")))
                .variant("braintree", Braintree::new("merchant", "public", "private"))
        }).await;
        for (variant, words) in [("paypal", "no client ID and secret"), ("braintree", "no page on which a customer subscribes")] {
            let refused = app.payments.subscribe(NewSubscription::new(variant, "plan_1")).await.unwrap_err();
            assert!(refused.kind() == ErrorKind::Refused && refused.to_string().contains(words), "{refused}");
        }
        assert_eq!(app.number("SELECT count(*) FROM pay_subscriptions"), 0);
    }
}
