//! What do customers see? A list of things to buy, and their order.

use actix_payments::domain::money::{Currency, Money};
use actix_payments::{AnyConnection, Database, ErrorKind, NewPayment, Payments, VariantName};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, ContentType, LOCATION, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::{Deserialize, Serialize};

use crate::customer::{cookie, customer};
use crate::orders::{self, Order};

pub(crate) type Db = web::Data<Database<AnyConnection>>;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(home))
        .route("/shop.css", web::get().to(css))
        .route("/orders", web::post().to(buy))
        .route("/orders/{order}", web::get().to(show));
}

/// What the shop sells: a word for the form, a name, and a price in cents.
const ITEMS: [(&str, &str, i64); 3] =
    [("kettle", "Copper kettle", 4999), ("teapot", "Stoneware teapot", 3250), ("cup", "Two cups", 1800)];

#[derive(Template)]
#[template(path = "../examples/shop/home.html")]
struct Home {
    items: Vec<(&'static str, &'static str, String)>,
    variants: Vec<VariantName>,
}

#[derive(Template)]
#[template(path = "../examples/shop/order.html")]
struct OrderPage {
    order: Order,
    amount: String,
}

async fn home(payments: Payments) -> Result<HttpResponse, Failure> {
    let price = |cents| Money::new(cents, Currency::EUR).to_string();
    let items = ITEMS.iter().map(|(word, name, cents)| (*word, *name, price(*cents))).collect();
    page(&Home { items, variants: payments.variants().cloned().collect() })
}

#[derive(Deserialize)]
struct Buy {
    item: String,
    variant: String,
    /// What a customer would like to pay: refused.
    amount: Option<String>,
    currency: Option<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    order: &'a str,
    token: Option<&'a str>,
    status: &'a str,
    next: Option<&'a str>,
}

async fn buy(req: HttpRequest, form: web::Form<Buy>, payments: Payments, db: Db) -> Result<HttpResponse, Failure> {
    let Buy { item, variant, amount, currency } = form.into_inner();
    let (_, name, price) = ITEMS.iter().find(|(word, ..)| *word == item).ok_or(Failure::bad("no such item"))?;
    if [amount, currency].into_iter().flatten().any(|text| !text.trim().is_empty()) {
        return Err(Failure::bad("the shop says what it costs: expected neither amount nor currency"));
    }
    let amount = Money::new(*price, Currency::EUR);
    let order = Order {
        id: new_id()?,
        item: (*name).to_owned(),
        variant: variant.clone(),
        amount: amount.minor,
        currency: amount.currency.to_string(),
        status: "pending".to_owned(),
        token: None,
        receipts: 0,
    };
    if !payments.variants().any(|known| *known == variant) {
        return Err(Failure::bad("no such variant"));
    }
    let customer = customer(&req).map_or_else(new_customer, Ok)?;
    let whose = customer.clone();
    let insert = move |conn: &mut AnyConnection| {
        orders::insert(conn.lent(), &order)?;
        orders::give(conn.lent(), &order.id, &whose)?;
        Ok::<_, Failure>(order)
    };
    let order = db.run(insert).await?;
    let address = format!("/orders/{}", order.id);
    let whole = format!("{}{address}", root(&req));
    let new = NewPayment::new(&variant, amount).reference(&order.id).item(*name, 1, amount.minor).return_url(whole);
    let created = payments.create(new).await?;
    let order = Order { token: Some(created.payment.token), ..order };
    let order =
        db.run(move |conn| orders::set_token(conn.lent(), &order).map(|()| order).map_err(Failure::from)).await?;
    let next = created.next.url();
    let mut answer = match wants_json(&req) {
        true => json(&order, next),
        false => HttpResponse::SeeOther().insert_header((LOCATION, next.unwrap_or(&address))).finish(),
    };
    answer.add_cookie(&cookie(customer)).map_err(Failure::bad)?;
    Ok(answer)
}

/// This shop as the browser sees it; a gateway sends the customer back from its own pages.
pub(crate) fn root(req: &HttpRequest) -> String {
    let connection = req.connection_info();
    format!("{}://{}", connection.scheme(), connection.host())
}

async fn show(req: HttpRequest, id: web::Path<String>, payments: Payments, db: Db) -> Result<HttpResponse, Failure> {
    let Some(mut order) = find(&db, &id).await? else {
        return Ok(HttpResponse::NotFound().body("no such order"));
    };
    // Customers are often back before the gateway's event; the handler in the transaction marks the order either way.
    if let Some(token) = order.token.as_ref().filter(|_| order.status == "pending") {
        payments.catch_up(token).await?;
        order = find(&db, &id).await?.unwrap_or(order);
    }
    if wants_json(&req) {
        return Ok(json(&order, None));
    }
    let currency = Currency::parse(&order.currency).map_err(Failure::bad)?;
    page(&OrderPage { amount: Money::new(order.amount, currency).to_string(), order })
}

async fn find(db: &Db, id: &str) -> Result<Option<Order>, Failure> {
    let id = id.to_owned();
    db.run(move |conn| Ok(orders::find(conn.lent(), &id)?)).await
}

async fn css() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(include_str!("shop.css"))
}

fn json(order: &Order, next: Option<&str>) -> HttpResponse {
    let token = order.token.as_deref();
    HttpResponse::Ok().json(Answer { order: &order.id, token, status: &order.status, next })
}

fn wants_json(req: &HttpRequest) -> bool {
    req.headers().get(ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"))
}

pub(crate) fn page(page: &impl Template) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::Ok().content_type(ContentType::html()).body(page.render()?))
}

/// Eight letters and digits: enough that nobody guesses another's order in a demo.
pub(crate) fn new_id() -> Result<String, Failure> {
    let mut bytes = [0_u8; 6];
    getrandom::fill(&mut bytes).map_err(|error| Failure(500, error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A customer's id, which opens all of their orders: nobody guesses it.
pub(crate) fn new_customer() -> Result<String, Failure> {
    Ok(format!("{}{}{}", new_id()?, new_id()?, new_id()?))
}

/// What went wrong: a status and words for the customer.
#[derive(Debug)]
pub(crate) struct Failure(u16, String);

impl Failure {
    pub(crate) fn bad(why: impl ToString) -> Self {
        Self(400, why.to_string())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0 < 500 { &self.1 } else { "something went wrong, please try again" })
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0).unwrap_or_default()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if self.0 == 503 {
            response.insert_header((RETRY_AFTER, "5"));
        }
        response.content_type("text/plain; charset=utf-8").body(self.to_string())
    }
}

impl From<actix_payments::Error> for Failure {
    fn from(error: actix_payments::Error) -> Self {
        log::error!("{error}");
        let status = match error.kind() {
            ErrorKind::Refused => 400,
            ErrorKind::Unavailable => 503,
            _ => 500,
        };
        Self(status, error.to_string())
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        log::error!("{error}");
        Self(500, error.to_string())
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        log::error!("{error}");
        Self(500, error.to_string())
    }
}
