//! Is what stands otherwise at the gateway found and repaired, however it came about?

mod pages;
mod storm;
mod story;
mod turns;
mod unreadable;
pub(crate) mod world;
