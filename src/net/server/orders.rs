//! What the server does at the orders of its operator's consoles.
//!
//! Promises: an order that is obeyed leaves one line in the log, with who gave it and its first
//! word, never its text; each turn obeys a bounded number of them. Deliberately reads no bytes:
//! `net::console` does, and `admin` says what a line asks.

use log::{LevelFilter, info};

use super::countdown::{Countdown, Due};
use super::{Phase, Server, show};
use crate::admin::{self, Fault, Order, SHUTDOWN_SECS, Who, text};
use crate::chat::Now;
use crate::chat::command::{self, Measure, Moderation, Where};
use crate::chat::event::{Event, Refusal};
use crate::chat::name::key_of;
use crate::net::console::{ConsoleId, LINE_BYTES_MAX, LINES_PER_TURN, Said};
use crate::net::hub::Watched;
use crate::wire::{self, Clock};

impl Server {
    /// Lets consoles in, and obeys what they say.
    pub(super) fn serve_consoles(&mut self, now: Now) {
        if self.phase != Phase::Serving {
            return;
        }
        self.consoles.accept(self.poll.registry(), now.mono);
        for _ in 0..LINES_PER_TURN {
            let Some((console, said)) = self.consoles.next_line() else { break };
            let answer = match said {
                Said::Line(line) => self.obey(console, &line, now),
                Said::TooLong => Err(Fault::LineTooLong { bytes_max: LINE_BYTES_MAX }),
            };
            let answer = answer.unwrap_or_else(|fault| text::refusal(&fault));
            self.consoles.answer(console, &answer, now.mono);
            self.consoles.settle(now.mono);
        }
        self.consoles.settle(now.mono);
    }

    fn obey(&mut self, console: ConsoleId, line: &str, now: Now) -> Result<String, Fault> {
        let order = admin::parse(line)?;
        if let Some(word) = order.word() {
            info!(uid = self.consoles.uid(console), order = word; "admin");
        }
        Ok(match order {
            Order::Nothing => String::new(),
            Order::Stats => show::figures(&self.figures(now)),
            Order::Conns(who) => return self.show_conns(who, now),
            Order::Rooms => {
                let chat = self.hub.conversation();
                text::rooms(chat.rooms().len(), show::rooms(chat))
            }
            Order::Moderate(moderation) => self.moderate(moderation, now)?,
            Order::Kick(id, why) => self.kick(id, Some(why).filter(|why| !why.is_empty()), now)?,
            Order::Log(level) => log_at(level, self.config.log_level_to_set().is_none()),
            Order::Announce(text) => {
                self.hub.announce(text, now);
                text::announced().to_owned()
            }
            Order::Reload => text::reloaded(&self.reload(now).told()),
            Order::Shutdown(seconds, why) => self.begin_countdown(seconds, why, now)?,
            Order::ShutdownCancel => {
                self.countdown.take().ok_or(Fault::StopsNot)?;
                self.hub.announce_stop(None, now);
                text::stays().to_owned()
            }
            Order::Help(verb) => verb.map_or_else(text::help, text::help_of),
            Order::Quit => {
                self.consoles.dismiss(console);
                text::bye().to_owned()
            }
        })
    }

    /// Who is at a console cannot make a room that there is not, which the conversation offers.
    fn check_room(&self, place: Where<'_>) -> Result<(), Fault> {
        let Where::Room(typed) = place else { return Ok(()) };
        let is_there = self.hub.conversation().rooms().named(&key_of(typed)).is_some();
        is_there.then_some(()).ok_or_else(|| Fault::NoRoom { typed: typed.to_owned() })
    }

    fn show_conns(&self, typed: Option<&str>, now: Now) -> Result<String, Fault> {
        let who = typed.map(Who::parse);
        let named = match &who {
            Some(Who::Named(nick)) => self.hub.conversation().conn_of(nick),
            _ => None,
        };
        let is_meant = |it: &Watched<'_>| match &who {
            None => true,
            Some(Who::Named(_)) => named == Some(it.conn),
            Some(Who::From(network)) => network.contains(&it.address.ip().to_canonical()),
            Some(Who::Id(id)) => show::id_of(it) == Some(*id),
        };
        let watched = || self.hub.watched(now).filter(is_meant);
        let count = watched().count();
        match typed {
            Some(typed) if count == 0 => Err(Fault::Nobody { typed: typed.to_owned() }),
            _ => Ok(text::conns(count, watched().map(|it| show::conn(&it)))),
        }
    }

    /// Kicks, bans or mutes, or takes that back, and says what was done or why not.
    fn moderate(&mut self, moderation: Moderation<'_>, now: Now) -> Result<String, Fault> {
        self.check_room(moderation.place)?;
        let told = match self.hub.moderate(moderation, now) {
            Ok(event) => event,
            // Whom a console may mean is said elsewhere than in the conversation.
            Err(Refusal::NoSuchUser { typed, .. }) => return Err(Fault::Nobody { typed }),
            Err(refusal) => Event::Refused(refusal),
        };
        Ok(wire::text::of(&told, Clock { unix: now.unix, zone_secs: now.zone_secs }))
    }

    /// Ends the connection of that id, and says what was done.
    fn kick(&mut self, id: u64, why: Option<&str>, now: Now) -> Result<String, Fault> {
        let conn = self.hub.watched(now).find(|it| show::id_of(it) == Some(id));
        let conn = conn.map(|it| it.conn);
        let conn = conn.ok_or_else(|| Fault::Nobody { typed: format!("#{id:016x}") })?;
        if let Some(nick) = self.hub.conversation().nick_of(conn).map(str::to_owned) {
            let measure = Measure::Kick { who: command::Who::Name(&nick), why };
            return self.moderate(Moderation { place: Where::Everywhere, measure }, now);
        }
        self.hub.kick_nameless(conn, now);
        Ok(text::kicked(id))
    }

    /// The server will stop; when it is about to, only a number of seconds changes when.
    fn begin_countdown(
        &mut self,
        seconds: Option<u64>,
        why: &str,
        now: Now,
    ) -> Result<String, Fault> {
        let seconds = match (&self.countdown, seconds) {
            (Some(countdown), None) => {
                return Err(Fault::StopsAlready { seconds: countdown.left(now.mono) });
            }
            (_, seconds) => seconds.unwrap_or(SHUTDOWN_SECS),
        };
        self.hub.announce_stop(Some((seconds, why)), now);
        self.countdown = Some(Countdown::begin(seconds, why, now.mono));
        Ok(text::stops(seconds))
    }

    /// Tells everybody that the server stops, or stops it, when that is due.
    pub(super) fn count_down(&mut self, now: Now) {
        let Some(countdown) = &mut self.countdown else { return };
        match countdown.due(now.mono) {
            Due::Nothing => {}
            Due::Tell(seconds) => {
                self.hub.announce_stop(Some((seconds, &countdown.why)), now);
            }
            Due::Stop => self.stop("/shutdown", now),
        }
    }
}

/// From now on the log shows so much; no more than `RUST_LOG`, where that decides.
fn log_at(level: LevelFilter, has_bound: bool) -> String {
    log::set_max_level(level);
    text::logs(level, has_bound)
}
