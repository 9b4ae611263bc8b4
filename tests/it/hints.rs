//! Can a company be taken in that signs nothing? Its hint is an id that anybody can post, so the company is asked what is
//! true, and its answer is the event. And has a gateway no words by which an event could be lost?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use actix_payments::NewPayment;
use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, Verified};
use actix_payments::domain::fact::{Aspect, Fact, State};
use actix_payments::domain::money::Currency;
use actix_payments::domain::payment::Status;
use actix_payments::gateways::{Gateway, Reply, Verification};
use actix_web::http::Method;

use crate::app::{App, on_both_databases};
use crate::scenes::{money, with};

/// What the company knows: of each of its ids the answer that it gives, or none while it can't be reached.
#[derive(Clone, Default)]
struct Company(Arc<Mutex<BTreeMap<String, String>>>, Arc<Mutex<bool>>);

impl Company {
    async fn ask(&self, id: &str) -> Result<Option<String>, Rejection> {
        // As a call over the network is.
        actix_web::rt::task::yield_now().await;
        if *self.1.lock().unwrap() {
            return Err(Rejection::Unverifiable);
        }
        Ok(self.0.lock().unwrap().get(id).cloned())
    }

    fn says(&self, id: &str, status: &str, token: &str) {
        let answer = format!("{id} {status} {token}");
        self.0.lock().unwrap().insert(id.to_owned(), answer);
    }
}

/// A gateway for it, as a host would write it. It also says what no gateway may say.
struct Hinting(Company);

impl Hinting {
    async fn confirmed(&self, delivery: &Delivery) -> Result<Verified, Rejection> {
        let body = std::str::from_utf8(&delivery.body).map_err(|_| Rejection::BodyMalformed)?;
        let id = body.strip_prefix("id=").filter(|id| id.starts_with("tr_")).ok_or(Rejection::BodyMalformed)?;
        // Whoever guesses ids learns nothing: an unknown one is taken, and carries no event.
        let answer = self.0.ask(id).await?;
        let event = |answer: String| Envelope::new(answer.replace(' ', "-"), "payment", answer);
        Ok(Verified::new(answer.into_iter().map(event).collect()))
    }
}

impl Gateway for Hinting {
    fn name(&self) -> &'static str {
        "Hinting"
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, _: Timestamp) -> Verification<'a> {
        Verification::Later(Box::pin(self.confirmed(delivery)))
    }

    fn reply(&self, end: Result<(), Rejection>) -> Option<Reply> {
        let status = if end.is_ok() { 503 } else { 200 };
        Some(Reply::new(status, "what no gateway may say".to_owned()))
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        let text = std::str::from_utf8(event.body).map_err(|_| Malformed("expected UTF-8".to_owned()))?;
        let [id, status, token] = text.split(' ').collect::<Vec<_>>()[..] else {
            return Err(Malformed("expected three words".to_owned()));
        };
        let state = if status == "paid" { State::Succeeded } else { State::Pending };
        let fact = Fact::new(Aspect::Capture, id, state, event.occurred_at, event.id);
        Ok(with(Interpretation::default(), |it| {
            it.references = References::new(vec![token.to_owned()], vec![id.to_owned()]);
            it.facts = vec![fact.with_amount(4999, Currency::parse("EUR").unwrap())];
            it.summary = status.to_owned();
        }))
    }
}

async fn hint(app: &App, body: &str) -> (u16, String) {
    let answer = app.request(Method::POST, "/payments/hinting/", &[], body.as_bytes()).await;
    (answer.status, answer.body)
}

on_both_databases! {
    async fn a_hint_is_worth_what_the_company_says_when_asked(kind) {
        let company = Company::default();
        let app = App::bare(kind, |builder| builder.variant("hinting", Hinting(company.clone()))).await;
        let token = app.payments.create(NewPayment::new("hinting", money(4999, "EUR"))).await.unwrap().payment.token;
        let ok = (200, "ok".to_owned());
        // Nobody's word but the company's counts, and it knows nothing of this id.
        assert_eq!(hint(&app, "id=tr_1").await, ok);
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), 0);
        company.says("tr_1", "open", &token);
        for _ in 0..3 {
            assert_eq!(hint(&app, "id=tr_1").await, ok);
        }
        app.drain().await;
        assert_eq!((app.number("SELECT count(*) FROM pay_events"), app.status(&token).await), (1, Status::Pending));
        // The same hint again, and another truth.
        company.says("tr_1", "paid", &token);
        assert_eq!(hint(&app, "id=tr_1").await, ok);
        app.drain().await;
        assert_eq!((app.number("SELECT count(*) FROM pay_events"), app.status(&token).await), (2, Status::Paid));
    }

    async fn what_can_not_be_asked_now_is_told_to_come_again_whatever_the_gateway_would_say(kind) {
        let company = Company::default();
        let app = App::bare(kind, |builder| builder.variant("hinting", Hinting(company.clone()))).await;
        company.says("tr_1", "paid", "a token");
        *company.1.lock().unwrap() = true;
        assert_eq!(hint(&app, "id=tr_1").await, (503, "unverifiable".to_owned()));
        assert_eq!(hint(&app, "something else").await, (400, "body_malformed".to_owned()), "a refusal is no success");
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), 0);
        *company.1.lock().unwrap() = false;
        assert_eq!(hint(&app, "id=tr_1").await, (200, "ok".to_owned()));
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), 1);
    }
}
