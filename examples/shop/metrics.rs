//! The shop's numbers for Prometheus, at `/metrics`. It has no login, so a real shop keeps it from strangers: by a port of
//! its own, or in its proxy.

use std::error::Error;

use actix_payments::{METRICS, Payments};
use actix_web::web::{Data, ServiceConfig, get};
use actix_web::{HttpResponse, Responder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// In seconds: from a commit to a customer who has left.
const BUCKETS: [f64; 11] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 300.0, 3_600.0];

/// Installs the recorder, once in a process.
pub(crate) fn install() -> Result<PrometheusHandle, Box<dyn Error>> {
    let handle = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
    for metric in METRICS {
        match metric.kind {
            actix_payments::MetricKind::Counter => metrics::describe_counter!(metric.name, metric.help),
            actix_payments::MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            _ => metrics::describe_histogram!(metric.name, metric.help),
        }
    }
    Ok(handle)
}

pub(crate) fn route(handle: PrometheusHandle) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config.app_data(Data::new(handle)).route("/metrics", get().to(metrics));
    }
}

async fn metrics(handle: Data<PrometheusHandle>, payments: Payments) -> impl Responder {
    if let Err(error) = payments.measure().await {
        log::warn!("the gauges are old: {error}");
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(handle.render())
}
