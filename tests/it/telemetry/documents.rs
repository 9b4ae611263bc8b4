//! Do the guide, the alert rules and the dashboard name the metrics that there are?

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use actix_payments::{METRICS, Metric, MetricKind};
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

/// The words of an expression of Prometheus' language.
fn words(expression: &str) -> impl Iterator<Item = &str> {
    expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// The metric of this crate that a name in an expression stands for.
fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| match metric.kind {
        MetricKind::Histogram => {
            ["_bucket", "_sum", "_count"].iter().any(|end| name.strip_suffix(end) == Some(metric.name))
        }
        _ => metric.name == name,
    })
}

/// What is between the brackets that follow each place of `word`.
fn bracketed<'a>(expression: &'a str, word: &'a str, [open, close]: [char; 2]) -> impl Iterator<Item = &'a str> {
    let follows = expression.split(word).skip(1).filter_map(move |rest| rest.trim_start().strip_prefix(open));
    follows.filter_map(move |rest| rest.split(close).next())
}

/// What an expression says that no metric has: names, labels, and words that no label bears.
fn mistakes(expression: &str) -> Vec<String> {
    let (mut found, mut labels) = (Vec::new(), Vec::new());
    for name in words(expression).filter(|word| word.starts_with("pay_")) {
        let Some(metric) = metric(name) else {
            found.push(format!("there is no {name}"));
            continue;
        };
        labels.extend(metric.labels);
        labels.extend(name.ends_with("_bucket").then_some("le"));
        for chosen in bracketed(expression, name, ['{', '}']).flat_map(|chosen| chosen.split("\",")) {
            let (label, values) = chosen.split_once(['=', '!']).unwrap_or((chosen, ""));
            if !metric.labels.contains(&label) {
                found.push(format!("{name} has no label {label}"));
            }
            // The names of variants and handlers are the host's.
            let ours = ["variant", "handler", "table"].iter().all(|theirs| *theirs != label);
            let unsaid = words(values).filter(|value| !words(metric.help).any(|word| word == *value));
            found.extend(unsaid.filter(|_| ours).map(|value| format!("{name} has no {label} {value}")));
        }
    }
    // Those that Prometheus gives to whatever it reads.
    labels.extend(["job", "instance"]);
    for grouped in ["by", "on"].into_iter().flat_map(|word| bracketed(expression, word, ['(', ')'])) {
        let unknown = words(grouped).filter(|label| !labels.contains(label));
        found.extend(unknown.map(|label| format!("nothing in {expression:?} has the label {label}")));
    }
    found
}

/// The expression of each alert rule, with all that its rule says.
fn rules() -> Vec<(String, String)> {
    let text = read("prometheus-rules.yml");
    let each = text.split("      - alert: ").skip(1).map(|rule| {
        let expression = rule.split("expr:").nth(1).unwrap().split("        labels:").next().unwrap();
        (expression.split("        for:").next().unwrap().trim_start_matches(" >").to_owned(), rule.to_owned())
    });
    each.collect()
}

/// The expressions of the dashboard.
fn panels() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("grafana-dashboard.json")).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// Runs Prometheus' own tool.
fn promtool(words: &[&str], file: &Path) {
    let checked = Command::new("promtool").args(words).arg(file).output();
    let checked = checked.expect("promtool, which Debian has in its package prometheus; scripts/test installs it");
    assert!(
        checked.status.success(),
        "{}{}",
        String::from_utf8_lossy(&checked.stdout),
        String::from_utf8_lossy(&checked.stderr)
    );
}

#[test]
fn a_name_a_label_and_a_word_that_no_metric_has_are_found() {
    let good = [
        "sum by (variant, answer) (rate(pay_deliveries_total{answer=~\"stored|duplicate\",variant!=\"\"}[5m]))",
        "histogram_quantile(0.9, sum by (le, handler) (rate(pay_handler_seconds_bucket{outcome!=\"ok\"}[5m])))",
        "up == 0 and on (job, instance) pay_inbox_waiting",
    ];
    assert_eq!(good.iter().flat_map(|one| mistakes(one)).collect::<Vec<_>>(), Vec::<String>::new());
    for (wrong, what) in [
        ("pay_delivered_total", "there is no pay_delivered_total"),
        ("pay_handler_seconds", "there is no pay_handler_seconds"),
        ("pay_events{kind=\"x\"}", "pay_events has no label kind"),
        ("pay_events{state=\"lost\"}", "pay_events has no state lost"),
        ("pay_deliveries_total{answer=~\"stored|known\"}", "pay_deliveries_total has no answer known"),
        ("sum by (event) (pay_events)", "nothing in \"sum by (event) (pay_events)\" has the label event"),
        (
            "sum by (le) (pay_handler_seconds_sum)",
            "nothing in \"sum by (le) (pay_handler_seconds_sum)\" has the label le",
        ),
    ] {
        let found = mistakes(wrong);
        assert!(found.iter().any(|it| it == what), "{what} in {found:?}");
    }
}

#[test]
fn the_dashboard_and_the_rules_name_metrics_labels_and_words_that_are_there() {
    let panels = panels();
    let rules = rules();
    assert!(panels.len() > 10 && rules.len() > 8);
    let all = panels.iter().chain(rules.iter().map(|(expression, _)| expression));
    assert_eq!(all.flat_map(|expression| mistakes(expression)).collect::<Vec<_>>(), Vec::<String>::new());
    for it in METRICS {
        let is_it = |word: &str| metric(word).is_some_and(|named| named.name == it.name);
        assert!(panels.iter().any(|expression| words(expression).any(is_it)), "{} is on no panel", it.name);
    }
    // What a sentence says of a label is there only where the expression keeps it.
    for (expression, rule) in &rules {
        for said in rule.split("$labels.").skip(1) {
            let label = words(said).next().unwrap();
            let kept = ["by", "on"]
                .into_iter()
                .flat_map(|word| bracketed(expression, word, ['(', ')']))
                .any(|it| words(it).any(|it| it == label));
            assert!(kept, "{label} is not in the result of {expression}");
        }
    }
    // Each expression of the dashboard is one that Prometheus reads.
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<String> = panels
        .iter()
        .enumerate()
        .map(|(number, expression)| {
            format!("  - record: panel:{number}\n    expr: {}\n", Value::from(expression.as_str()))
        })
        .collect();
    let file = folder.path().join("panels.yml");
    std::fs::write(&file, format!("groups:\n- name: panels\n  rules:\n{}", all.concat())).unwrap();
    promtool(&["check", "rules"], &file);
}

#[test]
fn each_rule_fires_for_what_it_is_for_and_for_nothing_else() {
    let series = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/prometheus-rules.test.yml");
    let cases = std::fs::read_to_string(&series).unwrap();
    for (_, rule) in rules() {
        let name = rule.split_whitespace().next().unwrap();
        let looks = cases.split("alertname: ").skip(1).filter(|look| look.split_whitespace().next() == Some(name));
        let fires =
            looks.map(|look| look.split("eval_time:").next().unwrap().contains("exp_alerts:")).collect::<BTreeSet<_>>();
        assert_eq!(fires.len(), 2, "{name} has a case in which it fires and one in which it does not");
    }
    promtool(&["check", "rules"], &document("prometheus-rules.yml"));
    promtool(&["test", "rules"], &series);
}
