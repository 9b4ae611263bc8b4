//! Does a batch of events cost a bounded number of statements, whatever its size?

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::Delivery;
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::{Builder, Database, Payments, Person};
use actix_web::rt::time::sleep;
use diesel::PgConnection;
use diesel::RunQueryDsl;
use diesel::connection::{Connection, InstrumentationEvent, SimpleConnection};
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error as PoolError, Pool};

use crate::app::{Kind, NOW, SECRET, fresh_database};

/// Keeps what the connections of a pool say, and of each transaction that processed events how many statements it had.
#[derive(Debug, Clone, Default)]
struct Listening(Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<usize>>>);

impl CustomizeConnection<PgConnection, PoolError> for Listening {
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), PoolError> {
        let (kept, batches) = (self.0.clone(), self.1.clone());
        let mut transaction: Vec<String> = Vec::new();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            let InstrumentationEvent::StartQuery { query, .. } = event else { return };
            let query = query.to_string();
            if query.starts_with("BEGIN") {
                transaction.clear();
            }
            transaction.push(query.clone());
            if query == "COMMIT" && transaction.iter().any(|sql| sql.contains("UPDATE pay_events AS e SET state")) {
                batches.lock().unwrap().push(transaction.len());
            }
            kept.lock().unwrap().push(query);
        });
        Ok(())
    }
}

struct Host {
    payments: Payments,
    said: Listening,
    clock: Arc<AtomicI64>,
}

impl Host {
    async fn new() -> Self {
        Self::at_a_database().await.0
    }

    /// Beside it: the address of its database.
    async fn at_a_database() -> (Self, String) {
        Self::built(|builder| builder).await
    }

    async fn built(more: impl FnOnce(Builder<PgConnection>) -> Builder<PgConnection>) -> (Self, String) {
        let (url, _) = fresh_database(Kind::Postgres);
        let said = Listening::default();
        let pool = Pool::builder().max_size(4).connection_customizer(Box::new(said.clone()));
        let pool = pool.build(ConnectionManager::<PgConnection>::new(&url)).unwrap();
        let clock = Arc::new(AtomicI64::new(NOW));
        let ticks = clock.clone();
        let builder = Payments::builder(Database::from_pool(pool))
            .variant("stripe", Stripe::new(SECRET))
            .clock(move || Timestamp::from_unix_timestamp(ticks.load(Ordering::SeqCst)).unwrap());
        let payments = more(builder).build().unwrap();
        payments.migrate().await.unwrap();
        (Self { payments, said, clock }, url)
    }

    /// The statements by which so many subscriptions are made and changed twice.
    async fn statements_of_subscriptions(&self, events: std::ops::Range<usize>) -> usize {
        let now = self.clock.load(Ordering::SeqCst);
        let count = events.len() * 3;
        for number in events {
            for (at, status) in ["incomplete", "active", "past_due"].into_iter().enumerate() {
                let created = now + i64::try_from(at).unwrap();
                self.receive(format!(
                    r#"{{"id":"evt_{number}_{at}","object":"event","type":"customer.subscription.updated",
                    "created":{created},"livemode":false,"data":{{"object":{{"id":"sub_{number}","object":"subscription",
                    "status":"{status}","customer":"cus_{number}"}}}}}}"#
                ))
                .await;
            }
        }
        // What was counted on arrival is written within 200 milliseconds, by a transaction of its own.
        sleep(Duration::from_secs(1)).await;
        self.said.0.lock().unwrap().clear();
        assert_eq!(self.payments.worker().drain().await.unwrap(), count);
        let said = std::mem::take(&mut *self.said.0.lock().unwrap());
        said.iter().filter(|sql| !sql.starts_with("SET ")).count()
    }

    async fn receive(&self, body: String) {
        let now = self.clock.load(Ordering::SeqCst);
        let signature = sign_delivery(SECRET, now, body.as_bytes()).into_bytes();
        let headers = vec![("stripe-signature".to_owned(), signature)];
        let delivery = Delivery::new(body).with_headers(headers);
        self.payments.receive("stripe", delivery).await.unwrap();
    }

    /// The statements by which so many paid checkouts become as many payments.
    async fn statements_of(&self, events: std::ops::Range<usize>) -> usize {
        let now = self.clock.load(Ordering::SeqCst);
        for number in events.clone() {
            let body = format!(
                r#"{{"id":"evt_{number}","object":"event","type":"checkout.session.completed","created":{now},
                "livemode":false,"data":{{"object":{{"id":"cs_{number}","object":"checkout.session","status":"complete",
                "payment_status":"paid","amount_total":4999,"currency":"eur","mode":"payment",
                "payment_intent":"pi_{number}"}}}}}}"#
            );
            self.receive(body).await;
        }
        // They are parked first, and adopted once their grace is over.
        assert_eq!(self.payments.worker().drain().await.unwrap(), events.len());
        self.clock.fetch_add(120, Ordering::SeqCst);
        self.said.0.lock().unwrap().clear();
        assert_eq!(self.payments.worker().drain().await.unwrap(), events.len());
        let said = std::mem::take(&mut *self.said.0.lock().unwrap());
        // Each adopted payment is inserted by itself; a pool of the host's is set up at each check-out.
        let is_counted = |sql: &&String| !sql.contains("INSERT INTO \"pay_payments\"") && !sql.starts_with("SET ");
        said.iter().filter(is_counted).count()
    }
}

#[actix_web::test]
async fn a_batch_costs_the_same_few_statements_whatever_its_size() {
    let host = Host::new().await;
    let few = host.statements_of(0..5).await;
    let many = host.statements_of(5..55).await;
    assert_eq!(few, many, "statements of 5 and of 50 events");
    assert!(many <= 48, "{many} statements, with two looks that find nothing");
    let batches = std::mem::take(&mut *host.said.1.lock().unwrap());
    // Both park first; what adopts inserts each payment by itself.
    let [parked_few, adopted_few, parked, adopted] = batches[..] else { panic!("{batches:?}") };
    assert!(parked_few == parked && adopted - 50 == adopted_few - 5, "{batches:?}");
    assert!(parked <= 30 && adopted - 50 <= 30, "from BEGIN to COMMIT: {batches:?}");
}

#[actix_web::test]
async fn so_does_a_batch_of_subscriptions() {
    let host = Host::new().await;
    let few = host.statements_of_subscriptions(0..2).await;
    let many = host.statements_of_subscriptions(2..40).await;
    assert_eq!(few, many, "statements of 6 and of 114 events");
    assert!(many <= 40, "{many} statements, with two looks that find nothing");
}

#[actix_web::test]
async fn each_pass_of_an_erasure_reads_each_body_once() {
    let host = Host::built(|builder| builder.erasure_key("a key of the test's, 32 letters long")).await.0;
    for number in 0..450 {
        host.receive(format!(
            r#"{{"id":"evt_{number}","object":"event","type":"plan.updated","created":{NOW},"livemode":false,
            "data":{{"object":{{"id":"plan_{number}","object":"plan"}}}}}}"#
        ))
        .await;
    }
    host.said.0.lock().unwrap().clear();
    let erased = host.payments.erase(&Person::email("mia.kowalska@shop.example")).await.unwrap();
    assert_eq!(erased.events, 0);
    let said = std::mem::take(&mut *host.said.0.lock().unwrap());
    let bodies = said.iter().filter(|sql| sql.contains("\"pay_event_bodies\".\"body\""));
    let after = |sql: &String| -> i64 {
        let binds = sql.split("binds: [").nth(1).unwrap_or_else(|| panic!("{sql}"));
        binds
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .parse()
            .unwrap()
    };
    // One pass finds what is theirs; when that is forgotten, one more reduces what names them elsewhere or came since.
    assert_eq!(bodies.map(after).collect::<Vec<_>>(), [0, 200, 400, 0, 200, 400, 450]);
}

/// The plan of the claim as Postgres makes it for this host's transactions now.
fn plan_of_the_claim(host: &Host, url: &str) -> String {
    let said = host.said.0.lock().unwrap().clone();
    let claim = said.iter().find(|sql| sql.contains("\"pay_events\"") && sql.contains("SKIP LOCKED")).unwrap();
    let claim = claim.split(" -- binds").next().unwrap();
    let settings = said.iter().find(|sql| sql.contains("enable_seqscan")).unwrap();
    let settings = settings.split(" -- binds").next().unwrap();
    let mut conn = PgConnection::establish(url).unwrap();
    conn.transaction(|conn| {
        conn.batch_execute(settings)?;
        conn.batch_execute(&format!("PREPARE claim AS {claim}"))?;
        let lines: Vec<Line> =
            diesel::sql_query("EXPLAIN EXECUTE claim ('2100-01-01', '', '{stripe}', 200)").load(conn)?;
        Ok::<_, diesel::result::Error>(lines.into_iter().map(|line| line.text + "\n").collect())
    })
    .unwrap()
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
    text: String,
}

#[actix_web::test]
async fn a_claim_walks_the_index_of_what_is_due_and_sorts_nothing() {
    let (host, url) = Host::at_a_database().await;
    for backlog in [0..20, 20..600] {
        for number in backlog {
            host.receive(format!(
                r#"{{"id":"evt_{number}","object":"event","type":"plan.updated","created":{NOW},"livemode":false,
                "data":{{"object":{{"id":"plan_{number}","object":"plan"}}}}}}"#
            ))
            .await;
        }
        if host.said.0.lock().unwrap().iter().all(|sql| !sql.contains("SKIP LOCKED")) {
            assert!(host.payments.worker().drain().await.unwrap() > 0);
        }
        let plan = plan_of_the_claim(&host, &url);
        assert!(plan.contains("Index Scan using pay_events_due"), "{plan}");
        assert!(!plan.contains("Sort") && !plan.contains("Bitmap"), "{plan}");
        PgConnection::establish(&url).unwrap().batch_execute("ANALYZE").unwrap();
    }
}
