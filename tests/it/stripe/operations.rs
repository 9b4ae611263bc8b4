//! Does the gateway do what is asked exactly once, and do we know of it, whatever goes wrong between?

use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::gateways::dummy::Dummy;
use actix_payments::{
    CaptureMethod, ErrorKind, HandlerError, NewPayment, Next, Outcome, Payment, Payments, Refund, Token,
};

use super::fake::{Fake, Fault};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::scenes::money;

/// An app whose gateway is a fake.
async fn app(kind: Kind) -> (App, Fake) {
    let fake = Fake::new(NOW);
    let gateway = fake.gateway(SECRET);
    (App::bare(kind, |builder| builder.variant("stripe", gateway)).await, fake)
}

/// A payment whose customer has paid, as far as Stripe knows.
async fn paid(app: &App, fake: &Fake, capture: CaptureMethod) -> Token {
    let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/thanks").capture(capture);
    let created = app.payments.create(new).await.unwrap();
    assert!(matches!(created.next, Next::Redirect(_)));
    fake.pay(&created.payment.token);
    created.payment.token
}

/// Asks how the payment stands.
async fn refreshed(app: &App, token: &str) -> Payment {
    assert_eq!(app.payments.refresh(&token.into()).await.unwrap(), Outcome::Done);
    app.drain().await;
    app.payment(token).await
}

/// What is noted of an operation that was added and of which no call has gone out.
const NOT_ASKED: &str = "not done yet: the gateway was not asked so far";

fn operations(app: &App) -> Vec<String> {
    app.texts("SELECT verb || ' ' || state AS t FROM pay_operations WHERE verb <> 'refresh' ORDER BY id")
}

on_both_databases! {
    async fn a_payment_is_captured_in_part_and_refunded_in_parts(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Manual).await;
        assert_eq!(refreshed(&app, &token).await.status, Status::Authorized);
        assert_eq!(app.payments.capture(&token, Some(money(3000, "EUR"))).await.unwrap(), Outcome::Done);
        app.drain().await;
        let payment = app.payment(&token).await;
        assert_eq!((payment.status, payment.captured.minor), (Status::Paid, 3000), "{payment:?}");
        assert_eq!(app.payments.refund(&token, Refund::part(money(1000, "EUR"))).await.unwrap(), Outcome::Done);
        app.drain().await;
        assert_eq!(app.status(&token).await, Status::PartiallyRefunded);
        assert_eq!(app.payments.refund(&token, Refund::all().reason("requested_by_customer")).await.unwrap(), Outcome::Done);
        app.drain().await;
        let payment = app.payment(&token).await;
        assert_eq!((payment.status, payment.refunded.minor), (Status::Refunded, 3000));
        // What Stripe tells of it afterwards changes nothing more, and asking again neither.
        let told: Vec<String> = fake.state().events.iter().map(ToString::to_string).collect();
        app.deliver(&told.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(refreshed(&app, &token).await.status, Status::Refunded);
        assert_eq!(app.payment(&token).await.refunded.minor, 3000);
        assert_eq!(fake.state().effects[1..], ["capture 3000 of pi_2", "refund 1000 of pi_2", "refund 2000 of pi_2"]);
        app.same(&token).await;
    }

    async fn a_refresh_says_what_stripe_keeps_by_the_day_on_which_it_was_kept(kind) {
        let (app, fake) = app(kind).await;
        // The last one was reported by its session alone.
        for (fee, currency, kinds) in [(175, "eur", ""), (189, "usd", ""), (175, "eur", "checkout.session.completed")] {
            fake.state().fee = Some((fee, currency));
            let token = paid(&app, &fake, CaptureMethod::Immediate).await;
            let told: Vec<String> = fake.state().events.drain(..).map(|event| event.to_string()).collect();
            app.deliver(&told.iter().map(String::as_str).filter(|event| event.contains(kinds)).collect::<Vec<_>>()).await;
            app.pass(40 * 24 * 3600);
            fake.state().now += 40 * 24 * 3600;
            assert_eq!(refreshed(&app, &token).await.status, Status::Paid);
            app.same(&token).await;
        }
        let moved = "SELECT kind || ' ' || amount || ' ' || currency AS t FROM pay_movements ORDER BY payment_id, amount DESC";
        let both = ["capture 5000 EUR", "fee -175 EUR"];
        assert_eq!(app.texts(moved), [both, ["capture 5000 EUR", "fee -189 USD"], both].concat());
        assert_eq!(app.number("SELECT count(DISTINCT moved_at) FROM pay_movements"), 3, "each fee with its capture");
        app.months_agree();
        let mut net = 0;
        for month in ["2026-10", "2026-11", "2026-12", "2027-01"] {
            let file = app.get(&format!("/payments/admin/books.csv?mode=test&month={month}")).await.body;
            net += file.lines().filter(|line| line.trim_end().ends_with(",48.25,3.50,")).count();
        }
        assert_eq!(net, 2, "of the dollars no amount in euros is known");
    }

    async fn a_key_that_may_not_see_fees_refreshes_all_the_same(kind) {
        let (app, fake) = app(kind).await;
        (fake.state().fee, fake.state().hides_fees) = (Some((175, "eur")), true);
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        assert_eq!(refreshed(&app, &token).await.status, Status::Paid);
        assert_eq!(app.texts("SELECT kind AS t FROM pay_movements"), ["capture"]);
    }

    async fn a_fee_is_of_the_capture_where_its_charge_has_reported_a_refund(kind) {
        let (app, fake) = app(kind).await;
        fake.state().fee = Some((175, "eur"));
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        let told: Vec<String> = fake.state().events.drain(..).map(|event| event.to_string()).collect();
        let session: Vec<&str> =
            told.iter().map(String::as_str).filter(|event| event.contains("checkout.session.completed")).collect();
        app.deliver(&session).await;
        // Later, so that the session was the first to report the money.
        app.pass(600);
        fake.state().now += 600;
        // In Stripe's dashboard, of which no event comes: its charge reports fee and refund at once.
        fake.refund("pi_2", 1000);
        assert_eq!(refreshed(&app, &token).await.status, Status::PartiallyRefunded);
        let reported = app.texts("SELECT kind || ' ' || gateway_ref AS t FROM pay_movements ORDER BY kind");
        assert_eq!(reported, ["capture cs_1", "fee ch_3", "refund ch_3"]);
        let file = app.get("/payments/admin/books.csv?mode=test&month=2026-10").await.body;
        let ends = |kind: &str, end: &str| file.lines().any(|line| line.contains(kind) && line.trim_end().ends_with(end));
        assert!(ends(",capture,50.00,", ",48.25,3.50,"), "{file}");
        assert!(ends(",refund,-10.00,", ",ch_3,,,"), "neither net nor rate: {file}");
    }

    async fn the_reason_of_a_refund_is_shown_wherever_the_refund_is(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        let refund = format!("/payments/admin/payments/{token}/refund");
        let sure = app.get(&format!("{refund}?amount=10.00&reason=requested_by_customer")).await;
        assert!(sure.text().contains("Reason: requested by customer."), "{}", sure.text());
        let key = sure.body.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let done = app.post(&refund, &format!("key={key}&amount=10.00&reason=requested_by_customer")).await;
        assert_eq!(done.status, 303, "{}", done.body);
        let payment = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(payment.contains("by admin, reason: requested by customer; "), "{payment}");
        let audit = app.get("/payments/admin/audit").await.text();
        assert!(audit.contains("10.00 EUR: requested by customer"), "{audit}");
    }

    async fn a_checkout_is_closed_and_an_authorization_released(kind) {
        let (app, fake) = app(kind).await;
        let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/");
        let open = app.payments.create(new).await.unwrap().payment.token;
        app.payments.cancel(&open).await.unwrap();
        let held = paid(&app, &fake, CaptureMethod::Manual).await;
        refreshed(&app, &held).await;
        app.payments.cancel(&held).await.unwrap();
        app.drain().await;
        assert_eq!(app.status(&open).await, Status::Expired);
        assert_eq!(app.status(&held).await, Status::Canceled);
    }

    async fn what_the_ledger_does_not_allow_is_refused_before_any_call(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        let calls = fake.listener.heard().len();
        let eur = |minor| Refund::part(money(minor, "EUR"));
        for (refund, words) in [
            (eur(5001), "at most 50.00 EUR"),
            (eur(0), "above 0"),
            (eur(-1), "above 0"),
            (Refund::part(money(100, "USD")), "in EUR"),
        ] {
            let refused = app.payments.refund(&token, refund).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Refused);
            assert!(refused.to_string().contains(words), "{refused}");
        }
        assert!(app.payments.capture(&token, None).await.unwrap_err().to_string().contains("nothing to capture"));
        assert!(app.payments.cancel(&token).await.unwrap_err().to_string().contains("nothing to cancel"));
        assert_eq!(app.payments.cancel(&"nobody".into()).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!((fake.listener.heard().len(), operations(&app).len()), (calls, 0));
    }

    async fn a_lost_answer_is_asked_for_again_and_nothing_happens_twice(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        fake.state().faults.push_back(Some(Fault::CutAfter));
        let refund = Refund::part(money(2000, "EUR"));
        assert_eq!(app.payments.refund(&token, refund).await.unwrap(), Outcome::Underway);
        // Until it is known, it counts as gone.
        let more = app.payments.refund(&token, Refund::part(money(3001, "EUR"))).await.unwrap_err();
        assert!(more.to_string().contains("at most 30.00 EUR"), "{more}");
        app.drain().await;
        assert_eq!(app.status(&token).await, Status::Paid, "not before its time");
        app.pass(10);
        app.drain().await;
        assert_eq!((app.status(&token).await, operations(&app)), (Status::PartiallyRefunded, vec!["refund done".to_owned()]));
        assert_eq!(fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count(), 1);
    }

    async fn what_is_older_than_stripes_memory_is_not_tried_again_but_asked_about(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        fake.state().faults.push_back(Some(Fault::CutAfter));
        assert_eq!(app.payments.refund(&token, Refund::part(money(2000, "EUR"))).await.unwrap(), Outcome::Underway);
        // The app was down for a day, and Stripe has forgotten the key.
        app.pass(86_400);
        fake.forget();
        app.drain().await;
        assert_eq!(operations(&app), ["refund unknown"]);
        assert_eq!(app.payment(&token).await.refunded.minor, 2000, "asking told of it");
        assert_eq!(fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count(), 1);
    }

    async fn an_operation_outlives_the_process_that_began_it(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        fake.state().faults.push_back(Some(Fault::SlowAfter(400)));
        let died = tokio::time::timeout(Duration::from_millis(150), app.payments.refund(&token, Refund::all())).await;
        assert!(died.is_err(), "it ended before its answer came");
        app.drain().await;
        assert_eq!(operations(&app), ["refund underway"]);
        app.pass(901);
        app.drain().await;
        assert_eq!((app.status(&token).await, operations(&app)), (Status::Refunded, vec!["refund done".to_owned()]));
        assert_eq!(fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count(), 1);
    }

    async fn what_never_reached_the_gateway_is_left_where_it_was_done_by_another_way(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        fake.state().faults.push_back(Some(Fault::CutBefore));
        assert_eq!(app.payments.refund(&token, Refund::all()).await.unwrap(), Outcome::Underway);
        // As if the process had ended before its call, and somebody refunds it in the dashboard.
        app.run(&format!("UPDATE pay_operations SET outcome = '{NOT_ASKED}' WHERE state = 'underway'"));
        let intent = fake.state().intents.keys().next().unwrap().clone();
        fake.refund(&intent, 5000);
        refreshed(&app, &token).await;
        app.pass(901);
        app.drain().await;
        assert_eq!((app.status(&token).await, operations(&app)), (Status::Refunded, vec!["refund overtaken".to_owned()]));
        assert_eq!(fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count(), 1);
    }

    async fn what_never_reached_the_gateway_is_done_where_it_is_still_allowed(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        fake.state().faults.push_back(Some(Fault::CutBefore));
        assert_eq!(app.payments.refund(&token, Refund::all()).await.unwrap(), Outcome::Underway);
        app.run(&format!("UPDATE pay_operations SET outcome = '{NOT_ASKED}' WHERE state = 'underway'"));
        app.pass(901);
        app.drain().await;
        assert_eq!((app.status(&token).await, operations(&app)), (Status::Refunded, vec!["refund done".to_owned()]));
    }

    async fn what_an_older_release_may_have_sent_is_repeated_under_its_key(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        fake.state().faults.push_back(Some(Fault::CutAfter));
        assert_eq!(app.payments.refund(&token, Refund::all()).await.unwrap(), Outcome::Underway);
        // It notes nothing before a call. That the money is back is told by an event before anybody takes it up.
        app.run("UPDATE pay_operations SET outcome = NULL WHERE state = 'underway'");
        refreshed(&app, &token).await;
        app.pass(901);
        app.drain().await;
        assert_eq!((app.status(&token).await, operations(&app)), (Status::Refunded, vec!["refund done".to_owned()]));
        assert_eq!(fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count(), 1);
    }

    async fn who_was_frozen_until_another_took_it_up_asks_for_nothing(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        // Between adding the operation and the call another process claims it.
        let claim = "UPDATE pay_operations SET attempts = attempts + 1 WHERE id = NEW.id";
        match kind {
            Kind::Sqlite => app.run(&format!("CREATE TRIGGER claimed AFTER INSERT ON pay_operations BEGIN {claim}; END")),
            Kind::Postgres => {
                let body = format!("BEGIN {claim}; RETURN NULL; END");
                app.run(&format!("CREATE FUNCTION claim() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"));
                app.run("CREATE TRIGGER claimed AFTER INSERT ON pay_operations FOR EACH ROW EXECUTE FUNCTION claim()");
            }
        }
        assert_eq!(app.payments.refund(&token, Refund::all()).await.unwrap(), Outcome::Underway);
        let refunds = || fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count();
        assert_eq!(refunds(), 0);
        app.pass(901);
        app.drain().await;
        assert_eq!((app.status(&token).await, refunds()), (Status::Refunded, 1));
    }

    async fn what_stripe_declines_is_told_with_its_words_and_can_be_asked_again(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        for (fault, words) in [(Fault::Decline, "402 card_error: as the test says"), (Fault::RateLimit, "429 rate_limit_error")] {
            fake.state().faults.push_back(Some(fault));
            let declined = app.payments.refund(&token, Refund::all()).await.unwrap_err();
            assert_eq!(declined.kind(), ErrorKind::Gateway);
            assert!(declined.to_string().contains(words), "{declined}");
        }
        assert_eq!(operations(&app), ["refund declined", "refund declined"]);
        assert_eq!(app.payments.refund(&token, Refund::all()).await.unwrap(), Outcome::Done);
    }

    async fn a_checkout_with_a_declined_card_is_closed(kind) {
        let (app, fake) = app(kind).await;
        let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/");
        let token = app.payments.create(new).await.unwrap().payment.token;
        fake.decline(&token);
        let told = fake.state().events[0].to_string();
        app.deliver(&[&told]).await;
        assert_eq!(app.status(&token).await, Status::Failed);
        // Stripe would not cancel the intent of an open session by itself.
        assert_eq!(app.payments.cancel(&token).await.unwrap(), Outcome::Done);
        assert_eq!(fake.state().effects.last().unwrap(), "expire cs_1");
        assert_eq!(app.status(&token).await, Status::Expired);
    }

    async fn several_processes_never_ask_for_more_than_there_is(kind) {
        let (app, fake) = app(kind).await;
        let mut processes = vec![app.payments.clone()];
        for _ in 0..3 {
            let gateway = fake.gateway(SECRET);
            processes.push(App::at(app.url.clone(), None, |builder| builder.variant("stripe", gateway)).await.payments);
        }
        for _ in 0..20 {
            let token = paid(&app, &fake, CaptureMethod::Immediate).await;
            refreshed(&app, &token).await;
            let part = |payments: Payments| {
                let token = token.clone();
                async move { payments.refund(&token, Refund::part(money(3000, "EUR"))).await.is_ok() }
            };
            let asked: Vec<_> = processes.iter().cloned().map(|process| actix_web::rt::spawn(part(process))).collect();
            let mut done = 0;
            for asked in asked {
                done += usize::from(asked.await.unwrap());
            }
            app.drain().await;
            assert_eq!((done, app.payment(&token).await.refunded.minor), (1, 3000));
        }
        // Not even Stripe had to say no.
        assert_eq!(operations(&app), ["refund done"; 20]);
    }

    async fn all_that_is_left_leaves_out_what_is_underway(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        fake.state().faults.push_back(Some(Fault::CutBefore));
        assert_eq!(app.payments.refund(&token, Refund::part(money(2000, "EUR"))).await.unwrap(), Outcome::Underway);
        assert_eq!(app.payments.refund(&token, Refund::all()).await.unwrap(), Outcome::Done);
        app.pass(60);
        app.drain().await;
        let given: Vec<String> = fake.state().effects.iter().filter(|it| it.starts_with("refund")).cloned().collect();
        assert_eq!(given, ["refund 3000 of pi_2", "refund 2000 of pi_2"]);
        assert_eq!(app.status(&token).await, Status::Refunded);
    }

    async fn a_refund_of_one_name_is_made_once(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        let again = || app.payments.refund(&token, Refund::part(money(1000, "EUR")).key("sold-out"));
        fake.state().faults.push_back(Some(Fault::CutAfter));
        assert_eq!(again().await.unwrap(), Outcome::Underway);
        assert_eq!(again().await.unwrap(), Outcome::Underway);
        app.pass(60);
        app.drain().await;
        assert_eq!(again().await.unwrap(), Outcome::Done);
        assert_eq!(app.payment(&token).await.refunded.minor, 1000);
        assert_eq!(fake.state().effects.iter().filter(|it| it.starts_with("refund")).count(), 1);
    }

    async fn what_is_done_counts_before_its_answer_could_be_processed(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| {
            builder.variant("stripe", gateway).handler_in_transaction("book", |_, step| match step.to {
                Status::PartiallyRefunded => Err(HandlerError::retry("the books are closed")),
                _ => Ok(()),
            })
        })
        .await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        let part = Refund::part(money(2000, "EUR"));
        assert_eq!(app.payments.refund(&token, part).await.unwrap(), Outcome::Done);
        assert_eq!(app.payment(&token).await.refunded.minor, 0, "its event waits for another try");
        let more = app.payments.refund(&token, Refund::part(money(3001, "EUR"))).await.unwrap_err();
        assert!(more.to_string().contains("at most 30.00 EUR"), "{more}");
    }

    async fn a_process_without_the_variant_leaves_its_operations_alone(kind) {
        let (app, fake) = app(kind).await;
        let token = paid(&app, &fake, CaptureMethod::Immediate).await;
        refreshed(&app, &token).await;
        fake.state().faults.push_back(Some(Fault::CutAfter));
        app.payments.refund(&token, Refund::all()).await.unwrap();
        let clock = app.now() + 60;
        let now = move || actix_payments::domain::Timestamp::from_unix_timestamp(clock).unwrap();
        let other = App::at(app.url.clone(), None, |b| b.clock(now).variant("dummy", Dummy::new("secret"))).await;
        other.drain().await;
        assert_eq!(app.texts("SELECT cast(attempts AS text) AS t FROM pay_operations WHERE verb = 'refund'"), ["1"]);
        app.pass(60);
        app.drain().await;
        assert_eq!(app.status(&token).await, Status::Refunded);
    }
}
