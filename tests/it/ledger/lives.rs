//! Whole lives of payments, made up at random, with the sums that a bookkeeper would come to by adding up what happened:
//! one to three charges, refunds that succeed, wait or come back, disputes to their end, and reviews.

use actix_payments::domain::fact::{Aspect, Fact, State};
use actix_payments::domain::ledger::Ledger;
use actix_payments::domain::payment::{Status, captures, derive};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::stories::{DUE, child, currency, fact, minute, terms};

/// Between two happenings: longer than the gateways' own refund for a lost dispute takes.
const STEP: i64 = 120;

/// What a checkout asks for in place of the agreed amount.
#[derive(Debug, Clone, Copy)]
enum Asked {
    AsAgreed,
    /// After a discount.
    Less,
    /// The agreed amount is a subtotal: tax and shipping come on top.
    More,
}

impl Asked {
    fn minor(self) -> i64 {
        match self {
            Self::AsAgreed => DUE,
            Self::Less => 4499,
            Self::More => 5949,
        }
    }
}

/// What may happen to a charge. Each is of a share of what is left of it, in percent.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Refunded,
    RefundWaits,
    RefundCameBack,
    RefundWithdrawn,
    Asked,
    Disputed,
    Won,
    Lost,
    LostOnAppeal,
    WonOnAppeal,
    /// Lost, and the gateway tells its own refund of it as well.
    LostAndToldTwice,
}

use crate::scenes::with;
use Happening::*;

const HAPPENINGS: [Happening; 11] = [
    Refunded,
    RefundWaits,
    RefundCameBack,
    RefundWithdrawn,
    Asked,
    Disputed,
    Won,
    Lost,
    LostOnAppeal,
    WonOnAppeal,
    LostAndToldTwice,
];

#[derive(Debug, Clone)]
struct Charge {
    /// Of the first one's intent, as after a bank's return, or of one of its own.
    is_of_first_intent: bool,
    /// The gateway tells how much was refunded in all, each time.
    tells_totals: bool,
    happenings: Vec<(Happening, i64)>,
}

/// What a bookkeeper has written down of one charge.
#[derive(Debug, Clone, Default)]
struct Book {
    amount: i64,
    refunded: i64,
    waiting: i64,
    lost: i64,
}

impl Book {
    fn left(&self) -> i64 {
        self.amount - self.refunded - self.waiting - self.lost
    }
}

#[derive(Debug, Clone, Default)]
struct Life {
    facts: Vec<Fact>,
    disputed: bool,
    raised: bool,
}

/// One charge's life; appends its facts and returns its book.
fn live(life: &mut Life, number: i64, asked: i64, charge: &Charge) -> Book {
    let id = format!("ch_{number}");
    let intent = if charge.is_of_first_intent { "pi_0".to_owned() } else { format!("pi_{number}") };
    life.facts.push(child(&intent, fact(Aspect::Capture, &id, State::Succeeded, 1, asked)));
    life.facts.push(fact(Aspect::CaptureTotal, &intent, State::Succeeded, 1, asked));
    let mut book = Book { amount: asked, ..Book::default() };
    for (step, (happening, percent)) in (1_i64..).zip(&charge.happenings) {
        let minor = book.left() * percent / 100;
        if minor > 0 {
            happen(life, &mut book, charge, &id, (step * 10 + number) * STEP, *happening, minor);
        }
    }
    book
}

fn happen(life: &mut Life, book: &mut Book, charge: &Charge, id: &str, at: i64, happening: Happening, minor: i64) {
    let refund = |state, at_end: i64| {
        let told = fact(Aspect::Refund, &format!("re_{id}_{at}"), state, at_end, minor);
        child(id, told).with_since(Some(minute(at)))
    };
    let dispute = |state, at_end: i64| {
        let told = fact(Aspect::Dispute, &format!("dp_{id}_{at}"), state, at_end, minor);
        child(id, told).with_since(Some(minute(at)))
    };
    let total = |minor, at| with(fact(Aspect::RefundTotal, id, State::Succeeded, at, minor), |it| it.face = None);
    let before = book.refunded;
    let open = [dispute(State::Open, at)];
    match happening {
        Refunded => {
            book.refunded += minor;
            life.facts.push(refund(State::Succeeded, at));
        }
        // A running total includes what waits, so it is spoken of as refunded.
        RefundWaits if charge.tells_totals => {
            book.refunded += minor;
            life.facts.push(refund(State::Pending, at));
        }
        RefundWaits => {
            book.waiting += minor;
            life.facts.push(refund(State::Pending, at));
        }
        RefundCameBack => life.facts.extend([refund(State::Succeeded, at), refund(State::Failed, at + 60)]),
        RefundWithdrawn => life.facts.extend([refund(State::Pending, at), refund(State::Canceled, at + 60)]),
        Asked => life.facts.extend([dispute(State::Inquiry, at), dispute(State::Closed, at + 60)]),
        Disputed => life.facts.extend(open),
        Won => life.facts.extend(open.into_iter().chain([dispute(State::Won, at + 60)])),
        WonOnAppeal => life.facts.extend([dispute(State::Lost, at + 30), dispute(State::Won, at + 60)]),
        Lost | LostOnAppeal => {
            let first = if matches!(happening, Lost) { State::Open } else { State::Won };
            book.lost += minor;
            life.facts.extend([dispute(first, at), dispute(State::Lost, at + 60)]);
        }
        LostAndToldTwice => {
            book.refunded += minor;
            life.facts.extend(open.into_iter().chain([dispute(State::Lost, at + 60)]));
            let back = with(refund(State::Succeeded, at + 60), |it| it.face = Some(0));
            life.facts.push(back.with_since(Some(minute(at + 60))));
        }
    }
    life.disputed |= matches!(happening, Disputed | Lost | LostOnAppeal | LostAndToldTwice);
    if charge.tells_totals && matches!(happening, RefundCameBack | RefundWithdrawn) {
        life.facts.extend([total(before + minor, at), total(before, at + 61)]);
    } else if charge.tells_totals && book.refunded != before {
        life.facts.push(total(book.refunded, at + 61));
    }
}

fn charge() -> impl Strategy<Value = Charge> {
    let happenings = vec((select(HAPPENINGS.to_vec()), select(vec![100, 50, 30, 7])), 0..5);
    (any::<bool>(), any::<bool>(), happenings).prop_map(|(is_of_first_intent, tells_totals, happenings)| Charge {
        is_of_first_intent,
        tells_totals,
        happenings,
    })
}

/// A life with its books, and its facts once more in another order, some of them repeated.
fn lives() -> impl Strategy<Value = (Asked, Life, Vec<Book>, Vec<Fact>)> {
    let asked = select(vec![Asked::AsAgreed, Asked::Less, Asked::More]);
    (asked, vec(charge(), 1..4), any::<bool>()).prop_flat_map(|(asked, charges, raised)| {
        let mut life = Life { raised, ..Life::default() };
        let checkout = fact(Aspect::Checkout, "cs_0", State::Succeeded, 1, asked.minor()).with_face(DUE);
        life.facts.push(child("pi_0", checkout));
        if raised {
            life.facts.push(Fact::new(Aspect::Concern, "other_mode", State::Raised, minute(3), "evt_mode"));
        }
        let of = |(number, charge)| live(&mut life, number, asked.minor(), charge);
        let books: Vec<Book> = (0_i64..).zip(&charges).map(of).collect();
        let (facts, twice) = (life.facts.clone(), vec(any::<bool>(), life.facts.len()));
        let again = twice.prop_map(move |twice| {
            let again = facts.iter().zip(twice).filter(|(_, twice)| *twice).map(|(fact, _)| fact);
            facts.iter().chain(again).cloned().collect::<Vec<_>>()
        });
        (Just(asked), Just(life), Just(books), again.prop_shuffle())
    })
}

/// What the books come to: captured, refunded, lost, and what is left.
fn sums(books: &[Book]) -> [i64; 4] {
    let sum = |of: fn(&Book) -> i64| books.iter().map(of).sum::<i64>();
    let [captured, refunded, lost] = [sum(|book| book.amount), sum(|book| book.refunded), sum(|book| book.lost)];
    [captured, refunded, lost, captured - refunded - lost]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_life_comes_to_what_its_books_add_up_to((asked, life, books, facts) in lives()) {
        let state = derive(terms(), &Ledger::from_facts(facts));
        prop_assert_eq!([state.captured, state.refunded, state.lost, state.remaining()], sums(&books), "{:?}", state);
        prop_assert_eq!(state.disputed, life.disputed);
        let [captured, refunded, lost, _] = sums(&books);
        // What a customer paid beyond the price may go back, by a refund or by a dispute, and the price stays paid.
        let price = asked.minor().max(if books.len() == 1 { DUE } else { 0 });
        let surplus = (captured - lost - price).max(0);
        let status = match refunded {
            all if all >= captured => Status::Refunded,
            more if more > surplus => Status::PartiallyRefunded,
            _ => Status::Paid,
        };
        prop_assert_eq!(state.status, status, "{:?}", state);
        prop_assert_eq!(state.needs_review(), life.raised || refunded < surplus, "{:?}", state);
    }

    #[test]
    fn each_charge_has_left_what_its_book_says((_, _, books, facts) in lives()) {
        let charges = captures(&Ledger::from_facts(facts), currency("EUR"));
        let left: Vec<(i64, i64)> = charges.iter().map(|charge| (charge.amount, charge.remaining)).collect();
        prop_assert_eq!(left, books.iter().map(|book| (book.amount, book.left())).collect::<Vec<_>>());
    }
}
