//! Does the shop say that it lives and is ready?

use super::process::Place;
use crate::app::on_both_databases;

on_both_databases! {
    async fn the_shop_says_that_it_lives_and_is_ready_with_its_worker(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let client = shop.client();
        assert_eq!(client.get("/health/live", "*/*").status, 200);
        let ready = client.is_ready();
        let worker = r#""worker":"ok""#;
        assert!(ready.body.contains(worker) && ready.body.contains(r#""status":"ready""#), "{}", ready.body);
    }
}
