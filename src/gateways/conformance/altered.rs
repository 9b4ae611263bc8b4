//! Altered deliveries for the conformance suite, the same in each run.

use crate::domain::delivery::Delivery;

/// How many altered bodies and orders of events are tried.
pub(super) const TRIES: usize = 60;

/// An altered delivery, and how it was altered.
pub(super) struct Altered {
    pub(super) delivery: Delivery,
    pub(super) how: String,
}

/// The delivery without each of its headers, and with bytes of its body changed, added and removed.
pub(super) fn alterations(delivery: &Delivery) -> Vec<Altered> {
    let mut alterations = Vec::new();
    for at in 0..delivery.headers.len() {
        let mut without = delivery.clone();
        let (name, _) = without.headers.remove(at);
        alterations.push(Altered { delivery: without, how: format!("no header field {name}") });
    }
    let mut random = SplitMix64(delivery.body.len() as u64 + 3);
    for _ in 0..TRIES.min(delivery.body.len()) {
        let at = random.below(delivery.body.len());
        let (mut flipped, mut longer, cut) = (delivery.body.to_vec(), delivery.body.to_vec(), &delivery.body[..at]);
        flipped[at] ^= 1 << random.below(8);
        longer.insert(at, delivery.body[at]);
        let bodies = [(flipped, "a flipped bit at"), (longer, "one more byte at"), (cut.to_vec(), "a body cut at")];
        for (body, how) in bodies {
            let how = format!("{how} byte {at}");
            alterations.push(Altered { delivery: Delivery { body: body.into(), ..delivery.clone() }, how });
        }
    }
    alterations
}

/// A pseudo-random generator with the same numbers in each run.
pub(super) struct SplitMix64(pub(super) u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }

    pub(super) fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}
