//! Does one box find whatever people have of a payment, and does it open what it finds alone?

use actix_payments::{NewPayment, Token};
use actix_web::http::Method;

use crate::app::{ADMIN, App, Kind, on_both_databases};
use crate::events::{changed, fixture};
use crate::lists::filled;
use crate::scenes::{completed, money};

const SEARCH: &str = "/payments/admin/search?for=";

impl App {
    /// Has a worker write the words by which payments and subscriptions are found.
    pub async fn write_owed_words(&self) {
        let worker = self.payments.worker().start().unwrap();
        for _ in 0..1_000 {
            if self.number("SELECT count(*) FROM pay_words_owed") == 0 {
                break;
            }
            actix_web::rt::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        worker.stop().await;
        assert_eq!(self.number("SELECT count(*) FROM pay_words_owed"), 0);
    }

    /// What the box answers: where it leads, or what the page says.
    async fn look_for(&self, text: &str) -> Result<String, String> {
        let answer = self.get(&format!("{SEARCH}{}", encoded(text))).await;
        match answer.status {
            303 => Ok(answer.header("location").unwrap().to_owned()),
            200 => Err(answer.text()),
            status => panic!("{status} for {text}: {}", answer.body),
        }
    }
}

pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn page_of(token: &str) -> Result<String, String> {
    Ok(format!("/payments/admin/payments/{token}"))
}

/// Two orders: one paid by the fixtures' Jenny Rosén with a card that ends in 4242, and one of another customer.
async fn two_orders(kind: Kind) -> (App, [Token; 2]) {
    let app = App::new(kind).await;
    let new = |reference: &str, minor, customer: &str| {
        NewPayment::new("stripe", money(minor, "EUR")).reference(reference).customer(customer)
    };
    let jenny = app.payments.create(new("ORD-2026-001234", 4999, "Jenny.Rosen@example.com")).await.unwrap();
    let other = app.payments.create(new("ORD-2026-009876", 51, "zoe+tea@shop.example.org")).await.unwrap();
    let tokens = [jenny.payment.token, other.payment.token];
    app.deliver(&[
        &completed(&tokens[0]),
        &fixture("payment_intent.succeeded").to_string(),
        &changed("charge.succeeded", &[("/data/object/customer", "cus_Jenny7".into())]),
    ])
    .await;
    (app, tokens)
}

/// A payment that was made of an event, with a note whose words are written; the token of the one that absorbs it once
/// it is paid, and its own.
async fn absorbing(kind: Kind) -> (App, String, String) {
    let app = App::new(kind).await;
    let token = app.order().await.token;
    app.deliver(&[&fixture("charge.succeeded").to_string()]).await;
    app.pass(86_400);
    app.drain().await;
    assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE adopted"), 1, "{:?}", app.outcomes());
    let adopted = app.texts("SELECT token AS t FROM pay_payments WHERE adopted").remove(0);
    app.post(&format!("/payments/admin/payments/{adopted}/note"), "note=Parcel+is+at+the+harbour").await;
    app.write_owed_words().await;
    app.pass(61);
    assert_eq!(app.look_for("harbour").await, page_of(&adopted));
    (app, token.to_string(), adopted)
}

on_both_databases! {
    async fn what_people_have_of_a_payment_opens_it(kind) {
        let (app, [jenny, other]) = two_orders(kind).await;
        let intent = fixture("payment_intent.succeeded")["data"]["object"]["id"].as_str().unwrap().to_owned();
        for text in [
            "jenny.rosen@example.com", "JENNY.ROSEN", "enny.ros", "rosen@exa", "Jenny Rosén", "rosen", "49.99", "49,99 €",
            "EUR 49.99", "4242", "#ORD-2026-001234", "ord-2026-001234", "001234", "#1234", "cus_jenny7", "cus_Jenny7",
            jenny.as_str(), &intent,
        ] {
            assert_eq!(app.look_for(text).await, page_of(&jenny), "{text}");
        }
        for text in [".51", "0,51", "oe+tea", "shop.example", "op.exam", "9876", " ord-2026-009876 "] {
            assert_eq!(app.look_for(text).await, page_of(&other), "{text}");
        }
    }

    async fn several_are_grouped_with_the_way_to_all_of_them(kind) {
        let (app, tokens) = two_orders(kind).await;
        let page = app.look_for("ord-2026").await.unwrap_err();
        assert!(page.contains("Payments 2") && page.contains("ORD-2026-001234") && page.contains("ORD-2026-009876"), "{page}");
        for number in 0..6 {
            let customer = format!("kid{number}@school.example");
            let new = NewPayment::new("stripe", money(1250, "EUR")).reference(format!("class-{number}")).customer(customer);
            app.payments.create(new).await.unwrap();
        }
        let page = app.get(&format!("{SEARCH}school.example")).await;
        let text = page.text();
        assert!(text.contains("Payments 6") && text.contains("All of these payments") && text.contains("Customers 5"), "{text}");
        assert!(page.body.contains("/payments/admin/payments?q=school.example"), "{}", page.body);
        let list = app.get("/payments/admin/payments?q=school.example").await.text();
        assert!(list.contains("class-0") && list.contains("class-5") && !list.contains("ORD-2026"), "{list}");
        let amount = app.get(&format!("{SEARCH}12.50")).await;
        assert!(amount.text().contains("Payments of this amount 6"), "{}", amount.text());
        assert!(amount.body.contains("payments?least=12.50&#38;most=12.50"), "{}", amount.body);
        assert!(tokens.len() == 2);
    }

    async fn what_finds_nothing_says_what_was_looked_at(kind) {
        let (app, _) = two_orders(kind).await;
        for text in ["nobody@nowhere.example", "77.77", "xy", "pi_unknown", "<b>x</b>", "%", "'; --", "\u{202e}abc"] {
            let page = app.look_for(text).await.unwrap_err();
            assert!(page.contains("Nothing found for") && page.contains("last four digits of cards"), "{text}: {page}");
        }
        let page = app.get("/payments/admin/search").await.text();
        assert!(page.contains("Type into the box"), "{page}");
        let page = app.get(&format!("{SEARCH}%3Cb%3Ex")).await.body;
        assert!(page.contains("&#60;b&#62;x") && !page.contains("<b>x"), "{page}");
    }

    async fn an_event_and_a_subscription_are_found_by_the_gateways_ids(kind) {
        let app = App::new(kind).await;
        app.deliver(&[
            &changed("payout.paid", &[("/id", "evt_Payout1".into())]),
            &changed("customer.subscription.created", &[
                ("/data/object/id", "sub_Tea1".into()), ("/data/object/customer", "cus_Tea1".into()),
            ]),
        ])
        .await;
        assert_eq!(app.look_for("evt_Payout1").await, Ok("/payments/admin/events/1".to_owned()));
        for text in ["sub_Tea1", "cus_Tea1"] {
            let found = app.look_for(text).await.unwrap();
            assert!(found.starts_with("/payments/admin/subscriptions/"), "{text}: {found}");
        }
    }

    async fn every_page_has_the_box(kind) {
        let (app, [jenny, _]) = two_orders(kind).await;
        let payment = format!("payments/{jenny}");
        for page in ["", "payments", "events", "events/1", "variants", "audit", "handlers", &payment, "search", "events/99"] {
            let body = app.get(&format!("/payments/admin/{page}")).await.body;
            assert!(body.contains("action=\"/payments/admin/search\"") && body.contains("name=\"for\""), "{page}");
        }
    }

    async fn rows_of_an_older_release_are_found_once_a_worker_ran(kind) {
        let app = filled(kind, 300, 1).await;
        app.run("DELETE FROM pay_words");
        let page = app.look_for("order-271").await;
        assert!(page.is_ok(), "whole order numbers need no words: {page:?}");
        assert!(app.look_for("tomer33@exam").await.unwrap_err().contains("Nothing found"));
        let worker = app.payments.worker().start().unwrap();
        for _ in 0..250 {
            let place = "SELECT count(*) FROM pay_chores WHERE name = 'words:payments:absorbed' AND place >= 300";
            if app.number(place) == 1 {
                break;
            }
            actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        worker.stop().await;
        let page = app.look_for("tomer33@exam").await.unwrap_err();
        assert!(page.contains("Customers 1") && page.contains("customer33@example.org"), "{page}");
    }

    async fn a_worker_writes_the_words_that_are_owed_and_they_find_the_same(kind) {
        let (app, [jenny, other]) = two_orders(kind).await;
        assert_eq!(app.number("SELECT count(*) FROM pay_words"), 0, "events and hosts leave that to a worker");
        app.write_owed_words().await;
        for (text, token) in [("rosen@exa", &jenny), ("4242", &jenny), ("Jenny Rosén", &jenny), ("001234", &jenny), ("op.exam", &other)] {
            assert_eq!(app.look_for(text).await, page_of(token), "{text}");
        }
        let words = app.number("SELECT count(*) FROM pay_words");
        assert!(words > 20, "{words}");
    }

    async fn of_many_whose_words_are_owed_the_newest_are_found_at_once_and_the_others_once_a_worker_ran(kind) {
        let app = App::new(kind).await;
        for number in 0..230 {
            let new = NewPayment::new("stripe", money(1250, "EUR")).customer(format!("kid{number:03}@school.example"));
            app.payments.create(new).await.unwrap();
        }
        assert!(app.look_for("kid229@").await.is_ok());
        assert!(app.look_for("id003@").await.unwrap_err().contains("Nothing found"));
        app.write_owed_words().await;
        assert!(app.look_for("id003@").await.is_ok() && app.look_for("kid229@").await.is_ok());
    }

    async fn an_absorbed_payments_words_find_the_one_that_it_turned_out_to_be(kind) {
        let (app, token, adopted) = absorbing(kind).await;
        app.deliver(&[&completed(&token), &fixture("payment_intent.succeeded").to_string()]).await;
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE absorbed_by IS NOT NULL"), 1);
        for text in ["4242", "harbour", &adopted] {
            assert_eq!(app.look_for(text).await, page_of(&token), "{text}");
        }
        app.write_owed_words().await;
        for text in ["4242", "harbour", &adopted] {
            assert_eq!(app.look_for(text).await, page_of(&token), "{text}");
        }
        assert_eq!(app.number("SELECT count(DISTINCT payment_id) FROM pay_words"), 1);
        assert_eq!(app.number("SELECT count(*) FROM pay_payers"), 1);
        for text in [&token, &adopted] {
            let events = app.list(&format!("events?q={text}")).await;
            assert_eq!(events.ids, app.ids("pay_events", "id > 0", "id DESC"), "{text}");
        }
    }

    async fn the_page_of_chores_shows_none_that_nobody_takes_up(kind) {
        let app = App::new(kind).await;
        let due = "'2026-10-01 00:00:00+00:00'";
        let names = ["words:payments", "words:payments:notes", "words:payments:absorbed"];
        let rows = names.map(|name| format!("('{name}', {due})")).join(", ");
        app.run(&format!("INSERT INTO pay_chores (name, due_at) VALUES {rows}"));
        app.run("DELETE FROM pay_migrations WHERE name = '0048_retired_chores'");
        app.payments.migrate().await.unwrap();
        let page = app.get("/payments/admin/data").await.text();
        assert_eq!(page.matches("Indexing older payments for the search").count(), 1, "{page}");
    }

    async fn a_note_that_is_written_while_its_payment_is_absorbed_is_found(kind) {
        let (app, token, _) = absorbing(kind).await;
        app.deliver(&[&completed(&token), &fixture("payment_intent.succeeded").to_string()]).await;
        app.write_owed_words().await;
        app.pass(61);
        // Whoever read the payment before it was absorbed writes this after it was.
        let absorbed = "FROM pay_payments WHERE absorbed_by IS NOT NULL";
        app.run(&format!(
            "INSERT INTO pay_audit (actor, act, payment_id, detail, created_at) \
             SELECT 'mia', 'note', id, 'Parcel is at the lighthouse', created_at {absorbed}"
        ));
        app.run(&format!("INSERT INTO pay_words_owed (payment_id, subscription_id) SELECT id, 0 {absorbed}"));
        assert_eq!(app.look_for("lighthouse").await, page_of(&token));
        app.write_owed_words().await;
        assert_eq!(app.look_for("lighthouse").await, page_of(&token));
        assert_eq!(app.number("SELECT count(DISTINCT payment_id) FROM pay_words"), 1);
    }
}

#[actix_web::test]
async fn the_box_asks_for_access_as_every_page_does() {
    let app = App::new(Kind::Sqlite).await;
    let answer = app.request(Method::GET, SEARCH, &[], b"").await;
    assert_eq!(answer.status, 401);
    let empty = app.request(Method::GET, SEARCH, &[ADMIN], b"").await;
    assert_eq!((empty.status, empty.header("location")), (303, Some("./search")), "the empty field goes");
    assert_eq!(app.request(Method::GET, "/payments/admin/search", &[ADMIN], b"").await.status, 200);
}
