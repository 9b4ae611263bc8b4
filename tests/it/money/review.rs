//! A payment that needs review is decided about: the amount that came is accepted, given back, or the review dismissed.

use actix_payments::domain::payment::Status;
use actix_payments::gateways::dummy::{Dummy, DummyEvent, Kind as Happened};
use actix_payments::{ErrorKind, NewPayment, Outcome, Payment, Refund, Resolution, Token, Transition};
use serde_json::json;

use super::{charge, event, session, sums};
use crate::app::{App, Kind, NOW, on_both_databases};
use crate::scenes::{Notes, money};
use crate::stripe::fake::Fake;

const TOO_LITTLE: &str = "the gateway reports 44.99 EUR, the payment is of 49.99 EUR";

/// 44.99 EUR of the 49.99 EUR that were agreed, and nothing that explains the difference.
fn too_little(token: &str, n: &str) -> Vec<String> {
    let less = json!({"amount_subtotal": 4499, "amount_total": 4499, "payment_intent": format!("pi_{n}")});
    let less_too = json!({"amount": 4499, "amount_captured": 4499});
    vec![
        event("checkout.session.completed", 0, session(&format!("cs_{n}"), token, less)),
        event("charge.succeeded", 1, charge(&format!("ch_{n}"), &format!("pi_{n}"), less_too)),
    ]
}

/// An app whose handler notes each step, with a payment of too little.
async fn stuck(kind: Kind) -> (App, Notes, Fake, Token) {
    let (fake, notes) = (Fake::new(NOW), Notes::default());
    let gateway = fake.gateway(crate::app::SECRET);
    let told = notes.clone();
    let handler = move |step: Transition| {
        told.add(format!("{} {}", step.to, step.payment.needs_review()));
        std::future::ready(Ok(()))
    };
    let app = App::bare(kind, |builder| builder.variant("stripe", gateway).handler("books", handler)).await;
    let token = app.begun().await;
    app.deliver_all(&too_little(&token, "1")).await;
    assert_eq!(concerns(&app, &token).await, [TOO_LITTLE]);
    assert_eq!(notes.all(), ["pending true"]);
    (app, notes, fake, token)
}

/// An app with the dummy gateway, and a payment of 49.99 EUR for which this came.
async fn paid_at_the_dummy(kind: Kind, minor: i64) -> (App, Token) {
    let (dummy, euros) = (Dummy::new("secret"), money(minor, "EUR"));
    let app = App::bare(kind, |builder| builder.variant("dummy", dummy.clone())).await;
    let _ = app.payments.mount("/payments");
    let token = app.payments.create(NewPayment::new("dummy", money(4999, "EUR"))).await.unwrap().payment.token;
    app.dummy_says(&DummyEvent::new("de_1", Happened::Paid, &token, euros)).await;
    (app, token)
}

async fn too_little_at_the_dummy(kind: Kind) -> (App, String) {
    let (app, token) = paid_at_the_dummy(kind, 4499).await;
    assert_eq!(
        (app.status(&token).await, concerns(&app, &token).await),
        (Status::Pending, vec![TOO_LITTLE.to_owned()])
    );
    (app, token.to_string())
}

async fn concerns(app: &App, token: &str) -> Vec<String> {
    app.payment(token).await.concerns
}

fn refused(result: Result<Payment, actix_payments::Error>, why: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains(why), "{error}");
}

on_both_databases! {
    async fn an_accepted_amount_pays_and_handlers_are_told(kind) {
        let (app, notes, _, token) = stuck(kind).await;
        let accept = Resolution::accept("the old price was quoted").by("mia");
        let payment = app.payments.resolve_review(&token, accept).await.unwrap();
        assert_eq!((sums(&payment), payment.concerns), ((Status::Paid, [4499, 0, 0]), vec![]));
        app.drain().await;
        assert_eq!(notes.all(), ["pending true", "paid false"]);
        let outcome = app.outcomes().pop().unwrap();
        assert_eq!(
            outcome,
            "completed: mia accepted 44.99 EUR: “the old price was quoted”; pending → paid: 44.99 EUR captured; no longer needs review"
        );
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("the old price was quoted") && !page.contains("Needs review"), "{page}");
        app.same(&token).await;
    }

    async fn a_decision_comes_to_the_same_whenever_events_come(kind) {
        let (app, _, _, token) = stuck(kind).await;
        app.payments.resolve_review(&token, Resolution::accept("agreed by phone")).await.unwrap();
        // The same money told by others, late, and a refund of it.
        app.deliver_all(&too_little(&token, "1")).await;
        let back = json!({"amount_refunded": 4499, "amount": 4499, "amount_captured": 4499, "refunded": true});
        app.deliver_all(&[event("charge.refunded", 30, charge("ch_1", "pi_1", back))]).await;
        let payment = app.payment(&token).await;
        assert_eq!((sums(&payment), payment.concerns), ((Status::Refunded, [4499, 4499, 0]), vec![]));
        app.same(&token).await;
    }

    async fn a_payment_that_came_twice_may_be_kept(kind) {
        let (app, _, _, token) = stuck(kind).await;
        let again = json!({"payment_intent": "pi_2"});
        app.deliver_all(&[event("checkout.session.completed", 9, session("cs_2", &token, again))]).await;
        assert!(app.payment(&token).await.needs_review());
        let all = Resolution::accept("the rest is a tip");
        let payment = app.payments.resolve_review(&token, all).await.unwrap();
        assert_eq!((sums(&payment), payment.concerns), ((Status::Paid, [9498, 0, 0]), vec![]));
        app.same(&token).await;
    }

    async fn a_dismissed_review_is_over_until_there_is_another_reason(kind) {
        let (app, notes, _, token) = stuck(kind).await;
        let payment = app.payments.resolve_review(&token, Resolution::dismiss("will be paid at the desk")).await.unwrap();
        assert_eq!((sums(&payment), payment.concerns), ((Status::Pending, [4499, 0, 0]), vec![]));
        app.drain().await;
        assert_eq!(notes.all(), ["pending true", "pending false"]);
        refused(app.payments.resolve_review(&token, Resolution::dismiss("once more")).await, "needs no review");
        let odd = json!({"amount_subtotal": 1, "amount_total": 1, "payment_intent": "pi_2"});
        app.deliver_all(&[event("checkout.session.completed", 9, session("cs_2", &token, odd))]).await;
        assert_eq!(concerns(&app, &token).await, ["the gateway reports 0.01 EUR, the payment is of 49.99 EUR"]);
        app.same(&token).await;
    }

    async fn a_reason_that_was_stored_with_bare_amounts_is_no_difference(kind) {
        let app = App::new(kind).await;
        let token = app.order_of(money(999_999_999, "EUR")).await.token;
        let odd = json!({"amount_subtotal": 4499, "amount_total": 4499, "payment_intent": "pi_1"});
        app.deliver_all(&[event("checkout.session.completed", 0, session("cs_1", &token, odd.clone()))]).await;
        let reason = "the gateway reports 44.99 EUR, the payment is of 9,999,999.99 EUR";
        assert_eq!(concerns(&app, &token).await, [reason]);
        app.run("UPDATE pay_payments SET concerns = 'the gateway reports 44.99 EUR, the payment is of 9999999.99 EUR'");
        let before = app.transitions();
        assert_eq!(concerns(&app, &token).await, [reason]);
        app.same(&token).await;
        app.deliver_all(&[event("checkout.session.completed", 0, session("cs_1", &token, odd))]).await;
        assert_eq!((app.transitions(), app.codes().pop().unwrap()), (before, "mismatch".to_owned()));
        app.payments.resolve_review(&token, Resolution::dismiss("will be paid at the desk")).await.unwrap();
        assert_eq!(concerns(&app, &token).await, [""; 0]);
        app.same(&token).await;
    }

    async fn what_came_and_went_back_needs_no_review(kind) {
        let (app, _, _, token) = stuck(kind).await;
        let back = json!({"amount_refunded": 4499, "amount": 4499, "amount_captured": 4499, "refunded": true});
        app.deliver_all(&[event("charge.refunded", 30, charge("ch_1", "pi_1", back))]).await;
        let payment = app.payment(&token).await;
        assert_eq!((sums(&payment), payment.concerns), ((Status::Pending, [4499, 4499, 0]), vec![]));
        app.same(&token).await;
    }

    async fn what_reads_like_a_dismissed_reason_needs_a_decision_of_its_own(kind) {
        let (app, _, _, token) = stuck(kind).await;
        app.payments.resolve_review(&token, Resolution::dismiss("will be paid at the desk")).await.unwrap();
        // Another 44.99 EUR, which are more money and the same sentence.
        let mut again = too_little(&token, "2");
        app.deliver_all(&[again.remove(0)]).await;
        let payment = app.payment(&token).await;
        assert_eq!(payment.captured.minor, 8998);
        assert!(payment.concerns.contains(&TOO_LITTLE.to_owned()), "{:?}", payment.concerns);
        app.same(&token).await;
    }

    async fn a_test_event_that_follows_a_dismissed_one_is_told(kind) {
        let app = App::new(kind).await;
        let token = app.begun().await;
        let live = |event: String| event.replace("\"livemode\":false", "\"livemode\":true");
        let expired = json!({"payment_status": "unpaid", "status": "expired"});
        let open = json!({"payment_status": "unpaid", "status": "open"});
        app.deliver_all(&[
            live(event("checkout.session.async_payment_failed", 0, session("cs_1", &token, open))),
            event("checkout.session.expired", 1, session("cs_2", &token, expired)),
        ]).await;
        let mixed = ["a test event reached a live payment, or the other way round"];
        assert_eq!(concerns(&app, &token).await, mixed);
        app.payments.resolve_review(&token, Resolution::dismiss("a test of ours")).await.unwrap();
        assert_eq!(concerns(&app, &token).await, [""; 0]);
        app.deliver_all(&[event("checkout.session.completed", 2, session("cs_3", &token, json!({})))]).await;
        assert_eq!(concerns(&app, &token).await, mixed);
        app.same(&token).await;
    }

    async fn what_is_left_after_a_refund_of_the_surplus_needs_no_review(kind) {
        let app = App::new(kind).await;
        let token = app.begun().await;
        let more = json!({"amount": 5999, "amount_captured": 5999, "amount_refunded": 1000});
        app.deliver_all(&[
            event("checkout.session.completed", 0, session("cs_1", &token, json!({"amount_subtotal": 5999, "amount_total": 5999, "payment_intent": "pi_1"}))),
        ]).await;
        assert!(app.payment(&token).await.needs_review());
        app.deliver_all(&[event("charge.refunded", 9, charge("ch_1", "pi_1", more))]).await;
        let payment = app.payment(&token).await;
        assert_eq!((sums(&payment), payment.concerns), ((Status::Paid, [5999, 1000, 0]), vec![]));
        app.same(&token).await;
    }

    async fn a_dismissed_payment_may_be_accepted_later(kind) {
        let (app, _, _, token) = stuck(kind).await;
        app.payments.resolve_review(&token, Resolution::dismiss("will be paid at the desk")).await.unwrap();
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("the money that came does not pay for it"), "{page}");
        let asked = app.get(&format!("/payments/admin/payments/{token}/review")).await.text();
        assert!(asked.contains("Accept 44.99 EUR") && !asked.contains("Dismiss"), "{asked}");
        let payment = app.payments.resolve_review(&token, Resolution::accept("it was not")).await.unwrap();
        assert_eq!((sums(&payment), payment.concerns), ((Status::Paid, [4499, 0, 0]), vec![]));
        app.same(&token).await;
    }

    async fn what_can_not_be_decided_is_refused_and_changes_nothing(kind) {
        let (app, _, _, token) = stuck(kind).await;
        let before = app.dump();
        let decide = async |resolution| app.payments.resolve_review(&token, resolution).await;
        for note in ["", " \n", "nul \0", &"x".repeat(1001)] {
            refused(decide(Resolution::accept(note)).await, "expected a note of 1 to 1000 characters");
        }
        for name in ["", "a\0b", &"x".repeat(256)] {
            refused(decide(Resolution::accept("a").by(name)).await, "expected a name of 1 to 255 characters");
        }
        let long_ago = app.payment(&token).await.created_at - time::Duration::days(1);
        refused(decide(Resolution::dismiss("a").seen(long_ago)).await, "the payment has changed meanwhile");
        let unknown = app.payments.resolve_review(&"pay_unknown".into(), Resolution::dismiss("a")).await.unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::NotFound);
        assert_eq!(app.dump(), before);
    }

    async fn what_went_back_in_part_can_not_be_accepted(kind) {
        let (app, _, _, token) = stuck(kind).await;
        let back = json!({"amount_refunded": 500, "amount": 4499, "amount_captured": 4499});
        app.deliver_all(&[event("charge.refunded", 30, charge("ch_1", "pi_1", back))]).await;
        refused(app.payments.resolve_review(&token, Resolution::accept("a")).await, "went back already");
        let page = app.get(&format!("/payments/admin/payments/{token}/review")).await.text();
        assert!(!page.contains("Accept") && page.contains("Dismiss"), "{page}");
    }

    async fn an_amount_that_is_not_in_doubt_can_not_be_accepted(kind) {
        let (app, _, _, token) = stuck(kind).await;
        app.payments.resolve_review(&token, Resolution::accept("agreed by phone")).await.unwrap();
        let live = event("charge.succeeded", 5, charge("ch_1", "pi_1", json!({"amount": 4499, "amount_captured": 4499})));
        app.deliver_all(&[live.replace("\"livemode\":false", "\"livemode\":true")]).await;
        assert!(app.payment(&token).await.needs_review());
        refused(app.payments.resolve_review(&token, Resolution::accept("again")).await, "dismiss it, with a note");
        let payment = app.payments.resolve_review(&token, Resolution::dismiss("a test of ours")).await.unwrap();
        assert_eq!((payment.status, payment.concerns), (Status::Paid, vec![]));
        app.same(&token).await;
    }

    async fn money_of_a_payment_that_waits_goes_back_by_the_verb(kind) {
        let (app, token) = too_little_at_the_dummy(kind).await;
        assert_eq!(app.payments.refund(&token.as_str().into(), Refund::all()).await.unwrap(), Outcome::Done);
        let payment = app.payment(&token).await;
        assert_eq!((sums(&payment), payment.concerns), ((Status::Pending, [4499, 4499, 0]), vec![]));
        app.same(&token).await;
    }

    async fn money_goes_back_from_a_review_with_a_note(kind) {
        let (app, token) = too_little_at_the_dummy(kind).await;
        let page = |rest: &str| format!("/payments/admin/payments/{token}{rest}");
        let review = app.get(&page("/review")).await;
        assert!(review.body.contains(&format!("href=\"{}\"", page("/refund"))), "{}", review.body);
        let sure = app.get(&page("/refund?amount=44.99")).await;
        assert!(sure.body.contains("<textarea id=\"note\" name=\"note\" required maxlength=\"1000\""), "{}", sure.body);
        let before = app.dump();
        let confirmed = crate::acts::form(&sure.body);
        for (note, why) in [
            (String::new(), "say in a note why its money goes back"),
            ("&note=+".to_owned(), "say in a note why its money goes back"),
            (format!("&note={}", "x".repeat(1001)), "expected a note of 1 to 1000 characters, got 1001"),
        ] {
            let answer = app.post(&page("/refund"), &format!("{confirmed}{note}")).await;
            assert!(answer.status == 409 && answer.text().contains(why), "{why}: {}", answer.text());
        }
        assert_eq!(app.dump(), before);
        let answer = app.post(&page("/refund"), &format!("{confirmed}&note=Wrong+parcel")).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let payment = app.payment(&token).await;
        assert_eq!((sums(&payment), payment.concerns), ((Status::Pending, [4499, 4499, 0]), vec![]));
        let acts = app.texts("SELECT act || ' ' || actor || ' ' || detail AS t FROM pay_audit ORDER BY id");
        assert_eq!(acts, ["refund admin 44.99 EUR", "note admin Wrong parcel"]);
        let story = app.get(&page("")).await.text();
        assert!(story.contains("Wrong parcel") && !story.contains("Decide"), "{story}");
        assert!(app.get("/payments/admin/audit").await.text().contains("Wrong parcel"));
        app.same(&token).await;
    }

    async fn a_refund_without_a_review_asks_for_no_note(kind) {
        let (app, token) = paid_at_the_dummy(kind, 4999).await;
        let page = format!("/payments/admin/payments/{token}/refund");
        let sure = app.get(&format!("{page}?amount=10")).await.body;
        assert!(!sure.contains("name=\"note\""), "{sure}");
        assert_eq!(app.post(&page, &crate::acts::form(&sure)).await.status, 303);
    }

    async fn staff_decides_on_a_page_that_says_what_it_does(kind) {
        let (app, _, _, token) = stuck(kind).await;
        let (payment, page) = (format!("/payments/admin/payments/{token}"), format!("/payments/admin/payments/{token}/review"));
        let stuck = app.get(&payment).await.text();
        assert!(stuck.contains("Needs review") && stuck.contains("Decide"), "{stuck}");
        let shown = app.get(&page).await;
        let asked = shown.text();
        let meaning = "49.99 EUR were agreed, and 44.99 EUR came. Accepting makes that the payment's amount: it is paid then";
        assert!(asked.contains(meaning), "{asked}");
        assert!(asked.contains("Accept 44.99 EUR") && asked.contains("Dismiss") && asked.contains("Refund"), "{asked}");
        let seen = shown.body.split_once("name=\"seen\" value=\"").unwrap().1.split_once('"').unwrap().0;
        for (form, why) in [
            (format!("seen={seen}&decision=accept"), "expected a note"),
            ("seen=1&decision=accept&note=a".to_owned(), "has changed in the meantime"),
            (format!("seen={seen}&note=a"), "Nothing was decided"),
            ("decision=accept&note=a".to_owned(), "Nothing was decided"),
        ] {
            let answer = app.post(&page, &form).await;
            assert_eq!(answer.status, 409, "{form}");
            assert!(answer.text().contains(why), "{form}: {}", answer.text());
        }
        let answer = app.post(&page, &format!("seen={seen}&decision=accept&note=quoted+by+mail")).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(format!("{payment}?done=review").as_str())));
        assert_eq!(app.status(&token).await, Status::Paid);
        let told = app.get(&format!("{payment}?done=review")).await.text();
        assert!(told.contains("accepted 44.99 EUR: “quoted by mail”"), "{told}");
        assert_eq!(app.texts("SELECT act || ' ' || detail AS t FROM pay_audit"), ["accept_amount quoted by mail"]);
        assert_eq!(app.post(&page, &format!("seen={seen}&decision=accept&note=again")).await.status, 409);
        assert_eq!(app.get(&page).await.status, 409);
    }
}

on_both_databases! {
    async fn pruning_keeps_what_people_decided(kind) {
        let day = std::time::Duration::from_secs(86_400);
        let app = App::with(kind, |builder| builder.retention(actix_payments::Retention::after(day))).await;
        let token = app.order().await.token;
        app.deliver_all(&too_little(&token, "1")).await;
        app.payments.resolve_review(&token, Resolution::accept("agreed by phone")).await.unwrap();
        app.pass(3 * 86_400);
        assert_eq!(app.payments.prune().await.unwrap(), 2);
        assert_eq!(app.number("SELECT count(*) FROM pay_event_bodies"), 1);
    }
}
