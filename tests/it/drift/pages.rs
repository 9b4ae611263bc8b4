//! Does the page of the admin show both values and repair what was confirmed, and does the command do the same?

use actix_payments::CaptureMethod;
use serde_json::Value;

use super::turns::{COMPARED, comparing, work_until};
use super::world::{DAY, World};
use crate::app::{Kind, on_both_databases};

/// A payment that was paid and a stranger, of which nothing was told.
async fn drifted(kind: Kind) -> (World, String, String) {
    let mut world = comparing(kind, None).await;
    let token = world.checkout(CaptureMethod::Immediate).await;
    world.fake.pay(&token);
    let stray = world.stray(1);
    world.pass(DAY);
    world.lose_all();
    (world, token.to_string(), stray)
}

/// The addresses in a page that begin so.
fn links(body: &str, beginning: &str) -> Vec<String> {
    let begins = format!("href=\"{beginning}");
    body.split(&begins).skip(1).map(|rest| format!("{beginning}{}", rest.split('"').next().unwrap())).collect()
}

/// The hidden fields of the page's form, as a form sends them.
fn fields(body: &str) -> String {
    let hidden = body.split("name=\"id\" value=\"").skip(1);
    hidden.map(|rest| format!("id={}", rest.split('"').next().unwrap())).collect::<Vec<_>>().join("&")
}

on_both_databases! {
    async fn the_page_compares_shows_both_values_and_repairs_what_was_confirmed(kind) {
        let (world, token, stray) = drifted(kind).await;
        let app = &world.app;
        assert!(app.get("/payments/admin/variants").await.body.contains("/payments/admin/drift"));
        let page = app.get("/payments/admin/drift").await;
        assert!(page.text().contains("Not compared yet.") && page.text().contains("No difference is known."));
        let answer = app.post("/payments/admin/drift", "variant=stripe").await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/payments/admin/drift?done=compare")));
        work_until(&world, COMPARED, 1).await;
        let page = app.get("/payments/admin/drift").await;
        let text = page.text();
        assert!(text.contains("status pending paid") && text.contains("captured 0.00 EUR 50.00 EUR"), "{text}");
        assert!(text.contains(&token) && text.contains(&stray) && text.contains("status not known here paid"), "{text}");
        let one = links(&page.body, "/payments/admin/drift/repair?id=");
        assert_eq!(one.len(), 2);
        let question = app.get(&one[0]).await;
        assert!(question.text().contains("Repair this difference?"), "{}", question.text());
        assert_eq!(app.status(&token).await.as_str(), "pending", "a question changes nothing");
        let all = app.get("/payments/admin/drift/repair").await;
        assert!(all.text().contains("What is not known here becomes a payment"), "{}", all.text());
        let answer = app.post("/payments/admin/drift/repair", &fields(&all.body)).await;
        assert_eq!(answer.header("location"), Some("/payments/admin/drift?done=repair&repaired=2&left=0"));
        app.drain().await;
        assert_eq!(app.status(&token).await.as_str(), "paid");
        assert_eq!(app.payments.payment_at("stripe", &stray).await.unwrap().unwrap().status.as_str(), "paid");
        let page = app.get("/payments/admin/drift?done=repair&repaired=2&left=0").await.text();
        assert!(page.contains("Repaired: 2.") && page.contains("No difference is known."), "{page}");
        // The same form again does nothing: what was confirmed is repaired.
        let again = app.post("/payments/admin/drift/repair", &fields(&all.body)).await;
        assert_eq!(again.header("location"), Some("/payments/admin/drift?done=repair&repaired=0&left=0"));
        let acts = app.texts("SELECT act || ' by ' || actor AS t FROM pay_audit ORDER BY id");
        assert!(acts.contains(&"compare by admin".to_owned()) && acts.contains(&"adopt by admin".to_owned()), "{acts:?}");
        assert!(acts.contains(&"refresh by admin".to_owned()), "{acts:?}");
    }

    async fn a_gateway_that_does_not_answer_leaves_the_difference(kind) {
        let (world, token, _) = drifted(kind).await;
        world.app.post("/payments/admin/drift", "variant=stripe").await;
        work_until(&world, COMPARED, 1).await;
        let id = world.app.number("SELECT id FROM pay_differences WHERE subject = 'payment'");
        world.fake.state().faults = [Some(crate::stripe::fake::Fault::Trouble)].into();
        let answer = world.app.post("/payments/admin/drift/repair", &format!("id={id}")).await;
        assert_eq!(answer.header("location"), Some("/payments/admin/drift?done=repair&repaired=0&left=1"));
        let page = world.app.get(answer.header("location").unwrap()).await.text();
        assert!(page.contains("did not answer about 1") && page.contains(&token), "{page}");
    }

    async fn the_command_says_what_differs_and_its_exit_code_too(kind) {
        let (world, token, stray) = drifted(kind).await;
        let dry = world.app.cli("drift --variant stripe --since 40d --dry-run --per-second 1000 --json").await;
        let found: Value = serde_json::from_str(&dry.text).unwrap();
        let stripe = &found["compared"][0];
        assert_eq!((dry.code, stripe["differing"].as_array().unwrap().len()), (1, 2), "{dry:?}");
        let of = |name: &str| {
            let all = stripe["differing"].as_array().unwrap();
            all.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("{name} in {stripe}")).clone()
        };
        let status = &of(&token)["values"][0];
        assert_eq!((status["ours"].as_str(), status["theirs"].as_str()), (Some("pending"), Some("paid")));
        assert_eq!(of(&stray)["what"], "object");
        let link = format!("/payments/admin/payments/{token}");
        assert_eq!(of(&token)["link"], link.as_str());
        let elsewhere = of(&stray)["link"].as_str().unwrap().to_owned();
        assert!(elsewhere.starts_with("https://dashboard.stripe.com/") && elsewhere.ends_with(&stray), "{elsewhere}");
        assert_eq!(world.app.status(&token).await.as_str(), "pending");
        let lines = world.app.cli("drift --variant stripe --dry-run --per-second 1000").await.text;
        assert!(lines.contains(&format!("stripe\tpayment\t{token}\tstatus\tpending\tpaid\tcompared\t{link}\n")), "{lines}");

        let repaired = world.app.cli("drift --per-second 1000 --actor ann").await;
        assert_eq!(repaired.code, 0, "{repaired:?}");
        assert!(repaired.text.contains(&format!("{token}\tstatus\tpending\tpaid\trepaired")), "{repaired:?}");
        world.app.drain().await;
        assert_eq!(world.app.status(&token).await.as_str(), "paid");
        let again = world.app.cli("drift --dry-run --per-second 1000").await;
        assert_eq!((again.code, again.text.as_str()), (0, ""), "{again:?}");
        assert!(world.app.texts("SELECT act || ' by ' || actor AS t FROM pay_audit").contains(&"adopt by ann".to_owned()));
        let unknown = world.app.cli("drift --variant nobody").await;
        assert_eq!((unknown.code, unknown.problem.is_some()), (1, true));
    }
}
