//! Does the shop's log say what a person should look at, and with a link to it?

use super::process::{Place, Shop};
use super::story::completed;
use crate::app::{ADMIN, on_both_databases};

impl Shop {
    /// The lines of the log about alarms.
    fn alarms(&self) -> Vec<String> {
        self.log().lines().filter(|line| line.contains(" alarm ")).map(str::to_owned).collect()
    }
}

on_both_databases! {
    async fn what_the_shop_gave_up_is_one_alarm_in_the_log_of_whichever_process_looks_next(kind) {
        let place = Place::fresh(kind);
        let first = place.open();
        let client = first.client();
        let token = client.buy().unwrap().token;
        let event = completed(&token);
        let broken = event.body.replace(r#""amount_total":"#, r#""amount_total":"much","was":"#);
        assert_ne!(broken, event.body);
        assert_eq!(client.stripe(&broken).unwrap().status, 200);
        place.waits_for("SELECT count(*) FROM pay_events WHERE state = 'discarded'", 1);
        first.stop("TERM");

        // The next look is due at once: a worker looks when it begins.
        place.execute("DELETE FROM pay_chores WHERE name = 'alarms'");
        let next = place.open();
        let is_there = "SELECT count(*) FROM pay_alarms WHERE told AND name LIKE 'discarded:%'";
        place.waits_for(is_there, 1);
        let [line] = &next.alarms()[..] else { panic!("expected one alarm: {:#?}", next.alarms()) };
        assert!(line.contains("discarded:stripe:checkout.session.completed: "), "{line}");
        let (_, link) = line.rsplit_once(' ').unwrap();
        let page = next.client().get_with(link, &[ADMIN]);
        assert!(page.status == 200 && page.body.contains(&token), "{link} leads to {}", page.status);
    }
}
