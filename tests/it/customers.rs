//! Is all of one customer on one page, whatever the case of the address, and does no address of a page name anybody?

use actix_payments::gateways::stripe::Stripe;
use actix_payments::{NewPayment, Token};

use crate::app::{App, on_both_databases};
use crate::events::{changed, fixture};
use crate::scenes::{completed, completed_as, money};

const ADDRESS: &str = "Mia.Meier@shop.example";

/// A payment of this customer.
async fn order(app: &App, minor: i64, currency: &str, address: &str) -> Token {
    let new = NewPayment::new("stripe", money(minor, currency)).customer(address);
    app.payments.create(new).await.unwrap().payment.token
}

fn page_of(token: &str) -> String {
    format!("/payments/admin/payments/{token}/customer")
}

on_both_databases! {
    async fn a_customers_page_has_all_payments_and_what_they_come_to(kind) {
        let app = App::new(kind).await;
        let token = order(&app, 4999, "EUR", ADDRESS).await;
        app.deliver(&[&completed(&token), &fixture("charge.refunded.partial").to_string()]).await;
        let other = order(&app, 4999, "EUR", "mia.meier@SHOP.example").await;
        app.deliver(&[&completed_as(2, &other)]).await;
        order(&app, 700, "USD", ADDRESS).await;
        order(&app, 100, "EUR", "mia.meier@shop.example.org").await;
        order(&app, 100, "EUR", "else@shop.example").await;
        let page = app.list(&page_of(&other)).await;
        assert_eq!(page.ids, [3, 2, 1]);
        let text = app.get(&page_of(&token)).await.text();
        let refunded = app.payment(&token).await.refunded;
        assert!(refunded.minor > 0);
        for part in ["EUR, 2 payments test".to_owned(), "Captured 99.98 EUR".to_owned(), format!("Refunded {refunded}"),
            "USD, 1 payment".to_owned(), "Kept 0.00 USD".to_owned()] {
            assert!(text.contains(&part), "{part:?} in {text}");
        }
        assert!(!text.contains("Lost to disputes"), "{text}");
    }

    async fn every_list_leads_to_the_customer_without_naming_them_in_the_address(kind) {
        let app = App::new(kind).await;
        let token = order(&app, 4999, "EUR", ADDRESS).await;
        order(&app, 100, "EUR", ADDRESS).await;
        app.deliver(&[&completed(&token), &fixture("charge.dispute.created").to_string()]).await;
        let link = format!("href=\"{}\"", page_of(&token));
        for path in ["payments".to_owned(), "disputes".to_owned(), format!("payments/{token}")] {
            let page = app.get(&format!("/payments/admin/{path}")).await.body;
            assert!(page.contains(&link), "{path}: {page}");
        }
        let found = app.get("/payments/admin/search?for=mia.meier").await.body;
        assert!(found.contains("/customer\""), "{found}");
        let nobody = app.order().await.token;
        assert_eq!(app.get(&page_of(&nobody)).await.status, 404);
        assert!(!app.get(&format!("/payments/admin/payments/{nobody}")).await.body.contains("/customer\""));
        assert_eq!(app.get(&page_of("nothing")).await.status, 404);
    }

    async fn many_payments_of_a_customer_are_walked_page_by_page(kind) {
        let app = crate::lists::filled(kind, 6_000, 1).await;
        let mine = app.ids("pay_payments", "customer = 'Customer7@Example.org' AND absorbed_by IS NULL", "id DESC");
        let (mut walked, mut next) = (Vec::new(), Some(page_of("pay_7")));
        let first = app.get(&page_of("pay_7")).await.text();
        assert!(first.contains("Of the newest 100 payments."), "{first}");
        while let Some(path) = next {
            let page = app.list(&path).await;
            walked.extend(page.ids);
            next = page.next;
        }
        assert!(walked.len() > 100 && walked == mine, "{walked:?}");
    }

    async fn a_gateways_customer_with_many_payments_is_walked_to_the_end(kind) {
        let app = crate::lists::filled(kind, 5_000, 1).await;
        app.run("UPDATE pay_payments SET customer = NULL");
        app.run("DELETE FROM pay_payers");
        app.run("INSERT INTO pay_payers (payment_id, customer_ref, told_at) SELECT id, 'cus_Many', created_at FROM pay_payments WHERE id > 10");
        let of_one = "absorbed_by IS NULL AND id > 10 AND variant = (SELECT variant FROM pay_payments WHERE token = 'pay_77')";
        let mine = app.ids("pay_payments", of_one, "id DESC");
        let (mut walked, mut next, mut last) = (Vec::new(), Some(page_of("pay_77")), None);
        while let Some(path) = next {
            let page = app.list(&path).await;
            walked.extend(page.ids);
            (next, last) = (page.next, Some(path));
        }
        assert!(walked.len() > 500 && walked == mine, "{} of {}", walked.len(), mine.len());
        // And back again.
        let (mut back, mut path) = (Vec::new(), last);
        while let Some(at) = path {
            let page = app.list(&at).await;
            back.splice(0..0, page.ids);
            path = page.back;
        }
        assert_eq!(back, mine);
    }

    async fn subscriptions_of_the_customer_stand_beside_the_payments(kind) {
        let app = App::new(kind).await;
        let token = order(&app, 4999, "EUR", ADDRESS).await;
        app.deliver(&[&fixture("customer.subscription.created").to_string()]).await;
        let subscription = app.subscription("sub_1EztOAwnd3v8bjnOmeywkN22").await.token;
        app.run(&format!("UPDATE pay_subscriptions SET customer = '{}'", ADDRESS.to_uppercase()));
        let page = app.get(&page_of(&token)).await;
        assert!(page.text().contains("Subscriptions of this customer") && page.body.contains(subscription.as_str()));
        let from_there = app.get(&format!("/payments/admin/subscriptions/{subscription}/customer")).await;
        assert!(from_there.body.contains(&format!("payments/{token}\"")), "{}", from_there.body);
    }

    async fn without_an_address_the_gateways_customer_is_one(kind) {
        let app = App::with(kind, |builder| builder.variant("stripe-eu", Stripe::new("whsec_of_another"))).await;
        let of = |number: usize, id: &str, token: &str| [
            completed_as(number, token),
            changed("charge.succeeded", &[
                ("/id", format!("evt_ch_{number}").into()), ("/data/object/id", format!("ch_{number}").into()),
                ("/data/object/payment_intent", format!("pi_{number}").into()), ("/data/object/customer", id.into()),
            ]),
        ];
        let mut tokens = Vec::new();
        for (number, id) in [(1, "cus_Mia"), (2, "cus_Mia"), (3, "cus_Miami"), (4, "cus_Mia")] {
            let token = app.order().await.token;
            app.deliver(&of(number, id, &token).each_ref().map(String::as_str)).await;
            tokens.push(token);
        }
        app.run("UPDATE pay_payments SET customer = NULL WHERE id <> 2");
        // The same id is somebody else's at another variant.
        app.run("UPDATE pay_payments SET variant = 'stripe-eu' WHERE id = 4");
        app.deliver(&[&changed("customer.subscription.created", &[("/data/object/customer", "cus_Mia".into())])]).await;
        let page = app.get(&page_of(&tokens[0])).await;
        assert_eq!(app.list(&page_of(&tokens[0])).await.ids, [2, 1], "{}", page.text());
        assert!(page.text().contains("Customer cus_Mia at stripe") && page.text().contains("EUR, 2 payments"), "{}", page.text());
        assert!(page.text().contains("Subscriptions of this customer"), "{}", page.text());
        let link = format!("<a href=\"{}\"><bdi>cus_Mia</bdi></a>", page_of(&tokens[0]));
        let own = app.get(&format!("/payments/admin/payments/{}", tokens[0])).await.body;
        assert!(own.contains(&link), "{own}");
        let by_address = app.get(&format!("/payments/admin/payments/{}", tokens[1])).await.body;
        assert!(!by_address.contains("<bdi>cus_Mia</bdi></a>"), "an address leads there");
        let subscription = app.subscription("sub_1EztOAwnd3v8bjnOmeywkN22").await.token;
        let from_there = app.list(&format!("/payments/admin/subscriptions/{subscription}/customer")).await;
        assert_eq!(from_there.ids, [2, 1]);
    }

    async fn a_hostile_address_is_escaped(kind) {
        let app = App::new(kind).await;
        let token = order(&app, 100, "EUR", "<script>@x.example").await;
        let page = app.get(&page_of(&token)).await;
        assert!(!page.body.contains("<script>@") && page.text().contains("<script>@x.example"));
    }
}
