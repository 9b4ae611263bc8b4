//! `subscriptions`: which there are, and one with how it stands.

use clap::Args;
use serde_json::{Value, json};

use super::options::Common;
use super::output::{Output, Table, json_time, moment};
use crate::domain::subscription::SubscriptionStatus;
use crate::engine::Subscription;
use crate::error::{Error, ErrorKind};
use crate::payments::Payments;
use crate::reports::SubscriptionQuery;

#[derive(Debug, Clone, Args)]
pub struct SubscriptionsList {
    /// Show the subscription with this token instead.
    token: Option<String>,
    /// Those in this status, such as active or past_due.
    #[arg(long, value_parser = status)]
    status: Option<SubscriptionStatus>,
    /// Those of this variant.
    #[arg(long)]
    variant: Option<String>,
    /// Those of this owner.
    #[arg(long)]
    owner: Option<String>,
    /// Those of the customer with this e-mail address.
    #[arg(long, value_name = "EMAIL")]
    customer: Option<String>,
    /// How many at the most, 1 to 1000.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Go on after this number, as the last answer said.
    #[arg(long, value_name = "ID")]
    after: Option<i64>,
    #[command(flatten)]
    common: Common,
}

fn status(word: &str) -> Result<SubscriptionStatus, String> {
    SubscriptionStatus::parse(word).ok_or_else(|| {
        let all: Vec<&str> = SubscriptionStatus::ALL.iter().map(|status| status.as_str()).collect();
        format!("expected one of {}", all.join(", "))
    })
}

impl SubscriptionsList {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        let json = self.common.json;
        if let Some(token) = &self.token {
            let unknown = || Error::new(ErrorKind::NotFound, format!("there is no subscription {token}"));
            let found = payments.subscription(&token.into()).await?.ok_or_else(unknown)?;
            return Ok(list(json, std::slice::from_ref(&found), None, || value(&found)));
        }
        let mut query = SubscriptionQuery::new().limit(u32::from(self.limit));
        if let Some(status) = self.status {
            query = query.status(status);
        }
        if let Some(variant) = self.variant {
            query = query.variant(variant);
        }
        if let Some(owner) = self.owner {
            query = query.owner(owner);
        }
        if let Some(email) = self.customer {
            query = query.customer(email);
        }
        if let Some(after) = self.after {
            query = query.after(after);
        }
        let found = payments.subscriptions(query).await?;
        let all = || {
            let each: Vec<Value> = found.subscriptions.iter().map(value).collect();
            json!({ "subscriptions": each, "next": found.next })
        };
        Ok(list(json, &found.subscriptions, found.next, all))
    }
}

fn list(json: bool, rows: &[Subscription], further: Option<i64>, value: impl FnOnce() -> Value) -> Output {
    let mut table = Table::new(&["token", "status", "variant", "gateway ref", "owner", "period ends"]);
    for row in rows {
        table.row([
            row.token.to_string(),
            row.status().as_str().to_owned(),
            row.variant.to_string(),
            row.gateway_ref.as_deref().unwrap_or_default().to_owned(),
            row.owner().unwrap_or_default().to_owned(),
            row.state.period.map(|it| moment(it.end)).unwrap_or_default(),
        ]);
    }
    let table = table.below(further.map(|id| format!("More with --after {id}")));
    Output::table(json, table, value)
}

fn value(row: &Subscription) -> Value {
    json!({
        "token": row.token, "variant": row.variant, "account": row.account, "gateway_ref": row.gateway_ref, "status": row.status().as_str(),
        "owner": row.owner(), "customer": row.state.customer,
        "period_end": json_time(row.state.period.map(|it| it.end)),
        "livemode": row.livemode, "adopted": row.adopted, "created_at": json_time(Some(row.created_at)),
        "updated_at": json_time(Some(row.updated_at)),
    })
}
