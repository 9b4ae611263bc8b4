//! Do migrations only add, so that the release before goes on working on the newer tables?

use std::collections::BTreeSet;
use std::path::Path;

/// What takes something away and harms nobody, each with why: the step, what it does, and how many statements do so.
const EXCEPTIONS: [(&str, &str, &str, usize, &str); 4] = [
    ("postgres", "0011_lean", "DROP CONSTRAINT", 9, "what is checked no more refuses nothing; all writers keep to it"),
    ("both", "0024_one_status_index", "DROP INDEX", 1, "0002's index on the same columns serves the lists as well"),
    ("both", "0041_customers", "DROP INDEX", 1, "the new one begins with the same column and serves the same searches"),
    (
        "both",
        "0048_retired_chores",
        "DELETE FROM",
        1,
        "who still knows these chores adds them anew, and they find nothing to do",
    ),
];

/// The statements of a step, each on one line, in capitals and without comments. What stands in a block of Postgres'
/// own language is cut at its semicolons, too.
fn statements(sql: &str) -> Vec<String> {
    let bare: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let words = |statement: &str| statement.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase();
    bare.join("\n").split(';').map(words).filter(|statement| !statement.is_empty()).collect()
}

/// The word after these.
fn after<'a>(statement: &'a str, words: &str) -> Option<&'a str> {
    let rest = statement.split_once(words)?.1.trim_start_matches("IF NOT EXISTS ").trim_start_matches("ONLY ");
    rest.split([' ', '(']).next()
}

/// What a statement takes away from who knows nothing of it, if anything. The tables in `made` are as new as the step,
/// so that nobody else can miss anything of them.
fn takes_away(statement: &str, made: &BTreeSet<String>) -> Option<&'static str> {
    let is_new = |table: Option<&str>| table.is_some_and(|table| made.contains(table));
    let plain = ["DROP TABLE", "DROP INDEX", "DROP VIEW", "DROP TRIGGER", "DELETE FROM", "TRUNCATE"];
    if let Some(found) = plain.into_iter().find(|words| statement.contains(words)) {
        let is_of_new = found == "DELETE FROM" && is_new(after(statement, "DELETE FROM "));
        return Some(found).filter(|_| !is_of_new);
    }
    if statement.contains("CREATE UNIQUE INDEX") && !is_new(after(statement, " ON ")) {
        return Some("CREATE UNIQUE INDEX");
    }
    if !statement.contains("ALTER TABLE") || is_new(after(statement, "ALTER TABLE ")) {
        return None;
    }
    let altering = ["DROP COLUMN", "DROP CONSTRAINT", "DROP DEFAULT", "RENAME", "SET NOT NULL", "ADD CONSTRAINT"];
    if let Some(found) = altering.into_iter().find(|words| statement.contains(words)) {
        return Some(found);
    }
    if statement.contains("ALTER COLUMN") && statement.split(' ').any(|word| word == "TYPE") {
        return Some("TYPE");
    }
    let added = statement.split("ADD ").skip(1);
    let is_asked_for = |column: &str| column.contains("NOT NULL") && !column.contains("DEFAULT");
    let mut refusing =
        added.filter(|column| is_asked_for(column) || column.contains(" CHECK") || column.contains(" UNIQUE"));
    refusing.next().map(|_| "NOT NULL")
}

/// What the steps of one database take away: the step and what it does.
fn taken_away(database: &str) -> Vec<(String, &'static str)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
    let mut steps: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    steps.sort();
    assert!(steps.len() > 30, "the steps were not found");
    let mut found = Vec::new();
    for step in steps {
        let name = step.file_name().unwrap().to_string_lossy().into_owned();
        let all = statements(&std::fs::read_to_string(step.join("up.sql")).unwrap());
        let made = all.iter().filter_map(|statement| after(statement, "CREATE TABLE ")).map(str::to_owned).collect();
        found.extend(all.iter().filter_map(|statement| takes_away(statement, &made)).map(|what| (name.clone(), what)));
    }
    found
}

#[test]
fn migrations_only_add() {
    for database in ["sqlite", "postgres"] {
        let known = EXCEPTIONS.into_iter().filter(|(of, ..)| [database, "both"].contains(of));
        let known = known.flat_map(|(_, step, what, count, _)| std::iter::repeat_n((step.to_owned(), what), count));
        assert_eq!(taken_away(database), known.collect::<Vec<_>>(), "{database}: what the release before would miss");
    }
}

#[test]
fn what_takes_something_away_is_told_from_what_adds() {
    let found = |sql: &str| {
        let all = statements(sql);
        let made = all.iter().filter_map(|one| after(one, "CREATE TABLE ")).map(str::to_owned).collect();
        all.iter().filter_map(|one| takes_away(one, &made)).collect::<Vec<_>>()
    };
    for (sql, what) in [
        ("drop table pay_events;", "DROP TABLE"),
        ("ALTER TABLE pay_events\n    DROP COLUMN kind;", "DROP COLUMN"),
        ("ALTER TABLE pay_events RENAME COLUMN kind TO topic;", "RENAME"),
        ("ALTER TABLE pay_events RENAME TO events;", "RENAME"),
        ("ALTER TABLE pay_events ALTER COLUMN kind TYPE VARCHAR(20);", "TYPE"),
        ("ALTER TABLE pay_events ALTER kind SET NOT NULL;", "SET NOT NULL"),
        ("ALTER TABLE pay_events ADD COLUMN topic TEXT NOT NULL;", "NOT NULL"),
        ("ALTER TABLE pay_events ADD topic TEXT NOT NULL;", "NOT NULL"),
        ("ALTER TABLE pay_events ADD COLUMN a TEXT NOT NULL DEFAULT '', ADD COLUMN b TEXT NOT NULL;", "NOT NULL"),
        ("ALTER TABLE pay_events ADD COLUMN topic TEXT CHECK (topic <> '');", "NOT NULL"),
        ("ALTER TABLE pay_events ADD CONSTRAINT one UNIQUE (kind);", "ADD CONSTRAINT"),
        ("CREATE UNIQUE INDEX one ON pay_events (kind);", "CREATE UNIQUE INDEX"),
        ("DO $$ BEGIN\n    DELETE FROM pay_events; -- all\nEND $$;", "DELETE FROM"),
    ] {
        assert_eq!(found(sql), [what], "{sql}");
    }
    for sql in [
        "CREATE TABLE pay_new (id BIGINT PRIMARY KEY, kind TEXT NOT NULL);\nCREATE UNIQUE INDEX one ON pay_new (kind);",
        "ALTER TABLE pay_events ADD COLUMN topic TEXT; -- never DROP TABLE",
        "ALTER TABLE pay_events ADD COLUMN topic TEXT NOT NULL DEFAULT '';",
        "ALTER TABLE pay_event_bodies ALTER COLUMN body SET COMPRESSION lz4;",
        "CREATE INDEX one ON pay_events (kind);",
        "CREATE TABLE pay_new (id BIGINT);\nCREATE TRIGGER one AFTER DELETE ON pay_events BEGIN DELETE FROM pay_new; END;",
    ] {
        assert_eq!(found(sql), [""; 0], "{sql}");
    }
}

#[test]
fn both_databases_take_the_same_steps_and_all_that_there_are() {
    let list = include_str!("../../../src/store/migrations.rs");
    for database in ["sqlite", "postgres"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let on_disk: BTreeSet<String> = names.collect();
        let listed: BTreeSet<String> = list
            .split('"')
            .filter(|word| word.len() > 5 && word.as_bytes()[4] == b'_' && word[..4].parse::<u32>().is_ok())
            .map(str::to_owned)
            .collect();
        assert_eq!(on_disk, listed, "{database}");
    }
}
