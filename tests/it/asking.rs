//! Can support staff have a payment refunded, captured, canceled, refreshed and reconciled, exactly as they confirmed it?

use actix_payments::domain::payment::Status;
use actix_payments::gateways::dummy::{Dummy, DummyEvent, Kind as Happened};
use actix_payments::{Access, Admin, NewPayment, Token};
use actix_web::HttpRequest;
use actix_web::http::Method;

use crate::acts::form;
use crate::app::{ADMIN, Answer, App, Kind, NOW, SECRET, on_both_databases};
use crate::scenes::money;
use crate::stripe::fake::{Fake, Fault};

/// An app with the dummy gateway, and a payment of 49.99 EUR that it told this of.
async fn told(kind: Kind, what: Happened) -> (App, Token) {
    let app = App::bare(kind, |builder| builder.variant("dummy", Dummy::new("secret"))).await;
    let new = NewPayment::new("dummy", money(4999, "EUR")).customer("mia@shop.example");
    let _ = app.payments.mount("/payments");
    let token = app.payments.create(new).await.unwrap().payment.token;
    app.dummy_says(&DummyEvent::new("de_1", what, &token, money(4999, "EUR"))).await;
    app.pass(60);
    (app, token)
}

fn at(token: &str, rest: &str) -> String {
    format!("/payments/admin/payments/{token}{rest}")
}

/// An app that calls a fake of Stripe, and a payment that its customer has paid there.
pub async fn paid_at_stripe(kind: Kind) -> (App, Fake, Token) {
    let fake = Fake::new(NOW);
    let gateway = fake.gateway(SECRET);
    let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
    let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/");
    let token = app.payments.create(new).await.unwrap().payment.token;
    fake.pay(&token);
    (app, fake, token)
}

/// Opens the page that asks, and confirms.
async fn confirm(app: &App, path: &str) -> Answer {
    let page = app.get(path).await;
    assert_eq!(page.status, 200, "{}", page.text());
    app.post(path.split('?').next().unwrap(), &form(&page.body)).await
}

fn acts(app: &App) -> Vec<String> {
    app.texts("SELECT act || ' ' || actor || ' ' || coalesce(detail, '-') AS t FROM pay_audit ORDER BY id")
}

on_both_databases! {
    async fn what_was_confirmed_is_refunded_once_and_written_down(kind) {
        let (app, token) = told(kind, Happened::Paid).await;
        let payment = app.get(&at(&token, "")).await.body;
        assert!(payment.contains(&format!("href=\"{}\"", at(&token, "/refund"))), "{payment}");
        let ask = app.get(&at(&token, "/refund")).await;
        assert!(ask.body.contains("name=\"amount\" value=\"49.99\"") && ask.text().contains("at most 49.99"), "{}", ask.body);
        let sure = app.get(&at(&token, "/refund?amount=10")).await;
        let words = ["Refund 10.00 EUR?", "Dummy returns 10.00 EUR to the customer", "39.99 EUR of the payment remain"];
        words.iter().for_each(|words| assert!(sure.text().contains(words), "{words}: {}", sure.text()));
        assert_eq!((app.status(&token).await, acts(&app).len()), (Status::Paid, 0), "asking changes nothing");
        let done = app.post(&at(&token, "/refund"), &form(&sure.body)).await;
        assert_eq!((done.status, done.header("location")), (303, Some(at(&token, "?done=refund").as_str())));
        // Its event is processed at once: the page that this leads to says so.
        let page = app.get(&at(&token, "?done=refund")).await.text();
        for words in ["Refunded 10.00 EUR by Dummy.", "refund of 10.00 EUR asked for", "by admin", "payment.refunded"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let again = app.post(&at(&token, "/refund"), &form(&sure.body)).await;
        assert!(again.status == 409 && again.text().contains("asked for already"), "{}", again.text());
        app.drain().await;
        let payment = app.payment(&token).await;
        assert_eq!((payment.status, payment.refunded.minor), (Status::PartiallyRefunded, 1000));
        assert_eq!(acts(&app), ["refund admin 10.00 EUR"]);
        assert_eq!(confirm(&app, &at(&token, "/refund?amount=39.99")).await.status, 303);
        assert_eq!(app.status(&token).await, Status::Refunded);
        app.same(&token).await;
    }

    async fn an_amount_that_can_not_be_is_said_to_be_so_beside_the_field(kind) {
        let (app, token) = told(kind, Happened::Paid).await;
        for (amount, words) in [
            ("50.00", "expected at most 49.99 EUR, got 50.00 EUR"), ("0", "expected an amount above 0"),
            ("1.234", "expected an amount such as 49.99"), ("ten", "got \"ten\""), ("-1", "got \"-1\""),
            ("%3Cscript%3E", "got \"<script>\""),
        ] {
            let page = app.get(&at(&token, &format!("/refund?amount={amount}"))).await;
            assert!(page.text().contains(words) && !page.body.contains("method=\"post\""), "{amount}: {}", page.text());
            assert!(page.body.contains("aria-invalid") && !page.body.contains("<script>"), "{}", page.body);
        }
        let key = form(&app.get(&at(&token, "/refund?amount=1.00")).await.body);
        for sent in [key.replace("amount=1.00", "amount=50.00"), key.replace("&amount=1.00", ""), "amount=1.00".to_owned()] {
            assert_eq!(app.post(&at(&token, "/refund"), &sent).await.status, 409, "{sent}");
        }
        assert_eq!((acts(&app).len(), app.number("SELECT count(*) FROM pay_operations")), (0, 0));
        for path in ["/shred", "/refund"] {
            assert_eq!(app.get(&at("nobody", path)).await.status, 404);
        }
        assert_eq!(app.get(&at(&token, "/shred")).await.status, 404);
    }

    async fn an_authorization_is_captured_in_part(kind) {
        let (app, token) = told(kind, Happened::Authorized).await;
        let sure = app.get(&at(&token, "/capture?amount=30.00")).await.text();
        assert!(sure.contains("Capture 30.00 EUR?") && sure.contains("The other 19.99 EUR are released"), "{sure}");
        assert_eq!(confirm(&app, &at(&token, "/capture?amount=30.00")).await.status, 303);
        let payment = app.payment(&token).await;
        assert_eq!((payment.status, payment.captured.minor, payment.concerns.len()), (Status::Paid, 3000, 0), "{payment:?}");
        assert_eq!(acts(&app), ["capture admin 30.00 EUR"]);
        app.same(&token).await;
    }

    async fn an_authorization_is_canceled_and_a_payment_asked_about(kind) {
        let (app, token) = told(kind, Happened::Authorized).await;
        let sure = app.get(&at(&token, "/refresh")).await.text();
        assert!(sure.contains("Ask Dummy how this payment stands?"), "{sure}");
        assert_eq!(confirm(&app, &at(&token, "/refresh")).await.status, 303);
        assert_eq!(app.status(&token).await, Status::Authorized);
        let sure = app.get(&at(&token, "/cancel")).await.text();
        assert!(sure.contains("Cancel this payment of 49.99 EUR?") && sure.contains("can't be taken back"), "{sure}");
        assert_eq!(confirm(&app, &at(&token, "/cancel")).await.status, 303);
        assert_eq!(app.status(&token).await, Status::Canceled);
        assert_eq!(acts(&app), ["refresh admin -", "cancel admin -"]);
    }

    async fn what_can_not_be_asked_for_says_why(kind) {
        let (app, token) = told(kind, Happened::Paid).await;
        let page = app.get(&at(&token, "")).await;
        assert!(page.text().contains("The payment is paid, so there is nothing to capture."), "{}", page.text());
        assert_eq!(page.body.matches("disabled").count(), 2, "{}", page.body);
        let refused = app.get(&at(&token, "/capture")).await;
        assert!(refused.status == 409 && refused.text().contains("nothing to capture"), "{}", refused.text());
        // Without an API key, nothing can be asked for.
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let page = app.get(&at(&token, "")).await;
        let told = (page.body.matches("disabled").count(), page.text().matches("This variant has no API key").count());
        assert_eq!(told, (0, 1), "the reason that all have in common is said once: {}", page.text());
    }

    async fn the_refund_stands_in_the_head_and_the_rebuild_beside_the_ledger(kind) {
        let (app, token) = told(kind, Happened::Paid).await;
        let page = app.get(&at(&token, "")).await.body;
        let (head, rest) = page.split_once("class=\"answer\"").unwrap();
        let (story, ledger) = rest.split_once("id=\"ledger\"").unwrap();
        let leads = |part: &str, to: &str| part.contains(&format!("href=\"{}\"", at(&token, to)));
        assert_eq!([head, story, ledger].map(|part| leads(part, "/refund")), [true, false, false], "{page}");
        assert_eq!([head, story, ledger].map(|part| leads(part, "/rebuild")), [false, false, true], "{page}");
    }

    async fn no_page_on_which_money_moves_hides_a_flag(kind) {
        for (happened, verbs) in [(Happened::Paid, &["refund", "refresh"][..]), (Happened::Authorized, &["capture", "cancel"])] {
            let (app, token) = told(kind, happened).await;
            app.run("UPDATE pay_payments SET disputed = TRUE, needs_review = TRUE, concerns = '[\"too much came\"]'");
            for verb in verbs {
                let page = app.get(&at(&token, &format!("/{verb}"))).await.text();
                assert!(page.contains("disputed") && page.contains("needs review"), "{verb}: {page}");
            }
        }
    }

    async fn those_who_may_only_look_are_refused(kind) {
        let (app, token) = told(kind, Happened::Paid).await;
        let form = form(&app.get(&at(&token, "/refund?amount=1.00")).await.body);
        let guest = || Admin::new(|_: HttpRequest| async { Ok(Access::ReadOnly("gus".to_owned())) });
        let page = app.request_at(guest(), Method::GET, &at(&token, ""), &[ADMIN], b"").await;
        assert!(!page.body.contains("/refund\"") && !page.body.contains("disabled"), "{}", page.body);
        let before = app.dump();
        for (method, path) in [
            (Method::GET, at(&token, "/refund")), (Method::POST, at(&token, "/refund")),
            (Method::POST, at(&token, "/cancel")), (Method::POST, "/payments/admin/variants/dummy/reconcile".to_owned()),
        ] {
            let answer = app.request_at(guest(), method.clone(), &path, &[ADMIN], form.as_bytes()).await;
            assert!([403, 409].contains(&answer.status) && answer.text().contains("read-only"), "{method} {path}");
        }
        assert_eq!(app.dump(), before);
    }

    async fn what_stripe_declines_or_leaves_open_is_told(kind) {
        let (app, fake, token) = paid_at_stripe(kind).await;
        assert_eq!(app.payments.catch_up(&token).await.unwrap().status, Status::Paid);
        fake.state().faults.push_back(Some(Fault::Decline));
        let refused = confirm(&app, &at(&token, "/refund?amount=50.00")).await;
        assert!(refused.status == 409 && refused.text().contains("402 card_error: as the test says"), "{}", refused.text());
        fake.state().faults.push_back(Some(Fault::CutAfter));
        let open = confirm(&app, &at(&token, "/refund?amount=20.00")).await;
        assert_eq!(open.header("location"), Some(at(&token, "?done=underway").as_str()));
        let page = app.get(&at(&token, "?done=underway")).await.text();
        assert!(page.contains("Stripe has not answered") && page.contains("underway"), "{page}");
        let more = app.get(&at(&token, "/refund")).await;
        assert!(more.text().contains("at most 30.00"), "what may have gone back is not offered: {}", more.text());
        app.pass(60);
        app.drain().await;
        assert_eq!(app.payment(&token).await.refunded.minor, 2000);
        assert_eq!(acts(&app), ["refund admin 50.00 EUR", "refund admin 20.00 EUR"]);
    }

    async fn missed_events_are_fetched_from_the_variants_page(kind) {
        let (app, fake, token) = paid_at_stripe(kind).await;
        let done = app.post("/payments/admin/variants/stripe/reconcile", "").await;
        assert_eq!((done.status, done.header("location")), (303, Some("/payments/admin/variants/stripe?done=reconcile")));
        let page = app.get("/payments/admin/variants/stripe?done=reconcile").await.text();
        assert!(page.contains("Compared with the list of Stripe: 3 of 3 events were missing and were fetched."), "{page}");
        app.drain().await;
        assert_eq!(app.status(&token).await, Status::Paid);
        assert_eq!(app.texts("SELECT act || ' ' || variant AS t FROM pay_audit"), ["reconcile stripe"]);
        fake.state().faults.push_back(Some(Fault::Decline));
        let failed = app.post("/payments/admin/variants/stripe/reconcile", "").await;
        assert!(failed.status == 409 && failed.text().contains("402 card_error"), "{}", failed.text());
        let without = App::new(kind).await;
        let page = without.get("/payments/admin/variants/stripe").await.text();
        let why = "Fetch missed events: This variant has no API key, so Stripe can't be asked for anything from here.";
        assert!(page.contains(why), "of fetching, and of no other verb: {page}");
        assert_eq!(without.post("/payments/admin/variants/nobody/reconcile", "").await.status, 404);
    }
}
