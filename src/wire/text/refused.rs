//! The sentences of refusals: the thing first, what to do instead second.
//!
//! Promises: one line, which begins with the mark and the code; what somebody typed is quoted in
//! bounded length. Deliberately decides nothing.

use std::time::Duration;

use crate::chat::command::Verb;
use crate::chat::event::{RankFault, Refusal, TokenFault, Whose};
use crate::chat::login::PASSWORD_CHARS;
use crate::chat::name::{NameFault, Reserved};

use super::super::{Clock, help};
use super::{count, json, moderation, quoted};

/// The line of a refusal.
pub(super) fn of(refusal: &Refusal, clock: Clock) -> String {
    format!("! {} {}\n", refusal.code().word(), refusal_text(refusal, clock))
}

/// Why a line was refused, and what to do instead.
fn refusal_text(refusal: &Refusal, clock: Clock) -> String {
    match refusal {
        Refusal::Usage(verb) => help::usage(*verb),
        Refusal::NothingSaidInRoom { .. }
        | Refusal::NothingSaidToUser { .. }
        | Refusal::NoAddress { .. } => address_refusal_text(refusal),
        Refusal::UnknownCommand { typed, meant } => unknown_command(typed, *meant),
        Refusal::BadJson { fault } => json::fault_text(fault),
        Refusal::LineTooLong { .. }
        | Refusal::LineLeftOut { .. }
        | Refusal::NothingPasted
        | Refusal::PasteTooLong { .. }
        | Refusal::PastesFull
        | Refusal::NoSuchLine { .. } => block_refusal_text(refusal),
        Refusal::NameInvalid { .. }
        | Refusal::NameTaken { .. }
        | Refusal::NameConfusable { .. }
        | Refusal::IgnoresFull { .. }
        | Refusal::IgnoresSelf
        | Refusal::NoSuchUser { .. } => name_refusal_text(refusal),
        Refusal::NoSuchRoom { .. }
        | Refusal::NoRoom
        | Refusal::NotAMember { .. }
        | Refusal::RoomLocked { .. }
        | Refusal::WrongPassword { .. }
        | Refusal::RoomIsOpen { .. }
        | Refusal::TryLater { .. }
        | Refusal::TooManyRoomsOfYours { .. }
        | Refusal::TooManyRooms { .. }
        | Refusal::NotYours { .. }
        | Refusal::RoomFull { .. } => room_refusal_text(refusal),
        Refusal::Moderation(fault) => moderation::fault(fault, clock),
        Refusal::NothingIsKept
        | Refusal::NoSearch
        | Refusal::NotSearched { .. }
        | Refusal::NotKeptNow
        | Refusal::Unavailable
        | Refusal::LoginRequired { .. }
        | Refusal::MembersOnly { .. }
        | Refusal::WrongInvite
        | Refusal::NoInviteNeeded
        | Refusal::AccountRequired { .. }
        | Refusal::AlreadyRegistered { .. }
        | Refusal::AlreadyLoggedIn { .. }
        | Refusal::GuestsCannotRegister { .. }
        | Refusal::NotRegistered { .. }
        | Refusal::WrongPasswordOfName { .. }
        | Refusal::TryPasswordLater { .. }
        | Refusal::PasswordInvalid
        | Refusal::TooManyAccounts { .. }
        | Refusal::DirectsFull { .. } => account_refusal_text(refusal),
        Refusal::NotForPrograms => "a program has no lines to edit: connect anew".to_owned(),
        Refusal::Token(fault) => token_fault(fault),
        Refusal::Rank(fault) => rank_fault(fault),
    }
}

/// Why a line that begins with an address was refused, and what to do instead.
fn address_refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NothingSaidInRoom { room } => {
            let room = quoted(room);
            format!("to say something in #{room}, type: #{room} TEXT; to enter it: /join {room}")
        }
        Refusal::NothingSaidToUser { nick } => {
            format!("to say something to {0} alone, type: @{0} TEXT", quoted(nick))
        }
        Refusal::NoAddress { sigil: '#' } => {
            "a room's name must follow the # at once: #ROOM TEXT; \
             to say a line that begins with #, put a blank before it"
                .to_owned()
        }
        Refusal::NoAddress { .. } => "a name must follow the @ at once: @NICK TEXT; \
             to say a line that begins with @, put a blank before it"
            .to_owned(),
        other => unreachable!("{other:?} is not about an address"),
    }
}

fn unknown_command(typed: &str, meant: Option<Verb>) -> String {
    let typed = quoted(typed);
    match meant {
        Some(meant) => format!("no /{typed}; did you mean /{}?", meant.name()),
        None => {
            format!("no /{typed}; /help lists the commands; to say it, put a blank before it")
        }
    }
}

/// Why a long text was refused, or the id of one, and what to do instead.
fn block_refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::LineTooLong { bytes_max } => {
            format!("a line has at most {bytes_max} bytes: send it in parts")
        }
        Refusal::LineLeftOut { bytes_max } => {
            format!("a line has at most {bytes_max} bytes: this one is left out of your message")
        }
        Refusal::NothingPasted => {
            "there was no text: after /paste, type lines, and then a dot alone".to_owned()
        }
        Refusal::PasteTooLong { bytes_max, lines_max, is_typed } => {
            let rest =
                if *is_typed { ", and what follows is left out up to a dot alone" } else { "" };
            format!(
                "a message has at most {bytes_max} bytes and {lines_max} lines: nothing of yours \
                 is said{rest}; send it in parts"
            )
        }
        Refusal::PastesFull => {
            "so much is being typed after /paste just now that nothing of yours \
             is said, and what follows is left out up to a dot alone; try again later"
                .to_owned()
        }
        Refusal::NoSuchLine { id } => {
            format!("no line {id} that you may read; /history shows lines with their numbers")
        }
        other => unreachable!("{other:?} is not about a block"),
    }
}

/// Why a name was refused, and what to do instead.
fn name_refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::IgnoresFull { most } => {
            format!("you ignore {most} people, as many as may be: /unignore one of them first")
        }
        Refusal::IgnoresSelf => "you cannot ignore yourself; name somebody else".to_owned(),
        Refusal::NameInvalid { typed, fault } => name_fault(typed, *fault),
        Refusal::NameTaken { nick, free: Some(free) } => format!("{nick} is taken; {free} is free"),
        Refusal::NameTaken { nick, free: None } => format!("{nick} is taken; try another"),
        Refusal::NameConfusable { typed, like } => {
            format!("{} looks too much like {like}; try another", quoted(typed))
        }
        Refusal::NoSuchUser { typed, meant: Some(meant) } => {
            format!("nobody is {}; did you mean {meant}?", quoted(typed))
        }
        Refusal::NoSuchUser { typed, meant: None } => {
            format!("nobody is {}; /who lists who is here", quoted(typed))
        }
        other => unreachable!("{other:?} is not about a name"),
    }
}

/// Why a room was refused, and what to do instead.
fn room_refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NoSuchRoom { room, meant: Some(meant) } => {
            format!("no #{room}; did you mean #{meant}? /join {room} makes it")
        }
        Refusal::NoSuchRoom { room, meant: None } => {
            format!("no #{room}; /rooms lists the rooms, /join {room} makes it")
        }
        Refusal::NoRoom => {
            "you are in no room: /join ROOM enters one, #ROOM TEXT says it there".to_owned()
        }
        Refusal::NotAMember { room, is_locked: true } => {
            format!("you are not in #{room}, which is locked: /join {room} PASSWORD")
        }
        Refusal::NotAMember { room, is_locked: false } => {
            format!("you are not in #{room}: /join {room} enters it")
        }
        Refusal::RoomLocked { room } => {
            format!("#{room} is locked: /join {room} PASSWORD enters it")
        }
        Refusal::WrongPassword { room } => {
            format!("that is not the password of #{room}: ask somebody who is in it")
        }
        Refusal::RoomIsOpen { room, is_member } => {
            let then = if *is_member { "" } else { " without one" };
            format!(
                "#{room} is open to everybody and takes no password: /join {room}{then}, \
                 or make a room of another name"
            )
        }
        Refusal::TryLater { room, wait } => {
            format!("too many tries at #{room}: wait {} and try again", whole_seconds(*wait))
        }
        Refusal::TooManyRoomsOfYours { most } => {
            format!("you are in {most} rooms, as many as may be: /leave one of them first")
        }
        Refusal::TooManyRooms { most } => {
            format!("there are {most} rooms, as many as may be: /rooms lists some to join")
        }
        Refusal::RoomFull { room, most } => {
            format!("#{room} is full with {most} people: try again later, or another room")
        }
        Refusal::NotYours { room, whose: Whose::Somebodys } => {
            format!("#{room} is not yours: only the account that made it can do that")
        }
        Refusal::NotYours { room, whose: Whose::Nobodys } => {
            format!("#{room} is nobody's: only operators of the server can do that there")
        }
        Refusal::NotYours { room, whose: Whose::Everybodys } => {
            format!("#{room} is everybody's: nobody locks, opens or closes it")
        }
        other => unreachable!("{other:?} is not about a room"),
    }
}

/// Why something was refused that is for operators, or that they have slowed.
fn rank_fault(fault: &RankFault) -> String {
    match fault {
        RankFault::ForOperators { room: Some(room) } => {
            format!("that is for operators of #{room}: /op #{room} says who they are")
        }
        RankFault::ForServerOperators { room } => {
            format!("#{room} is nobody's: only operators of the server can do that there")
        }
        RankFault::ForOperators { room: None } => {
            "that is for operators of the server; whoever runs it names them".to_owned()
        }
        RankFault::OperatorNeedsAccount { nick } => format!(
            "{nick} is nobody's name, and an operator has one of their own: /register PASSWORD, \
             typed by {nick}"
        ),
        RankFault::NoOperator { room, nick } => {
            format!("{nick} is no operator of #{room}: /op #{room} says who is")
        }
        RankFault::TooManyOperators { room, most } => {
            format!("#{room} has {most} operators, as many as may be: /deop one of them first")
        }
        RankFault::RoomIsSlow { room, wait } => {
            format!("#{room} is slow: your line is not said, wait {}", whole_seconds(*wait))
        }
        RankFault::NobodysRoom { room } => {
            format!("#{room} is nobody's: only a room that an account made is locked")
        }
        RankFault::OperatorsName { nick } => format!(
            "{nick} is for an operator of this server, and had to be registered before it was; \
             take another"
        ),
    }
}

/// Why something about names that are somebody's was refused, or about what is kept.
fn account_refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NothingIsKept => {
            "this server keeps nothing: no names, and of lines the last, which /history shows"
                .to_owned()
        }
        Refusal::NoSearch => {
            "this server keeps no index of words: /history ROOM shows what was said".to_owned()
        }
        Refusal::NotSearched { room } => format!(
            "no words of #{room} are indexed, since it goes with its last member: /history {room}"
        ),
        Refusal::NotKeptNow => {
            "the server cannot write anything down just now: try again later".to_owned()
        }
        Refusal::Unavailable => "the server cannot tell just now: try again later".to_owned(),
        Refusal::AccountRequired { verb } => format!(
            "/{} is for names that are somebody's: /login NICK PASSWORD, or /register PASSWORD",
            verb.name()
        ),
        Refusal::AlreadyRegistered { nick } => {
            format!("{nick} is yours already: /password OLD NEW changes its password")
        }
        Refusal::AlreadyLoggedIn { nick } => format!("you are logged in as {nick} already"),
        Refusal::GuestsCannotRegister { nick } => {
            format!("{nick} is a name that the server gave: /nick NAME first, then register that")
        }
        Refusal::NotRegistered { typed } => format!(
            "{} is nobody's name: /nick NAME takes it, /register PASSWORD makes it yours",
            quoted(typed)
        ),
        Refusal::WrongPasswordOfName { nick, is_asked: false } => {
            format!("that is not the password of {nick}: try again")
        }
        Refusal::WrongPasswordOfName { nick, is_asked: true } => format!(
            "that is not the password of {nick}: type it again, or press Enter alone to stop"
        ),
        Refusal::TryPasswordLater { wait } => {
            format!("too many tries at passwords: wait {} and try again", whole_seconds(*wait))
        }
        Refusal::PasswordInvalid => {
            let (least, most) = (PASSWORD_CHARS.start(), PASSWORD_CHARS.end());
            format!(
                "a password has {least} to {most} characters, no blank, and no # @ or / at its \
                 beginning: try another"
            )
        }
        Refusal::TooManyAccounts { most } => {
            format!("{most} names are somebody's, as many as may be: go on without")
        }
        Refusal::DirectsFull { nick, most } => {
            format!("{nick} is not here, and {most} lines wait already: try again later")
        }
        other => admission_refusal_text(other),
    }
}

/// Why somebody does not come in yet.
fn admission_refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::LoginRequired { nick, is_somebodys: false } => format!(
            "first type the password of {nick}, or /nick NAME for another name; nothing was said"
        ),
        Refusal::MembersOnly { nick: None } => {
            "members alone come in: first type your name; then its password, or with an \
             invitation /register CODE PASSWORD"
                .to_owned()
        }
        Refusal::MembersOnly { nick: Some(nick) } => format!(
            "{nick} is nobody's name, and members alone come in: with an invitation it is yours \
             with /register CODE PASSWORD"
        ),
        Refusal::WrongInvite => {
            "no invitation has that code, or it is used or over: ask for another".to_owned()
        }
        Refusal::NoInviteNeeded => {
            "everybody comes in here, without an invitation: /register PASSWORD".to_owned()
        }
        Refusal::LoginRequired { nick, is_somebodys: true } => format!(
            "{nick} is somebody's name: first type its password, or /nick NAME for another; \
             nothing was said"
        ),
        other => unreachable!("{other:?} is not about an account"),
    }
}

/// Why something about tokens was refused, or something that a bot asked.
fn token_fault(fault: &TokenFault) -> String {
    match fault {
        TokenFault::NotYours { typed } => {
            format!("{} is no token of yours: /token list lists them", quoted(typed))
        }
        TokenFault::TooMany { most } => {
            format!("you have {most} tokens, as many as may be: /token drop one of them first")
        }
        TokenFault::ForPeople { verb } => {
            format!("/{} is for people, not for tokens: use another connection", verb.name())
        }
        TokenFault::OtherRoom { room } => {
            format!("your token is not for #{}: whoever made it can make another", quoted(room))
        }
        TokenFault::AllRooms { verb: Verb::Search } => {
            "your token is for some rooms only, so name one: /search WORDS in ROOM".to_owned()
        }
        TokenFault::AllRooms { .. } => {
            "your token is for some rooms only: /who #ROOM looks into one of them".to_owned()
        }
    }
}

fn whole_seconds(wait: Duration) -> String {
    count(wait.as_secs() + u64::from(wait.subsec_nanos() > 0), "second")
}

fn name_fault(typed: &str, fault: NameFault) -> String {
    let typed = quoted(typed);
    let rule = "letters, digits, _ - and .";
    match fault {
        NameFault::Empty => format!("a name is missing: {rule}, beginning with a letter or digit"),
        NameFault::TooLong { chars_max } => {
            format!("{typed} is too long: a name has at most {}", {
                count(chars_max as u64, "character")
            })
        }
        NameFault::Start => {
            format!("{typed} does not begin with a letter or digit: leave that out")
        }
        NameFault::Char(' ') => {
            format!("{typed} has a blank in it: a name has {rule}; try one word")
        }
        NameFault::Char(char) => {
            format!("{typed} has {char} in it: a name has {rule}; leave that out")
        }
        NameFault::Scripts => {
            format!("{typed} mixes scripts: use the letters of one, or others could be misled")
        }
        NameFault::Direction => {
            format!("{typed} would read in another order than it is typed: leave out what mixes it")
        }
        NameFault::Marks => format!("{typed} piles up marks: leave some out"),
        NameFault::Reserved(reserved) => match reserved {
            Reserved::Help => format!("{typed} is never a name; for the commands type: /help"),
            Reserved::Who => format!("{typed} is never a name; for who is here type: /who"),
            Reserved::Quit => format!("{typed} is never a name; to leave type: quit"),
            Reserved::Server => format!("{typed} is never a name; try another"),
            Reserved::Guest => {
                format!("{typed} is a name that only the server gives; try another")
            }
        },
    }
}
