//! What the admin pages say of variants that are configured at run time.

use actix_payments::gateways::dummy::Dummy;

use super::directory::{Directory, market, secret_of};
use super::event;
use crate::app::{App, on_both_databases};

on_both_databases! {
    async fn the_list_has_the_builders_and_those_that_had_events_a_part_at_a_time(kind) {
        let names: Vec<String> = (0..120).map(|number| format!("merchant-{number:03}")).collect();
        let directory = Directory::of(names.clone());
        let app = App::bare(kind, |builder| directory.source(builder.variant("own", Dummy::new("secret")))).await;
        for name in &names[..110] {
            assert_eq!(app.signed_with(&secret_of(name), name, &event("evt_1")).await, 200);
        }
        app.drain().await;
        let row = |name: &str| format!("href=\"/payments/admin/variants/{name}\"");
        let (mut path, mut seen, mut parts) = ("/payments/admin/variants".to_owned(), Vec::new(), 0);
        loop {
            let page = app.get(&path).await.body;
            assert_eq!(page.contains(&row("own")), parts == 0, "{page}");
            let shown = names.iter().filter(|name| page.contains(&row(name)));
            seen.extend(shown.cloned());
            parts += 1;
            let Some((before, _)) = page.split_once("\" rel=\"next\"") else { break };
            path = before.rsplit_once("href=\"").unwrap().1.replace("&#38;", "&").replace("&amp;", "&");
        }
        assert_eq!((seen, parts), (names[..110].to_vec(), 3));
        let page = app.get("/payments/admin/variants?from=merchant-107").await.body;
        assert!(page.contains(&row("merchant-109")) && !page.contains(&row("merchant-106")), "{page}");
    }

    async fn a_merchants_own_page_is_there_as_soon_as_the_function_has_it(kind) {
        let (app, directory) = market(kind, &["anna"]).await;
        let page = app.get("/payments/admin/variants/anna").await.body;
        assert!(page.contains("/payments/anna/") && page.contains("no events yet"), "{page}");
        assert_eq!(app.get("/payments/admin/variants/nobody").await.status, 404);
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 200);
        app.drain().await;
        directory.remove("anna");
        app.pass(60);
        let page = app.get("/payments/admin/variants").await.body;
        assert!(page.contains("anna") && page.contains("not configured"), "{page}");
        assert_eq!(app.get("/payments/admin/events/1").await.status, 200, "what it did is shown all the same");
    }

    async fn a_name_is_typed_into_filters_where_there_may_be_thousands(kind) {
        let (app, _) = market(kind, &["anna", "bert"]).await;
        for name in ["anna", "bert"] {
            assert_eq!(app.signed_with(&secret_of(name), name, &event("evt_1")).await, 200);
        }
        app.drain().await;
        for list in ["payments", "events", "subscriptions", "books", "disputes"] {
            let page = app.get(&format!("/payments/admin/{list}?variant=anna")).await.body;
            assert!(page.contains("name=\"variant\"") && page.contains("value=\"anna\""), "{list}: {page}");
            assert!(!page.contains("<select name=\"variant\""), "{list}: {page}");
        }
        let page = app.get("/payments/admin/events?variant=anna").await.body;
        assert!(page.contains("/events/1") && !page.contains("/events/2"), "{page}");
    }

    async fn an_event_is_found_by_its_id_whichever_merchants_it_is(kind) {
        let (app, _) = market(kind, &["anna", "bert"]).await;
        for name in ["anna", "bert"] {
            assert_eq!(app.signed_with(&secret_of(name), name, &event(&format!("evt_of_{name}"))).await, 200);
        }
        app.drain().await;
        let page = app.get("/payments/admin/events?q=evt_of_bert").await.body;
        assert!(page.contains("/events/2") && !page.contains("/events/1"), "{page}");
    }
}
