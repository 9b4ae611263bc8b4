//! Acts on many that were done to own rows too, and what the overview says of bodies that differed.

use actix_payments::Access;
use actix_payments::gateways::dummy::{Dummy, DummyEvent, Kind as Happened};
use actix_web::HttpRequest;

use crate::app::{App, Kind, on_both_databases};
use crate::scenes::money;

async fn ann(_: HttpRequest) -> Result<Access, actix_web::Error> {
    Ok(Access::full("ann").only(["acme"]))
}

/// An event of each of these variants, by its id at the gateway, that is given up.
async fn given_up(kind: Kind, events: &[(&str, String)]) -> App {
    let app =
        App::bare(kind, |builder| builder.variant("acme", Dummy::new("secret")).variant("zeta", Dummy::new("secret")))
            .await;
    let now = actix_payments::domain::Timestamp::from_unix_timestamp(app.now()).unwrap();
    for (variant, id) in events {
        let event = DummyEvent::new(id.as_str(), Happened::Paid, "pay_of_nobody", money(100, "EUR"));
        app.payments.receive(*variant, Dummy::new("secret").delivery(&event, now)).await.unwrap();
    }
    app.run("UPDATE pay_events SET state = 'discarded', due_at = NULL");
    app
}

/// An act on all events, in the order in which they came.
const ACT: &str = "INSERT INTO pay_audit (actor, act, detail, created_at) \
                   SELECT 'root', 'requeue_many', 'of all', received_at FROM pay_events \
                   WHERE gateway_event_id = 'evt_acme'";
const PLACES: &str = "INSERT INTO pay_audit_events (act_id, place, event_id) \
                      SELECT (SELECT max(id) FROM pay_audit), e.id - 1, e.id FROM pay_events AS e";

on_both_databases! {
    async fn an_act_on_many_is_listed_where_an_own_event_is_the_last_of_hundreds(kind) {
        let mut events: Vec<_> = (0..240).map(|number| ("zeta", format!("evt_zeta_{number}"))).collect();
        events.insert(0, ("acme", "evt_acme".to_owned()));
        let app = given_up(kind, &events).await;
        let form = "act=requeue-all&view=state%3Ddiscarded&count=241&states=discarded%20241&highest=241";
        let done = app.post("/payments/admin/events/bulk", form).await;
        assert!(done.text().contains("241 events were requeued"), "{}", done.text());
        let own = app.number("SELECT id FROM pay_events WHERE variant = 'acme'");
        let place = app.number(&format!("SELECT place FROM pay_audit_events WHERE event_id = {own}"));
        assert!(place >= 50, "{place}");
        let behind = app.behind(ann).await;
        for path in ["audit", "audit.csv"] {
            let page = behind.get(&format!("/payments/admin/{path}")).await;
            assert!(page.body.contains("requeue"), "{path}: {}", page.text());
            assert!(!page.body.contains("zeta"), "{path}: {}", page.text());
        }
        let page = behind.get("/payments/admin/audit").await;
        assert!(page.body.contains(&format!("/events/{own}")), "{}", page.body);
        // Nobody who has none of its events learns of it.
        let nobody = |_: HttpRequest| async { Ok::<_, actix_web::Error>(Access::full("bea").only(["beta"])) };
        let page = app.behind(nobody).await.get("/payments/admin/audit").await;
        assert!(!page.body.contains("requeue"), "{}", page.text());
    }

    async fn an_act_of_an_older_release_is_listed_for_all_whose_events_it_changed(kind) {
        let mut events: Vec<_> = (0..240).map(|number| ("zeta", format!("evt_zeta_{number}"))).collect();
        events.push(("acme", "evt_acme".to_owned()));
        let app = given_up(kind, &events).await;
        // That release writes the events of its act and not their variants, after the migration as well.
        app.run(ACT);
        app.run(PLACES);
        let behind = app.behind(ann).await;
        let listed = async || behind.get("/payments/admin/audit").await.text().contains("requeue");
        assert!(listed().await);
        app.run(match kind {
            Kind::Sqlite => "DROP TRIGGER pay_audit_variants_added",
            Kind::Postgres => "DROP TRIGGER pay_audit_variants_added ON pay_audit_events",
        });
        app.run("DROP TABLE pay_audit_variants");
        app.run("DELETE FROM pay_migrations WHERE name = '0049_variants_of_acts'");
        app.payments.migrate().await.unwrap();
        assert!(listed().await, "before the migration");
    }

    async fn an_act_says_how_many_own_events_it_changed_and_names_those_among_the_first_thousand_places(kind) {
        let app = given_up(kind, &[("zeta", "evt_zeta".to_owned()), ("acme", "evt_acme".to_owned())]).await;
        let more = |variant: &str, from: i64, to: i64| {
            format!(
                "WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {to}) \
                 INSERT INTO pay_events \
                 (variant, gateway_event_id, source, kind, state, received_at, last_delivered_at, deliveries) \
                 SELECT '{variant}', 'evt_more_' || i, 'delivery', 'paid', 'completed', e.received_at, \
                 e.received_at, 1 FROM n, pay_events AS e WHERE e.id = 1 ORDER BY i"
            )
        };
        app.run(&more("zeta", 3, 1_100));
        app.run(&more("acme", 1_101, 1_101));
        let ids = app.texts("SELECT CAST(id AS TEXT) AS t FROM pay_events WHERE variant = 'acme' ORDER BY id");
        app.run(ACT);
        app.run(PLACES);
        let page = app.behind(ann).await.get("/payments/admin/audit").await;
        assert!(page.text().contains("2 events"), "{}", page.text());
        let links = ids.iter().map(|id| page.body.contains(&format!("/events/{id}\"")));
        assert_eq!(links.collect::<Vec<_>>(), [true, false], "{}", page.body);
    }

    async fn bodies_of_own_events_that_differed_are_told_behind_thousands_of_others(kind) {
        let app = given_up(kind, &[("acme", "evt_acme".to_owned()), ("zeta", "evt_zeta_0".to_owned())]).await;
        let at = "SELECT received_at FROM pay_events WHERE id = 1";
        app.run(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) INSERT INTO pay_events \
             (variant, gateway_event_id, source, kind, state, received_at, last_delivered_at, deliveries) \
             SELECT 'zeta', 'evt_other_' || i, 'delivery', 'paid', 'completed', ({at}), ({at}), 2 FROM n"
        ));
        app.run(&format!(
            "INSERT INTO pay_differing (event_id, count, last_at, last_hash) SELECT id, 1, ({at}), 'x' FROM pay_events \
             WHERE variant = 'zeta'"
        ));
        let before = match kind {
            Kind::Sqlite => "strftime('%Y-%m-%d %H:%M:%S+00:00', received_at, '-1 hour')",
            Kind::Postgres => "received_at - interval '1 hour'",
        };
        app.run(&format!(
            "INSERT INTO pay_differing (event_id, count, last_at, last_hash) SELECT id, 1, {before}, 'x' FROM pay_events \
             WHERE variant = 'acme'"
        ));
        let page = app.behind(ann).await.get("/payments/admin/").await;
        assert!(page.text().contains("acme: 1 event was delivered again with another body"), "{}", page.text());
    }
}
