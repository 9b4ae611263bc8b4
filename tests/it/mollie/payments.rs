//! Do Mollie's statuses and amounts come out right, from the hosted checkout to the chargeback, in whatever order its
//! hints come?

use actix_payments::domain::payment::Status;
use actix_payments::{CaptureMethod, NewPayment, Next, Refund};

use serde_json::json;

use super::{app, begun, hint, is, told};
use crate::app::{App, NOW, on_both_databases};
use crate::scenes::money;

async fn amounts(app: &App, token: &str) -> (i64, i64, i64) {
    let payment = app.payment(token).await;
    (payment.captured.minor, payment.refunded.minor, payment.lost.minor)
}

on_both_databases! {
    async fn a_customer_is_sent_to_mollies_page_and_each_status_is_ours(kind) {
        let (app, fake) = app(kind).await;
        let new = NewPayment::new("mollie", money(5000, "EUR")).return_url("https://shop.example/thanks");
        let created = app.payments.create(new).await.unwrap();
        assert_eq!(created.payment.status, Status::Pending);
        let Next::Redirect(url) = created.next else { panic!("{:?}", created.next) };
        assert!(url.starts_with("https://www.mollie.com/checkout/tr_"), "{url}");
        for (status, ours) in [
            ("open", Status::Pending),
            ("pending", Status::Pending),
            ("authorized", Status::Authorized),
            ("paid", Status::Paid),
            ("failed", Status::Failed),
            ("canceled", Status::Canceled),
            ("expired", Status::Expired),
            ("something new", Status::Pending),
        ] {
            let (token, id) = begun(&app, CaptureMethod::Immediate).await;
            fake.becomes(&id, status);
            told(&app, &id).await;
            is(&app, &token, ours).await;
            assert!(!app.payment(&token).await.needs_review(), "{status}");
        }
    }

    async fn what_paypal_keeps_of_a_payment_through_mollie_is_in_the_books(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.state().payments.get_mut(&id).unwrap()["details"] =
            json!({"paypalFee": {"currency": "EUR", "value": "1.65"}, "paypalReference": "9AL35361CF606152E"});
        fake.becomes(&id, "paid");
        told(&app, &id).await;
        is(&app, &token, Status::Paid).await;
        let moved = app.texts("SELECT kind || ' ' || amount || ' ' || gateway_ref AS t FROM pay_movements ORDER BY amount");
        assert_eq!(moved, [format!("fee -165 {id}"), format!("capture 5000 {id}")]);
        app.months_agree();
    }

    async fn a_refund_is_told_once_it_has_arrived_and_taken_back_when_it_failed(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        told(&app, &id).await;
        app.payments.refund(&token.as_str().into(), Refund::part(money(2000, "EUR"))).await.unwrap();
        app.drain().await;
        // It is on its way: asked for, and not yet gone.
        assert_eq!(amounts(&app, &token).await, (5000, 0, 0));
        let refund = app.texts("SELECT gateway_ref AS t FROM pay_ledger WHERE register = 'refund'").remove(0);
        fake.refund_becomes(&id, &refund, "refunded");
        fake.state().now += 60;
        told(&app, &id).await;
        is(&app, &token, Status::PartiallyRefunded).await;
        assert_eq!(amounts(&app, &token).await, (5000, 2000, 0));
        // The bank of the customer sends it back.
        fake.refund_becomes(&id, &refund, "failed");
        fake.state().now += 60;
        told(&app, &id).await;
        is(&app, &token, Status::Paid).await;
        // Somebody refunds all of it in Mollie's dashboard.
        fake.state().parts.clear();
        let other = fake.refund(&id, 5000);
        fake.refund_becomes(&id, &other, "refunded");
        fake.state().now += 60;
        told(&app, &id).await;
        is(&app, &token, Status::Refunded).await;
        assert_eq!(fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count(), 2);
    }

    async fn a_chargeback_takes_the_money_and_a_reversal_gives_it_back(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        told(&app, &id).await;
        let chargeback = fake.charge_back(&id, 5000);
        told(&app, &id).await;
        let payment = app.payment(&token).await;
        assert_eq!((payment.status, payment.disputed, payment.lost.minor), (Status::Paid, true, 5000));
        fake.state().now += 86_400;
        app.pass(86_400);
        fake.reverse(&id, &chargeback);
        told(&app, &id).await;
        let payment = app.payment(&token).await;
        assert_eq!((payment.status, payment.disputed, payment.lost.minor), (Status::Paid, false, 0));
        app.same(&token).await;
    }

    async fn an_authorized_payment_is_captured_in_part_or_canceled(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Manual).await;
        fake.becomes(&id, "authorized");
        told(&app, &id).await;
        is(&app, &token, Status::Authorized).await;
        app.payments.capture(&token.as_str().into(), Some(money(3000, "EUR"))).await.unwrap();
        app.drain().await;
        is(&app, &token, Status::Paid).await;
        assert_eq!(amounts(&app, &token).await, (3000, 0, 0));
        assert!(!app.payment(&token).await.needs_review());

        let (token, id) = begun(&app, CaptureMethod::Manual).await;
        fake.becomes(&id, "authorized");
        told(&app, &id).await;
        app.payments.cancel(&token.as_str().into()).await.unwrap();
        app.drain().await;
        is(&app, &token, Status::Canceled).await;
        // Late hints change nothing of it.
        told(&app, &id).await;
        is(&app, &token, Status::Canceled).await;
        // What Mollie cancels no more is refused, in Mollie's words.
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        let refused = app.payments.cancel(&token.as_str().into()).await.unwrap_err();
        assert!(refused.to_string().contains("cannot be canceled"), "{refused}");
    }

    async fn a_payment_that_no_hint_told_of_is_refreshed(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        let refund = fake.refund(&id, 1000);
        fake.refund_becomes(&id, &refund, "refunded");
        fake.charge_back(&id, 500);
        app.payments.refresh(&token.as_str().into()).await.unwrap();
        app.drain().await;
        assert_eq!(amounts(&app, &token).await, (5000, 1000, 500));
        is(&app, &token, Status::PartiallyRefunded).await;
        // What is refunded after a chargeback is no part of that.
        fake.state().now += 60;
        let refund = fake.refund(&id, 2000);
        fake.refund_becomes(&id, &refund, "refunded");
        told(&app, &id).await;
        assert_eq!(amounts(&app, &token).await, (5000, 3000, 500));
        // The worker's own round takes no offence at a company without a list of events.
        let error = app.payments.reconcile("mollie").await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("Mollie has no list of events"), "{cause}");
        let page = app.get("/payments/admin/variants/mollie").await.text();
        assert!(page.contains("Mollie has no list of events."), "{page}");
    }

    async fn a_list_that_is_not_whole_is_not_taken_for_all_there_is(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        for cents in [1000, 2000] {
            let refund = fake.refund(&id, cents);
            fake.refund_becomes(&id, &refund, "refunded");
        }
        // Of two refunds one is listed, and none of a chargeback.
        fake.state().most_shown = Some(1);
        told(&app, &id).await;
        assert_eq!(amounts(&app, &token).await, (5000, 3000, 0));
        assert!(!app.payment(&token).await.needs_review());
        fake.state().most_shown = Some(0);
        fake.charge_back(&id, 500);
        told(&app, &id).await;
        assert_eq!(amounts(&app, &token).await, (5000, 3000, 0));
        assert!(app.payment(&token).await.needs_review());
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        for words in ["more was charged back than it lists", "5.00 EUR charged back that Mollie does not list",
            "20.00 EUR refunded that Mollie does not list"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        // Once all is shown the amounts are right.
        fake.state().most_shown = None;
        fake.state().now += 60;
        told(&app, &id).await;
        assert_eq!(amounts(&app, &token).await, (5000, 3000, 500));
        app.same(&token).await;
        let concerns = app.payment(&token).await.concerns;
        assert!(concerns.iter().all(|concern| !concern.contains("than it lists")), "{concerns:?}");
        // Another one that is not listed is a reason again.
        fake.charge_back(&id, 700);
        fake.state().most_shown = Some(1);
        fake.state().now += 60;
        told(&app, &id).await;
        let concerns = app.payment(&token).await.concerns;
        assert!(concerns.iter().any(|concern| concern.contains("than it lists")), "{concerns:?}");
    }

    async fn hints_in_any_order_late_lost_and_repeated_end_where_mollie_is(kind) {
        let (app, fake) = app(kind).await;
        let mut random = 20_261_126_u64;
        let mut next = move |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(random >> 33).unwrap() % below
        };
        let mut payments = Vec::new();
        for _ in 0..6 {
            payments.push(begun(&app, CaptureMethod::Immediate).await);
        }
        let mut waiting = Vec::new();
        for step in 0..60 {
            fake.state().now = NOW + step;
            app.pass(1);
            let (_, id) = &payments[next(payments.len())];
            let status = fake.state().payments[id]["status"].as_str().unwrap().to_owned();
            match status.as_str() {
                "open" => fake.becomes(id, ["pending", "paid", "failed", "expired", "canceled"][next(5)]),
                "pending" => fake.becomes(id, ["paid", "failed"][next(2)]),
                "paid" if step % 3 == 0 => {
                    // It may be more than is left, which Mollie refuses.
                    let asked = fake.state().parts.get(&(id.clone(), "refunds")).map_or(0, Vec::len);
                    if asked < 4 {
                        let refund = fake.refund(id, 1000);
                        fake.refund_becomes(id, &refund, ["pending", "refunded", "failed"][next(3)]);
                    }
                }
                _ => {}
            }
            waiting.push(id.clone());
            // Some hints come late, some twice, and every sixth never.
            for _ in 0..next(3) {
                let at = next(waiting.len());
                let id = if next(4) == 0 { waiting[at].clone() } else { waiting.remove(at) };
                if next(6) > 0 {
                    assert_eq!(hint(&app, &id).await.status, 200);
                }
                if waiting.is_empty() {
                    break;
                }
            }
            if next(3) == 0 {
                app.drain().await;
            }
        }
        fake.state().now += 100;
        app.pass(3600);
        for (token, id) in &payments {
            told(&app, id).await;
            let (status, payment) = (app.status(token).await, fake.state().payments[id].clone());
            let refunds = fake.state().parts.get(&(id.clone(), "refunds")).cloned().unwrap_or_default();
            let back = 1000 * refunds.iter().filter(|refund| refund["status"] == "refunded").count();
            let expected = match payment["status"].as_str().unwrap() {
                "paid" if back > 0 => Status::PartiallyRefunded,
                "paid" => Status::Paid,
                "open" | "pending" => Status::Pending,
                "failed" => Status::Failed,
                "expired" => Status::Expired,
                _ => Status::Canceled,
            };
            assert_eq!(status, expected, "{id} {payment}");
            assert_eq!(amounts(&app, token).await.1, i64::try_from(back).unwrap());
            app.same(token).await;
        }
        assert_eq!(app.events("parked") + app.events("discarded"), 0);
    }
}
