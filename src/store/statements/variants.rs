//! How are the names of variants found that there are rows of? By steps through an index, one for each name, or among the
//! rows that are due first.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::lists::{past, stepping};
use super::said::Said;
use super::schema::{pay_events, pay_operations, pay_subscription_operations};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::variants::VariantNames;

const READING: &str = "reading which variants there are";

/// The tables that have an index which begins with the variant.
const TABLES: [&str; 3] = ["pay_events", "pay_payments", "pay_subscriptions"];

/// The variants of the rows that are due first, each once.
macro_rules! due_first {
    ($conn:expr, $table:ident, $now:expr, $cap:expr, $except:expr) => {{
        use $table::dsl as t;
        let due = t::$table.filter(t::due_at.le($now).and(t::variant.ne_all($except)));
        let names = due.order(t::due_at).limit($cap).select(t::variant).load::<String>($conn);
        names.map(once).map_err(failed(READING))
    }};
}

fn once(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}

impl VariantNames for Connection {
    fn variants_from(&mut self, name: &str, cap: i64) -> Result<Vec<String>, Error> {
        let past = past("");
        let mut all = Said::<Text>::new().sql("SELECT word FROM (");
        for (place, table) in TABLES.into_iter().enumerate() {
            let beside = if place > 0 { " UNION " } else { "" };
            let found = all.sql(format!("{beside}SELECT word FROM ("));
            all = stepping(found, (table, "variant", ""), (name, &past), cap).sql(format!(") AS part{place}"));
        }
        let all = all.sql(format!(") AS names ORDER BY word LIMIT {cap}"));
        all.load(self).map_err(failed(READING))
    }

    fn waiting_variants(&mut self, now: Timestamp, cap: i64, except: &[String]) -> Result<Vec<String>, Error> {
        due_first!(self, pay_events, now, cap, except)
    }

    fn operating_variants(&mut self, now: Timestamp, cap: i64, except: &[String]) -> Result<Vec<String>, Error> {
        due_first!(self, pay_operations, now, cap, except)
    }

    fn subscription_operating_variants(
        &mut self,
        now: Timestamp,
        cap: i64,
        except: &[String],
    ) -> Result<Vec<String>, Error> {
        due_first!(self, pay_subscription_operations, now, cap, except)
    }

    fn creating_variants(&mut self, window: i64, least: i64) -> Result<Vec<String>, Error> {
        let newest = Said::<Text>::new().sql(format!(
            "SELECT variant FROM (SELECT variant FROM pay_payments ORDER BY id DESC LIMIT {window}) AS newest \
             GROUP BY variant HAVING count(*) >= {least} ORDER BY count(*) DESC"
        ));
        newest.load(self).map_err(failed(READING))
    }

    fn fetching_variants(&mut self, now: Timestamp, cap: i64, except: &[String]) -> Result<Vec<String>, Error> {
        let (past, at_most) = (past(""), cap.saturating_add(i64::try_from(except.len()).unwrap_or(i64::MAX)));
        let names = Said::<Text>::new().sql("SELECT word FROM (");
        let open = ("pay_fetches", "variant", "due_at IS NOT NULL AND");
        let due = stepping(names, open, ("", &past), MOST)
            .sql(") AS names WHERE EXISTS (SELECT 1 FROM pay_fetches WHERE variant = word AND due_at <= ")
            .at(now)
            .sql(format!(") LIMIT {at_most}"));
        let mut names: Vec<String> = due.load(self).map_err(failed(READING))?;
        names.retain(|name| !except.contains(name));
        Ok(names)
    }

    fn asking_variants(&mut self, cap: i64, except: &[String]) -> Result<Vec<String>, Error> {
        let at_most = cap.saturating_add(i64::try_from(except.len()).unwrap_or(i64::MAX));
        let oldest = Said::<Text>::new().sql(format!(
            "SELECT variant FROM (SELECT variant, id FROM pay_fetches WHERE due_at IS NOT NULL LIMIT {MOST}) AS open \
             GROUP BY variant ORDER BY min(id) LIMIT {at_most}"
        ));
        let mut names: Vec<String> = oldest.load(self).map_err(failed(READING))?;
        names.retain(|name| !except.contains(name));
        names.truncate(usize::try_from(cap).unwrap_or(usize::MAX));
        Ok(names)
    }
}

/// How many variants with open questions are looked at, and how many questions for the oldest ones.
const MOST: i64 = 100_000;
