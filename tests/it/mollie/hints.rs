//! Does an unsigned hint lead to one question, whose answer alone decides, and can't a stranger make us flood a
//! gateway?

use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::payment::Status;
use actix_payments::gateways::mollie::Mollie;
use actix_payments::{Access, Admin, CaptureMethod, Mount, Unmatched, Variant};
use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service};

use super::fake::{ADDRESS, Fake, KEY, time};
use super::{app, app_with, begun, first_page, hint, is, told};
use crate::app::{App, NOW, on_both_databases};
use crate::scenes::Notes;

fn delivery(id: &str) -> Delivery {
    Delivery::new(format!("id={id}"))
}

/// The answer to a hint that came from `peer`, through a mount of the host's.
async fn hint_from(mount: Mount, peer: &str, forwarded: &str, id: &str) -> u16 {
    let app = init_service(actix_web::App::new().service(mount)).await;
    let request = TestRequest::with_uri("/payments/mollie/").method(Method::POST).set_payload(format!("id={id}"));
    let request = request.peer_addr(format!("{peer}:4711").parse().unwrap()).insert_header(("x-client", forwarded));
    call_service(&app, request.to_request()).await.status().as_u16()
}

async fn anna(_: HttpRequest) -> Result<Access, actix_web::Error> {
    Ok(Access::Full("anna".to_owned()))
}

fn forwarded(req: &HttpRequest) -> Option<String> {
    Some(req.headers().get("x-client")?.to_str().ok()?.to_owned())
}

const OPEN: &str = "SELECT count(*) FROM pay_fetches WHERE finished_at IS NULL";

on_both_databases! {
    async fn a_hint_is_believed_nothing_and_mollies_answer_pays_the_payment(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        // Whoever hints at a payment that is not paid has Mollie asked, and no more.
        told(&app, &id).await;
        is(&app, &token, Status::Pending).await;
        fake.becomes(&id, "paid");
        told(&app, &id).await;
        is(&app, &token, Status::Paid).await;
        assert_eq!(fake.state().questions, 2);
        assert_eq!(app.transitions(), ["pending → paid"]);
        let codes = app.codes();
        assert_eq!(codes.iter().filter(|code| *code == "fetched").count(), 2, "{codes:?}");

        // The event that hinted says what was asked and links to the answer, and the other way round; both are on the
        // payment's page.
        let page = first_page(&app).await;
        for words in [&format!("payment {id} done"), "After one try: done by Mollie.", "payment.answered fetch_"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let answer = app.number("SELECT max(id) FROM pay_events WHERE source = 'answer'");
        let page = app.get(&format!("/payments/admin/events/{answer}")).await.text();
        assert!(page.contains(&format!("It answers actix_payments.hint {id}~")), "{page}");
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("actix_payments.hint") && page.contains("payment.answered"), "{page}");
    }

    async fn two_hundred_hints_at_one_payment_cost_one_question(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        assert_eq!(hint(&app, &id).await.status, 200);
        for _ in 1..200 {
            app.payments.receive("mollie", delivery(&id)).await.unwrap();
        }
        app.drain().await;
        is(&app, &token, Status::Paid).await;
        assert_eq!(fake.state().questions, 1);
        assert_eq!(app.number("SELECT count(*) FROM pay_fetches"), 1);
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE state NOT IN ('completed', 'ignored')"), 0);
    }

    async fn hints_that_come_while_a_question_is_open_are_not_even_stored(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.state().is_down = true;
        told(&app, &id).await;
        told(&app, &id).await;
        let before = app.number("SELECT count(*) FROM pay_events");
        // The first try has ended, so one more event is due for what happened since; it covers all that follow.
        for _ in 0..50 {
            app.payments.receive("mollie", delivery(&id)).await.unwrap();
        }
        app.drain().await;
        assert_eq!((app.number("SELECT count(*) FROM pay_events"), before), (2, 2));
        fake.state().is_down = false;
        fake.becomes(&id, "paid");
        app.pass(3600);
        app.drain().await;
        is(&app, &token, Status::Paid).await;
        assert_eq!(app.number(OPEN), 0);
    }

    async fn without_an_api_key_a_hint_waits_and_says_what_it_needs(kind) {
        let app = App::bare(kind, |builder| builder.variant("mollie", Mollie::new())).await;
        assert_eq!(hint(&app, "tr_7UhSN1zuXS").await.status, 200);
        app.drain().await;
        let needs = "this variant has no API key, with which Mollie shows the payments that it hints at";
        assert_eq!((app.events("parked"), app.number(OPEN)), (1, 1));
        let page = first_page(&app).await;
        assert!(page.contains(&format!("It waits until the gateway can be asked: {needs}.")), "{page}");
        for address in ["variants/mollie", ""] {
            let page = app.get(&format!("/payments/admin/{address}")).await.text();
            assert!(page.contains(needs), "{address}: {page}");
        }
        // Days later somebody sets the key and starts the app again.
        app.pass(2 * 86_400);
        let fake = Fake::new(NOW);
        fake.state().payments.insert("tr_7UhSN1zuXS".to_owned(), serde_json::json!({"resource": "payment",
            "id": "tr_7UhSN1zuXS", "mode": "test", "createdAt": time(NOW), "status": "paid",
            "paidAt": time(NOW), "amount": {"currency": "EUR", "value": "12.50"}, "metadata": null}));
        let gateway = Variant::from(fake.gateway()).grace(std::time::Duration::ZERO);
        let again = App::at(app.url.clone(), None, |builder| builder.variant("mollie", gateway)).await;
        again.pass(2 * 86_400);
        again.drain().await;
        assert_eq!(again.texts("SELECT status || ' ' || amount AS t FROM pay_payments"), ["paid 1250"]);
        assert_eq!((again.events("parked"), again.number(OPEN)), (0, 0));
    }

    async fn an_id_that_mollie_does_not_know_is_told_quietly_and_not_asked_for_again(kind) {
        let (app, fake) = app(kind).await;
        for _ in 0..3 {
            told(&app, "tr_nobodyknows").await;
        }
        assert_eq!(fake.state().questions, 1);
        assert_eq!((app.events("ignored"), app.events("discarded")), (1, 0));
        assert_eq!(app.codes(), ["not_shown"]);
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 0);
        let page = first_page(&app).await;
        assert!(page.contains("declined") && page.contains("404"), "{page}");
        // It may come to be.
        app.pass(700);
        told(&app, "tr_nobodyknows").await;
        assert_eq!(fake.state().questions, 2);
    }

    async fn a_stranger_who_makes_ids_up_is_sent_away_before_mollie_is_asked_for_them_all(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        let mut refused = 0;
        for number in 0..199 {
            match app.payments.receive("mollie", delivery(&format!("tr_madeup{number}x"))).await {
                Ok(received) => assert_eq!(received.events, 1),
                Err(rejection) => {
                    assert_eq!(rejection, Rejection::TooManyHints);
                    refused += 1;
                }
            }
        }
        assert_eq!(refused, 139);
        assert_eq!(hint(&app, "tr_madeup199x").await.status, 429);
        // What is no id of Mollie's is refused for less.
        let padded = format!("tr_7UhSN1zuXS&{}", "x".repeat(300));
        for body in ["", "tr_", &padded, "tr_%00%00%00%00%00%00", "pi_7UhSN1zuXS", "tr_../../../v2/x"] {
            assert_eq!(hint(&app, body).await.status, 400, "{body}");
        }
        // Mollie's own hints at payments of ours come through meanwhile.
        told(&app, &id).await;
        is(&app, &token, Status::Paid).await;
        assert_eq!(fake.state().questions, 61);
        let page = app.get("/payments/admin/variants/mollie").await.text();
        assert!(page.contains("too_many_hints"), "{page}");
        // A minute later there is room again.
        app.pass(60);
        assert_eq!(hint(&app, "tr_madeup999x").await.status, 200);
    }

    async fn one_stranger_does_not_use_up_what_is_for_all(kind) {
        let (app, fake) = app(kind).await;
        let mount = || app.payments.mount("/payments");
        let mut made_up = 0;
        let mut taken = async |peers: &[String]| {
            let mut taken = 0;
            for peer in peers {
                made_up += 1;
                match hint_from(mount(), peer, "", &format!("tr_madeup{made_up}x")).await {
                    200 => taken += 1,
                    status => assert_eq!(status, 429, "{peer}"),
                }
            }
            taken
        };
        assert_eq!(taken(&std::array::from_fn::<_, 70, _>(|_| "203.0.113.7".to_owned())).await, 60);
        // Mollie's hint at a payment that was made elsewhere is taken all the same.
        let id = fake.made_elsewhere(1250);
        fake.becomes(&id, "paid");
        assert_eq!(hint_from(mount(), "198.51.100.3", "", &id).await, 200);
        // Everybody has many addresses of version 6, but in one network.
        let network = |number| format!("[2001:db8:0:7::{number}]");
        assert_eq!(taken(&(1..=70).map(network).collect::<Vec<_>>()).await, 60);
        // Many strangers are bounded together.
        let many: Vec<String> = (1..=200).map(|number| format!("203.0.113.{number}")).collect();
        assert_eq!(taken(&many).await, 300 - 121);
        assert_eq!(hint_from(mount(), "198.51.100.3", "", "tr_elsewhere2").await, 429);
    }

    async fn behind_a_proxy_the_host_says_whose_hints_are_counted(kind) {
        let (app, _) = app(kind).await;
        let mounts: [&dyn Fn() -> Mount; 2] = [
            &|| app.payments.mount("/payments").client_address(forwarded),
            &|| app.payments.mount("/payments").admin(Admin::new(anna).client_address(forwarded)),
        ];
        for (place, mount) in mounts.iter().enumerate() {
            let stranger = format!("203.0.113.{place}");
            for number in 0..60 {
                assert_eq!(hint_from(mount(), "10.0.0.1", &stranger, &format!("tr_madeup{place}x{number}")).await, 200);
            }
            assert_eq!(hint_from(mount(), "10.0.0.1", &stranger, &format!("tr_more{place}xxxx")).await, 429);
            assert_eq!(hint_from(mount(), "10.0.0.1", "198.51.100.3", &format!("tr_other{place}xxx")).await, 200);
        }
    }

    async fn a_payment_made_elsewhere_is_adopted_unless_the_host_wants_none(kind) {
        for (policy, payments) in [(Unmatched::Adopt, 1), (Unmatched::Ignore, 0)] {
            let fake = Fake::new(NOW);
            let gateway = Variant::from(fake.gateway()).unmatched(policy).grace(std::time::Duration::ZERO);
            let app = App::bare(kind, |builder| builder.variant("mollie", gateway)).await;
            let id = fake.made_elsewhere(1250);
            fake.becomes(&id, "paid");
            told(&app, &id).await;
            assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE status = 'paid'"), payments);
            assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE state NOT IN ('completed', 'ignored')"), 0);
        }
    }

    async fn a_handler_of_hints_runs_once_all_is_in_the_ledger(kind) {
        let notes = Notes::default();
        let kept = notes.clone();
        let (app, fake) = app_with(kind, |builder| {
            builder.on_event("actix_payments.hint", "note", move |event| {
                let kept = kept.clone();
                async move {
                    let status = event.payment.as_ref().map(|payment| payment.status);
                    kept.add(format!("{status:?}"));
                    Ok(())
                }
            })
        })
        .await;
        let (_, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        fake.state().is_down = true;
        told(&app, &id).await;
        assert_eq!(notes.count(), 0);
        fake.state().is_down = false;
        app.pass(3600);
        app.drain().await;
        assert_eq!(notes.all(), ["Some(Paid)"]);
    }
}

#[test]
fn a_profile_is_checked_before_it_is_used() {
    use actix_payments::gateways::Gateway;
    let checked = |mollie: Mollie| mollie.check().err().unwrap_or_default();
    assert_eq!(checked(Mollie::new()), "");
    assert_eq!(checked(Mollie::new().api_key(KEY).webhook_url(ADDRESS)), "");
    for (mollie, wrong) in [
        (Mollie::new().api_key(KEY), "webhook_url"),
        (Mollie::new().api_key(KEY).webhook_url("http://shop.example/"), "https://"),
        (Mollie::new().api_key("sk_test_1").webhook_url(ADDRESS), "test_"),
        (Mollie::new().api_key("test_").webhook_url(ADDRESS), "test_"),
        (Mollie::new().api_key("test_a b").webhook_url(ADDRESS), "blanks"),
        (Mollie::new().api_key(KEY).webhook_url(ADDRESS).api_base("http://example.org"), "https://"),
    ] {
        let error = checked(mollie);
        assert!(error.contains(wrong) && !error.contains(KEY), "{error}");
    }
}
