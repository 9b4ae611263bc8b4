//! What is held of a person, and forgetting them: `export` and `erase`.

use clap::Args;
use serde_json::{Value, json};

use super::options::{Acting, Common};
use super::output::Output;
use crate::domain::person::{NamedBy, Person};
use crate::engine::act;
use crate::engine::request::Requester;
use crate::error::{Error, ErrorKind};
use crate::payments::Payments;

/// Who is meant.
#[derive(Debug, Clone, Args)]
pub(crate) struct Who {
    /// Who has this email address.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Who is this customer: the gateway's id of the customer, or your own id of a subscription's owner.
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// Who paid this payment, by its token.
    #[arg(long, value_name = "TOKEN")]
    payment: Option<String>,
}

impl Who {
    fn person(self) -> Result<Person, Error> {
        let given =
            [(NamedBy::Email, self.email), (NamedBy::Customer, self.customer), (NamedBy::Payment, self.payment)];
        let mut given = given.into_iter().filter_map(|(by, text)| Some(Person::named(by, text?)));
        match (given.next(), given.next()) {
            (Some(person), None) => Ok(person),
            _ => Err(Error::new(ErrorKind::Refused, "say whom by one of --email, --customer and --payment")),
        }
    }
}

#[derive(Debug, Clone, Args)]
pub struct Export {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    common: Common,
}

impl Export {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        let (engine, person) = (payments.engine(), self.who.person()?);
        if self.acting.dry_run {
            let held = engine.holdings(person).await?;
            let text = format!("would export {}", held.sentence());
            return Ok(Output::text(self.common.json, text.clone(), || json!({ "would": text })));
        }
        let document = payments.export(&person).await?;
        let row = act("export", &self.acting.actor(), None, None, engine.now());
        engine.write(move |tx| tx.add_act(&row)).await?;
        let value = || serde_json::from_str(&document).unwrap_or(Value::Null);
        Ok(Output::text(self.common.json, document.clone(), value))
    }
}

#[derive(Debug, Clone, Args)]
pub struct Erase {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    common: Common,
}

impl Erase {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        let (engine, json, person) = (payments.engine(), self.common.json, self.who.person()?);
        if self.acting.dry_run {
            let held = engine.holdings(person).await?;
            let text = format!("would erase the person in {}", held.sentence());
            let value = || {
                let tokens: Vec<&str> = held.payments.iter().map(|row| row.token.as_str()).collect();
                let subscriptions: Vec<&str> = held.subscriptions.iter().map(|row| row.token.as_str()).collect();
                json!({ "payments": tokens, "subscriptions": subscriptions, "events": held.events.len() })
            };
            return Ok(Output::text(json, text, value));
        }
        let erased = engine.erase(person, Requester::Operator(self.acting.actor())).await?;
        let of = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let mut text = format!(
            "erased in {}, {} and {}",
            of(erased.payments, "payment"),
            of(erased.subscriptions, "subscription"),
            of(erased.events, "event")
        );
        if let Some(left) = erased.left {
            text = format!("{text}\n{left}");
        }
        let value = || {
            json!({
                "payments": erased.payments, "subscriptions": erased.subscriptions, "events": erased.events,
                "left": erased.left,
            })
        };
        Ok(Output::text(json, text, value))
    }
}
