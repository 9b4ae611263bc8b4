//! What have I bought? A customer's own orders, with what became of their money.

use actix_payments::Payments;
use actix_payments::domain::fact::State;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::customer::customer;
use crate::orders;
use crate::pages::{Db, Failure, page};

#[derive(Template)]
#[template(path = "../examples/shop/mine.html")]
struct Mine {
    orders: Vec<Bought>,
}

struct Bought {
    item: String,
    status: String,
    paid: String,
    /// What went back and what is on its way: a line each.
    refunds: Vec<String>,
}

pub(crate) async fn mine(req: HttpRequest, payments: Payments, db: Db) -> Result<HttpResponse, Failure> {
    let customer = customer(&req).unwrap_or_default();
    let mut bought = Vec::new();
    for order in db.run(move |conn| Ok::<_, Failure>(orders::of(conn.lent(), &customer)?)).await? {
        let Some(token) = order.token else { continue };
        let Some(history) = payments.history(&token).await? else { continue };
        let payment = history.payment;
        let back = (payment.refunded.minor > 0).then(|| format!("{} went back", payment.refunded));
        let pending = history.refunds.iter().filter(|refund| refund.state == State::Pending);
        let on_its_way = pending.filter_map(|refund| Some(format!("{} are on their way back", refund.amount?)));
        let refunds = back.into_iter().chain(on_its_way).collect();
        let (status, paid) = (payment.status.to_string(), payment.captured.to_string());
        bought.push(Bought { item: order.item, status, paid, refunds });
    }
    page(&Mine { orders: bought })
}

pub(crate) fn route(config: &mut web::ServiceConfig) {
    config.route("/mine", web::get().to(mine));
}
