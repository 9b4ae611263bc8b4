//! Reads an adjustment (<https://developer.paddle.com/api-reference/adjustments/overview>): it gives money back, or a
//! bank took it. With the money goes a part of Paddle's fee, and a chargeback has a fee of its own.

use crate::domain::event::{Malformed, Recorded};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::{Currency, Money};
use crate::gateways::json::{Object, short};
use crate::gateways::reading::{fact, money, number_text, sentence, since, time, with_money};

/// An adjustment with what its facts share.
struct Adjustment<'a> {
    event: &'a Recorded<'a>,
    data: &'a Object<'a>,
    id: String,
    transaction: String,
    amount: Option<Money>,
}

/// The facts of an adjustment, and what it says.
pub(super) fn read(event: &Recorded<'_>, data: &Object<'_>) -> Result<(Vec<Fact>, String), Malformed> {
    let amount = match data.object("totals", "an adjustment's totals")? {
        Some(totals) => number_text(&totals, "total")?,
        None => None,
    };
    let amount = amount.map(|minor| money(minor, &data.need_text("currency_code")?)).transpose()?;
    let (id, transaction) = (data.need_id("id")?, data.need_id("transaction_id")?);
    let (action, status) = (data.need_text("action")?, short(data, "status").unwrap_or_default());
    let of = Adjustment { event, data, id, transaction, amount };
    let (facts, words) = match (action.as_ref(), status.as_str()) {
        ("refund", "approved") => (of.refund(State::Succeeded), "refund approved"),
        ("refund", "rejected") => (of.refund(State::Failed), "refund rejected by Paddle, the money stays"),
        ("refund", "reversed") => (of.refund(State::Canceled), "refund reversed, the money came back"),
        ("refund", _) => (of.refund(State::Pending), "refund waits for Paddle's approval"),
        ("chargeback", "reversed") => (of.dispute(State::Won), "chargeback reversed: decided for the merchant"),
        ("chargeback", _) => (of.dispute(State::Lost), "chargeback: the bank took the money back"),
        ("chargeback_reverse", _) => (of.reversal(State::Won), "chargeback reversed: decided for the merchant"),
        ("chargeback_warning", "reversed") => (of.dispute(State::Closed), "warning of a chargeback withdrawn"),
        ("chargeback_warning_reverse", _) => (of.reversal(State::Closed), "warning of a chargeback withdrawn"),
        ("chargeback_warning", _) => (of.dispute(State::Inquiry), "warning of a chargeback"),
        ("credit" | "credit_reverse", _) => (Vec::new(), "credit on an invoice: no money moved"),
        _ => (Vec::new(), "adjustment of another kind: kept for handlers"),
    };
    Ok((facts, sentence(words, amount)))
}

impl Adjustment<'_> {
    fn fact(&self, aspect: Aspect, gateway_ref: &str, state: State) -> Fact {
        let mut fact = with_money(fact(self.event, aspect, gateway_ref, state), self.amount);
        fact.occurred_at = since(self.event, state == State::Pending, time(self.data, "updated_at"));
        fact.with_parent(Some(&self.transaction)).with_since(time(self.data, "created_at"))
    }

    fn refund(&self, state: State) -> Vec<Fact> {
        let refund = self.fact(Aspect::Refund, &self.id, state);
        let fee = self.share_of_fee().filter(|share| *share > 0 && state == State::Succeeded);
        let fee = fee.and_then(|share| Some(refund.fee(-share, refund.currency?)));
        [Some(refund), fee].into_iter().flatten().collect()
    }

    /// A chargeback. Paddle tells of it when the money is gone.
    fn dispute(&self, state: State) -> Vec<Fact> {
        // The reason of a refund is the seller's own text, that of a chargeback a word.
        let is_word = |reason: &String| reason.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let reason = short(self.data, "reason").filter(is_word);
        let dispute = self.fact(Aspect::Dispute, &self.id, state).with_reason(reason);
        // What comes back with the money is kept again where the money does, too.
        let share = self.share_of_fee().filter(|share| *share > 0);
        let share = match state {
            State::Lost => share.map(|share| -share),
            State::Won => share.map(|_| 0),
            _ => None,
        };
        let fees = self.fees(&dispute, share);
        std::iter::once(dispute).chain(fees).collect()
    }

    /// The money of a chargeback that came back: an adjustment of its own, which does not name the one that it reverses.
    /// Should it bear that one's id, time alone must not decide between the two: it has a register of its own.
    fn reversal(&self, state: State) -> Vec<Fact> {
        let reversal = self.fact(Aspect::Dispute, &format!("{}:reverse", self.id), state).with_face(0);
        let share = self.share_of_fee().filter(|share| *share > 0 && state == State::Won);
        let share = share.and_then(|share| Some(reversal.fee(share, reversal.currency?)));
        [Some(reversal), share].into_iter().flatten().collect()
    }

    /// What a chargeback costs: the share of Paddle's own fee that comes back, and the fee of the chargeback. That is one of
    /// its own, since not every event shows it, and may be in another currency than the payment's.
    fn fees(&self, dispute: &Fact, share: Option<i64>) -> Vec<Fact> {
        let share = share.zip(dispute.currency).map(|(minor, currency)| dispute.fee(minor, currency));
        let gateway_ref = format!("{}:chargeback_fee", self.id);
        let own = self
            .chargeback_fee()
            .map(|fee| Fact { gateway_ref: gateway_ref.into(), ..dispute.fee(fee.minor, fee.currency) });
        share.into_iter().chain(own).collect()
    }

    /// The part of the price that is not taken from the seller's earnings, since Paddle gives back so much of its fee.
    /// Nothing else depends on it, so what can't be read is left out.
    fn share_of_fee(&self) -> Option<i64> {
        let totals = self.data.object("totals", "an adjustment's totals").ok()??;
        let of = |name: &str| number_text(&totals, name).ok().flatten();
        of("subtotal")?.checked_sub(of("earnings")?)
    }

    /// What Paddle charges for a chargeback, or for the warning of one, in the currency of its payouts. Only the payout's
    /// totals have it, and what is given back of it after a reversal they do not say. What can't be read is left out.
    fn chargeback_fee(&self) -> Option<Money> {
        let totals = self.data.object("payout_totals", "an adjustment's totals in a payout").ok()??;
        let fee = totals.object("chargeback_fee", "the fee of a chargeback").ok()??;
        let minor = number_text(&fee, "amount").ok()?.filter(|minor| *minor >= 0)?;
        Some(Money::new(minor, Currency::parse(&short(&totals, "currency_code")?).ok()?))
    }
}
