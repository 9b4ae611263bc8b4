//! Do the documents name only what is there: tests, files, answers?

use std::path::{Path, PathBuf};

use actix_payments::domain::delivery::Rejection;

use super::source::{Word, files, tokens};

/// The names in backticks that can only be those of tests: five words and more.
fn named(text: &str) -> Vec<&str> {
    let is_of_a_test = |name: &&str| {
        let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        is_name && name.split('_').count() >= 5
    };
    text.split('`').skip(1).step_by(2).filter(is_of_a_test).collect()
}

/// The names of all functions of these files.
fn functions(files: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (_, text) in files.iter().filter(|(path, _)| path.ends_with(".rs")) {
        let tokens = tokens(text);
        for pair in tokens.windows(2) {
            if let (true, Word::Name(name)) = (pair[0].is("fn"), &pair[1].word) {
                found.push(name.clone());
            }
        }
    }
    found
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let text = include_str!("../../../SECURITY.md");
    let there = functions(&[files("src"), files("tests/it")].concat());
    let names = named(text);
    assert!(names.len() > 20, "the names were not found");
    let missing: Vec<_> = names.into_iter().filter(|name| !there.iter().any(|one| one == name)).collect();
    assert!(missing.is_empty(), "SECURITY.md names tests that are not there: {missing:?}");
}

#[test]
fn a_name_is_told_from_other_words_in_backticks() {
    assert_eq!(
        named("`build` does `what_a_test_claims_here`, see `scripts/soak` and `no_one`"),
        ["what_a_test_claims_here"]
    );
    let file = ("tests/it/a.rs".to_owned(), "async fn f() { fn what_a_test_claims_here(kind) {} }".to_owned());
    assert_eq!(functions(&[file]), ["f", "what_a_test_claims_here"]);
}

/// The addresses of all links of a text in Markdown.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link))
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents: Vec<PathBuf> = ["", "docs"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    documents.sort();
    let (mut dead, mut seen) = (Vec::new(), 0);
    for document in &documents {
        let text = std::fs::read_to_string(document).unwrap();
        for link in links(&text).filter(|link| !link.contains("://") && !link.starts_with('#')) {
            seen += 1;
            let file = link.split('#').next().unwrap();
            if !document.parent().unwrap().join(file).exists() {
                dead.push(format!("{}: {link}", document.file_name().unwrap().display()));
            }
        }
    }
    assert!(seen > 10, "the links were not found");
    assert!(dead.is_empty(), "these links lead nowhere: {dead:#?}");
}

#[test]
fn the_reference_names_every_answer() {
    let text = include_str!("../../../docs/reference.md");
    let missing: Vec<_> = Rejection::ALL.iter().filter(|one| !text.contains(&format!("`{}`", one.code()))).collect();
    assert!(missing.is_empty(), "docs/reference.md lacks {missing:?}");
}

/// What stands below this heading of a text in Markdown, up to the next heading.
fn section<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("\n{heading}\n"))?;
    // In a program of Rust, a line that is not shown begins with one hash.
    rest.split("\n## ").next()?.split("\n### ").next()
}

#[test]
fn the_readme_shows_what_newcomers_look_for() {
    let text = include_str!("../../../README.md");
    for (heading, words) in [
        ("## Ten words", &["variant", "parked", "adopted", "absorbed", "concern"][..]),
        (
            "### On your Postgres, with your pool",
            &["default-features = false, features = [\"postgres\"]", "Database::from_pool(", "&mut PgConnection"],
        ),
        ("### A worker of its own", &["worker().concurrency(", ".start()?", "worker.stop().await"]),
        ("### Behind a proxy", &["X-Forwarded-Prefix", "Builder::address", "Admin::client_address"]),
        ("### In your tests", &["worker().settle(", "Builder::clock", "sign_delivery", "begin_test_transaction"]),
    ] {
        let section = section(text, heading).unwrap_or_else(|| panic!("README.md lacks {heading:?}"));
        let missing: Vec<_> = words.iter().filter(|words| !section.contains(**words)).collect();
        assert!(missing.is_empty(), "README.md lacks {missing:?} below {heading:?}");
    }
}

#[test]
fn a_program_of_the_documents_names_the_variable_that_its_environment_lacks() {
    let library = include_str!("../../../src/lib.rs");
    let read: Vec<&str> = [include_str!("../../../README.md"), library]
        .iter()
        .flat_map(|text| text.lines().filter(|line| line.contains("env::var(")))
        .collect();
    assert!(read.len() >= 3, "the programs were not found");
    let nameless: Vec<_> = read.iter().filter(|line| !line.contains("the environment lacks {name}")).collect();
    assert!(nameless.is_empty(), "these say no more than NotPresent: {nameless:#?}");
}
