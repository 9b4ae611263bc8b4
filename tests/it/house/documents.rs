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

/// The names by which links lead to the headings of a text in Markdown.
fn headings(text: &str) -> Vec<String> {
    let is_kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    let name =
        |heading: &str| heading.trim().chars().filter(is_kept).collect::<String>().to_lowercase().replace(' ', "-");
    text.lines().filter(|line| line.starts_with('#')).map(|line| name(line.trim_start_matches('#'))).collect()
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_of_it() {
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
        for link in links(&text).filter(|link| !link.contains("://")) {
            seen += 1;
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let file = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            let leads = match heading {
                None => file.exists(),
                Some(heading) => {
                    std::fs::read_to_string(&file).is_ok_and(|text| headings(&text).iter().any(|one| one == heading))
                }
            };
            if !leads {
                dead.push(format!("{}: {link}", document.file_name().unwrap().display()));
            }
        }
    }
    assert!(seen > 100, "the links were not found");
    assert!(dead.is_empty(), "these links lead nowhere: {dead:#?}");
}

#[test]
fn every_chapter_is_in_the_book() {
    let book = include_str!("../../../docs/SUMMARY.md");
    let chapters: Vec<String> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .collect();
    assert!(chapters.len() > 15, "the chapters were not found");
    let missing: Vec<&String> = chapters.iter().filter(|name| !book.contains(&format!("]({name})"))).collect();
    assert!(missing.is_empty(), "docs/SUMMARY.md lacks {missing:?}");
}

/// What the package takes in, as `Cargo.toml` says.
fn packaged() -> Vec<&'static str> {
    let manifest = include_str!("../../../Cargo.toml");
    let list = manifest.split_once("\ninclude = [").unwrap().1.split(']').next().unwrap();
    list.split('"').skip(1).step_by(2).map(|pattern| pattern.trim_start_matches('/')).collect()
}

fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => path.starts_with(start) && path.ends_with(end),
        None => path == pattern || path.starts_with(&format!("{pattern}/")),
    }
}

#[test]
fn the_readme_is_whole_in_the_package() {
    let readme = include_str!("../../../README.md");
    assert!(!readme.contains("<img") && !readme.contains("!["), "a picture breaks where there is no repository");
    let packaged = packaged();
    assert!(packaged.contains(&"src"), "{packaged:?}");
    let links: Vec<&str> = links(readme).filter(|link| !link.contains("://") && !link.starts_with('#')).collect();
    assert!(links.len() > 15, "the links were not found");
    let is_left_out = |link: &&str| {
        let file = link.split('#').next().unwrap();
        !packaged.iter().any(|pattern| matches(pattern, file))
    };
    let left_out: Vec<&str> = links.into_iter().filter(is_left_out).collect();
    assert!(left_out.is_empty(), "the package lacks {left_out:?}");
}

#[test]
fn the_readme_names_every_feature() {
    let manifest = include_str!("../../../Cargo.toml");
    let features = manifest.split_once("\n[features]\n").unwrap().1.split("\n\n").next().unwrap();
    let features = features.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let mut features: Vec<&str> = features.filter(|name| *name != "default").collect();
    features.sort_unstable();
    let table = section(include_str!("../../../README.md"), "## Features").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut rows: Vec<&str> = rows.collect();
    rows.sort_unstable();
    assert_eq!(rows, features);
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
            &[
                "default-features = false, features = [\"https\", \"postgres\"]",
                "Database::from_pool(",
                "&mut PgConnection",
            ],
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
