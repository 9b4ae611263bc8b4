// What examples in the documentation run in: a shop with the dummy gateway and a database of its own. Without SQLite
// they are compiled and do not run.

#[allow(dead_code)]
fn shop(example: impl AsyncFnOnce(actix_payments::Payments) -> Result<(), Box<dyn std::error::Error>>) {
    #[cfg(feature = "sqlite")]
    actix_web::rt::System::new().block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let database = actix_payments::Database::sqlite(folder.path().join("shop.db").display().to_string());
        let builder = actix_payments::Payments::builder(database.expect("a database"));
        let builder = builder.variant("dummy", dummy()).erasure_key("the key of a shop in an example");
        let payments = builder.build().expect("a configuration that works");
        payments.migrate().await.expect("the tables");
        example(payments).await.expect("an example that works");
    });
    #[cfg(not(feature = "sqlite"))]
    drop(example);
}

#[allow(dead_code)]
fn dummy() -> actix_payments::gateways::dummy::Dummy {
    let price = actix_payments::domain::money::Money::new(12_50, actix_payments::domain::money::Currency::EUR);
    actix_payments::gateways::dummy::Dummy::new("a secret of the shop").price("tea", price, "month")
}

/// A payment of 49.99 EUR to which this happened.
#[allow(dead_code)]
async fn order(
    payments: &actix_payments::Payments,
    kind: actix_payments::gateways::dummy::Kind,
) -> Result<actix_payments::Payment, Box<dyn std::error::Error>> {
    let amount = actix_payments::domain::money::Money::new(49_99, actix_payments::domain::money::Currency::EUR);
    let new = actix_payments::NewPayment::new("dummy", amount).customer("mia@shop.example").reference("order-10042");
    let payment = payments.create(new.without_checkout()).await?.payment;
    let event = actix_payments::gateways::dummy::DummyEvent::new("de_1", kind, &payment.token, amount);
    let now = actix_payments::domain::Timestamp::now_utc();
    payments.receive("dummy", dummy().delivery(&event, now)).await?;
    payments.worker().drain().await?;
    Ok(payments.payment(&payment.token).await?.expect("it was created"))
}
