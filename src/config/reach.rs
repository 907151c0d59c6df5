//! What becomes of a configuration that is read again: which keys are applied while the server
//! runs, and which need a restart.
//!
//! Promises: [`REACHES`] has every flag; what needs a restart stays as it was, in every field.
//! Deliberately applies nothing: the server does, with what [`Config::adopt`] leaves.

use log::LevelFilter;

use super::{Config, Declined};

/// What a change of a key reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The server that runs.
    Live,
    /// The next one.
    Restart,
}

use Reach::{Live, Restart};

/// What a change of each flag reaches.
pub(super) const REACHES: &[(&str, Reach)] = &[
    ("config", Restart),
    ("listen", Restart),
    ("telnet-listen", Restart),
    ("tls-listen", Restart),
    ("tls-cert", Restart),
    ("tls-key", Restart),
    ("tls-handshake-timeout", Live),
    ("tls-handshakes", Live),
    ("admin", Restart),
    ("connections", Live),
    ("connections-per-address", Live),
    ("connects-per-minute", Live),
    ("name-timeout", Live),
    ("members-only", Live),
    ("private", Live),
    ("operators", Live),
    ("motd", Live),
    ("line-bytes", Live),
    ("paste-bytes", Live),
    ("name-chars", Live),
    ("pace", Live),
    ("burst", Live),
    ("lobby", Restart),
    ("rooms", Live),
    ("rooms-per-user", Live),
    ("room-members", Live),
    ("queue-bytes", Live),
    ("queue-total-bytes", Live),
    ("stall-timeout", Live),
    ("drain-timeout", Live),
    ("accepts-per-turn", Live),
    ("read-bytes-per-turn", Live),
    ("data", Restart),
    ("sync", Restart),
    ("commit-window", Restart),
    ("keep", Restart),
    ("keep-lines", Restart),
    ("replay", Live),
    ("accounts", Live),
    ("directs", Live),
    ("search", Restart),
    ("metrics", Restart),
    ("verbose", Live),
    ("quiet", Live),
];

/// What a change of that flag reaches.
pub fn reach_of(key: &str) -> Reach {
    REACHES.iter().find(|(known, _)| *known == key).map_or(Restart, |(_, reach)| *reach)
}

/// A key that has another value than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The flag's long name.
    pub key: String,
    /// As it was typed.
    pub old: String,
    /// As it is typed now.
    pub new: String,
    /// Whether it is applied.
    pub reach: Reach,
}

impl Change {
    /// For people: what has changed, or needs a restart.
    pub fn told(&self) -> String {
        let Change { key, old, new, reach } = self;
        let (old, new) = (shown(old), shown(new));
        match reach {
            Live => format!("{key} is {new} now, and was {old}"),
            Restart => format!("{key} stays {old} until a restart, and is {new} then"),
        }
    }
}

/// A value for people, on one line.
pub(super) fn shown(text: &str) -> String {
    match text {
        "" => "none".to_owned(),
        text if text.contains(char::is_control) => format!("{text:?}"),
        text => text.to_owned(),
    }
}

impl Config {
    /// Whether some of it stands in a file.
    pub fn has_file(&self) -> bool {
        self.has_file
    }

    /// What is logged from now on; `None` where `RUST_LOG` decides.
    pub fn log_level_to_set(&self) -> Option<LevelFilter> {
        std::env::var_os("RUST_LOG").is_none().then_some(self.log_level)
    }

    /// The same flags and environment, with the file as it is now.
    ///
    /// # Errors
    /// One sentence without its end.
    pub fn read_again(&self) -> Result<Config, String> {
        Config::parse_from(self.args.iter().cloned()).map_err(|declined| match declined {
            Declined::Refused(why) | Declined::Shown(why) => why,
        })
    }

    /// Becomes `new`, apart from what needs a restart. What is different comes back, in the order
    /// of the flags.
    pub fn adopt(&mut self, new: Config) -> Vec<Change> {
        let old = std::mem::replace(self, new);
        let mut changes = Vec::new();
        for (value, was) in self.values.iter_mut().zip(old.values) {
            if value.text == was.text {
                continue;
            }
            let (key, reach) = (value.key.clone(), reach_of(&value.key));
            let (old, new) = (was.text.clone(), value.text.clone());
            if reach == Restart {
                *value = was;
            }
            changes.push(Change { key, old, new, reach });
        }
        self.listen = old.listen;
        self.telnet_listen = old.telnet_listen;
        self.tls_listen = old.tls_listen;
        self.tls = old.tls;
        self.metrics = old.metrics;
        self.admin = old.admin;
        self.data = old.data;
        self.hub.keep = old.hub.keep;
        self.chat.lobby = old.chat.lobby;
        self.chat.is_searchable = old.chat.is_searchable;
        self.chat.is_kept = old.chat.is_kept;
        changes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::command;
    use super::*;

    /// Another value than the default one, for each flag.
    const OTHERS: &[(&str, &str)] = &[
        ("listen", "9001"),
        ("telnet-listen", "9002"),
        ("tls-listen", "9003"),
        ("tls-cert", "other.crt"),
        ("tls-key", "other.key"),
        ("tls-handshake-timeout", "7s"),
        ("tls-handshakes", "7"),
        ("admin", "socket"),
        ("connections", "7"),
        ("connections-per-address", "7"),
        ("connects-per-minute", "7"),
        ("name-timeout", "7s"),
        ("operators", "ann"),
        ("motd", "hello"),
        ("line-bytes", "777"),
        ("paste-bytes", "7K"),
        ("name-chars", "7"),
        ("pace", "7"),
        ("burst", "7"),
        ("lobby", "foyer"),
        ("rooms", "7"),
        ("rooms-per-user", "7"),
        ("room-members", "7"),
        ("queue-bytes", "7K"),
        ("queue-total-bytes", "7K"),
        ("stall-timeout", "7s"),
        ("drain-timeout", "7s"),
        ("accepts-per-turn", "7"),
        ("read-bytes-per-turn", "777"),
        ("data", "other.db"),
        ("sync", "later"),
        ("commit-window", "7ms"),
        ("keep", "7d"),
        ("keep-lines", "7"),
        ("replay", "7"),
        ("accounts", "7"),
        ("directs", "7"),
        ("search", "off"),
        ("metrics", "9004"),
    ];

    #[cfg(feature = "store")]
    fn parse(args: &[String]) -> Config {
        let args = std::iter::once("chatline").chain(args.iter().map(String::as_str));
        let mut config = Config::parse_from(args.map(Into::into)).unwrap();
        config.args.clear();
        config
    }

    /// All of it, but for where it stood.
    #[cfg(feature = "store")]
    fn whole(config: &Config) -> String {
        format!("{:?}", config.without_places())
    }

    #[test]
    fn every_flag_is_live_or_needs_a_restart() {
        let command = command();
        let flags = command.get_arguments().filter_map(|arg| arg.get_long());
        let flags: BTreeSet<&str> =
            flags.filter(|flag| !["help", "version"].contains(flag)).collect();
        let listed: Vec<&str> = REACHES.iter().map(|(key, _)| *key).collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), flags);
        assert_eq!(listed.len(), flags.len(), "a flag stands there once");
        let valued = command.get_arguments().filter(|arg| arg.get_action().takes_values());
        let valued: BTreeSet<&str> =
            valued.filter_map(|arg| arg.get_long()).filter(|flag| *flag != "config").collect();
        assert_eq!(OTHERS.iter().map(|(key, _)| *key).collect::<BTreeSet<_>>(), valued);
    }

    #[test]
    #[cfg(feature = "store")]
    fn what_is_live_is_taken_over_and_nothing_else() {
        let switches = ["quiet", "verbose", "members-only", "private"].map(|key| (key, None));
        for (key, value) in OTHERS.iter().map(|(key, value)| (*key, Some(*value))).chain(switches) {
            let argument = value.map_or(format!("--{key}"), |value| format!("--{key}={value}"));
            let (old, new) = (parse(&[]), parse(&[argument]));
            assert_ne!(whole(&old), whole(&new), "--{key} changes nothing");
            let mut adopted = old.clone();
            let changes = adopted.adopt(new.clone());
            assert_eq!(changes.len(), 1, "{changes:?}");
            assert_eq!((&*changes[0].key, changes[0].reach), (key, reach_of(key)));
            let expected = match reach_of(key) {
                Live => &new,
                Restart => &old,
            };
            assert_eq!(whole(&adopted), whole(expected), "--{key}");
            let again = adopted.adopt(new);
            let due = if reach_of(key) == Live { vec![] } else { changes };
            assert_eq!(again, due, "what needs a restart is told until there is one");
        }
    }

    #[test]
    fn a_change_is_told_to_people_on_one_line() {
        let change = |old: &str, new: &str, reach| Change {
            key: "pace".into(),
            old: old.into(),
            new: new.into(),
            reach,
        };
        let live = change("100", "50", Live);
        assert_eq!(live.told(), "pace is 50 now, and was 100");
        let due = change("", "two words\n\"x\"", Restart);
        assert!(!due.told().contains('\n'));
    }
}
