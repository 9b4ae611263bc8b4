//! What workers do from time to time, in words.

use crate::engine::chores::RETENTION;

/// What a chore does.
pub(crate) fn chore_in_words(name: &str) -> String {
    let words = match name.split_once(':').unwrap_or((name, "")) {
        ("reconcile", variant) => return format!("Comparing {variant}'s list of events with what came"),
        ("refresh", variant) => return format!("Asking {variant} about payments of which nothing was heard"),
        ("subscriptions", variant) => {
            return format!("Asking {variant} about subscriptions of which nothing was heard");
        }
        ("doubts", variant) => return format!("Asking {variant} about subscriptions that are not certain"),
        ("drift", variant) => return format!("Comparing payments with {variant}"),
        ("words", "owed") => "Indexing what changed for the search",
        ("words", "subscriptions") => "Indexing older subscriptions for the search",
        ("words", _) => "Indexing older payments for the search",
        ("sums", _) => "Adding up what subscriptions come to in a month",
        ("groups", _) => "Grouping older failures",
        ("erasure", "") => "Looking through bodies for erased persons",
        ("erasure", _) => "Looking through payments and subscriptions for erased persons",
        (RETENTION, _) => "Pruning old bodies",
        ("retention_again", _) => "Looking again at bodies that had to stay",
        ("retention_questions", _) => "Deleting old questions to gateways",
        ("growth", _) => "Measuring the tables",
        ("books", _) => "Filling the books with older payments",
        ("alarms", _) => "Reporting alarms",
        ("authorized", _) => "Looking for authorizations that end soon",
        ("clocks", _) => "Looking for what a wrong clock put off",
        _ => return format!("The chore {name}"),
    };
    words.to_owned()
}
