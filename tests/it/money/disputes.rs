//! Disputes: each is told with its id, its amount and its deadline, and what is lost is neither kept nor refunded.

use actix_payments::domain::fact::State;
use actix_payments::domain::payment::Status;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{ErrorKind, Refund, Transition};
use serde_json::{Value, json};

use super::{charge, event, part, session, sums};
use crate::app::{App, Kind, NOW, on_both_databases};
use crate::scenes::Notes;
use crate::stripe::fake::Fake;

fn paid(token: &str, n: &str) -> Vec<String> {
    let (pi, ch) = (format!("pi_{n}"), format!("ch_{n}"));
    vec![
        event("checkout.session.completed", 0, session(&format!("cs_{n}"), token, json!({"payment_intent": pi}))),
        event("charge.succeeded", 0, charge(&ch, &pi, json!({}))),
    ]
}

/// An event of the dispute with this id, about a charge.
fn dispute(verb: &str, id: &str, n: &str, at: i64, status: &str, minor: i64) -> String {
    let dispute = json!({
        "id": id, "object": "dispute", "currency": "eur", "amount": minor, "charge": format!("ch_{n}"),
        "payment_intent": format!("pi_{n}"), "created": NOW + 10, "status": status, "reason": "fraudulent",
        "evidence_details": {"due_by": NOW + 864_000, "has_evidence": false},
    });
    event(&format!("charge.dispute.{verb}"), at, dispute)
}

/// An app with a key for Stripe's API, and the steps that its handler heard of.
async fn heard(kind: Kind) -> (App, Notes) {
    let (fake, notes) = (Fake::new(NOW), Notes::default());
    let gateway = fake.gateway(crate::app::SECRET);
    let told = notes.clone();
    let handler = move |step: Transition| {
        let dispute = step.dispute.map(State::as_str).unwrap_or_default();
        told.add(format!("{} {dispute} {} {}", step.to, step.disputed, step.payment.lost));
        std::future::ready(Ok(()))
    };
    let app = App::bare(kind, |builder| builder.variant("stripe", gateway).handler("books", handler)).await;
    (app, notes)
}

/// An app with so many payments, each with an open dispute of its own and a deadline in no order.
async fn with_disputes(kind: Kind, count: i64) -> App {
    let app = App::with(kind, |builder| builder.variant("stripe-eu", Stripe::new(crate::app::SECRET))).await;
    for sql in &crate::lists::rows(kind, count, 1)[..1] {
        app.run(sql);
    }
    app.run("UPDATE pay_payments SET absorbed_by = NULL");
    let columns = "payment_id, register, gateway_ref, state, amount, currency, occurred_at, event_id, until";
    let created = "(SELECT o.created_at FROM pay_payments AS o WHERE o.id = 1 + (p.id * 7919) % 53)";
    app.run(&format!(
        "INSERT INTO pay_ledger ({columns}) SELECT id, 'dispute', 'dp_' || id || '_', 'open', 500, 'EUR', created_at, \
         'evt', {created} FROM pay_payments AS p"
    ));
    app
}

on_both_databases! {
    async fn disputes_are_listed_by_where_they_stand(kind) {
        let (app, _notes) = heard(kind).await;
        let mut tokens = Vec::new();
        for n in ["1", "2", "3"] {
            let token = app.begun().await;
            app.deliver_all(&paid(&token, n)).await;
            tokens.push(token);
        }
        let open = |n: &str, minor| dispute("created", &format!("dp_{n}"), n, 10, "needs_response", minor);
        app.deliver_all(&[open("1", 4999), open("2", 1500), dispute("closed", "dp_3", "3", 30, "lost", 4999)]).await;
        let page = app.get("/payments/admin/disputes").await;
        let text = page.text();
        for words in ["Open 2", "Lost 1", "Won 0", "15.00 EUR", "dp_1", "dp_2", "answer by"] {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(!text.contains("dp_3"), "{text}");
        assert!(page.body.contains("https://dashboard.stripe.com/test/payments/ch_2"), "{}", page.body);
        assert!(page.body.contains(&format!("/payments/admin/payments/{}", tokens[1])), "{}", page.body);
        app.deliver_all(&[dispute("closed", "dp_1", "1", 40, "won", 4999)]).await;
        let won = app.get("/payments/admin/disputes?state=won").await.text();
        assert!(won.contains("Open 1") && won.contains("dp_1") && !won.contains("dp_2"), "{won}");
    }

    async fn an_inquiry_has_a_tab_of_its_own_and_takes_no_money(kind) {
        let (app, _notes) = heard(kind).await;
        let token = app.begun().await;
        app.deliver_all(&paid(&token, "1")).await;
        let asks = |verb, at, status| dispute(verb, "dp_1", "1", at, status, 1500);
        app.deliver_all(&[asks("created", 10, "warning_needs_response")]).await;
        let open = app.get("/payments/admin/disputes").await.text();
        assert!(open.contains("Open 0") && open.contains("Inquiry 1") && !open.contains("dp_1"), "{open}");
        let inquiries = app.get("/payments/admin/disputes?state=inquiry").await.text();
        for words in ["dp_1", "15.00 EUR", "fraudulent", "answer by", "inquiry"] {
            assert!(inquiries.contains(words), "{words} in {inquiries}");
        }
        let payment = app.payment(&token).await;
        assert_eq!((sums(&payment), payment.disputed), ((Status::Paid, [4999, 0, 0]), false));
        app.deliver_all(&[asks("closed", 40, "warning_closed")]).await;
        let inquiries = app.get("/payments/admin/disputes?state=inquiry").await.text();
        assert!(inquiries.contains("Inquiry 0") && !inquiries.contains("dp_1"), "{inquiries}");
    }

    async fn a_long_list_of_disputes_goes_forth_and_back(kind) {
        let app = App::new(kind).await;
        for _ in 0..60 {
            app.order().await;
        }
        // The payment at the end of the first page has two.
        let columns = "payment_id, register, gateway_ref, state, amount, currency, occurred_at, event_id";
        for (id, which) in [("dp_", "id > 0"), ("dq_", "id = 11")] {
            app.run(&format!(
                "INSERT INTO pay_ledger ({columns}) SELECT id, 'dispute', '{id}' || id || '_', 'open', 500, 'EUR', created_at, \
                 'evt' FROM pay_payments WHERE {which}"
            ));
        }
        let first = app.list("disputes").await;
        assert!(first.html.contains("dp_12_") && !first.html.contains("dp_11_") && !first.html.contains("dq_11_"));
        let second = app.list(first.next.as_ref().unwrap()).await;
        assert!(second.html.contains("dp_11_") && second.html.contains("dq_11_") && second.html.contains("dp_1_"));
        assert!(second.next.is_none() && !second.html.contains("dp_12_"));
        let back = app.list(second.back.as_ref().unwrap()).await;
        assert!(back.html.contains("dp_60_") && back.html.contains("dp_12_") && !back.html.contains("dp_11_"));
    }

    async fn open_disputes_are_listed_by_when_they_are_to_be_answered(kind) {
        let app = with_disputes(kind, 60).await;
        app.run("UPDATE pay_ledger SET until = NULL WHERE payment_id % 6 = 0");
        let late = app.texts("SELECT CAST(payment_id AS TEXT) AS t FROM pay_ledger WHERE until IS NOT NULL ORDER BY until, payment_id DESC");
        let never = app.texts("SELECT CAST(payment_id AS TEXT) AS t FROM pay_ledger WHERE until IS NULL ORDER BY payment_id DESC");
        let expected: Vec<String> = late.into_iter().chain(never).map(|id| format!("dp_{id}_")).collect();
        let shown = |html: &str| -> Vec<String> {
            let cells = html.split("<td class=\"at-code\">").skip(1);
            cells.map(|cell| cell.split("<bdi>").nth(1).unwrap().split('<').next().unwrap().to_owned()).collect()
        };
        let first = app.list("disputes").await;
        let second = app.list(first.next.as_ref().unwrap()).await;
        assert_eq!([shown(&first.html), shown(&second.html)].concat(), expected);
        let back = app.list(second.back.as_ref().unwrap()).await;
        assert_eq!((shown(&back.html), back.back, second.next), (shown(&first.html), None, None));
        let gone = app.list("disputes?before=999").await;
        assert!(gone.html.contains("That place in the list is gone") && shown(&gone.html) == shown(&first.html));
    }

    async fn a_filter_means_the_same_for_open_disputes_and_for_all_others(kind) {
        let app = with_disputes(kind, 24).await;
        app.run(
            "UPDATE pay_payments SET livemode = CASE id % 3 WHEN 0 THEN NULL WHEN 1 THEN (1 = 1) ELSE (1 = 0) END, \
             variant = CASE WHEN id % 2 = 0 THEN 'stripe-eu' WHEN id % 5 = 0 THEN 'gone' ELSE 'stripe' END",
        );
        let listed = async |state: &str| {
            let mut all = Vec::new();
            for variant in ["", "stripe", "stripe-eu", "gone", "Stripe"] {
                for mode in ["", "live", "test"] {
                    let fields = [("state", state), ("variant", variant), ("mode", mode)];
                    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
                    let query: Vec<String> = fields.map(|(name, value)| format!("{name}={value}")).collect();
                    let page = app.list(&format!("disputes?{}", query.join("&"))).await;
                    let cells = page.html.split("<td class=\"at-code\">").skip(1);
                    let of = |cell: &str| cell.split("<bdi>").nth(1).unwrap().split('<').next().unwrap().to_owned();
                    let mut ids: Vec<String> = cells.map(of).collect();
                    ids.sort();
                    all.push((variant, mode, ids));
                }
            }
            all
        };
        // The database says it for the open ones, and it is said here for the others.
        let open = listed("open").await;
        let sizes: Vec<usize> = open.iter().map(|(_, _, ids)| ids.len()).collect();
        assert_eq!(sizes, [24, 8, 8, 10, 4, 3, 12, 4, 4, 2, 0, 1, 0, 0, 0]);
        app.run("UPDATE pay_ledger SET state = 'lost'");
        assert_eq!(listed("lost").await, open);
    }

    async fn disputes_are_filtered_by_variant_and_mode_a_bounded_part_at_a_time(kind) {
        let app = with_disputes(kind, 620).await;
        app.run("UPDATE pay_ledger SET state = 'lost'");
        app.run("UPDATE pay_payments SET livemode = (id <= 3), variant = CASE WHEN id % 2 = 0 THEN 'stripe-eu' ELSE 'stripe' END");
        let none = app.list("disputes?state=lost&mode=live").await;
        assert!(none.html.contains("None so far") && !none.html.contains("dp_1_"), "500 are looked at");
        let rest = app.list(none.next.as_ref().unwrap()).await;
        for (id, is_there) in [("dp_1_", true), ("dp_2_", true), ("dp_3_", true), ("dp_4_", false)] {
            assert_eq!(rest.html.contains(id), is_there, "{id}");
        }
        assert!(rest.next.is_none() && app.list(rest.back.as_ref().unwrap()).await.html.contains("None so far"));
        let (mut found, mut next) = (0, Some("disputes?state=lost&variant=stripe-eu&mode=test".to_owned()));
        while let Some(path) = next {
            let page = app.list(&path).await;
            found += page.html.matches("<td class=\"at-code\">").count();
            assert!(!page.html.contains("dp_5_"), "of another variant");
            next = page.next;
        }
        assert_eq!(found, 309);
        let csv = app.get("/payments/admin/disputes.csv?state=lost&mode=live").await.body;
        assert_eq!(csv.trim().lines().count(), 4, "{csv}");
        let open = app.get("/payments/admin/disputes?mode=live").await.text();
        assert!(open.contains("No disputes match") && open.contains("All disputes"), "{open}");
    }

    async fn the_reason_stands_in_the_list_and_in_the_file(kind) {
        let (app, _notes) = heard(kind).await;
        let token = app.begun().await;
        app.deliver_all(&paid(&token, "1")).await;
        app.deliver_all(&[dispute("created", "dp_1", "1", 10, "needs_response", 4999)]).await;
        let list = app.get("/payments/admin/disputes").await.text();
        assert!(list.contains("Reason") && list.contains("fraudulent"), "{list}");
        let csv = app.get("/payments/admin/disputes.csv").await.body;
        assert!(csv.lines().next().unwrap().ends_with(",reason,account") && csv.contains(",fraudulent,"), "{csv}");
        app.same(&token).await;
    }

    async fn the_payments_sentence_says_by_when_to_answer(kind) {
        let (app, _notes) = heard(kind).await;
        let token = app.begun().await;
        app.deliver_all(&paid(&token, "1")).await;
        app.deliver_all(&[dispute("created", "dp_1", "1", 10, "needs_response", 4999)]).await;
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        let said = "The customer disputes it: answer at Stripe by 22 Oct 2026, 10:15:00 UTC, or the money is lost.";
        assert!(page.contains(said), "{page}");
    }

    async fn handlers_are_told_how_a_dispute_changed(kind) {
        let (fake, told) = (Fake::new(NOW), Notes::default());
        let gateway = fake.gateway(crate::app::SECRET);
        let notes = told.clone();
        let handler = move |step: Transition| {
            if let Some(change) = step.dispute_change() {
                let from = change.from.map_or("nothing", State::as_str);
                let amount = change.amount.map(|money| money.to_string()).unwrap_or_default();
                let until = change.until.map(|at| at.unix_timestamp() - NOW);
                let reason = change.reason.as_deref().unwrap_or_default();
                notes.add(format!("{} {from} → {}, {amount}, {until:?}, {reason}", change.id, change.to.as_str()));
            }
            std::future::ready(Ok(()))
        };
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway).handler("books", handler)).await;
        let token = app.begun().await;
        app.deliver_all(&paid(&token, "1")).await;
        app.deliver_all(&[
            dispute("created", "dp_1", "1", 10, "needs_response", 4999),
            dispute("updated", "dp_1", "1", 20, "needs_response", 4999),
            dispute("closed", "dp_1", "1", 30, "lost", 4999),
        ]).await;
        assert_eq!(told.all(), [
            "dp_1 nothing → open, 49.99 EUR, Some(864000), fraudulent",
            "dp_1 open → lost, 49.99 EUR, Some(864000), fraudulent",
        ]);
        app.run("UPDATE pay_transitions SET dispute_fact = NULL");
        app.make_available();
        app.drain().await;
        assert_eq!(told.count(), 2, "what is done is not run again");
    }

    async fn a_refund_is_warned_of_while_a_dispute_is_open(kind) {
        let (app, _notes) = heard(kind).await;
        let token = app.begun().await;
        app.deliver_all(&paid(&token, "1")).await;
        let refund = format!("/payments/admin/payments/{token}/refund");
        let warning = "Dispute dp_1 of 20.00 EUR is open. If it is lost after a refund, the customer gets the money twice.";
        assert!(!app.get(&refund).await.text().contains("dp_1"));
        app.deliver_all(&[dispute("created", "dp_1", "1", 10, "needs_response", 2000)]).await;
        for path in [refund.clone(), format!("{refund}?amount=10.00")] {
            let page = app.get(&path).await.text();
            assert!(page.contains(warning) && page.contains("disputed"), "{page}");
        }
        app.deliver_all(&[dispute("closed", "dp_1", "1", 20, "lost", 2000)]).await;
        let lost = app.get(&refund).await.text();
        assert!(!lost.contains(warning) && lost.contains("disputed"), "{lost}");
    }

    async fn the_overview_says_what_was_lost_to_disputes(kind) {
        let (app, _notes) = heard(kind).await;
        let token = app.begun().await;
        app.deliver_all(&paid(&token, "1")).await;
        let before = app.get("/payments/admin/").await.text();
        assert!(!before.contains("Lost to disputes"), "{before}");
        app.deliver_all(&[dispute("closed", "dp_1", "1", 30, "lost", 4999)]).await;
        let lost = app.get("/payments/admin/").await.text();
        assert!(lost.contains("Paid Refunded Lost to disputes 49.99 EUR test 0.00 EUR test 49.99 EUR test"), "{lost}");
        app.deliver_all(&[dispute("closed", "dp_1", "1", 40, "won", 4999)]).await;
        let won = app.get("/payments/admin/").await.text();
        assert!(!won.contains("Lost to disputes"), "{won}");
    }

    async fn a_lost_dispute_is_a_step_and_its_money_is_gone(kind) {
        let (app, notes) = heard(kind).await;
        let token = app.begun().await;
        app.deliver_all(&paid(&token, "1")).await;
        app.deliver_all(&[
            dispute("created", "dp_1", "1", 10, "needs_response", 4999),
            dispute("updated", "dp_1", "1", 20, "needs_response", 4999),
            dispute("closed", "dp_1", "1", 30, "lost", 4999),
        ]).await;
        let payment = app.payment(&token).await;
        assert_eq!((sums(&payment), payment.disputed), ((Status::Paid, [4999, 0, 4999]), true));
        assert_eq!(payment.remaining().minor, 0);
        assert_eq!(notes.all(), ["paid  false 0.00 EUR", "paid open true 0.00 EUR", "paid lost true 49.99 EUR"]);
        let outcome = app.outcomes().pop().unwrap();
        assert!(outcome.contains("dispute dp_1 of 49.99 EUR was lost; 49.99 EUR lost to disputes, 0.00 EUR remain"), "{outcome}");
        for refund in [Refund::all(), part(1)] {
            let refused = app.payments.refund(&token, refund).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Refused);
            assert!(refused.to_string().contains("49.99 EUR were lost to a dispute"), "{refused}");
        }
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("Lost to disputes 49.99 EUR Remaining 0.00 EUR"), "{page}");
        app.same(&token).await;
    }

    async fn a_loss_that_an_old_release_noted_wrongly_is_found_and_put_right(kind) {
        let app = App::new(kind).await;
        let token = app.begun().await;
        app.deliver_all(&paid(&token, "1")).await;
        app.deliver_all(&[dispute("closed", "dp_1", "1", 30, "lost", 2000)]).await;
        app.run("UPDATE pay_payments SET lost_amount = 4999");
        let found = app.payments.differing(None).await.unwrap().found;
        assert_eq!(found.iter().map(|one| &one.stored.token).collect::<Vec<_>>(), [&token]);
        assert_eq!(app.post(&format!("/payments/admin/payments/{token}/rebuild"), "").await.status, 303);
        app.drain().await;
        assert_eq!(sums(&app.payment(&token).await), (Status::Paid, [4999, 0, 2000]));
        app.same(&token).await;
    }

    async fn what_a_lost_dispute_leaves_can_be_refunded(kind) {
        let (app, _) = heard(kind).await;
        let token = app.begun().await;
        app.deliver_all(&paid(&token, "1")).await;
        app.deliver_all(&[dispute("closed", "dp_1", "1", 30, "lost", 2000)]).await;
        assert_eq!(app.payment(&token).await.remaining().minor, 2999);
        let refused = app.payments.refund(&token, part(3000)).await.unwrap_err();
        assert!(refused.to_string().contains("at most 29.99 EUR, got 30.00 EUR; 20.00 EUR were lost to a dispute"), "{refused}");
        // A refund after that is other money.
        let refund = json!({
            "id": "re_1", "object": "refund", "amount": 1000, "currency": "eur", "charge": "ch_1", "status": "succeeded",
            "created": NOW + 40,
        });
        app.deliver_all(&[event("refund.created", 40, refund)]).await;
        let payment = app.payment(&token).await;
        assert_eq!((payment.refunded.minor, payment.lost.minor, payment.remaining().minor), (1000, 2000, 1999));
    }

    async fn each_dispute_is_told_with_its_id_its_amount_and_its_deadline(kind) {
        let (app, notes) = heard(kind).await;
        let token = app.begun().await;
        app.deliver_all(&paid(&token, "1")).await;
        app.deliver_all(&[
            dispute("created", "dp_1", "1", 10, "needs_response", 2000),
            dispute("created", "dp_2", "1", 20, "needs_response", 1000),
            dispute("closed", "dp_2", "1", 30, "won", 1000),
        ]).await;
        let told = app.outcomes();
        let expected = [
            "still paid: dispute dp_1 of 20.00 EUR is open, to be answered by 2026-10-22 10:15 UTC; disputed",
            "still paid: dispute dp_2 of 10.00 EUR is open, to be answered by 2026-10-22 10:15 UTC",
            "still paid: dispute dp_2 of 10.00 EUR was won",
        ];
        for (told, expected) in told[2..].iter().zip(expected) {
            assert!(told.ends_with(expected), "{told}");
        }
        assert_eq!(notes.all()[1..], ["paid open true 0.00 EUR", "paid open true 0.00 EUR", "paid won true 0.00 EUR"]);
        app.same(&token).await;
    }

    async fn disputes_end_alike_in_any_order(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(|token, n| {
            let mut events = paid(token, n);
            events.extend([
                dispute("created", &format!("dp_1{n}"), n, 10, "needs_response", 2000),
                dispute("created", &format!("dp_2{n}"), n, 11, "needs_response", 1000),
                dispute("closed", &format!("dp_1{n}"), n, 20, "lost", 2000),
                dispute("closed", &format!("dp_2{n}"), n, 21, "won", 1000),
                dispute("funds_withdrawn", &format!("dp_1{n}"), n, 12, "needs_response", 2000),
            ]);
            events
        }).await;
        assert_eq!((sums(&payment), payment.disputed, payment.concerns), ((Status::Paid, [4999, 0, 2000]), true, vec![]));
    }

    async fn a_second_payment_that_a_dispute_took_back_is_no_surplus_any_more(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(|token, n| {
            let mut events = paid(token, &format!("1{n}"));
            events.extend(paid(token, &format!("2{n}")));
            events.push(dispute("closed", &format!("dp_{n}"), &format!("2{n}"), 30, "lost", 4999));
            events
        }).await;
        assert_eq!((sums(&payment), payment.concerns), ((Status::Paid, [9998, 0, 4999]), vec![]));
    }
}

#[test]
fn a_dispute_without_details_has_no_deadline() {
    let mut body: Value = serde_json::from_str(&dispute("created", "dp_1", "1", 0, "needs_response", 1)).unwrap();
    body["data"]["object"]["evidence_details"] = json!([]);
    let said = crate::stripe::interpret("charge.dispute.created", body.to_string().as_bytes()).unwrap();
    assert_eq!((said.facts[0].until, said.facts[0].state), (None, State::Open));
}
