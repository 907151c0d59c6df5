//! Reading the configuration again: at SIGHUP, and for whoever asks in another way.
//!
//! Promises: a configuration that is wrong changes nothing, and what is wrong with it is logged;
//! each change is logged, and whether it is applied. Deliberately reads in the loop: a file of an
//! operator is small and near, and a turn that waits for it is one turn.

use log::{LevelFilter, info, warn};

use super::Server;
use super::start::{connections_max, raise_descriptor_limit};
use crate::chat::Now;
use crate::config::{Change, Reach};

/// What came of reading all again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// Of the certificate: its file; or why the old one stays (a sentence without its end). `None`
    /// where nobody speaks TLS.
    pub certificate: Option<Result<String, String>>,
    /// Of the configuration.
    pub configuration: Reconfigured,
    /// Of the operators that it names, those who have no account.
    pub operators_unknown: Vec<String>,
}

/// What came of reading the configuration again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reconfigured {
    /// There is no file: all was given at the start.
    NoFile,
    /// It was read, and this is different.
    Changes(Vec<Change>),
    /// It is wrong, for this reason (a sentence without its end), and all is as it was.
    Kept(String),
}

impl Reloaded {
    /// For people, a sentence without its end on each line.
    pub fn told(&self) -> Vec<String> {
        let certificate = self.certificate.as_ref().map(|read| match read {
            Ok(file) => format!("the certificate was read again: {file}"),
            Err(why) => format!("the certificate stays as it was: {why}"),
        });
        let unknown = self.operators_unknown.iter();
        let unknown = unknown.map(|name| {
            format!("{name} is an operator whom nobody can be: no account has that name")
        });
        certificate.into_iter().chain(self.configuration.told()).chain(unknown).collect()
    }
}

impl Reconfigured {
    fn told(&self) -> Vec<String> {
        match self {
            Reconfigured::NoFile => {
                vec!["there is no --config to read again; limits stay as they are".to_owned()]
            }
            Reconfigured::Kept(why) => vec![format!("the configuration stays as it was: {why}")],
            Reconfigured::Changes(changes) if changes.is_empty() => {
                vec!["the configuration is as it was".to_owned()]
            }
            Reconfigured::Changes(changes) => changes.iter().map(Change::told).collect(),
        }
    }

    fn log(&self) {
        match self {
            Reconfigured::NoFile => info!("config_absent"),
            Reconfigured::Kept(why) => warn!(why; "config_kept"),
            Reconfigured::Changes(changes) => {
                info!(changes = changes.len(); "config_read");
                changes.iter().for_each(log_change);
            }
        }
    }
}

/// Of operators whom nobody can be it is told: a name that is written wrongly shows nowhere else.
pub(super) fn warn_of_operators<'n>(unknown: impl Iterator<Item = &'n str>) {
    unknown.for_each(|name| warn!(name; "operator_unknown"));
}

fn log_change(change: &Change) {
    let Change { key, old, new, reach } = change;
    match reach {
        Reach::Live => info!(key, old, new; "config_changed"),
        Reach::Restart => info!(key, old, new; "config_needs_restart"),
    }
}

impl Server {
    /// Reads again what can be read again, and applies what can be applied while people talk.
    pub fn reload(&mut self, now: Now) -> Reloaded {
        let files = &self.config.tls;
        let certificate = self.keys.as_mut().map(|keys| {
            let file = || files.cert.display().to_string();
            keys.reload(now).map(|()| file())
        });
        self.service.reloading();
        let level = self.config.log_level;
        let configuration = self.reload_configuration(now);
        // What a console has said of it holds until the configuration says otherwise.
        let new = self.config.log_level_to_set().filter(|new| *new != level);
        // The change to a quiet log is still told of, and so is that to one that is not.
        log::set_max_level(log::max_level().max(new.unwrap_or(LevelFilter::Off)));
        configuration.log();
        if let Some(new) = new {
            log::set_max_level(new);
        }
        self.service.ready();
        let unknown = self.hub.operators_unknown().map(str::to_owned);
        Reloaded { certificate, configuration, operators_unknown: unknown.collect() }
    }

    fn reload_configuration(&mut self, now: Now) -> Reconfigured {
        if !self.config.has_file() {
            return Reconfigured::NoFile;
        }
        match self.config.read_again() {
            Err(why) => Reconfigured::Kept(why),
            Ok(new) => {
                let changes = self.config.adopt(new);
                self.apply(now);
                Reconfigured::Changes(changes)
            }
        }
    }

    /// The rest of the server goes by the configuration as it is now.
    fn apply(&mut self, now: Now) {
        let config = &self.config;
        let mut limits = config.hub;
        limits.connections_max = connections_max(config.connections, raise_descriptor_limit());
        self.hub.set_limits(config.chat.clone(), limits, now);
        warn_of_operators(self.hub.operators_unknown());
    }
}
