//! What may operators do to events, one and many, and is each act written down and refused where it should be?

use actix_payments::{Access, Admin, Detail, HandlerError};
use actix_web::http::Method;
use actix_web::{App as ActixApp, HttpRequest, test};
use serde_json::json;

use crate::app::{App, Kind, on_both_databases};
use crate::events::{changed, fixture};
use crate::scenes::completed;

/// Events whose handler gives up, as many as `count`, all discarded.
async fn discarded(kind: Kind, count: usize) -> App {
    let app = App::with(kind, |builder| {
        builder.on_event("payout.*", "book", |_| async { Err::<(), _>(HandlerError::Discard("no ledger yet".into())) })
    })
    .await;
    for number in 0..count {
        app.stripe(&changed("payout.paid", &[("/id", format!("evt_{number}").into())])).await;
    }
    app.drain().await;
    assert_eq!(app.events("discarded"), count as i64);
    app
}

fn acts(app: &App) -> Vec<String> {
    app.texts(
        "SELECT act || ' ' || actor || ' ' || coalesce(cast(event_id AS text), '-') AS t FROM pay_audit ORDER BY id",
    )
}

/// The fields with which a confirming page asks again.
pub fn form(page: &str) -> String {
    let form = page.split_once("class=\"confirm\"").expect("a form").1.split_once("</form>").unwrap().0;
    let fields = form.split("<input type=\"hidden\" name=\"").skip(1).map(|field| {
        let (name, rest) = field.split_once("\" value=\"").unwrap();
        let value = rest.split_once('"').unwrap().0.replace("&#38;", "&");
        format!("{name}={}", value.replace('%', "%25").replace('&', "%26").replace('=', "%3D"))
    });
    fields.collect::<Vec<_>>().join("&")
}

async fn ask(app: &App, admin: Admin, method: Method, path: &str) -> (u16, String) {
    send(app, admin, method, path, "").await
}

async fn send(app: &App, admin: Admin, method: Method, path: &str, form: &str) -> (u16, String) {
    let service = test::init_service(ActixApp::new().service(app.payments.mount("/payments").admin(admin))).await;
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let request = test::TestRequest::default().method(method).uri(path).append_header(kind);
    let request = request.set_payload(form.to_owned()).to_request();
    let response = test::call_service(&service, request).await;
    let status = response.status().as_u16();
    (status, String::from_utf8_lossy(&test::read_body(response).await).into_owned())
}

async fn staff(_: HttpRequest) -> Result<Access, actix_web::Error> {
    Ok(Access::Full("mia".to_owned()))
}

async fn guest(_: HttpRequest) -> Result<Access, actix_web::Error> {
    Ok(Access::ReadOnly("gus".to_owned()))
}

const BULK: &str = "/payments/admin/events/bulk";

on_both_databases! {
    async fn what_waits_is_discarded_until_somebody_requeues_it(kind) {
        let app = App::new(kind).await;
        app.deliver(&[&fixture("payment_intent.succeeded").to_string()]).await;
        assert_eq!(app.events("parked"), 1);
        assert_eq!(app.post("/payments/admin/events/1/discard", "").await.status, 303);
        assert_eq!(app.outcomes(), ["discarded: discarded by admin"]);
        app.pass(3600);
        assert_eq!(app.drain().await, 0, "no worker takes it up");
        let again = app.post("/payments/admin/events/1/discard", "").await;
        assert!(again.status == 409 && again.text().contains("It is discarded already."), "{}", again.text());
        app.post("/payments/admin/events/1/requeue", "").await;
        assert_eq!((app.drain().await, app.events("parked")), (1, 1));
        assert_eq!(acts(&app), ["discard admin 1", "requeue admin 1"]);
    }

    async fn what_runs_or_has_ended_is_not_discarded(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token), &fixture("payout.paid").to_string()]).await;
        for (state, why) in [
            ("running", "It is running"), ("completed", "It is completed"), ("ignored", "It is ignored"),
        ] {
            app.run(&format!("UPDATE pay_events SET state = '{state}'"));
            let page = app.get("/payments/admin/events/1").await.text();
            assert!(page.contains(why), "{page}");
            let before = app.dump();
            assert_eq!(app.post("/payments/admin/events/1/discard", "").await.status, 409);
            assert_eq!(app.dump(), before, "{state}");
        }
    }

    async fn many_are_requeued_after_the_exact_number_was_confirmed(kind) {
        let app = discarded(kind, 412).await;
        let wish = "act=requeue-all&view=state%3Ddiscarded%26kind%3Dpayout.*";
        let page = app.post(BULK, wish).await;
        assert!(page.text().contains("Requeue 412 events?") && page.text().contains("and 402 more"), "{}", page.text());
        assert_eq!((app.events("discarded"), acts(&app).len()), (412, 0), "asking changes nothing");
        // One more comes: it was not seen, so it is not meant.
        app.deliver(&[&changed("payout.paid", &[("/id", "evt_late".into())])]).await;
        let done = app.post(BULK, &form(&page.body)).await;
        assert!(done.text().contains("412 events were requeued"), "{}", done.text());
        assert_eq!((app.events("available"), app.events("discarded")), (412, 1));
        assert_eq!(acts(&app), ["requeue_many admin -"]);
    }

    async fn what_an_act_on_many_leaves_as_it_is_is_said_before_by_state_and_cause(kind) {
        let app = discarded(kind, 9).await;
        for (ids, state) in [("1, 2", "retryable"), ("3", "running"), ("4", "completed"), ("5", "ignored"), ("6", "available")] {
            app.run(&format!("UPDATE pay_events SET state = '{state}' WHERE id IN ({ids})"));
        }
        app.run("DELETE FROM pay_event_bodies WHERE event_id = 7");
        let page = app.post(BULK, "act=requeue-all&view=kind%3Dpayout.*").await;
        let text = page.text();
        for words in [
            "Requeue 4 events?", "discarded 2 events", "retry 2 events|retryable 2 events",
            "1 event stays as it is: It is running", "2 events stay as they are: It is at its end",
            "1 event stays as it is: It waits for a worker already", "1 event stays as it is: Its body was pruned",
        ] {
            assert!(words.split('|').any(|words| text.contains(words)), "{words}: {text}");
        }
        let done = app.post(BULK, &form(&page.body)).await.text();
        assert!(done.contains("4 events were requeued") && !done.contains("at its end"), "{done}");
        let states = ["available", "running", "completed", "ignored", "discarded"].map(|state| app.events(state));
        assert_eq!(states, [5, 1, 1, 1, 1]);
        assert_eq!(app.texts("SELECT detail AS t FROM pay_audit"), ["4 events; 3 were refused"]);
        // Those at their end are meant where somebody lists just them, or ticks them.
        for form in ["act=requeue-all&view=state%3Dignored", "act=requeue&id=4"] {
            assert!(app.post(BULK, form).await.text().contains("Requeue 1 event?"), "{form}");
        }
        let before = app.dump();
        let nothing = app.post(BULK, "act=discard-all&view=state%3Dcompleted").await;
        assert!(nothing.status == 409 && nothing.text().contains("Nothing would change"), "{}", nothing.text());
        assert_eq!(app.dump(), before);
    }

    async fn without_a_filter_there_is_no_act_on_all(kind) {
        let app = discarded(kind, 2).await;
        for (query, offered) in [("", false), ("?state=discarded", true), ("?variant=stripe", true)] {
            let page = app.get(&format!("/payments/admin/events{query}")).await.body;
            assert_eq!(page.contains("value=\"discard-all\""), offered, "{query}: {page}");
            assert!(page.contains("value=\"discard\""), "ticked ones can be: {page}");
        }
        let before = app.dump();
        for form in ["act=discard-all", "act=requeue-all&view=", "act=discard-all&view=&count=2&states=discarded+2"] {
            let page = app.post(BULK, form).await;
            assert!(page.status == 409 && page.text().contains("Filter the list first"), "{form}: {}", page.text());
        }
        assert_eq!(app.dump(), before);
    }

    async fn an_act_on_many_is_one_row_that_unfolds_and_each_events_payment_tells_it(kind) {
        let app = discarded(kind, 60).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        let paid = app.number("SELECT id AS n FROM pay_events WHERE payment_id IS NOT NULL");
        let page = app.post(BULK, &format!("act=requeue&id={paid}")).await;
        app.post(BULK, &form(&page.body)).await;
        let page = app.post(BULK, "act=requeue-all&view=state%3Ddiscarded").await;
        app.post(BULK, &form(&page.body)).await;
        assert_eq!(acts(&app), ["requeue_many admin -", "requeue_many admin -"]);
        let page = app.get("/payments/admin/audit").await.body;
        let rows: Vec<&str> = page.split("<tr>").skip(1).filter(|row| row.contains("requeue many")).collect();
        let links = |row: &str| (row.matches("/payments/admin/events/").count(), row.contains("and more"));
        assert_eq!((links(rows[0]), links(rows[1])), ((50, true), (1, false)), "{page}");
        assert!(rows[0].contains("60 events") && rows[1].contains(&format!("/payments/admin/events/{paid}\"")), "{page}");
        let file = app.get("/payments/admin/audit.csv?act=requeue_many").await.body;
        let of_many = file.lines().filter(|line| line.contains("requeue_many")).count();
        assert_eq!(of_many, 2 + 60 + 1, "a row for each act, and one for each of its events: {file}");
        assert!(file.lines().any(|line| line.contains(&format!(",{paid},checkout.session.completed,"))), "{file}");
        let story = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(story.contains(" on checkout.session.completed; 1 event"), "{story}");
    }

    async fn an_act_is_asked_for_again_when_other_states_would_change(kind) {
        let app = discarded(kind, 3).await;
        let page = app.post(BULK, "act=requeue-all&view=kind%3Dpayout.*").await;
        app.run("UPDATE pay_events SET state = 'parked' WHERE id = 2");
        let again = app.post(BULK, &form(&page.body)).await.text();
        assert!(again.contains("Their states have changed in the meantime.") && again.contains("parked 1 event"), "{again}");
        assert_eq!(acts(&app).len(), 0);
    }

    async fn a_number_that_changed_is_asked_for_again(kind) {
        let app = discarded(kind, 3).await;
        let page = app.post(BULK, "act=discard-all&view=state%3Ddiscarded").await;
        app.post("/payments/admin/events/2/requeue", "").await;
        let again = app.post(BULK, &form(&page.body)).await;
        assert!(again.text().contains("It changed in the meantime: it was 3 events and is 2 events now."), "{}", again.text());
        assert_eq!(acts(&app), ["requeue admin 2"]);
    }

    async fn the_ticked_ones_are_discarded_and_who_can_not_is_told(kind) {
        let app = discarded(kind, 4).await;
        app.run("UPDATE pay_events SET state = 'retryable' WHERE id IN (1, 2)");
        app.run("UPDATE pay_events SET state = 'running' WHERE id = 3");
        let page = app.post(BULK, "act=discard&id=1&id=2&id=3&id=3&id=99&id=x").await;
        assert!(page.text().contains("Discard 2 events?"), "{}", page.text());
        let done = app.post(BULK, &form(&page.body)).await.text();
        assert!(done.contains("2 events were discarded") && done.contains("1 event stays as it is: It is running"), "{done}");
        assert_eq!(acts(&app), ["discard_many admin -"]);
        for (form, words) in [("act=discard", "Nothing is ticked"), ("act=shred&id=1", "There is no such act")] {
            let page = app.post(BULK, form).await.text();
            assert!(page.contains(words), "{page}");
        }
    }

    async fn those_who_may_only_look_see_no_button_and_are_refused(kind) {
        let app = discarded(kind, 1).await;
        let token = app.order().await.token;
        let rebuild = format!("/payments/admin/payments/{token}/rebuild");
        for path in ["/payments/admin/events", "/payments/admin/events/1", "/payments/admin/events/1/dry-run", &rebuild] {
            let (status, page) = ask(&app, Admin::new(guest), Method::GET, path).await;
            assert_eq!((status, page.contains("method=\"post\"")), (200, false), "{path}");
        }
        let before = app.dump();
        for path in [BULK, "/payments/admin/events/1/discard", "/payments/admin/events/1/requeue", &rebuild] {
            assert_eq!(ask(&app, Admin::new(guest), Method::POST, path).await.0, 403, "{path}");
        }
        assert_eq!(app.dump(), before);
    }

    async fn the_hosts_rows_are_shown_and_never_break_the_page(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let path = format!("/payments/admin/payments/{token}");
        let of = |admin: Admin| ask(&app, admin, Method::GET, &path);
        let rows = |payment: actix_payments::Payment| async move {
            let evil = Detail::new("<b>Evil</b>", "<script>x</script>").link("javascript:alert(1)");
            Ok::<_, HandlerError>(vec![Detail::new("Order", payment.amount.to_string()).link("/orders/7"), evil])
        };
        let rows = move |payment| { let found = rows(payment); async move { found.await.map_err(|_| "no") } };
        let (status, page) = of(Admin::new(staff).details(rows)).await;
        assert!(status == 200 && page.contains(r#"href="/orders/7""#) && page.contains("49.99 EUR"), "{page}");
        assert!(!page.contains("<script>x") && !page.contains("javascript:") && page.contains("&#60;b&#62;Evil"), "{page}");
        let fails = |_| async { Err::<Vec<Detail>, _>("the order's table is gone") };
        let panics = |_| async { panic!("no orders") };
        let panics = move |payment| { let run = panics(payment); async move { let rows: Result<Vec<Detail>, &str> = run.await; rows } };
        let hangs = |_| std::future::pending::<Result<Vec<Detail>, &str>>();
        for admin in [Admin::new(staff).details(fails), Admin::new(staff).details(panics), Admin::new(staff).details(hangs)] {
            let (status, page) = of(admin).await;
            assert!(status == 200 && page.contains("not available") && !page.contains("is gone"), "{page}");
        }
    }

    async fn a_payment_leads_to_its_neighbours(kind) {
        let app = App::new(kind).await;
        let mut tokens = Vec::new();
        for customer in ["a@example.org", "b@example.org", "a@example.org"] {
            let new = actix_payments::NewPayment::new("stripe", crate::scenes::money(100, "EUR")).customer(customer);
            tokens.push(app.payments.create(new).await.unwrap().payment.token);
        }
        let page = app.get(&format!("/payments/admin/payments/{}", tokens[0])).await.body;
        let leads = |text: &str, token: &str| page.contains(&format!("/payments/admin/payments/{token}\">{text}<"));
        assert!(leads("Newer payment", &tokens[1]) && leads("Newer payment of this customer", &tokens[2]), "{page}");
        assert!(!page.contains("Older payment"), "{page}");
    }

    async fn a_story_of_very_many_events_is_cut_and_says_so(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        for number in 0..205 {
            let ids = [("/id", format!("evt_{number}").into()), ("/data/object/client_reference_id", token.as_str().into())];
            app.stripe(&changed("checkout.session.completed", &ids)).await;
        }
        app.drain().await;
        let page = app.get(&format!("/payments/admin/payments/{token}")).await;
        assert!(page.text().contains("The 200 newest events"), "{}", page.text());
        let list = app.get(&format!("/payments/admin/events?q={token}")).await.text();
        assert!(list.contains("Showing events 1–50"), "{list}");
    }

    async fn errors_are_redacted_as_the_host_says(kind) {
        let app = discarded(kind, 1).await;
        let hide = |stored: &actix_payments::Stored<'_>| (stored.what == "error").then(|| "withheld".to_owned());
        let (_, page) = ask(&app, Admin::new(staff).redact(hide), Method::GET, "/payments/admin/events/1").await;
        assert!(page.contains("withheld") && !page.contains("no ledger yet"), "{page}");
        // So are they in the list, and where many are asked about.
        let (_, page) = ask(&app, Admin::new(staff).redact(hide), Method::GET, "/payments/admin/events").await;
        assert!(page.contains("withheld") && !page.contains("no ledger yet"), "{page}");
        let (_, page) = send(&app, Admin::new(staff).redact(hide), Method::POST, BULK, "act=requeue&id=1").await;
        assert!(page.contains("Requeue 1 event?") && page.contains("withheld") && !page.contains("no ledger yet"), "{page}");
    }

    async fn why_a_payment_was_declined_is_redacted_as_the_host_says(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let mut failed: serde_json::Value = fixture("payment_intent.payment_failed");
        failed["data"]["object"]["metadata"] = json!({"payment_token": token});
        app.deliver(&[&failed.to_string()]).await;
        let why = app.texts("SELECT decline AS t FROM pay_payers").remove(0);
        let code = "insufficient_funds";
        assert!(failed.to_string().contains(code), "{failed}");
        let hide = |stored: &actix_payments::Stored<'_>| (stored.what == "error").then(|| "withheld".to_owned());
        for (path, also) in [(format!("payments/{token}"), why.as_str()), ("events/1".to_owned(), code)] {
            let path = format!("/payments/admin/{path}");
            let (_, bare) = ask(&app, Admin::new(staff), Method::GET, &path).await;
            assert!(bare.contains(also), "{also}: {bare}");
            let (_, page) = ask(&app, Admin::new(staff).redact(hide), Method::GET, &path).await;
            // The body is another matter.
            let page = page.split("<summary>Body").next().unwrap();
            assert!(page.contains("withheld") && !page.contains(&why), "{page}");
            assert!(!page.contains(&code.replace('_', " ")) && !page.contains(&format!("({code})")), "{page}");
        }
    }

    async fn what_a_gateway_refuses_about_a_subscription_is_redacted_as_the_host_says(kind) {
        let (app, billing, id) = crate::subscriptions::repairing::app(kind).await;
        // Its end is not told, so it may be asked for, and Stripe refuses.
        billing.state().end(&id);
        let path = format!("/payments/admin/subscriptions/{}/pause", app.subscription(&id).await.token);
        let hide = |stored: &actix_payments::Stored<'_>| (stored.what == "error").then(|| "withheld".to_owned());
        for (admin, shown, hidden) in [
            (Admin::new(staff), "no such active subscription", "withheld"),
            (Admin::new(staff).redact(hide), "withheld", "no such active subscription"),
        ] {
            let page = app.get(&path).await.body;
            let (status, page) = send(&app, admin, Method::POST, &path, &form(&page)).await;
            assert!(status == 409 && page.contains(shown) && !page.contains(hidden), "{status} {page}");
        }
    }
}
