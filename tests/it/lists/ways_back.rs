//! Does a row's page remember the view of the list that it was opened from: on the way back, and to its neighbours?

use super::filled;
use crate::app::{Answer, App, on_both_databases};
use crate::events::fixture;
use crate::scenes::completed;
use crate::subscriptions::story::Story;

/// Where the link with this text leads.
fn leads(page: &Answer, text: &str) -> Option<String> {
    let before = page.body.split(&format!("{text}</a>")).next().filter(|before| before.len() < page.body.len())?;
    Some(before.rsplit_once("href=\"")?.1.split('"').next()?.replace("&#38;", "&"))
}

/// Where the way back leads.
fn back(page: &Answer) -> String {
    let rest = page.body.split("class=\"crumb\"><a href=\"").nth(1).expect("a way back");
    rest.split('"').next().unwrap().replace("&#38;", "&")
}

/// The pages of the rows of a list, in its order.
async fn rows(app: &App, list: &str) -> Vec<String> {
    let page = app.list(list).await.html;
    let links = page.split("class=\"row-link").skip(1).filter_map(|rest| rest.split("href=\"").nth(1));
    links.map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&")).collect()
}

on_both_databases! {
    async fn neighbours_and_the_way_back_keep_to_the_filter(kind) {
        let app = filled(kind, 200, 1).await;
        for list in ["payments?status=failed&variant=stripe", "payments?sort=amount&status=pending", "payments?q=order-1"] {
            let rows = rows(&app, list).await;
            assert!(rows.len() > 3, "{list}: {rows:?}");
            for (at, row) in rows.iter().enumerate().take(4) {
                let page = app.get(row).await;
                assert_eq!(page.status, 200, "{row}");
                assert_eq!(back(&page), format!("/payments/admin/{list}"), "{row}");
                let before = at.checked_sub(1).map(|at| rows[at].clone());
                assert_eq!(leads(&page, "Previous in the list"), before, "{row}");
                assert_eq!(leads(&page, "Next in the list").as_ref(), rows.get(at + 1), "{row}");
            }
        }
    }

    async fn without_a_filter_neighbours_are_those_of_all_payments(kind) {
        let app = filled(kind, 5, 1).await;
        let page = app.get("/payments/admin/payments/pay_3").await;
        assert_eq!(back(&page), "/payments/admin/payments");
        assert_eq!(leads(&page, "Newer payment").as_deref(), Some("/payments/admin/payments/pay_4"));
        for unreadable in ["status%3Dnothing", "%26%26%3D", "before%3D2"] {
            let page = app.get(&format!("/payments/admin/payments/pay_3?in={unreadable}")).await;
            let newer = leads(&page, "Newer payment").unwrap();
            assert_eq!(newer.split('?').next(), Some("/payments/admin/payments/pay_4"));
        }
        let hostile = app.get("/payments/admin/payments/pay_3?in=q%3D%22%3E%3Cscript%3E").await;
        assert!(!hostile.body.contains("<script>"), "{}", hostile.body);
    }

    async fn a_subscription_leads_back_to_the_list_that_it_was_opened_from(kind) {
        let app = App::new(kind).await;
        for (number, status) in ["active", "past_due", "active"].iter().enumerate() {
            app.hear(&Story::new(number, status)).await;
        }
        let list = "subscriptions?status=active&ending=no";
        let found = rows(&app, list).await;
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(back(&app.get(&found[1]).await), format!("/payments/admin/{list}"));
        let plain = rows(&app, "subscriptions?before=3").await;
        assert_eq!(back(&app.get(&plain[0]).await), "/payments/admin/subscriptions", "a place is no view");
    }

    async fn a_payment_leads_back_to_the_disputes_and_books_that_it_was_opened_from(kind) {
        let app = App::new(kind).await;
        let payment = app.order().await;
        app.deliver(&[&completed(&payment.token), &fixture("charge.dispute.created").to_string()]).await;
        for list in ["disputes", "disputes?mode=test", "books?mode=test", "books?mode=test&currency=EUR"] {
            let page = app.get(&format!("/payments/admin/{list}")).await;
            let row = leads(&page, &format!("<bdi>{}</bdi>", payment.token));
            let row = row.unwrap_or_else(|| panic!("{list}: {}", page.body));
            let page = app.get(&row).await;
            assert_eq!(page.status, 200, "{row}");
            assert_eq!(back(&page), format!("/payments/admin/{list}"));
        }
        // Only lists that are here.
        let page = app.get(&format!("/payments/admin/payments/{}?of=%2F%2Felsewhere&in=status%3Dpaid", payment.token)).await;
        assert_eq!(back(&page), "/payments/admin/payments?status=paid");
    }

    async fn an_event_leads_back_to_the_list_that_it_was_opened_from(kind) {
        let app = filled(kind, 1, 100).await;
        let list = "events?state=completed&kind=invoice.*";
        let rows = rows(&app, list).await;
        let page = app.get(&rows[0]).await;
        assert_eq!(back(&page), "/payments/admin/events?state=completed&kind=invoice.%2A");
        assert_eq!(back(&app.get("/payments/admin/events/1").await), "/payments/admin/events");
    }

    async fn the_way_back_stays_through_notes_and_acts(kind) {
        let app = filled(kind, 5, 5).await;
        for (of, list, act) in [("payments/pay_3", "status%3Dpaid", "note"), ("events/1", "state%3Dcompleted", "note")] {
            let page = app.get(&format!("/payments/admin/{of}?in={list}")).await;
            let action = format!("action=\"/payments/admin/{of}/{act}?in={list}\"");
            assert!(page.body.contains(&action), "{action} in {}", page.body);
            let answer = app.post(&format!("/payments/admin/{of}/{act}?in={list}"), "note=Asked+the+bank").await;
            let next = answer.header("location").unwrap().to_owned();
            assert!(answer.status == 303 && next.contains(&format!("in={list}")), "{act}: {next}");
            let next = next.split('#').next().unwrap();
            assert_eq!(back(&app.get(next).await), back(&page), "{act}");
        }
        let app = App::new(kind).await;
        app.deliver(&[&fixture("payout.paid").to_string()]).await;
        let next = app.post("/payments/admin/events/1/requeue?in=kind%3Dpayout.%252A", "").await;
        assert_eq!(next.header("location"), Some("/payments/admin/events/1?done=requeue&in=kind%3Dpayout.%252A"));
    }

    async fn the_pages_of_a_payment_keep_the_list_that_it_was_opened_from(kind) {
        let app = filled(kind, 5, 5).await;
        assert_eq!(app.post("/payments/admin/payments/pay_3/note", "note=Asked+the+bank").await.status, 303);
        let page = app.get("/payments/admin/payments/pay_3?in=status%3Dpaid").await;
        assert!(page.body.contains("/payments/admin/payments/pay_3/rebuild?in=status%3Dpaid"), "{}", page.body);
        assert_eq!(back(&app.get("/payments/admin/payments/pay_3/rebuild?in=status%3Dpaid").await), "/payments/admin/payments/pay_3?in=status%3Dpaid");
        let words = "<input type=\"hidden\" name=\"in\" value=\"status=paid\">";
        assert!(page.body.contains(words), "the search in notes keeps it: {}", page.body);
    }
}
