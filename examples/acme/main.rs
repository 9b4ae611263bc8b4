//! A host with a gateway of its own: `gateway.rs` is all that it takes. Run it, and post what it prints.

mod gateway;

use actix_payments::gateways::Gateway;
use actix_payments::{Database, Payments, basic_auth, hash_password};
use actix_web::{App, HttpServer};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let payments =
        Payments::builder(Database::sqlite("acme.db")?).variant("acme", gateway::Acme::new("a secret")).build()?;
    payments.migrate().await?;
    let worker = payments.worker().start()?;
    let staff = basic_auth("admin", hash_password("acme")?)?;
    let server = HttpServer::new({
        let payments = payments.clone();
        move || App::new().service(payments.mount("/payments").admin(staff.clone()))
    })
    .bind("127.0.0.1:8081")?;
    println!("admin: http://127.0.0.1:8081/payments/admin/ (admin, acme). An event, signed for the next five minutes:");
    println!("{}", command(&gateway::Acme::new("a secret")));
    server.run().await?;
    worker.stop().await;
    Ok(())
}

/// A `curl` command that delivers a genuine event.
fn command(acme: &gateway::Acme) -> String {
    let now = actix_payments::domain::Timestamp::now_utc();
    let body = format!(
        r#"{{"id":"evt_1","kind":"payment.paid","at":{},"live":false,"object":{{"id":"pay_1","amount":"49.99","currency":"EUR"}}}}"#,
        now.unix_timestamp()
    );
    let headers = acme.sign(body.as_bytes(), now).unwrap_or_default();
    let headers: String = headers.iter().map(|(name, value)| format!(" -H '{name}: {value}'")).collect();
    format!("curl http://127.0.0.1:8081/payments/acme/{headers} -d '{body}'")
}
