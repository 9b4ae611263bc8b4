//! The options that commands share.

use clap::Args;

use crate::engine::Actor;

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// Answer in JSON, for programs.
    #[arg(long)]
    pub(super) json: bool,
}

/// What every command takes that acts.
#[derive(Debug, Clone, Args)]
pub(crate) struct Acting {
    /// Only say what would be done.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Who is to stand in the audit.
    ///
    /// By default the name of the user who runs the command, from the environment.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

impl Acting {
    /// Who asks.
    pub(super) fn actor(&self) -> Actor {
        let user = || ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        let name = self.actor.clone().or_else(user).unwrap_or_default();
        let name: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
        let name = if name.trim().is_empty() { "command line".to_owned() } else { name };
        Actor { name, address: Some("command line".to_owned()) }
    }
}
