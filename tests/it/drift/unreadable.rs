//! Does one payment that can't be compared keep the others from being compared?

use actix_payments::{CaptureMethod, DriftQuery};

use super::world::World;
use crate::app::on_both_databases;

on_both_databases! {
    async fn what_cannot_be_compared_is_a_line_and_the_rest_is_compared(kind) {
        let mut world = World::new(kind).await;
        let spoilt = world.checkout(CaptureMethod::Immediate).await;
        let sound = world.checkout(CaptureMethod::Immediate).await;
        world.fake.pay(&spoilt);
        world.deliver(|| true).await;
        world.fake.pay(&sound);
        world.pass(86_400);
        let its = format!("(SELECT id FROM pay_payments WHERE token = '{spoilt}')");
        world.app.run(&format!("UPDATE pay_ledger SET state = 'nonsense' WHERE payment_id = {its}"));
        for each in [false, true] {
            let query = DriftQuery::new("stripe").per_second(10_000);
            let query = if each { query.each() } else { query };
            let drift = world.app.payments.drift(query).await.unwrap();
            let found: Vec<_> = drift.differences.iter().map(|it| it.name.as_str()).collect();
            assert_eq!(found, [sound.as_str()], "{drift:?}");
            let lines: Vec<_> = drift.unanswered.iter().filter(|line| line.contains("can't be compared: ")).collect();
            assert!(!lines.is_empty() && drift.unanswered.len() == lines.len(), "{drift:?}");
        }
    }
}
