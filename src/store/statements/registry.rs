//! Registered handlers and running workers.

use diesel::prelude::*;

use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::registry::{Registered, Registry, Stage, WorkerRow};

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_handlers (name) {
        name -> Text,
        stage -> Text,
        kind -> Nullable<Text>,
        registered_at -> Instant,
        retired_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_workers (name) {
        name -> Text,
        handlers -> Text,
        variants -> Text,
        started_at -> Instant,
        seen_at -> Instant,
    }
}

use pay_handlers::dsl as h;
use pay_workers::dsl as w;

impl Registry for Connection {
    fn register(&mut self, handlers: &[Registered], now: Timestamp) -> Result<(), Error> {
        for handler in handlers {
            let kind = match &handler.stage {
                Stage::Event(kind) => Some(kind.as_str()),
                _ => None,
            };
            let row = (h::name.eq(&handler.name), h::stage.eq(handler.stage.word()), h::kind.eq(kind));
            diesel::insert_into(h::pay_handlers)
                .values((row, h::registered_at.eq(now)))
                .on_conflict(h::name)
                .do_update()
                .set((h::stage.eq(handler.stage.word()), h::kind.eq(kind), h::retired_at.eq(None::<Timestamp>)))
                .execute(self)
                .map_err(failed("registering a handler"))?;
        }
        Ok(())
    }

    fn retire(&mut self, names: &[String], now: Timestamp) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        diesel::update(h::pay_handlers.filter(h::name.eq_any(names).and(h::retired_at.is_null())))
            .set(h::retired_at.eq(now))
            .execute(self)
            .map(drop)
            .map_err(failed("retiring handlers"))
    }

    fn registered(&mut self) -> Result<Vec<Registered>, Error> {
        let rows: Vec<(String, String, Option<String>)> = h::pay_handlers
            .filter(h::retired_at.is_null())
            .order(h::name)
            .select((h::name, h::stage, h::kind))
            .load(self)
            .map_err(failed("reading the registered handlers"))?;
        // What a newer release registered at a stage of its own is left to it.
        let known =
            |(name, stage, kind): (String, String, _)| Some(Registered { name, stage: Stage::parse(&stage, kind)? });
        Ok(rows.into_iter().filter_map(known).collect())
    }

    fn worker_seen(&mut self, worker: &WorkerRow, forget: Timestamp) -> Result<(), Error> {
        let what = (w::handlers.eq(&worker.handlers), w::variants.eq(&worker.variants), w::seen_at.eq(worker.seen_at));
        diesel::insert_into(w::pay_workers)
            .values((w::name.eq(&worker.name), w::started_at.eq(worker.started_at), what))
            .on_conflict(w::name)
            .do_update()
            .set(what)
            .execute(self)
            .map_err(failed("noting that a worker runs"))?;
        diesel::delete(w::pay_workers.filter(w::seen_at.lt(forget)))
            .execute(self)
            .map(drop)
            .map_err(failed("forgetting workers"))
    }

    fn worker_ended(&mut self, name: &str) -> Result<(), Error> {
        diesel::delete(w::pay_workers.find(name)).execute(self).map(drop).map_err(failed("forgetting a worker"))
    }

    fn workers(&mut self, since: Timestamp) -> Result<Vec<WorkerRow>, Error> {
        w::pay_workers.filter(w::seen_at.ge(since)).order(w::name).load(self).map_err(failed("reading the workers"))
    }
}
