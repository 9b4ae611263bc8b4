//! Does the shop's page of numbers say what happened, in the format that Prometheus reads?

use actix_payments::METRICS;

use super::process::{Place, SECRET, now};
use super::story::completed;
use crate::app::on_both_databases;
use actix_payments::gateways::stripe::sign_delivery;

on_both_databases! {
    async fn what_was_delivered_and_refused_is_counted_for_prometheus(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let client = shop.client();
        let event = completed(&client.buy().unwrap().token);
        let signature = sign_delivery(SECRET, now(), event.body.as_bytes());
        assert_eq!(client.deliver(&signature, &event.body).unwrap().status, 200);
        assert_eq!(client.deliver("t=1,v1=00", &event.body).unwrap().status, 400);
        place.settled();
        let page = client.get("/metrics", "*/*");
        assert_eq!(page.status, 200);
        let kind = page.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
        for line in [
            r#"pay_deliveries_total{variant="stripe",answer="stored"} 1"#,
            r#"pay_deliveries_total{variant="stripe",answer="refused"} 1"#,
            r#"pay_events{state="available"} 0"#,
            "# TYPE pay_event_lag_seconds histogram",
        ] {
            assert!(page.body.lines().any(|it| it == line), "{line} in {}", page.body);
        }
        let named = |line: &&str| line.starts_with("# TYPE pay_");
        let names = page.body.lines().filter(named).filter_map(|line| line.split(' ').nth(2));
        let unlisted: Vec<_> = names.filter(|name| METRICS.iter().all(|metric| metric.name != *name)).collect();
        assert_eq!(unlisted, Vec::<&str>::new());
        assert!(!page.body.contains("whsec_") && !page.body.contains(&event.id), "{}", page.body);
    }
}
