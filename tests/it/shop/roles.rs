//! What if one process of the shop only receives and another only works?

use super::process::{Client, Place, built};
use super::story::completed;
use crate::app::on_both_databases;

/// Buys and pays; answers the order.
fn pay(client: &Client) -> String {
    let bought = client.buy().unwrap();
    let answer = client.stripe(&completed(&bought.token).body).unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    bought.order
}

impl Place {
    /// The status of an order and how many receipts were sent for it.
    fn order(&self, order: &str) -> Vec<String> {
        self.texts(&format!("SELECT status || ' ' || receipts AS t FROM shop_orders WHERE id = '{order}'"))
    }
}

on_both_databases! {
    async fn what_one_process_receives_another_works_and_neither_does_the_others_part(kind) {
        let place = Place::fresh(kind);
        let receiver = place.open_as("receive");
        let client = receiver.client();
        let first = pay(&client);
        // It needs nobody who works to be ready, and does none of the work.
        let ready = client.is_ready().body;
        assert!(["worker", "events", "handlers"].iter().all(|part| !ready.contains(part)), "{ready}");
        assert_eq!(place.texts("SELECT state AS t FROM pay_events"), ["available"]);
        assert_eq!(place.number("SELECT count(*) FROM pay_workers"), 0);
        assert_eq!(place.order(&first), ["pending 0"]);

        let worker = place.open_as("work");
        let beside = worker.client();
        assert!(beside.is_ready().body.contains(r#""worker":"ok""#));
        place.settled();
        assert_eq!(place.order(&first), ["paid 1"]);
        for path in ["/", "/payments/admin/", "/shop.css"] {
            assert_eq!(beside.get(path, "*/*").status, 404, "{path}");
        }
        assert_eq!(beside.stripe("{}").unwrap().status, 404, "it takes no deliveries");
        let sent = [&receiver, &worker].map(|shop| shop.log().matches("sending a receipt").count());
        assert_eq!(sent, [0, 1]);

        // Deliveries are taken while nobody works, and done by whoever works next.
        assert!(worker.stop("TERM").success());
        let second = pay(&client);
        assert_eq!((client.get("/health/ready", "*/*").status, place.order(&second)), (200, vec!["pending 0".to_owned()]));
        let _another = place.open_as("work");
        place.settled();
        assert_eq!(place.order(&second), ["paid 1"]);
    }

    async fn a_role_that_nobody_knows_is_refused_in_words(kind) {
        let place = Place::fresh(kind);
        let shop = std::process::Command::new(built())
            .envs([("DATABASE_URL", place.url.as_str()), ("ROLE", "reveice"), ("BIND", "127.0.0.1:0")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&shop.stderr).into_owned();
        assert!(!shop.status.success() && said.contains("expected ROLE to be all, receive or work"), "{said}");
    }
}
