//! Which verbs a company has.

use crate::domain::Timestamp;
use crate::domain::money::{Currency, Money};
use crate::testing::company::Company;
use crate::testing::happening::{Deal, PERIOD, Plan, Step, Turn};

const OF_PAYMENTS: [(&str, Step); 11] = [
    ("paid", Step::Paid),
    ("authorized", Step::Authorized),
    ("captured", Step::Captured),
    ("failed", Step::Failed),
    ("expired", Step::Expired),
    ("canceled", Step::Canceled),
    ("refunded", Step::Refunded),
    ("refund_failed", Step::RefundFailed),
    ("disputed", Step::Disputed),
    ("dispute_won", Step::DisputeWon),
    ("dispute_lost", Step::DisputeLost),
];

const OF_SUBSCRIPTIONS: [(&str, Turn); 6] = [
    ("started", Turn::Started),
    ("renewed", Turn::Renewed),
    ("renewal_failed", Turn::RenewalFailed),
    ("cancel_scheduled", Turn::CancelScheduled),
    ("resumed", Turn::Resumed),
    ("ended", Turn::Ended),
];

impl Company {
    /// The verbs that the company sends events of, first those about payments. Every other one panics.
    ///
    /// ```
    /// # #[cfg(not(feature = "sqlite"))]
    /// # fn main() {}
    /// # #[cfg(feature = "sqlite")]
    /// # fn main() -> Result<(), actix_payments::Error> {
    /// use actix_payments::gateways::dummy::Dummy;
    /// use actix_payments::testing::{Company, TestDatabase};
    /// use actix_payments::{Database, Payments};
    ///
    /// let test = TestDatabase::sqlite()?;
    /// let payments = Payments::builder(Database::sqlite(test.path())?).variant("dummy", Dummy::new("for tests")).build()?;
    /// let verbs = Company::dummy(&payments, "dummy").verbs();
    /// assert!(verbs.contains(&"renewed") && !verbs.contains(&"disputed"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn verbs(&self) -> Vec<&'static str> {
        let (deal, plan) = (deal(), plan());
        let of_payments = OF_PAYMENTS.into_iter().filter(|(_, step)| self.format().payment(*step, &deal).is_some());
        let of_subscriptions =
            OF_SUBSCRIPTIONS.into_iter().filter(|(_, turn)| self.format().subscription(*turn, &plan).is_some());
        of_payments.map(|(verb, _)| verb).chain(of_subscriptions.map(|(verb, _)| verb)).collect()
    }
}

/// A payment that nobody knows.
fn deal() -> Deal {
    let amount = Money::new(1_00, Currency::EUR);
    Deal {
        token: "none".to_owned(),
        account: None,
        amount,
        captured: amount,
        customer: None,
        at: Timestamp::UNIX_EPOCH,
        part: amount,
        refunded: amount,
        refund: 1,
        refunded_at: Timestamp::UNIX_EPOCH,
    }
}

/// A subscription that nobody knows.
fn plan() -> Plan {
    Plan {
        id: "none".to_owned(),
        token: None,
        owner: None,
        account: None,
        price_id: "none".to_owned(),
        price: Money::new(1_00, Currency::EUR),
        quantity: 1,
        at: Timestamp::UNIX_EPOCH,
        started: Timestamp::UNIX_EPOCH,
        period: (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + PERIOD),
        number: 1,
        has_failed: false,
        attempts: 1,
    }
}
