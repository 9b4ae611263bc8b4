//! Does the example shop keep the promises as a process of its own: started, loaded, killed and started again?

mod alarms;
mod blocked;
mod checkout;
mod command;
mod crash;
mod health;
mod metrics;
mod mine;
mod orders;
pub(crate) mod process;
mod roles;
mod signed;
mod stop;
mod storm;
mod story;
mod tea;
mod two;
