//! Does the shop say that it lives and is ready?

use std::time::{Duration, Instant};

use super::process::{PATIENCE, Place};
use crate::app::on_both_databases;

on_both_databases! {
    async fn the_shop_says_that_it_lives_and_is_ready_with_its_worker(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let client = shop.client();
        assert_eq!(client.get("/health/live", "*/*").status, 200);
        let until = Instant::now() + PATIENCE;
        let mut ready = client.get("/health/ready", "*/*");
        while ready.status != 200 {
            assert!(Instant::now() < until, "{}", ready.body);
            std::thread::sleep(Duration::from_millis(50));
            ready = client.get("/health/ready", "*/*");
        }
        let worker = r#""worker":"ok""#;
        assert!(ready.body.contains(worker) && ready.body.contains(r#""status":"ready""#), "{}", ready.body);
    }
}
