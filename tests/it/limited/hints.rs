//! What a page says of more rows, and of the place where it stopped looking, depends on own rows alone.

use actix_payments::gateways::dummy::Dummy;
use actix_payments::{Access, Chores, NewPayment};
use actix_web::HttpRequest;

use crate::app::{App, Behind, Kind, on_both_databases};
use crate::lists::{SUBSCRIPTIONS, rows};
use crate::scenes::money;

/// Pages of lists and searches of which others have hundreds of rows, newer than the few that are own.
const PAGES: [&str; 28] = [
    "payments",
    "payments?status=paid",
    "payments?status=paid,failed",
    "payments?status=review",
    "payments?currency=EUR",
    "payments?mode=live",
    "payments?least=1",
    "payments?sort=amount",
    "payments?q=order",
    "payments?q=customer",
    "payments?q=customer7@example.org",
    "payments.csv?status=paid",
    "events",
    "events?state=completed",
    "events?kind=payout.paid",
    "events?kind=charge.*",
    "events?mode=live",
    "events?seen=again",
    "events?q=order-14",
    "failures",
    "subscriptions",
    "subscriptions?status=active",
    "subscriptions?q=customer",
    "subscriptions?mode=test",
    "subscriptions?ending=no",
    "search?for=order",
    "search?for=customer",
    "search?for=example.org",
];

/// The tables whose rows of others go, each with what says that a row is one.
const OTHERS: [(&str, &str); 6] = [
    ("pay_event_references", "variant <> 'acme'"),
    ("pay_references", "variant <> 'acme'"),
    ("pay_words", "payment_id > 30 OR subscription_id > 30"),
    ("pay_events", "variant <> 'acme'"),
    ("pay_payments", "variant <> 'acme'"),
    ("pay_subscriptions", "variant <> 'acme'"),
];

async fn ann(_: HttpRequest) -> Result<Access, actix_web::Error> {
    Ok(Access::full("ann").only(["acme"]))
}

/// Thousands of rows, of which some of the oldest are acme's.
async fn shared(kind: Kind) -> App {
    // A worker writes the words and asks nobody about what it finds.
    let quiet = Chores::new().reconcile_every(None).refresh_after(None).notice_authorized_after(None);
    let app = App::bare(kind, |builder| {
        let names = ["acme", "stripe", "stripe-eu"].into_iter();
        names.fold(builder.chores(quiet.compare_every(None)), |builder, name| {
            builder.variant(name, Dummy::new("secret"))
        })
    })
    .await;
    for sql in rows(kind, 2_000, 2_000) {
        app.run(&sql);
    }
    app.run(SUBSCRIPTIONS);
    for (table, id) in [
        ("payments", "id"),
        ("events", "id"),
        ("references", "payment_id"),
        ("event_references", "event_id"),
        ("subscriptions", "id"),
    ] {
        app.run(&format!("UPDATE pay_{table} SET variant = 'acme' WHERE {id} <= 30"));
    }
    // Whoever searches by words finds what a worker wrote of the rows.
    app.run("INSERT INTO pay_words_owed (payment_id, subscription_id) SELECT id, 0 FROM pay_payments WHERE absorbed_by IS NULL AND id <= 900");
    app.run(
        "INSERT INTO pay_words_owed (payment_id, subscription_id) SELECT 0, id FROM pay_subscriptions WHERE id <= 900",
    );
    app.write_owed_words().await;
    app
}

/// 560 payments of the same customer, words and amount, of which the first alone is acme's.
async fn teas(kind: Kind) -> App {
    let app =
        App::bare(kind, |builder| builder.variant("acme", Dummy::new("secret")).variant("zeta", Dummy::new("secret")))
            .await;
    for number in 0..560 {
        let name = if number == 0 { "acme" } else { "zeta" };
        let new = NewPayment::new(name, money(4999, "EUR")).reference(format!("tea-{:04}", 9_999 - number));
        app.payments.create(new.customer("mia@shop.example").without_checkout()).await.unwrap();
    }
    app.write_owed_words().await;
    app
}

/// What each page says.
async fn pages(behind: &Behind) -> Vec<String> {
    let mut all = Vec::new();
    for page in PAGES {
        let answer = behind.get(&format!("/payments/admin/{page}")).await;
        assert!([200, 303].contains(&answer.status), "{page}: {}", answer.body);
        all.push(format!("{page}: {} {}", answer.header("location").unwrap_or_default(), answer.text()));
    }
    all
}

on_both_databases! {
    async fn no_hint_of_a_page_or_a_search_depends_on_how_many_rows_others_have(kind) {
        let app = shared(kind).await;
        let behind = app.behind(ann).await;
        let among_others = pages(&behind).await;
        let found = |page: &str| among_others.iter().find(|said| said.starts_with(page)).unwrap();
        for (page, own) in [
            ("payments?status=paid:", "order-3"),
            ("payments?q=order:", "order-3"),
            ("payments?status=paid,failed:", "order-3"),
            ("subscriptions?q=customer:", "user-2"),
        ] {
            assert!(found(page).contains(own), "{}", found(page));
        }
        for (table, others) in OTHERS {
            app.run(&format!("DELETE FROM {table} WHERE {others}"));
        }
        for (before, alone) in among_others.iter().zip(pages(&behind).await) {
            assert_eq!(*before, alone);
        }
    }

    async fn own_rows_are_found_behind_hundreds_of_others_of_the_same_words_or_amount(kind) {
        let app = teas(kind).await;
        let behind = app.behind(ann).await;
        for page in [
            "payments?q=tea",
            "payments?q=mia@shop.example",
            "search?for=tea",
            "search?for=shop.example",
            "search?for=49.99",
        ] {
            let answer = behind.get(&format!("/payments/admin/{page}")).await;
            let is_found = answer.body.contains("tea-9999") || answer.header("location").is_some();
            assert!(is_found, "{page}: {}", answer.text());
        }
    }

    async fn a_customers_page_shows_own_rows_behind_hundreds_of_others_and_leads_to_none_of_these(kind) {
        let app = teas(kind).await;
        let token = app.texts("SELECT token AS t FROM pay_payments WHERE variant = 'acme'").concat();
        // The names of one variant, of a few and of many are read in ways of their own.
        for others in [0, 1, 30] {
            let seen = move |_: HttpRequest| async move {
                let others = (0..others).map(|number| format!("acme-{number}"));
                Ok::<_, actix_web::Error>(Access::full("ann").only(others.chain(["acme".to_owned()])))
            };
            let page = app.behind(seen).await.get(&format!("/payments/admin/payments/{token}/customer")).await;
            assert!(page.body.contains("tea-9999"), "{others}: {}", page.text());
            assert!(!page.body.contains("before="), "{others}: {}", page.body);
        }
    }
}
