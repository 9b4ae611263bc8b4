//! Are notes on payments and events kept, told, found by their words, and gone with their person?

use actix_payments::Person;

use crate::app::{App, on_both_databases};
use crate::events::fixture;
use crate::person::with_key;
use crate::scenes::completed;

async fn note(app: &App, on: &str, text: &str) -> u16 {
    app.post(&format!("/payments/admin/{on}/note"), &format!("note={text}")).await.status
}

on_both_databases! {
    async fn a_note_is_told_where_it_was_written_and_in_the_audit(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        let payment = format!("payments/{token}");
        assert_eq!(note(&app, &payment, "Asked+the+bank+%3Cb%3E").await, 303);
        assert_eq!(note(&app, "events/1", "Came+twice").await, 303);
        let page = app.get(&format!("/payments/admin/{payment}")).await;
        assert!(page.text().contains("Asked the bank") && page.text().contains("Came twice"), "{}", page.text());
        assert!(!page.body.contains("<b>"), "{}", page.body);
        let event = app.get("/payments/admin/events/1").await.text();
        assert!(event.contains("Came twice") && !event.contains("Asked the bank"), "{event}");
        let audit = app.get("/payments/admin/audit?act=note").await.text();
        assert!(audit.contains("Asked the bank") && audit.contains("Came twice"), "{audit}");
    }

    async fn a_note_on_a_payment_that_turns_out_to_be_another_stays_with_it(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&fixture("charge.succeeded").to_string()]).await;
        app.pass(86_400);
        app.drain().await;
        let adopted = app.texts("SELECT token AS t FROM pay_payments WHERE adopted").remove(0);
        assert_eq!(note(&app, &format!("payments/{adopted}"), "It+is+order+77").await, 303);
        app.deliver(&[&completed(&token), &fixture("payment_intent.succeeded").to_string()]).await;
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE absorbed_by IS NOT NULL"), 1);
        let page = app.get(&format!("/payments/admin/payments/{token}?words=order")).await.text();
        assert!(page.contains("It is order 77"), "{page}");
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert_eq!(page.matches("It is order 77").count(), 1, "{page}");
    }

    async fn what_is_erased_of_an_absorbed_payment_finds_the_other_no_more(kind) {
        let app = App::with(kind, with_key).await;
        let token = app.order().await.token;
        app.deliver(&[&fixture("charge.succeeded").to_string()]).await;
        app.pass(86_400);
        app.drain().await;
        let adopted = app.texts("SELECT token AS t FROM pay_payments WHERE adopted").remove(0);
        assert_eq!(note(&app, &format!("payments/{adopted}"), "Has+a+xylophone").await, 303);
        app.deliver(&[&completed(&token), &fixture("payment_intent.succeeded").to_string()]).await;
        app.run("UPDATE pay_payments SET customer = 'lina@example.net' WHERE adopted");
        app.write_owed_words().await;
        let words = "SELECT count(*) FROM pay_words WHERE word LIKE 'xyl%'";
        assert_eq!(app.number(words), 1);
        app.payments.erase(&Person::email("lina@example.net")).await.unwrap();
        app.pass(61);
        app.write_owed_words().await;
        assert_eq!(app.texts("SELECT detail AS t FROM pay_audit WHERE act = 'note'"), ["(erased)"]);
        assert_eq!(app.number(words), 0);
    }

    async fn a_note_must_say_something_of_something(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let payment = format!("payments/{token}");
        let before = app.dump();
        for text in ["", "+%0A", "a%00b", &"x".repeat(1_001)] {
            assert_eq!(note(&app, &payment, text).await, 409, "{text}");
        }
        assert_eq!((note(&app, "payments/nobody", "x").await, note(&app, "events/9", "x").await), (404, 404));
        assert_eq!(app.dump(), before);
        assert_eq!(note(&app, &payment, &"x".repeat(1_000)).await, 303);
    }

    async fn notes_are_found_by_their_words_on_the_payments_own_page(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let page = async |query: &str| app.get(&format!("/payments/admin/payments/{token}{query}")).await.text();
        assert!(!page("").await.contains("Words in notes"), "there are none");
        let payment = format!("payments/{token}");
        for text in ["Asked+the+bank", "The+bank+says+no", "Waiting"] {
            note(&app, &payment, text).await;
        }
        let found = page("?words=BANK+says").await;
        assert!(found.contains("The bank says no") && !found.contains("Asked the") && !found.contains("Waiting"), "{found}");
        let none = page("?words=harbour").await;
        assert!(none.contains("No note contains these words."), "{none}");
    }

    async fn a_word_of_a_note_finds_its_payment_from_every_page(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.order().await;
        app.deliver(&[&completed(&token)]).await;
        note(&app, &format!("payments/{token}"), "The+parcel+went+to+the+h%C3%A1rbour").await;
        note(&app, "events/1", "Asked+Stripe+about+ticket+77123").await;
        let opened = async |text: &str| {
            let answer = app.get(&format!("/payments/admin/search?for={text}")).await;
            answer.header("location").map(str::to_owned)
        };
        let page = Some(format!("/payments/admin/payments/{token}"));
        for is_written in [false, true] {
            for text in ["HARBOUR", "parc", "77123", "went+to+the"] {
                assert_eq!(opened(text).await, page, "{text}, {is_written}");
            }
            assert_eq!(opened("arcel").await, None, "a word is found by how it begins");
            app.write_owed_words().await;
        }
        let list = app.list("payments?q=harbour").await;
        assert_eq!(list.ids, [1]);
    }

    async fn notes_go_with_their_person(kind) {
        let app = App::with(kind, |builder| builder.erasure_key("a key of the test, 32 bytes long")).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        note(&app, &format!("payments/{token}"), "Mia+called").await;
        note(&app, "events/1", "Mia+wrote").await;
        app.write_owed_words().await;
        app.payments.erase(&Person::payment(&token)).await.unwrap();
        app.pass(61);
        assert!(app.dump().iter().all(|row| !row.contains("Mia")), "{:?}", app.dump());
        app.write_owed_words().await;
        assert!(app.dump().iter().all(|row| !row.to_lowercase().contains("mia")), "{:?}", app.dump());
    }
}
