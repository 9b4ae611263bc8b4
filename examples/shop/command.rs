//! The shop's command line: the commands of payments, and none of its own.

use actix_payments::cli::Command;
use clap::Parser;

/// A small shop that takes payments. Without a command it serves; with one it asks or acts, beside the running shop.
#[derive(Parser)]
#[command(name = "shop")]
struct Shop {
    #[command(subcommand)]
    command: Option<Command>,
}

/// The command that was given, if one was.
pub(crate) fn asked() -> Option<Command> {
    Shop::parse().command
}
