//! Is it told why a customer disputes a payment and why money went back, in each company's own word?

use actix_payments::domain::fact::Aspect;

use super::{Company, events, paddle, polar, razorpay, square, story, told, understand};
use crate::app::on_both_databases;
use crate::scenes::money;

/// The reasons that a fixture gives of disputes, or of refunds.
fn reasons<C: Company>(name: &str, aspect: Aspect) -> Vec<String> {
    let said = understand::<C>(name, &events::<C>()[name]);
    said.facts.into_iter().filter(|fact| fact.aspect == aspect).filter_map(|fact| fact.reason).collect()
}

#[test]
fn each_company_says_why_in_its_own_word() {
    let goods = "goods_or_services_not_received_or_partially_received";
    assert_eq!(reasons::<razorpay::Of>("payment.dispute.created", Aspect::Dispute), [goods]);
    assert_eq!(reasons::<square::Of>("dispute.created", Aspect::Dispute), ["NO_KNOWLEDGE"]);
    assert_eq!(reasons::<paddle::Of>("adjustment.created.chargeback", Aspect::Dispute), ["chargeback"]);
    assert_eq!(reasons::<polar::Of>("refund.created", Aspect::Refund), ["customer_request"]);
}

#[test]
fn what_a_seller_typed_is_no_reason_of_a_chargeback() {
    let body = events::<paddle::Of>()["adjustment.created.chargeback"]
        .replace("\"reason\":\"chargeback\"", "\"reason\":\"Mia called\"");
    assert!(body.contains("Mia called"));
    let said = understand::<paddle::Of>("typed", &body);
    assert!(said.facts.iter().all(|fact| fact.reason.is_none()), "{:?}", said.facts);
}

on_both_databases! {
    async fn the_list_of_disputes_shows_it(kind) {
        let events = story::<razorpay::Of>(&["payment.captured", "payment.dispute.created"]);
        let (app, payment) = told::<razorpay::Of>(kind, money(4999, "INR"), &events).await;
        assert!(payment.disputed);
        let list = app.get("/payments/admin/disputes").await.text();
        assert!(list.contains("goods or services not received"), "{list}");
        let page = app.get(&format!("/payments/admin/payments/{}", payment.token)).await.text();
        assert!(page.contains("goods or services not received"), "{page}");
    }
}
