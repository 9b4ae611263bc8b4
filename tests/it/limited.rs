//! Does somebody who may see one merchant's variants reach anything of another's, by any address that there is?

mod acts;
mod hints;
pub mod routes;
pub mod scene;

use std::cell::RefCell;

use actix_payments::Access;
use actix_web::HttpRequest;

use crate::app::{Answer, App, Behind, on_both_databases};
use crate::search::encoded;
use routes::routes;
use scene::{FOREIGN, Merchant, OWN, Rows, marketplace};

/// Fields that lists and files search by, and others that take any text.
const SEARCHES: [&str; 2] = ["q", "for"];
const WORDS: [&str; 6] = ["owner", "price", "actor", "failure", "name", "kind"];
/// Fields that take the number of a row.
const NUMBERS: [&str; 7] = ["before", "upto", "after", "since", "newer_than", "id", "highest"];
/// Views that show more than a page does by itself.
const VIEWS: [&str; 16] = [
    "",
    "totals=yes",
    "span=7d",
    "sort=amount",
    "sort=-amount",
    "status=review",
    "status=paid,partially_refunded",
    "state=retryable",
    "state=lost",
    "state=completed",
    "renews=30",
    "due=30",
    "mode=test",
    "month=2026-Q4&mode=test",
    "handler=book",
    "least=1&most=99999",
];

/// Nobody's rows, and what nobody bears: what is asked for them is the answer that a foreign row must have.
const NOWHERE: &str = "nowhere";

/// Somebody who may act, on one merchant's variants.
async fn ann(_: HttpRequest) -> Result<Access, actix_web::Error> {
    Ok(Access::full("ann").only([OWN.name.to_owned(), OWN.cash()]))
}

/// What a path is filled with.
struct Named<'a> {
    payment: &'a str,
    subscription: &'a str,
    event: String,
    variant: &'a str,
}

impl<'a> Named<'a> {
    fn of(rows: &'a Rows, merchant: &Merchant) -> Self {
        let Rows { refundable, subscription, event, .. } = rows;
        Self { payment: refundable, subscription, event: event.to_string(), variant: merchant.name }
    }

    fn nobody() -> Named<'static> {
        Named { payment: NOWHERE, subscription: NOWHERE, event: "987654".to_owned(), variant: NOWHERE }
    }

    /// The addresses of a path, one for each verb.
    fn addresses(&self, path: &str) -> Vec<String> {
        let token = if path.starts_with("subscriptions") { self.subscription } else { self.payment };
        let path = path.replace("{token}", token).replace("{id}", &self.event).replace("{variant}", self.variant);
        let verbs: &[&str] = match path.contains("{verb}") {
            true => &["refund", "capture", "cancel", "complete", "refresh", "cancel-at-end", "resume", "change"],
            false => &[""],
        };
        verbs.iter().map(|verb| format!("/payments/admin/{}", path.replace("{verb}", verb))).collect()
    }

    /// Forms that are whole, whatever the act.
    fn forms(&self, difference: i64) -> Vec<String> {
        let Self { payment, event, variant, .. } = self;
        let rest = format!(
            "note=x&owner=user-9&amount=1.00&key=op_abcdefghijklmnopqrstuvwxyz&variant={variant}&name=book&by=payment\
             &who={payment}&resolution=accept&count=1&states=retryable%201"
        );
        vec![
            format!("act=requeue&id={event}&{rest}"),
            format!("act=discard&id={event}&{rest}"),
            format!("act=requeue-all&view=variant%3D{variant}&{rest}"),
            format!("id={difference}&{rest}"),
        ]
    }
}

/// A walk as somebody limited, past all that another merchant has. What is wrong is gathered, so that all of it is seen.
struct Walk {
    behind: Behind,
    marks: Vec<String>,
    faults: RefCell<Vec<String>>,
}

impl Walk {
    async fn new(app: &App) -> Self {
        Self { behind: app.behind(ann).await, marks: FOREIGN.marks(app), faults: RefCell::default() }
    }

    fn must(&self, is_so: bool, fault: impl FnOnce() -> String) {
        if !is_so {
            self.faults.borrow_mut().push(fault());
        }
    }

    /// Nothing of another's is in the answer but what the address itself says.
    fn must_be_clean(&self, path: &str, answer: &Answer) {
        let text = whole(answer);
        let shown = |mark: &&String| {
            let is_asked = written(mark).iter().any(|way| path.contains(way.as_str()));
            !is_asked && text.contains(mark.as_str())
        };
        let shown: Vec<&String> = self.marks.iter().filter(shown).collect();
        self.must(shown.is_empty(), || format!("{path} shows {shown:?}"));
    }

    async fn look(&self, path: &str) -> Answer {
        let answer = self.behind.get(path).await;
        self.must_be_clean(path, &answer);
        answer
    }

    /// An address that names something of another's answers as one that names nothing.
    fn must_be_same(&self, (path, got): (&str, &Answer), other: &Answer, words: (&str, &str)) {
        let plain = |answer: &Answer, word: &str| {
            written(word).iter().fold(whole(answer), |text, way| text.replace(way.as_str(), "…"))
        };
        let (one, two) = (plain(got, words.0), plain(other, words.1));
        let at = one.chars().zip(two.chars()).position(|(one, two)| one != two).unwrap_or_default();
        let part = |text: &str| text.chars().skip(at.saturating_sub(40)).take(160).collect::<String>();
        let is_same = got.status == other.status && one == two;
        let statuses = [got.status, other.status];
        self.must(is_same, || format!("{path} {statuses:?} not as nothing: {:?}, {:?}", part(&one), part(&two)));
    }

    #[track_caller]
    fn end(self) {
        let faults = self.faults.into_inner();
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    }
}

/// A word as addresses and pages write it.
fn written(word: &str) -> [String; 5] {
    let escaped = |space: &str| word.replace('@', "%40").replace(',', "%2C").replace(' ', space);
    // A row's page remembers the whole address of the list in its own.
    let twice = escaped("%20").replace('%', "%25");
    [encoded(word), twice, escaped("%20"), escaped("+"), word.to_owned()]
}

fn whole(answer: &Answer) -> String {
    let headers: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    headers + &answer.body
}

#[test]
fn the_walk_knows_every_route() {
    let known = routes();
    assert!(known.len() >= 50, "{}", known.len());
    for path in ["", "payments/{token}/{verb}", "events/bulk", "drift/repair", "audit.csv", "data/person/erase"] {
        assert!(known.iter().any(|route| route.path == path), "{path}");
    }
}

on_both_databases! {
    async fn a_merchants_staff_reaches_no_row_of_anothers_by_any_address(kind) {
        let app = marketplace(kind).await;
        let (own, foreign, walk) = (OWN.rows(&app), FOREIGN.rows(&app), Walk::new(&app).await);
        let before = app.dump();
        let (named, nobody) = (Named::of(&foreign, &FOREIGN), Named::nobody());
        let words = [
            (named.payment, NOWHERE),
            (named.subscription, NOWHERE),
            (&named.event, "987654"),
            (named.variant, NOWHERE),
        ];
        for route in routes() {
            let has_row = route.path.contains('{');
            for (path, nothing) in named.addresses(&route.path).iter().zip(nobody.addresses(&route.path)) {
                let named_by = words.iter().find(|(word, _)| path.contains(*word)).copied().unwrap_or(("…", "…"));
                if !route.is_act {
                    let (got, none) = (walk.look(path).await, walk.look(&nothing).await);
                    walk.must((got.status == 404) == has_row, || format!("{path}: {}", got.status));
                    walk.must_be_same((path, &got), &none, named_by);
                    continue;
                }
                let forms = named.forms(foreign.difference).into_iter().zip(nobody.forms(987_654));
                for (form, empty) in forms {
                    let (got, none) = (walk.behind.post(path, &form).await, walk.behind.post(&nothing, &empty).await);
                    walk.must_be_clean(&form, &got);
                    let is_refused = (400..500).contains(&got.status) || route.path == "drift/repair";
                    walk.must(is_refused && got.status == none.status, || {
                        format!("{path} with {form}: {} and {}", got.status, none.status)
                    });
                    if has_row {
                        walk.must_be_same((path, &got), &none, named_by);
                    }
                }
            }
        }
        walk.must(app.dump() == before, || "an act changed something".to_owned());
        // The same walk finds what is its own, and nothing beside that.
        let mine = Named::of(&own, &OWN);
        for route in routes().into_iter().filter(|route| !route.is_act && route.path.contains('{')) {
            for path in mine.addresses(&route.path) {
                let status = walk.look(&path).await.status;
                let is_there = status == 200 || status == 409 || status == 404 && route.path.contains("{verb}");
                walk.must(is_there, || format!("{path}: {status}"));
            }
        }
        for list in ["payments", "payments.csv", "books?mode=test", "books.csv?mode=test"] {
            let found = walk.look(&format!("/payments/admin/{list}")).await;
            walk.must(found.body.contains(&own.refundable), || format!("{list} lacks what is its own"));
        }
        for (list, word) in [
            ("events", "payout.failed"),
            ("events.csv", "evt_failed_acme"),
            ("subscriptions", "owner-acme"),
            ("subscriptions.csv", "owner-acme"),
            ("disputes", "acme-order"),
            ("disputes.csv", "acme-order"),
            ("audit", "Asked Ada Bell again"),
            ("audit.csv", "Asked Ada Bell again"),
            ("failures", "no account for"),
            ("variants", "acme-cash"),
            ("drift", own.payment.as_str()),
            ("", OWN.sum(&app).as_str()),
        ] {
            let found = walk.look(&format!("/payments/admin/{list}")).await;
            walk.must(found.body.contains(word), || format!("{list:?} lacks {word}: {}", found.text()));
        }
        let customer = walk.look(&format!("/payments/admin/payments/{}/customer", own.shared)).await;
        walk.must(customer.body.contains("acme-shared"), || customer.text());
        // It acts on its own, and on its own alone where a form names others beside.
        let both = format!("act=requeue&id={}&id={}&count=1&states=retryable%201", own.event, foreign.event);
        let done = walk.behind.post("/payments/admin/events/bulk", &both).await;
        walk.must(done.text().contains("1 event was requeued"), || done.text());
        let note = walk.behind.post(&format!("/payments/admin/payments/{}/note", own.payment), "note=x").await;
        walk.must(note.status == 303, || note.text());
        // Somebody who may see all does with these very addresses and forms what the walk could not.
        let mut worked = Vec::new();
        for route in routes().into_iter().filter(|route| route.is_act) {
            for path in named.addresses(&route.path) {
                for form in named.forms(foreign.difference) {
                    if app.post(&path, &form).await.status < 400 {
                        worked.push(route.path.clone());
                    }
                }
            }
        }
        for path in [
            "payments/{token}/note",
            "payments/{token}/{verb}",
            "events/{id}/note",
            "events/{id}/requeue",
            "events/{id}/discard",
            "events/bulk",
            "subscriptions/{token}/owner",
            "variants/{variant}/test",
            "handlers/retire",
            "data/person",
        ] {
            walk.must(worked.iter().any(|known| known == path), || format!("nobody can {path}: the walk shows nothing"));
        }
        walk.end();
    }

    async fn no_filter_search_or_place_shows_a_row_of_anothers(kind) {
        let app = marketplace(kind).await;
        let (own, foreign, walk) = (OWN.rows(&app), FOREIGN.rows(&app), Walk::new(&app).await);
        let words: [(&str, &str); 12] = [
            (&foreign.payment, "pay_nowhere"),
            (&foreign.subscription, "sub_nowhere"),
            ("zeta-order", "nowhere-order"),
            (FOREIGN.email, "noone@nowhere.example"),
            (FOREIGN.person, "Nora Null"),
            (FOREIGN.amounts[1], "8765.43"),
            ("evt_failed_zeta", "evt_failed_nowhere"),
            ("sub_zeta", "sub_nowhere"),
            ("in_zeta", "in_nowhere"),
            ("owner-zeta", "owner-nowhere"),
            ("cus_zeta", "cus_nowhere"),
            ("zeta", "nowhere"),
        ];
        let lists = routes().into_iter().filter(|route| !route.is_act && !route.path.contains('{'));
        for list in lists.map(|route| format!("/payments/admin/{}", route.path)) {
            if walk.look(&list).await.status == 403 {
                continue;
            }
            for view in VIEWS {
                walk.look(&format!("{list}?{view}")).await;
                walk.look(&format!("{list}?variant=acme&{view}")).await;
                let [got, none] = ["zeta", "nowhere"].map(|name| format!("{list}?variant={name}&{view}"));
                walk.must_be_same((&got, &walk.look(&got).await), &walk.look(&none).await, ("zeta", "nowhere"));
            }
            for number in [foreign.event, foreign.difference, 1, 3] {
                for field in NUMBERS {
                    walk.look(&format!("{list}?{field}={number}&sort=amount&renews=30")).await;
                }
            }
            let searches = SEARCHES.iter().flat_map(|field| words.iter().map(move |word| (*field, *word)));
            let others = WORDS.iter().flat_map(|field| words.iter().skip(9).map(move |word| (*field, *word)));
            for (field, (word, nowhere)) in searches.chain(others) {
                let [got, none] = [word, nowhere].map(|word| format!("{list}?{field}={}", encoded(word)));
                walk.must_be_same((&got, &walk.look(&got).await), &walk.look(&none).await, (word, nowhere));
            }
        }
        // The same searches find what is its own.
        for (list, words) in [("payments", "q=acme-order"), ("payments.csv", "q=ada%40acme"), ("search", "for=43.21")] {
            let found = walk.look(&format!("/payments/admin/{list}?{words}")).await;
            let is_found = found.body.contains(&own.payment);
            walk.must(is_found, || format!("{list}?{words} finds nothing: {}", found.text()));
        }
        walk.end();
    }

    async fn whoever_may_see_no_variant_or_may_not_act_does_neither(kind) {
        let app = marketplace(kind).await;
        let own = OWN.rows(&app);
        let nobody = |_: HttpRequest| async { Ok::<_, actix_web::Error>(Access::full("ann").only([""; 0])) };
        let behind = app.behind(nobody).await;
        let (list, own_page) = ("/payments/admin/payments", format!("/payments/admin/payments/{}", own.payment));
        let empty = behind.get(list).await;
        assert!(empty.status == 200 && !empty.body.contains("pay_"), "{}", empty.text());
        assert_eq!(behind.get(&own_page).await.status, 404);
        let reader = |_: HttpRequest| async { Ok::<_, actix_web::Error>(Access::read_only("ann").only([OWN.name])) };
        let behind = app.behind(reader).await;
        let page = behind.get(&own_page).await;
        assert!(page.status == 200 && page.text().contains("read-only, acme only"), "{}", page.text());
        assert_eq!(behind.post(&format!("{own_page}/note"), "note=x").await.status, 403);
        // What another access allows is not added.
        let less = Access::full("ann").only(["acme", "zeta"]).only(["zeta", "beta"]);
        assert_eq!(less, Access::full("ann").only(["zeta"]));
        assert_eq!(Access::Denied.only(["acme"]), Access::Denied);
    }
}
