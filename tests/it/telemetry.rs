//! Is everything measured and traced that the guide lists, and nothing that a stranger chose or a person would not want?

mod documents;
mod spans;

use actix_payments::{AnyRef, HandlerError, METRICS, MetricKind, NewPayment, Transition};
use actix_web::http::Method;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::app::{App, NOW, SECRET, on_both_databases};
use crate::scenes::{completed, money};
use crate::stripe::fake::Fake;

/// The recorder of this process.
fn recorder() -> PrometheusHandle {
    static RECORDER: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap()).clone()
}

on_both_databases! {
    async fn a_story_is_seen_in_every_metric_with_the_labels_that_are_listed(kind) {
        let (recorder, fake) = (recorder(), Fake::new(NOW));
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| {
            let book = |_: AnyRef<'_>, _: &Transition| Ok::<(), HandlerError>(());
            let builder = builder.variant("stripe", gateway).handler_in_transaction("book", book);
            builder.handler("send-receipt", |_: Transition| async { Ok(()) })
        });
        let app = app.await;
        app.payments.reconcile("stripe").await.unwrap();
        let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/");
        let token = app.payments.create(new).await.unwrap().payment.token;
        fake.pay(&token);
        let is_paid = |event: &&serde_json::Value| event["type"] == "checkout.session.completed";
        let event = fake.state().events.iter().find(is_paid).unwrap().to_string();
        app.deliver(&[&event, &event]).await;
        let stranger = [("stripe-signature", "t=1,v1=00")];
        app.request(Method::POST, "/payments/stripe/", &stranger, br#"{"id":"evt_stranger"}"#).await;
        app.request(Method::POST, "/payments/strangers-word/", &stranger, b"{}").await;
        app.payments.reconcile("stripe").await.unwrap();
        let worker = app.payments.worker().poll(std::time::Duration::from_millis(10)).start().unwrap();
        app.until("SELECT count(*) FROM pay_chores WHERE name = 'growth' AND note IS NOT NULL", 1).await;
        worker.stop().await;
        app.payments.measure().await.unwrap();
        let text = recorder.render();
        for metric in METRICS {
            let is_it = |line: &&str| line.starts_with(metric.name) && !line.starts_with('#');
            let line = text.lines().find(is_it).unwrap_or_else(|| panic!("{} was not measured:\n{text}", metric.name));
            for label in metric.labels {
                assert!(line.contains(&format!("{label}=\"")), "{line} lacks {label}");
            }
            let given = line.matches("=\"").count() - line.matches("quantile=\"").count();
            assert_eq!(given, metric.labels.len(), "{line}");
            let kind = match metric.kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                _ => "summary",
            };
            assert!(text.contains(&format!("# TYPE {} {kind}\n", metric.name)), "{text}");
        }
        let counted = |line: &str| assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
        counted(r#"pay_deliveries_total{variant="stripe",answer="stored"} 1"#);
        counted(r#"pay_deliveries_total{variant="stripe",answer="duplicate"} 1"#);
        counted(r#"pay_rejections_total{variant="",cause="unknown_variant"} 1"#);
        counted(r#"pay_reconciled_total{variant="stripe"} 2"#);
        counted(r#"pay_events{state="available"} 0"#);
        counted(r#"pay_table_rows{table="pay_payments"} 1"#);
        counted(r#"pay_handler_seconds_count{handler="book",outcome="ok"} 1"#);
        counted(r#"pay_handler_seconds_count{handler="send-receipt",outcome="ok"} 1"#);
        for word in ["strangers-word", "evt_stranger", "checkout.session", "whsec_"] {
            assert!(!text.contains(word), "{word} in\n{text}");
        }
        let unlisted = text.lines().filter(|line| line.starts_with("pay_")).find(|line| {
            let name = line.split(['{', ' ']).next().unwrap();
            let name = ["_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            METRICS.iter().all(|metric| metric.name != name)
        });
        assert_eq!(unlisted, None);
    }

    async fn a_handler_in_the_transaction_that_refuses_is_measured_by_its_outcome(kind) {
        let recorder = recorder();
        let refuses = |_: AnyRef<'_>, _: &Transition| Err(HandlerError::Discard("no such order".to_owned()));
        let app = App::with(kind, |builder| builder.handler_in_transaction("book", refuses)).await;
        app.deliver(&[&completed(&app.order().await.token)]).await;
        assert_eq!(app.events("discarded"), 1);
        let text = recorder.render();
        let begins = r#"pay_handler_seconds_count{handler="book",outcome="discard"} "#;
        assert!(text.lines().any(|line| line.starts_with(begins)), "{begins} in\n{text}");
        assert!(!text.contains(r#"handler="book",outcome="ok""#), "{text}");
    }
}
