//! `payments`: the list of the admin, and one payment with what happened to it.

use clap::Args;
use serde_json::{Value, json};

use super::options::Common;
use super::output::{Output, Table, json_time, moment};
use crate::domain::money::Money;
use crate::domain::payment::Status;
use crate::domain::scope::Scope;
use crate::engine::Payment;
use crate::error::{Error, ErrorKind};
use crate::payments::Payments;
use crate::reports::{PaymentStory, PaymentView, Place};
use crate::store::filters::PaymentFilter;
use crate::store::rows::PaymentRow;

#[derive(Debug, Clone, Args)]
pub struct PaymentsList {
    /// Show the payment with this token instead.
    token: Option<String>,
    /// Those in this status: pending, authorized, paid, partially_refunded, refunded, failed, canceled or expired.
    #[arg(long, value_parser = status)]
    status: Option<Status>,
    /// Those that need review.
    #[arg(long)]
    review: bool,
    /// Those of this variant.
    #[arg(long)]
    variant: Option<String>,
    /// Those with this token, gateway's id, reference or e-mail address.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// How many at the most, 1 to 1000.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Go on after this number, as the last answer said.
    #[arg(long, value_name = "ID")]
    after: Option<i64>,
    #[command(flatten)]
    common: Common,
}

fn status(word: &str) -> Result<Status, String> {
    Status::parse(word).ok_or_else(|| {
        let all: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).collect();
        format!("expected one of {}", all.join(", "))
    })
}

impl PaymentsList {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        if let Some(token) = &self.token {
            let unknown = || Error::new(ErrorKind::NotFound, format!("there is no payment {token}"));
            let story = payments.engine().payment_story(token, Scope::All).await?.ok_or_else(unknown)?;
            return Ok(one(self.common.json, &story));
        }
        let filter = PaymentFilter {
            statuses: self.status.into_iter().collect(),
            needs_review: self.review,
            variant: self.variant,
            ..PaymentFilter::default()
        };
        let view = PaymentView { filter, search: self.search, ..PaymentView::default() };
        let place = self.after.map(|id| Place { id, back: false, with: false });
        let page = payments.engine().payment_page(view, place, usize::from(self.limit)).await?;
        let further = page.further.map(|place| place.id);
        let mut table = Table::new(&["token", "created", "status", "amount", "variant", "reference", "customer"]);
        for row in &page.rows {
            table.row([
                row.token.clone(),
                moment(row.created_at),
                row.status.as_str().to_owned(),
                Money::new(row.amount, row.currency).to_string(),
                row.variant.clone(),
                row.reference.clone().unwrap_or_default(),
                row.customer.clone().unwrap_or_default(),
            ]);
        }
        let table = table.below(further.map(|id| format!("More with --after {id}")));
        let all = || json!({ "payments": page.rows.iter().map(value).collect::<Vec<_>>(), "next": further });
        Ok(Output::table(self.common.json, table, all))
    }
}

fn value(row: &PaymentRow) -> Value {
    let payment = Payment::of(row);
    json!({
        "token": payment.token, "reference": payment.reference, "variant": payment.variant,
        "account": payment.account,
        "status": payment.status.as_str(), "currency": row.currency.as_str(), "amount": payment.amount.minor,
        "captured": payment.captured.minor, "refunded": payment.refunded.minor, "lost": payment.lost.minor,
        "disputed": payment.disputed, "concerns": payment.concerns, "customer": payment.customer,
        "livemode": payment.livemode, "adopted": payment.adopted, "metadata": payment.metadata,
        "created_at": json_time(Some(payment.created_at)), "updated_at": json_time(Some(payment.updated_at)),
    })
}

fn one(json: bool, story: &PaymentStory) -> Output {
    let payment = Payment::of(&story.payment);
    let mut table = Table::new(&["", ""]);
    let mut line = |name: &str, text: String| table.row([name.to_owned(), text]);
    line("payment", payment.token.to_string());
    line("variant", payment.variant.to_string());
    line("account", payment.account.clone().unwrap_or_default());
    line("reference", payment.reference.as_deref().unwrap_or_default().to_owned());
    line("status", payment.status.as_str().to_owned());
    line("amount", payment.amount.to_string());
    line("captured", payment.captured.to_string());
    line("refunded", payment.refunded.to_string());
    line("customer", payment.customer.clone().unwrap_or_default());
    line("created", moment(payment.created_at));
    for concern in &payment.concerns {
        line("review", concern.clone());
    }
    for (reference, _) in &story.references {
        line("gateway ref", reference.clone());
    }
    for step in &story.transitions {
        let steps = format!("{} → {}", step.from_status.as_str(), step.to_status.as_str());
        line("transition", format!("{} {steps}: {}", moment(step.created_at), step.cause));
    }
    for event in &story.events {
        line("event", format!("{} {} {} {}", event.id, moment(event.received_at), event.kind, event.state.as_str()));
    }
    for it in &story.operations {
        let outcome = it.outcome.as_deref().unwrap_or_default();
        line("operation", format!("{} {} {} {outcome}", moment(it.created_at), it.verb.as_str(), it.state.as_str()));
    }
    let all = || {
        let mut all = value(&story.payment);
        all["references"] = story.references.iter().map(|(reference, _)| reference.as_str()).collect();
        all["events"] = story.events.iter().map(super::events::value).collect();
        let steps = story.transitions.iter().map(|it| {
            json!({
                "from": it.from_status.as_str(), "to": it.to_status.as_str(), "cause": it.cause,
                "at": json_time(Some(it.created_at)),
            })
        });
        all["transitions"] = steps.collect();
        let operations = story.operations.iter().map(|it| {
            json!({
                "verb": it.verb.as_str(), "state": it.state.as_str(), "outcome": it.outcome, "actor": it.actor,
                "at": json_time(Some(it.created_at)),
            })
        });
        all["operations"] = operations.collect();
        all
    };
    Output::table(json, table, all)
}
