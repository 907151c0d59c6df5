//! Tokens: names for bots, each with a secret of its own to log in with.
//!
//! Promises: a token belongs to the account that made it, and goes with it; its secret is shown
//! once, and only a hash of it is kept. Several connections may use one at the same time. What a
//! token that is for some rooms is shown and says is in those, and no bot does what takes a person:
//! it has neither account nor rooms of its own, and nothing waits for it. Deliberately as an
//! account to all else, so that names, limits, logins and the file know of nothing new.

use std::collections::BTreeMap;

use super::asked::Pending;
use super::command::{Command, Verb};
use super::event::{Event, Parting, RankFault, Refusal, TokenFault, TokenNews, TokenRow};
use super::kept::{Answer, Bot, Change, KeptAccount, KeptSettings, Question, Secret};
use super::name::{Nick, Verdict, key_of};
use super::outbox::Outbox;
use super::room::RoomId;
use super::user::User;
use super::{Chat, ConnId, Now};

/// The most tokens that one account may have.
pub const TOKENS_MAX: usize = 20;

/// The most rooms that a token may name.
const TOKEN_ROOMS_MAX: usize = 50;

impl Chat {
    /// `/token new NAME [ROOMS] [RATE]`.
    pub(super) fn make_token(
        &mut self,
        conn: ConnId,
        typed: &str,
        rooms: &str,
        rate: Option<u32>,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let owner = self.own_account(conn, Verb::Token)?;
        self.check_keeping()?;
        let rooms = self.rooms_for_token(rooms)?;
        let nick = Nick::parse(typed, self.limits.name_chars_max)
            .map_err(|fault| Refusal::NameInvalid { typed: typed.to_owned(), fault })?;
        self.check_new_token(conn, owner, &nick)?;
        self.take_hash(conn, now)?;
        // 128 bits that nobody can guess; not one that a line could be mistaken for.
        let secret = Secret(format!("ct_{:016x}{:016x}", self.derive(), self.derive()));
        let question = Question::Hash { password: secret.clone() };
        let bot = Bot { owner, rooms, rate };
        self.ask(conn, question, Pending::MakeToken { nick, bot, secret }, out);
        Ok(())
    }

    /// The rooms of a word with commas, as they are shown; no word is for all rooms.
    fn rooms_for_token(&self, word: &str) -> Result<Vec<String>, Refusal> {
        let mut rooms = BTreeMap::new();
        let typed: Vec<&str> = word.split(',').filter(|typed| !typed.is_empty()).collect();
        if typed.is_empty() && !word.is_empty() || typed.len() > TOKEN_ROOMS_MAX {
            return Err(Refusal::Usage(Verb::Token));
        }
        for (place, typed) in typed.into_iter().enumerate() {
            let typed = typed.strip_prefix('#').unwrap_or(typed);
            let name = match self.rooms.named(&key_of(typed)) {
                Some(id) => self.rooms.at(id).name.clone(),
                None => self.room_name(typed)?,
            };
            rooms.entry(name).or_insert(place);
        }
        let mut rooms: Vec<_> = rooms.into_iter().collect();
        rooms.sort_by_key(|(_, place)| *place);
        Ok(rooms.into_iter().map(|(name, _)| name.as_str().to_owned()).collect())
    }

    /// Whether that account may have one more token, of that name.
    fn check_new_token(&self, conn: ConnId, owner: u64, nick: &Nick) -> Result<(), Refusal> {
        let account = self.accounts.find(owner).ok_or(Refusal::Unavailable)?;
        if account.tokens.len() >= TOKENS_MAX {
            return Err(Refusal::Token(TokenFault::TooMany { most: TOKENS_MAX }));
        }
        if let Some(most) = self.limits.accounts_max.filter(|most| self.accounts.len() >= *most) {
            return Err(Refusal::TooManyAccounts { most });
        }
        // Or whoever is quickest would have the name of one.
        if self.limits.operators.has(nick) {
            return Err(Refusal::Rank(RankFault::OperatorsName { nick: nick.clone() }));
        }
        self.check_nick_not_banned(nick)?;
        let is_in_use = self.users.verdict(nick, conn) != Verdict::Free
            || self.users.nick(conn) == *nick
            || self.accounts.verdict(nick) != Verdict::Free;
        if is_in_use {
            let free = self.first_free_name(conn, nick, None).filter(|free| free != nick);
            return Err(self.name_refused(conn, nick.clone(), nick.as_str(), free));
        }
        Ok(())
    }

    /// The hash of a new token's secret has come.
    #[allow(clippy::too_many_arguments)] // It is one question's answer, with what was asked.
    pub(super) fn token_hashed(
        &mut self,
        conn: ConnId,
        nick: Nick,
        bot: Bot,
        secret: Secret,
        answer: Answer,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Answer::Hash(hash) = answer else { return Err(Refusal::Unavailable) };
        // Others may have been quicker, and the disk may be full by now.
        self.check_keeping()?;
        self.check_new_token(conn, bot.owner, &nick)?;
        let scope = (bot.rooms.clone(), bot.rate);
        let serial = self.accounts.add_token(nick.clone(), &hash, bot.clone());
        out.keep(Change::AccountMade(KeptAccount {
            serial,
            nick: nick.as_str().to_owned(),
            hash,
            unix: now.unix,
            seen: 0,
            rooms: Vec::new(),
            directs: 0,
            settings: KeptSettings::default(),
            bot: Some(bot),
        }));
        let (rooms, rate) = scope;
        out.tell(conn, Event::Token(TokenNews::Made { nick, secret, rooms, rate }));
        Ok(())
    }

    /// `/token list`.
    pub(super) fn list_tokens(&mut self, conn: ConnId, out: &mut Outbox) -> Result<(), Refusal> {
        let owner = self.own_account(conn, Verb::Token)?;
        let tokens = self.accounts.find(owner).map_or(&[][..], |account| &account.tokens);
        let rows = tokens.iter().filter_map(|token| {
            let account = self.accounts.find(*token)?;
            let bot = account.bot.as_ref()?;
            Some(TokenRow {
                nick: account.nick.clone(),
                rooms: bot.rooms.clone(),
                rate: bot.rate,
                connections: account.connections,
            })
        });
        let mut rows: Vec<TokenRow> = rows.collect();
        rows.sort_by(|one, other| one.nick.cmp(&other.nick));
        out.tell(conn, Event::Token(TokenNews::Listed(rows)));
        Ok(())
    }

    /// `/token drop NAME`.
    pub(super) fn drop_token(
        &mut self,
        conn: ConnId,
        typed: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let owner = self.own_account(conn, Verb::Token)?;
        self.check_keeping()?;
        let serial = self.accounts.named(&key_of(typed));
        let token = serial.and_then(|serial| self.accounts.find(serial));
        let token = token.filter(|it| it.bot.as_ref().is_some_and(|bot| bot.owner == owner));
        let Some(token) = token else {
            return Err(Refusal::Token(TokenFault::NotYours { typed: typed.to_owned() }));
        };
        let (nick, connections) = (token.nick.clone(), token.connections);
        self.end_token(token.serial, now, out);
        out.tell(conn, Event::Token(TokenNews::Dropped { nick, connections }));
        Ok(())
    }

    /// A token is taken back: whoever uses it leaves, and its name is nobody's.
    pub(super) fn end_token(&mut self, serial: u64, now: Now, out: &mut Outbox) {
        if self.accounts.find(serial).is_some_and(|token| token.connections > 0) {
            let users = self.users.people_iter().filter(|user| user.token() == Some(serial));
            let mut conns: Vec<ConnId> = users.map(|user| user.conn).collect();
            conns.sort_unstable();
            for conn in conns {
                self.part(conn, Parting::TokenDropped, now, out);
            }
        }
        if let Some(nick) = self.accounts.find(serial).map(|token| token.nick.clone()) {
            self.unname(serial, &nick, None, out);
        }
        self.accounts.remove(serial);
        out.keep(Change::AccountGone { account: serial });
    }

    /// The secret of a token was right: the connection is a bot as soon as the older lines are
    /// there of the room where it starts.
    pub(super) fn begin_token(
        &mut self,
        conn: ConnId,
        serial: u64,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let start = self.start_of(conn, serial);
        let cold = start.filter(|id| self.rooms.at(*id).is_cold);
        let Some(id) = cold else { return self.use_token(conn, serial, start, now, out) };
        let question = self.rooms.at(id).question_for_tail(self.next_line);
        self.ask(conn, question, Pending::UseToken { account: serial, id }, out);
        Ok(())
    }

    /// Those lines have come, or nobody has them.
    pub(super) fn token_recalled(
        &mut self,
        conn: ConnId,
        serial: u64,
        id: RoomId,
        answer: &Answer,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let lines = if let Answer::Lines { lines, .. } = answer { &lines[..] } else { &[] };
        if self.rooms.find(id).is_some() {
            self.rooms.at_mut(id).recall(lines);
        }
        self.begin_token(conn, serial, now, out)
    }

    /// Where a bot starts: in the lobby, or in the first of its rooms that takes it.
    fn start_of(&self, conn: ConnId, serial: u64) -> Option<RoomId> {
        let rooms = &self.accounts.find(serial)?.bot.as_ref()?.rooms;
        if rooms.is_empty() {
            return self.lobby();
        }
        let mut ids = rooms.iter().filter_map(|room| self.rooms.named(&key_of(room)));
        ids.find(|id| !self.rooms.at(*id).is_locked() && self.check_room_for(conn, *id).is_ok())
    }

    fn use_token(
        &mut self,
        conn: ConnId,
        serial: u64,
        start: Option<RoomId>,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.check_account_not_banned(serial)?;
        let token = self.accounts.find(serial).ok_or(Refusal::Unavailable)?;
        let (nick, rate) = (token.nick.clone(), token.bot.as_ref().and_then(|bot| bot.rate));
        let nick = match self.users.verdict(&nick, conn) {
            Verdict::Free => nick,
            _ => {
                let free = self.first_free_name(conn, &nick, Some(serial));
                free.ok_or(Refusal::NameTaken { nick, free: None })?
            }
        };
        self.log_out(conn, now, out);
        self.want_no_password(conn, out);
        self.users.at_mut(conn).wishes_mut().token = Some(serial);
        if let Some(token) = self.accounts.find_mut(serial) {
            token.connections += 1;
        }
        if let Some(rate) = rate {
            out.pace(conn, rate);
        }
        if self.users.at(conn).nick().is_none() {
            self.welcome_in(conn, nick, false, start, now, out);
            return Ok(());
        }
        self.rename(conn, nick, out);
        self.leave_other_rooms(conn, now, out)?;
        self.leave_banned_rooms(conn, out);
        match start.filter(|_| self.users.at(conn).rooms.is_empty()) {
            Some(start) => self.admit(conn, start, now, out),
            None => Ok(()),
        }
    }

    /// Takes a bot that was here before out of the rooms that it is not for.
    fn leave_other_rooms(
        &mut self,
        conn: ConnId,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let rooms = self.users.at(conn).rooms.iter().map(|it| self.rooms.at(it.room).name.clone());
        let rooms: Vec<_> = rooms.collect();
        for room in rooms {
            if self.check_token_room(conn, room.key()).is_err() {
                self.leave(conn, Some(room.as_str()), now, out)?;
            }
        }
        Ok(())
    }

    /// The connection uses no token any longer.
    pub(super) fn leave_token(&mut self, conn: ConnId) {
        let Some(serial) = self.users.at(conn).token() else { return };
        self.users.at_mut(conn).wishes_mut().token = None;
        if let Some(token) = self.accounts.find_mut(serial) {
            token.connections -= 1;
        }
    }

    /// Does what somebody with a name asks, if it is not a bot that may not.
    pub(super) fn obey_allowed(
        &mut self,
        conn: ConnId,
        command: Command<'_>,
        now: Now,
        out: &mut Outbox,
    ) {
        match self.check_token(conn, &command) {
            Ok(()) => self.obey(conn, command, now, out),
            Err(refusal) => {
                let is_paste = matches!(command, Command::Paste(_));
                self.refuse_line(conn, refusal, is_paste, out);
            }
        }
    }

    fn check_token(&self, conn: ConnId, command: &Command<'_>) -> Result<(), Refusal> {
        let Some(bot) = self.bot_of(conn) else { return Ok(()) };
        if let Some(verb) = verb_for_people(command) {
            return Err(Refusal::Token(TokenFault::ForPeople { verb }));
        }
        match command {
            Command::SayIn(room, _)
            | Command::Join(room, _)
            | Command::Paste(Some(room))
            | Command::Leave(Some(room))
            | Command::Topic(Some(room))
            | Command::SetTopic(Some(room), _)
            | Command::History(Some(room), _) => self.check_token_room(conn, room),
            Command::Who(Some(word)) if word.starts_with('#') => {
                self.check_token_room(conn, &word[1..])
            }
            Command::Rooms if !bot.rooms.is_empty() => {
                Err(Refusal::Token(TokenFault::AllRooms { verb: Verb::Rooms }))
            }
            Command::Search(_, None, _) if !bot.rooms.is_empty() => {
                Err(Refusal::Token(TokenFault::AllRooms { verb: Verb::Search }))
            }
            _ => Ok(()),
        }
    }

    /// Whether a room of that name is not kept from somebody who is a bot.
    pub(super) fn check_token_room(&self, conn: ConnId, typed: &str) -> Result<(), Refusal> {
        let Some(bot) = self.bot_of(conn).filter(|bot| !bot.rooms.is_empty()) else {
            return Ok(());
        };
        let key = key_of(typed);
        match bot.rooms.iter().any(|room| key_of(room) == key) {
            true => Ok(()),
            false => Err(Refusal::Token(TokenFault::OtherRoom { room: typed.to_owned() })),
        }
    }

    fn bot_of(&self, conn: ConnId) -> Option<&Bot> {
        self.accounts.find(self.users.at(conn).token()?)?.bot.as_deref()
    }

    /// Whose bot somebody is.
    pub(super) fn owner_of(&self, user: &User) -> Option<Nick> {
        let bot = self.accounts.find(user.token()?)?.bot.as_ref()?;
        self.accounts.find(bot.owner).map(|owner| owner.nick.clone())
    }
}

/// What takes a person, by its verb: names and rooms that are somebody's.
fn verb_for_people(command: &Command<'_>) -> Option<Verb> {
    match command {
        Command::Nick(_) => Some(Verb::Nick),
        Command::Register(..) => Some(Verb::Register),
        Command::Login(..) => Some(Verb::Login),
        Command::Password(..) => Some(Verb::Password),
        Command::Unregister(_) => Some(Verb::Unregister),
        Command::Lock(..) => Some(Verb::Lock),
        Command::Unlock(_) => Some(Verb::Unlock),
        Command::Close(_) => Some(Verb::Close),
        Command::Op(..) => Some(Verb::Op),
        Command::Deop(..) => Some(Verb::Deop),
        Command::Slow(..) => Some(Verb::Slow),
        Command::Announce(_) => Some(Verb::Announce),
        Command::Moderate(moderation) => Some(moderation.verb()),
        Command::TokenNew(..) | Command::Tokens | Command::TokenDrop(_) => Some(Verb::Token),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::super::outbox::Effect;
    use super::super::{Input, Limits, Origin};
    use super::*;

    /// A conversation, in which every password is the right one, and hashes to nothing.
    struct Talk {
        chat: Chat,
        out: Outbox,
        now: Now,
    }

    impl Talk {
        fn new() -> Talk {
            let limits = Limits { is_kept: true, ..Limits::loose() };
            let now = Now { mono: Duration::ZERO, unix: 0, zone_secs: 0 };
            Talk { chat: Chat::new(limits, [0; 16], now), out: Outbox::new(), now }
        }

        fn open(&mut self, number: u32) -> ConnId {
            let conn = ConnId::new(number, 0);
            self.chat.handle(Input::Open { conn, origin: Origin(0) }, self.now, &mut self.out);
            conn
        }

        /// What follows from a line, with the answers to what it asks; a second has passed.
        fn types(&mut self, conn: ConnId, text: &str) -> Vec<Effect> {
            self.now.mono += Duration::from_secs(1);
            self.out.clear();
            self.chat.handle(Input::Line { conn, text }, self.now, &mut self.out);
            let mut effects = self.out.effects().to_vec();
            while let Some(Effect::Ask(conn, question)) = effects.last().cloned() {
                let answer = match question {
                    Question::Hash { .. } => Answer::Hash(String::new()),
                    Question::Verify { .. } => Answer::Verified(true),
                    _ => Answer::Unavailable,
                };
                self.out.clear();
                self.chat.handle(Input::Answer { conn, answer }, self.now, &mut self.out);
                effects.extend_from_slice(self.out.effects());
            }
            self.chat.assert_invariants();
            effects
        }

        fn alice(&mut self) -> ConnId {
            let alice = self.open(0);
            self.types(alice, "alice");
            self.types(alice, "/register correct-horse");
            alice
        }
    }

    fn told(effects: &[Effect]) -> &Event {
        let told = effects.iter().rev().find_map(|effect| match effect {
            Effect::Tell(_, event) => Some(event),
            _ => None,
        });
        told.unwrap()
    }

    #[test]
    fn nobody_has_more_tokens_than_may_be() {
        let mut talk = Talk::new();
        let alice = talk.alice();
        for number in 0..TOKENS_MAX {
            let effects = talk.types(alice, &format!("/token new bot{number}"));
            assert!(matches!(told(&effects), Event::Token(TokenNews::Made { .. })), "{number}");
        }
        let full = Refusal::Token(TokenFault::TooMany { most: TOKENS_MAX });
        let effects = talk.types(alice, "/token new one-more");
        assert_eq!(told(&effects), &Event::Refused(full));
        talk.types(alice, "/token drop bot7");
        let effects = talk.types(alice, "/token new one-more");
        assert!(matches!(told(&effects), Event::Token(TokenNews::Made { .. })));
        talk.types(alice, "/unregister correct-horse");
        assert!(talk.chat.accounts.is_empty());
    }

    #[test]
    fn a_secret_is_told_and_not_given_away() {
        let mut talk = Talk::new();
        let alice = talk.alice();
        let effects = talk.types(alice, "/token new deploy");
        let Event::Token(TokenNews::Made { secret, .. }) = told(&effects) else { panic!() };
        let Secret(secret) = secret;
        assert_eq!(secret.len(), "ct_".len() + 32);
        assert!(!format!("{effects:?} {:?} {:?}", talk.out, talk.chat).contains(&secret[3..]));
        let effects = talk.types(alice, "/token new watch");
        let Event::Token(TokenNews::Made { secret: other, .. }) = told(&effects) else { panic!() };
        assert_ne!(secret[3..19], other.0[3..19]);
        assert_ne!(secret[19..], other.0[19..]);
    }

    #[test]
    fn each_connection_has_a_name_of_its_own_and_nobody_elses() {
        let mut talk = Talk::new();
        let alice = talk.alice();
        talk.types(alice, "/token new ci 3");
        let others: Vec<ConnId> = (1..=5).map(|number| talk.open(number)).collect();
        talk.types(others[0], "ci-2");
        talk.types(others[1], "/nick carol");
        talk.types(others[1], "/register correct-horse");
        talk.types(others[1], "/token new ci-3");
        let mut names = Vec::new();
        for conn in &others[2..] {
            let effects = talk.types(*conn, "/login ci secret");
            assert!(effects.iter().any(|effect| matches!(effect, Effect::Pace(_, 3))));
            names.push(talk.chat.users.nick(*conn).to_string());
        }
        assert_eq!(names, ["ci", "ci-4", "ci-5"]);
        let effects = talk.types(alice, "/token drop ci-3");
        let fault = TokenFault::NotYours { typed: "ci-3".to_owned() };
        assert_eq!(told(&effects), &Event::Refused(Refusal::Token(fault)), "it is carol's");
        talk.types(others[2], "quit");
        let effects = talk.types(alice, "/token drop ci");
        let closed =
            |effect: &&Effect| matches!(effect, Effect::Close(_, Parting::TokenDropped, _));
        assert_eq!(effects.iter().filter(closed).count(), 2);
        assert_eq!(talk.chat.connected(), 3);
    }
}
