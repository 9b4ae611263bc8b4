//! Are the admin pages the host's own? Its title, the way back, its style sheet, its zone, what it hides, and where
//! it says that a request came from.

use actix_payments::{Access, Admin};
use actix_web::http::Method;
use actix_web::{App as ActixApp, HttpRequest, test};

use crate::app::{App, on_both_databases};
use crate::events::changed;
use crate::scenes::completed;

async fn staff(_: HttpRequest) -> Result<Access, actix_web::Error> {
    Ok(Access::Full("mia".to_owned()))
}

async fn ask(app: &App, admin: Admin, method: Method, path: &str) -> String {
    let service = test::init_service(ActixApp::new().service(app.payments.mount("/payments").admin(admin))).await;
    let request = test::TestRequest::default().method(method).uri(path).insert_header(("x-client", "198.51.100.7"));
    let body = test::call_and_read_body(&service, request.to_request()).await;
    String::from_utf8_lossy(&body).into_owned()
}

on_both_databases! {
    async fn the_pages_bear_the_hosts_title_way_back_and_style(kind) {
        let app = App::new(kind).await;
        let admin = Admin::new(staff).title("Shop <payments>").home("Back to the shop", "/orders?a=1&b=2").stylesheet("/own.css");
        let page = ask(&app, admin, Method::GET, "/payments/admin/payments").await;
        assert!(page.contains("Shop &#60;payments&#62;"), "{page}");
        assert!(page.contains(r#"href="/orders?a=1&#38;b=2""#) && page.contains("Back to the shop"), "{page}");
        let ours = page.find("admin.css").expect("our style sheet");
        assert!(page.find(r#"href="/own.css""#).expect("the host's") > ours, "the host's comes last");
    }

    async fn absolute_times_are_in_the_hosts_zone(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let berlin = Admin::new(staff).time_zone("Europe/Berlin").expect("a zone");
        let page = ask(&app, berlin, Method::GET, &format!("/payments/admin/payments/{token}")).await;
        // The clock stands at 10:15 UTC, in summer time.
        assert!(page.contains(r#"datetime="2026-10-12T10:15:00Z" title="12 Oct 2026, 12:15:00 CEST""#), "{page}");
        for bad in ["Nowhere/Town", "", "/etc/passwd", "../../etc/passwd"] {
            let refused = Admin::new(staff).time_zone(bad).expect_err("no such zone").to_string();
            assert!(refused.contains(&format!("{bad:?}")), "{refused}");
        }
    }

    async fn moments_where_the_calendar_ends_do_no_harm(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let at = |id: &str, moment: serde_json::Value| {
            let of = ("/data/object/client_reference_id", token.as_str().into());
            changed("checkout.session.completed", &[("/id", id.into()), ("/created", moment), of])
        };
        let refund = serde_json::json!({"id": "evt_back", "type": "refund.updated", "created": 1_791_800_000, "data": {"object": {
            "id": "re_1", "object": "refund", "amount": 1, "currency": "eur", "status": "succeeded", "charge": "ch_1",
            "created": -377_705_116_800_i64, "metadata": {"payment_token": token}}}}).to_string();
        let (west, end) = (at("evt_west", "9999-12-31T23:59:59-23:59".into()), at("evt_end", 253_402_300_799_i64.into()));
        app.deliver(&[&west, &end, &refund]).await;
        let states = app.texts("SELECT gateway_event_id || ' ' || state AS t FROM pay_events ORDER BY id");
        assert_eq!(states, ["evt_west completed", "evt_end completed", "evt_back completed"]);
        assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().refunded.minor, 1);
        for (page, shown) in [("events", "refund.updated"), ("events/2", "9999"), ("events/3", "refund.updated"), (&format!("payments/{token}"), "refund.updated")] {
            let east = Admin::new(staff).time_zone("Pacific/Kiritimati").expect("a zone");
            let page = ask(&app, east, Method::GET, &format!("/payments/admin/{page}")).await;
            assert!(page.contains(shown) && page.contains("</html>"), "{shown}: {page}");
        }
    }

    async fn the_charts_times_are_in_the_hosts_zone_and_say_so(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        let chart = async |zone: &str, span: &str| {
            let admin = Admin::new(staff).time_zone(zone).expect("a zone");
            let page = ask(&app, admin, Method::GET, &format!("/payments/admin/?span={span}")).await;
            let chart = page.split_once("<figure").unwrap().1.split_once("</figure>").unwrap().0.to_owned();
            assert!(chart.contains(&format!("Time zone: {zone}.")) && !chart.contains("UTC"), "{chart}");
            chart
        };
        // The clock stands at 10:15 UTC, in summer time.
        let day = chart("Europe/Berlin", "24h").await;
        assert!(day.contains("The most came at 12 Oct, 12:00 CEST: 1."), "{day}");
        assert!(day.contains("<title>12 Oct, 12:00 CEST: 1 received"), "{day}");
        let labels = |chart: &str| -> Vec<String> {
            let texts = chart.split("class=\"when-axis\"").skip(1);
            texts.map(|text| text.split_once('>').unwrap().1.split_once('<').unwrap().0.to_owned()).collect()
        };
        assert_eq!(labels(&day), ["18:00", "00:00", "06:00"]);
        assert_eq!(labels(&chart("Asia/Kolkata", "24h").await), ["18:30", "00:30", "06:30", "12:30"]);
        let week = chart("Europe/Berlin", "7d").await;
        assert_eq!(labels(&week), ["6 Oct", "7 Oct", "8 Oct", "9 Oct", "10 Oct", "11 Oct", "12 Oct"]);
        assert!(week.contains("<title>12 Oct, 08:00 CEST: 1 received"), "{week}");
        let month = chart("America/New_York", "30d").await;
        assert!(month.contains("<title>11 Oct, 20:00 EDT: 1 received"), "it began in the evening there: {month}");
        assert_eq!(labels(&month).last().map(String::as_str), Some("11 Oct"), "{:?}", labels(&month));
    }

    async fn what_the_host_redacts_is_not_on_the_page(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        let hide = |stored: &actix_payments::Stored<'_>| match stored.what {
            "body" => Some(format!("hidden body of {}", stored.variant)),
            "header:stripe-signature" => Some("hidden signature".to_owned()),
            _ => None,
        };
        let page = ask(&app, Admin::new(staff).redact(hide), Method::GET, "/payments/admin/events/1").await;
        assert!(page.contains("hidden body of stripe") && page.contains("hidden signature"), "{page}");
        assert!(!page.contains("client_reference_id") && !page.contains("v1="), "{page}");
        let bare = ask(&app, Admin::new(staff), Method::GET, "/payments/admin/events/1").await;
        assert!(bare.contains("client_reference_id") && bare.contains("v1="), "{bare}");
    }

    async fn the_audit_log_takes_the_address_from_where_the_host_says(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        let header = |req: &HttpRequest| Some(req.headers().get("x-client")?.to_str().ok()?.to_owned());
        let admin = Admin::new(staff).client_address(header);
        ask(&app, admin, Method::POST, "/payments/admin/events/1/requeue").await;
        assert_eq!(app.texts("SELECT actor || ' ' || address AS t FROM pay_audit"), ["mia 198.51.100.7"]);
    }
}
