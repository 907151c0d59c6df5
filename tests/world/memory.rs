//! A store that is played: plain lists in memory, looked through from end to end.
//!
//! It keeps what a hub gives away, answers what a hub asks, and knows at a restart what was kept.
//! Passwords are hashed by putting a word before them. Deliberately shares nothing with the real
//! store but the words in which both are spoken to.

use chatline::chat::invites::Invite;
use chatline::chat::kept::{
    Answer, Change, Kept, KeptAccount, KeptDirect, KeptLine, KeptLock, KeptRoom, KeptSanction,
    KeptSettings, Ledger, Missed, Question, Search, Secret, Span,
};
use chatline::chat::name::key_of;
use chatline::chat::sanctions::{Kind, Target};

/// How a store behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// It keeps what it is given.
    #[default]
    Works,
    /// It says that it cannot keep anything.
    Fails,
    /// It says nothing.
    Hangs,
}

/// What stands before a password that is hashed here.
const HASHED: &str = "hashed:";

/// All that is kept.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    lines: Vec<(u64, KeptLine)>,
    rooms: Vec<KeptRoom>,
    accounts: Vec<(KeptAccount, bool)>,
    directs: Vec<(u64, KeptDirect)>,
    operators: Vec<(u64, u64)>,
    slow: Vec<(u64, u32)>,
    sanctions: Vec<KeptSanction>,
    invites: Vec<Invite>,
    next: [u64; 3],
}

impl Memory {
    /// Somebody is invited with that code.
    pub fn invite(&mut self, code: &str) {
        self.invites.push(Invite::of(code).expect("the code of an invitation is one"));
    }

    /// A name is somebody's from now on.
    pub fn register(&mut self, nick: &str, password: &str) {
        self.change(&Change::AccountMade(KeptAccount {
            serial: self.next[2].max(1),
            nick: nick.to_owned(),
            hash: format!("{HASHED}{password}"),
            unix: 0,
            seen: 0,
            rooms: Vec::new(),
            directs: 0,
            settings: KeptSettings::default(),
            bot: None,
        }));
    }

    /// Keeps what is in a ledger.
    pub fn commit(&mut self, ledger: &Ledger) {
        for line in ledger.lines() {
            let text = line.text.to_owned();
            let (nick, is_action) = (line.nick.to_owned(), line.is_action);
            let (id, unix) = (line.id, line.unix);
            let kept = KeptLine { id, unix, nick, is_action, text, more: 0 };
            assert!(line.id >= self.next[0], "ids grow");
            self.next[0] = line.id + 1;
            self.lines.push((line.room, kept));
        }
        ledger.changes().iter().for_each(|change| self.change(change));
    }

    /// What a server that starts is told; whoever was here before is not any longer.
    pub fn restart(&mut self) -> Kept {
        let last = self.lines.last().map_or(0, |(_, line)| line.id);
        for (account, is_here) in &mut self.accounts {
            if std::mem::take(is_here) {
                account.seen = last;
            }
        }
        let guests = self.rooms.iter().filter(|room| room.lock == KeptLock::Guest);
        let guests: Vec<u64> = guests.map(|room| room.serial).collect();
        guests.iter().for_each(|room| self.change(&Change::RoomGone { room: *room }));
        let last_of = |room: &KeptRoom| self.lines_of(room.serial).last().map(|line| line.id);
        let mut rooms = self.rooms.clone();
        for room in &mut rooms {
            room.has_lines = last_of(room).is_some();
        }
        rooms.sort_by_key(last_of);
        let accounts = self.accounts.iter().map(|(account, _)| {
            let directs = self.directs.iter().filter(|(to, _)| *to == account.serial).count();
            KeptAccount { directs, ..account.clone() }
        });
        let [next_line, next_room, next_account] = self.next;
        let (operators, slow) = (self.operators.clone(), self.slow.clone());
        let sanctions = self.sanctions.clone();
        let accounts = accounts.collect();
        Kept { next_line, next_room, next_account, rooms, accounts, operators, slow, sanctions }
    }

    /// The lines of a room, oldest first.
    pub fn lines_of(&self, room: u64) -> impl DoubleEndedIterator<Item = &KeptLine> {
        self.lines.iter().filter(move |(its, _)| *its == room).map(|(_, line)| line)
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::RoomMade(room) => {
                self.next[1] = self.next[1].max(room.serial + 1);
                self.rooms.push(room.clone());
            }
            Change::Topic { room, topic } => self.room(*room).topic.clone_from(topic),
            Change::Lock { room, lock } => self.room(*room).lock.clone_from(lock),
            Change::RoomGone { room } => {
                self.rooms.retain(|it| it.serial != *room);
                self.lines.retain(|(its, _)| its != room);
                self.operators.retain(|(its, _)| its != room);
                self.slow.retain(|(its, _)| its != room);
                self.sanctions.retain(|it| it.room != Some(*room));
                self.accounts.iter_mut().for_each(|(it, _)| it.rooms.retain(|its| its != room));
            }
            Change::Operator { room, account, is_operator } => {
                self.operators.retain(|it| it != &(*room, *account));
                if *is_operator {
                    self.operators.push((*room, *account));
                }
            }
            Change::Slow { room, seconds } => {
                self.slow.retain(|(its, _)| its != room);
                self.slow.push((*room, *seconds));
            }
            Change::InviteSpent { invite } => self.invites.retain(|it| it != invite),
            Change::AccountMade(account) => {
                self.next[2] = self.next[2].max(account.serial + 1);
                self.accounts.push((account.clone(), account.bot.is_none()));
            }
            Change::Password { account, hash } => self.account(*account).0.hash.clone_from(hash),
            Change::Settings { account, settings } => {
                self.account(*account).0.settings = *settings;
            }
            Change::AccountGone { account } => {
                self.forget(*account);
            }
            Change::LoggedIn { account, .. } => self.account(*account).1 = true,
            Change::LoggedOut { account, seen, .. } => {
                let (account, is_here) = self.account(*account);
                (account.seen, *is_here) = (*seen, false);
            }
            Change::Entered { account, room } => {
                let rooms = &mut self.account(*account).0.rooms;
                rooms.retain(|it| it != room);
                rooms.push(*room);
            }
            Change::Left { account, room } => {
                self.account(*account).0.rooms.retain(|it| it != room);
            }
            Change::Sanctioned(it) => {
                self.lift(it.room, it.sanction.kind, &it.sanction.target);
                self.sanctions.push(it.clone());
            }
            Change::Lifted { room, kind, target } => self.lift(*room, *kind, target),
            Change::Direct { to, direct } => self.directs.push((*to, direct.clone())),
            Change::DirectsShown { to, count } => {
                let mut left = *count;
                self.directs.retain(|(its, _)| {
                    let is_shown = its == to && left > 0;
                    left -= usize::from(is_shown);
                    !is_shown
                });
            }
        }
    }

    fn forget(&mut self, account: u64) {
        let is_of = |it: &KeptAccount| it.bot.as_ref().map(|bot| bot.owner);
        self.accounts.retain(|(it, _)| it.serial != account && is_of(it) != Some(account));
        self.directs.retain(|(to, _)| *to != account);
        self.operators.retain(|(_, its)| *its != account);
        self.sanctions.retain(|it| it.sanction.target != Target::Account(account));
        for room in self.rooms.iter_mut().filter(|room| room.owner == Some(account)) {
            room.owner = None;
            if room.lock != KeptLock::Open {
                room.lock = KeptLock::Guest;
            }
        }
    }

    fn lift(&mut self, room: Option<u64>, kind: Kind, target: &Target) {
        let is_it = |it: &KeptSanction| {
            (it.room, it.sanction.kind, &it.sanction.target) == (room, kind, target)
        };
        self.sanctions.retain(|it| !is_it(it));
    }

    fn room(&mut self, serial: u64) -> &mut KeptRoom {
        self.rooms.iter_mut().find(|room| room.serial == serial).expect("the room was made before")
    }

    fn account(&mut self, serial: u64) -> &mut (KeptAccount, bool) {
        let mut accounts = self.accounts.iter_mut();
        accounts.find(|(it, _)| it.serial == serial).expect("the account was made before")
    }

    /// Answers a question.
    pub fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Tail { room, before, most } => {
                last(self.lines_of(*room).filter(|line| line.id < *before), *most)
            }
            Question::History { room, span: Span::Last, most } => last(self.lines_of(*room), *most),
            Question::History { room, span: Span::Before(id), most } => {
                last(self.lines_of(*room).filter(|line| line.id < *id), *most)
            }
            Question::History { room, span: Span::After(id), most } => {
                let later = self.lines_of(*room).filter(|line| line.id > *id);
                let lines: Vec<KeptLine> = later.map(folded).collect();
                let has_more = lines.len() > *most;
                Answer::Lines { lines: lines.into_iter().take(*most).collect(), has_more }
            }
            Question::History { room, span: Span::Since(unix), most } => {
                let lines: Vec<KeptLine> =
                    self.lines_of(*room).filter(|line| line.unix >= *unix).map(folded).collect();
                let has_more = lines.len() > *most;
                Answer::Lines { lines: lines.into_iter().take(*most).collect(), has_more }
            }
            Question::Line { id } => {
                Answer::Line(self.lines.iter().find(|(_, line)| line.id == *id).cloned())
            }
            Question::Search(search) => self.find(search),
            Question::Missed { account, seen, rooms } => {
                let rooms = rooms.iter().map(|(room, most)| Missed {
                    room: *room,
                    lines: self.lines_of(*room).filter(|line| line.id > *seen).count() as u64,
                    tail: last_of(self.lines_of(*room), *most).0,
                });
                let directs = self.directs.iter().filter(|(to, _)| to == account);
                let directs = directs.map(|(_, direct)| direct.clone()).collect();
                Answer::Missed { rooms: rooms.collect(), directs }
            }
            Question::Invite { invite, .. } => Answer::Verified(self.invites.contains(invite)),
            Question::Hash { password: Secret(password) } => {
                Answer::Hash(format!("{HASHED}{password}"))
            }
            Question::Verify { password: Secret(password), hash } => {
                let right = hash.as_ref().and_then(|hash| hash.strip_prefix(HASHED));
                Answer::Verified(right == Some(password))
            }
        }
    }

    /// Whole words, whatever their case; a word is what consists of letters and digits.
    fn find(&self, search: &Search) -> Answer {
        let wanted = words_of(&search.words);
        let is_open = |room: u64| {
            let room = self.rooms.iter().find(|it| it.serial == room);
            room.is_some_and(|room| room.lock == KeptLock::Open)
        };
        let is_kept = |room: u64| {
            let room = self.rooms.iter().find(|it| it.serial == room);
            room.is_some_and(|room| room.lock != KeptLock::Guest)
        };
        let found = self.lines.iter().rev().filter(|(room, line)| {
            let words = words_of(&line.text);
            let is_by = search.nick.as_ref().is_none_or(|nick| *nick == key_of(&line.nick));
            let is_in = search.room.is_none_or(|its| its == *room);
            let may_read = is_open(*room) || is_kept(*room) && search.locked.contains(room);
            let has_all = !wanted.is_empty() && wanted.iter().all(|word| words.contains(word));
            is_by && is_in && may_read && has_all
        });
        let found = found.map(|(room, line)| (*room, folded(line)));
        let mut lines: Vec<(u64, KeptLine)> = found.take(search.most + 1).collect();
        let has_more = lines.len() > search.most;
        lines.truncate(search.most);
        lines.reverse();
        Answer::Found { lines, has_more, unsearched: 0 }
    }
}

/// A line as it stands in a list: of many lines, the first, and how many more.
fn folded(line: &KeptLine) -> KeptLine {
    let mut lines = line.text.split('\n');
    let text = lines.next().unwrap_or_default().to_owned();
    KeptLine { text, more: lines.count(), ..line.clone() }
}

fn words_of(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The last lines, oldest first, and whether there are more.
fn last_of<'a>(
    lines: impl DoubleEndedIterator<Item = &'a KeptLine>,
    most: usize,
) -> (Vec<KeptLine>, bool) {
    let mut lines: Vec<KeptLine> = lines.rev().take(most + 1).map(folded).collect();
    let has_more = lines.len() > most;
    lines.truncate(most);
    lines.reverse();
    (lines, has_more)
}

fn last<'a>(lines: impl DoubleEndedIterator<Item = &'a KeptLine>, most: usize) -> Answer {
    let (lines, has_more) = last_of(lines, most);
    Answer::Lines { lines, has_more }
}
