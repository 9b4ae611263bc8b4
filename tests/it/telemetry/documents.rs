//! Do the guide, the alert rules and the dashboard name the metrics that there are?

use std::path::PathBuf;
use std::process::Command;

use actix_payments::{METRICS, MetricKind};
use serde_json::Value;

fn document(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(document(name)).unwrap()
}

#[test]
fn the_guides_table_is_the_list_in_the_code() {
    let guide = read("operations.md");
    let listed: Vec<&str> = guide.lines().filter(|line| line.starts_with("| `pay_")).collect();
    let expected = METRICS.iter().map(|metric| {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let kind = format!("{:?}", metric.kind).to_lowercase();
        format!("| `{}` | {kind} | {} | {} |", metric.name, labels.join(", "), metric.help)
    });
    assert_eq!(listed, expected.collect::<Vec<_>>());
}

/// Every word of an expression that names a metric, with its labels.
fn names(expression: &str) -> Vec<String> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("pay_")).map(str::to_owned).collect()
}

fn is_there(name: &str) -> bool {
    METRICS.iter().any(|metric| match metric.kind {
        MetricKind::Histogram => {
            ["_bucket", "_sum", "_count"].iter().any(|end| name.strip_suffix(end) == Some(metric.name))
        }
        _ => metric.name == name,
    })
}

#[test]
fn the_dashboard_and_the_rules_name_metrics_that_are_there() {
    let dashboard: Value = serde_json::from_str(&read("grafana-dashboard.json")).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let expressions: Vec<String> = targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect();
    let shown: Vec<String> = expressions.iter().flat_map(|expression| names(expression)).collect();
    let lost: Vec<&String> = shown.iter().filter(|name| !is_there(name)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    for metric in METRICS {
        assert!(shown.iter().any(|name| name.starts_with(metric.name)), "{} is on no panel", metric.name);
    }
    let rules = names(&read("prometheus-rules.yml"));
    assert!(rules.len() > 8 && rules.iter().all(|name| is_there(name)), "{rules:?}");
    // Each expression of the dashboard is one that Prometheus reads.
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<String> = expressions
        .iter()
        .enumerate()
        .map(|(number, expression)| {
            format!("  - record: panel:{number}\n    expr: {}\n", Value::from(expression.as_str()))
        })
        .collect();
    let panels = folder.path().join("panels.yml");
    std::fs::write(&panels, format!("groups:\n- name: panels\n  rules:\n{}", all.concat())).unwrap();
    for file in [panels, document("prometheus-rules.yml")] {
        let checked = Command::new("promtool").args(["check", "rules"]).arg(&file).output();
        let checked = checked.expect("promtool, which Debian has in its package prometheus; scripts/test installs it");
        assert!(checked.status.success(), "{checked:?}");
    }
}
