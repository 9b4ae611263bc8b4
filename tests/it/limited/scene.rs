//! A marketplace of two merchants, of which each has all that pages show.

use actix_payments::gateways::dummy::{Dummy, DummyEvent, Kind as Happened};
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::{HandlerError, NewPayment, Token};
use actix_web::http::Method;
use serde_json::{Value, json};

use crate::app::{App, Kind, SECRET};
use crate::events::{changed, fixture};
use crate::scenes::{money, of_story};
use crate::subscriptions::story::{START, Story};

/// A merchant with a variant of its name at Stripe, and one at a gateway that does what it is asked for.
pub struct Merchant {
    pub name: &'static str,
    pub email: &'static str,
    pub person: &'static str,
    /// What its payments are of, in minor units.
    pub minor: i64,
    /// The same as pages, files and bodies write it.
    pub amounts: [&'static str; 3],
    number: usize,
}

pub const OWN: Merchant = Merchant {
    name: "acme",
    email: "ada@acme.example",
    person: "Ada Bell",
    minor: 4321,
    amounts: ["43.21", "43.21", "4321"],
    number: 1,
};
pub const FOREIGN: Merchant = Merchant {
    name: "zeta",
    email: "zoe@zeta.example",
    person: "Zoe Kahn",
    minor: 765_432,
    amounts: ["7,654.32", "7654.32", "765432"],
    number: 2,
};

/// A customer of both.
const BOTH: &str = "both@shared.example";

/// What a merchant has, by which an address may ask for it.
pub struct Rows {
    pub payment: String,
    /// One that its gateway refunds.
    pub refundable: String,
    /// Of the customer of both merchants.
    pub shared: String,
    pub subscription: String,
    pub event: i64,
    pub difference: i64,
}

/// Both, with all that they have.
pub async fn marketplace(kind: Kind) -> App {
    let app = App::bare(kind, |builder| {
        let builder = builder.on_event("payout.failed", "book", |event| {
            let why = format!("no account for {}", event.id);
            async move { Err::<(), _>(HandlerError::Retry(why.into())) }
        });
        [OWN, FOREIGN].iter().fold(builder, |builder, merchant| {
            let cash = format!("{}-cash", merchant.name);
            builder.variant(merchant.name, Stripe::new(SECRET)).variant(cash, Dummy::new("secret"))
        })
    })
    .await;
    for merchant in [OWN, FOREIGN] {
        merchant.open(&app).await;
    }
    let failed = app.texts("SELECT CAST(id AS TEXT) AS t FROM pay_events WHERE gateway_event_id LIKE 'evt_failed%'");
    let ids: String = failed.iter().map(|id| format!("&id={id}")).collect();
    let requeued = format!("act=requeue{ids}&count=2&states=retryable%202");
    assert!(app.post("/payments/admin/events/bulk", &requeued).await.text().contains("2 events were requeued"));
    app.drain().await;
    app
}

impl Merchant {
    pub fn cash(&self) -> String {
        format!("{}-cash", self.name)
    }

    /// The fixtures' texts as this merchant's.
    fn own(&self, text: &str) -> String {
        let customer = fixture("customer.subscription.updated")["data"]["object"]["customer"].clone();
        let customer = customer.as_str().unwrap().to_owned();
        text.replace("4999", &self.minor.to_string())
            .replace("jenny.rosen@example.com", self.email)
            .replace("Jenny Rosén", self.person)
            .replace(&customer, &format!("cus_{}", self.name))
    }

    async fn says(&self, app: &App, event: &str) {
        let (path, body) = (format!("/payments/{}/", self.name), self.own(event));
        let signature = sign_delivery(SECRET, app.now(), body.as_bytes());
        let taken = app.request(Method::POST, &path, &[("stripe-signature", &signature)], body.as_bytes()).await;
        assert_eq!((taken.status, taken.body.as_str()), (200, "ok"), "{body}");
    }

    async fn creates(&self, app: &App, variant: &str, order: &str, minor: i64, email: &str) -> Token {
        let payment = NewPayment::new(variant, money(minor, "EUR"));
        let payment = payment.reference(format!("{}-{order}", self.name)).customer(email).without_checkout();
        app.payments.create(payment).await.unwrap().payment.token
    }

    async fn open(&self, app: &App) {
        let token = self.creates(app, self.name, "order", self.minor, self.email).await;
        self.creates(app, self.name, "shared", self.minor + 1, BOTH).await;
        let cash = self.creates(app, &self.cash(), "cash", self.minor, self.email).await;
        let paid = DummyEvent::new(format!("de_{cash}"), Happened::Paid, &cash, money(self.minor, "EUR"));
        let now = actix_payments::domain::Timestamp::from_unix_timestamp(app.now()).unwrap();
        let paid = Dummy::new("secret").delivery(&paid, now);
        app.payments.receive(&self.cash(), paid).await.unwrap();
        let id = |name: &str| ("/id", Value::from(format!("evt_{name}_{}", self.name)));
        for name in
            ["checkout.session.completed", "charge.succeeded", "charge.refunded.partial", "charge.dispute.created"]
        {
            self.says(app, &of_story(name, self.number, &token)).await;
        }
        self.says(app, &of_story("checkout.session.completed", self.number + 10, &format!("parked-{}", self.name)))
            .await;
        self.says(app, &changed("payout.failed", &[id("failed")])).await;
        self.says(app, &changed("charge.succeeded", &[id("unreadable"), ("/data/object/amount", "49.99".into())]))
            .await;
        let mut story = Story::new(self.name, "active");
        story.checkout(START, &format!("owner-{}", self.name)).invoice("paid", START, json!({}));
        story.update(START + 60, json!({"status": "past_due"}));
        for event in &story.events {
            self.says(app, event).await;
        }
        app.drain().await;
        app.run(&format!(
            "INSERT INTO pay_differences (variant, subject, name, fields, found_at, seen_at) VALUES \
             ('{}', 'payment', '{token}', '[]', '2026-10-12 10:00:00', '2026-10-12 10:00:00')",
            self.name
        ));
        let rows = self.rows(app);
        for on in [format!("payments/{}", rows.payment), format!("events/{}", rows.event)] {
            let note = format!("note=Asked+{}+again", self.person.replace(' ', "+"));
            assert_eq!(app.post(&format!("/payments/admin/{on}/note"), &note).await.status, 303, "{on}");
        }
        assert_eq!(app.post(&format!("/payments/admin/variants/{}/test", self.name), "").await.status, 303);
    }

    /// What the merchant has.
    pub fn rows(&self, app: &App) -> Rows {
        let (name, cash) = (self.name, self.cash());
        let one = |sql: String| app.texts(&sql).pop().unwrap();
        let payment = |of: &str| one(format!("SELECT token AS t FROM pay_payments WHERE reference = '{name}-{of}'"));
        let number = |sql: String| app.number(&sql);
        assert_eq!(
            number(format!("SELECT count(*) FROM pay_payments WHERE variant = '{cash}' AND status = 'paid'")),
            1
        );
        Rows {
            payment: payment("order"),
            refundable: payment("cash"),
            shared: payment("shared"),
            subscription: one(format!("SELECT token AS t FROM pay_subscriptions WHERE variant = '{name}'")),
            event: number(format!("SELECT id FROM pay_events WHERE gateway_event_id = 'evt_failed_{name}'")),
            difference: number(format!("SELECT max(id) FROM pay_differences WHERE variant = '{name}'")),
        }
    }

    /// All words by which somebody would know what the merchant has.
    pub fn marks(&self, app: &App) -> Vec<String> {
        let mut marks: Vec<String> = [
            "SELECT token AS t FROM pay_payments",
            "SELECT gateway_ref AS t FROM pay_references",
            "SELECT gateway_event_id AS t FROM pay_events",
            "SELECT token AS t FROM pay_subscriptions",
            "SELECT gateway_ref AS t FROM pay_subscriptions",
        ]
        .into_iter()
        .flat_map(|select| {
            let found = app.texts(&format!("{select} WHERE variant LIKE '{}%'", self.name));
            assert!(!found.is_empty(), "{select}");
            found
        })
        .collect();
        marks.extend([self.name, self.email, self.person].map(str::to_owned));
        marks.extend(self.amounts.map(str::to_owned));
        marks.push(self.sum(app));
        marks
    }

    /// What its payments took in of euros, as the overview writes it.
    pub fn sum(&self, app: &App) -> String {
        let of = format!("FROM pay_payments WHERE variant LIKE '{}%' AND currency = 'EUR'", self.name);
        let sum = app.number(&format!("SELECT CAST(sum(captured_amount) AS BIGINT) {of}"));
        money(sum, "EUR").to_string().trim_end_matches(" EUR").to_owned()
    }
}
