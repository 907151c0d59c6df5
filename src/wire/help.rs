//! The words of `/help`: one screen for all commands, one paragraph for each.
//!
//! Promises: lists exactly the table of `chat::command`, in its order, in at most 24 lines of at
//! most 78 columns.

use crate::chat::command::{REPLAY_LINES_MAX, TABLE, Verb};
use crate::chat::recall::HISTORY_LINES_MAX;
use crate::chat::slow::SLOW_SECS_MAX;

use super::text::wrapped;

/// The width of the left column of the screen.
const LEFT: usize = 25;

/// The list of commands, on one screen.
pub fn screen() -> String {
    let mut lines = String::from("* What you type is said in your current room. Besides that:\n");
    let mut row = |left: &str, right: &str| {
        lines.push_str(format!("*   {left:LEFT$} {right}\n").as_str());
    };
    row("#ROOM TEXT", "say it in that room");
    row("@NICK TEXT", "say it to one person alone");
    row("//TEXT or a blank, TEXT", "say it, whatever it begins with");
    for command in TABLE {
        match brief(command.verb) {
            Brief::Alone(right) => {
                let left = format!("/{} {}", command.names[0], command.arguments);
                row(left.trim_end(), right);
            }
            Brief::Together(left, right) => row(left, right),
            Brief::Above => {}
        }
    }
    row("/help COMMAND, quit", "more about one command; leave (in scripts, too)");
    lines.push_str(&wrapped("If others' lines break what you type, Ctrl-R shows it again."));
    lines
}

/// What stands on the screen for a command.
enum Brief {
    /// A line of its own, with what it does in a few words.
    Alone(&'static str),
    /// A line together with those below it in the table.
    Together(&'static str, &'static str),
    /// It stands on the line of one above it.
    Above,
}

fn brief(verb: Verb) -> Brief {
    use Brief::{Above, Alone, Together};
    match verb {
        Verb::Join => Alone("enter a room, or make it (with it: locked)"),
        Verb::Leave => Alone("leave a room"),
        Verb::Who => Alone("who is here, or there, or who somebody is"),
        Verb::Rooms => Together("/rooms, /nick NAME", "list the rooms; change your name"),
        Verb::Nick => Above,
        Verb::Topic => Alone("show or set what a room is about"),
        Verb::Me => Together("/me, /whisper NICK TEXT", "* alice TEXT; the same as @NICK TEXT"),
        Verb::Whisper => Above,
        Verb::Ignore => Together("/ignore, /unignore NICK", "hear nothing of somebody, or again"),
        Verb::Unignore => Above,
        Verb::Away => Together("/away [TEXT], /quiet", "be away or back; hide who comes and goes"),
        Verb::Quiet => Above,
        Verb::Time => Together("/time, /replay", "times before lines; how many earlier lines"),
        Verb::Replay => Above,
        Verb::History => Together("/history, /search WORDS", "what was said, and where"),
        Verb::Search => Above,
        Verb::Register => Together("/register, /login", "own a name (also /password, /unregister)"),
        Verb::Login | Verb::Password | Verb::Unregister => Above,
        Verb::Lock => {
            Together("/lock, /unlock, /close", "your rooms (also /op, /deop, /slow, /announce)")
        }
        Verb::Unlock | Verb::Close | Verb::Op | Verb::Deop | Verb::Slow | Verb::Announce => Above,
        Verb::Kick => Together("/kick, /ban, /mute NICK", "of operators (also /unban, /unmute)"),
        Verb::Ban | Verb::Unban | Verb::Mute | Verb::Unmute => Above,
        Verb::Token => Together("/token, /json, /ack", "for bots and scripts"),
        Verb::Paste => Together("/paste [ROOM], /show ID", "many lines as one, and all of them"),
        Verb::Tty => Together("/tty, /telnet", "keys, history and Tab, in a raw terminal"),
        Verb::Color => Together("/color, /bell, /emoji", "looks (also /plain: for screen readers)"),
        Verb::Typing => Together("/typing, /receipts", "who is typing; whether a whisper came"),
        Verb::Show
        | Verb::Telnet
        | Verb::Bell
        | Verb::Plain
        | Verb::Emoji
        | Verb::Receipts
        | Verb::Json
        | Verb::Ack => Above,
        Verb::Help | Verb::Quit => Above,
    }
}

/// What a command wants, for who gave it something else.
pub fn usage(verb: Verb) -> String {
    let row = verb.row();
    let call = format!("/{} {}", row.names[0], row.arguments);
    match verb {
        Verb::Replay => return format!("type: {call}, from 0 to {REPLAY_LINES_MAX}"),
        Verb::Slow => return format!("type: {call}, from 0 to {SLOW_SECS_MAX}"),
        _ => {}
    }
    format!("type: {}; /help {} tells more", call.trim_end(), row.names[0])
}

/// One command in a paragraph.
pub fn paragraph(verb: Verb) -> String {
    let row = verb.row();
    let names: Vec<_> = row.names.iter().map(|name| format!("/{name}")).collect();
    let call = format!("{} {}", names.join(", "), row.arguments);
    format!("{}: {}", call.trim_end(), explanation(verb))
}

fn explanation(verb: Verb) -> String {
    match verb {
        Verb::Join => "enters a room and makes it your current one, in which what you type is \
            said. If there is no such room it is made; with a password it is locked, and who wants \
            to enter needs the same. The password is the rest of the line. A room that is open \
            takes none."
            .to_owned(),
        Verb::Leave => "leaves that room, or your current one; the one that you entered before \
            becomes current. A locked room is forgotten with its last member."
            .to_owned(),
        Verb::Who => "says who is here; with #ROOM, who is in that room; with a name, the rooms \
            of that person that are open or that you share, since when they are here, for how long \
            they typed nothing, and the id of their connection."
            .to_owned(),
        Verb::Rooms => "lists the rooms, the fullest first, with how many are in them and what \
            they are about. Of a locked room only its members see that."
            .to_owned(),
        Verb::Nick => "changes your name. A name has letters and digits of one script and _ - . \
            and begins with a letter or digit. NAME* takes the first free one of NAME, NAME-2, \
            NAME-3."
            .to_owned(),
        Verb::Topic => "shows what a room is about, your current one if you name none. With a \
            text it sets that, if you are in the room; a lone - removes it."
            .to_owned(),
        Verb::Me => "is shown in your current room as: #lobby * alice waves".to_owned(),
        Verb::Whisper => "says it to that person alone, as @NICK TEXT does.".to_owned(),
        Verb::Ignore | Verb::Unignore | Verb::Away | Verb::Quiet | Verb::Time | Verb::Replay => {
            explanation_of_wishes(verb)
        }
        Verb::History
        | Verb::Search
        | Verb::Register
        | Verb::Login
        | Verb::Password
        | Verb::Unregister
        | Verb::Lock
        | Verb::Unlock
        | Verb::Close
        | Verb::Token => explanation_of_kept(verb),
        Verb::Op | Verb::Deop | Verb::Slow | Verb::Announce => explanation_of_ranks(verb),
        Verb::Kick | Verb::Ban | Verb::Unban | Verb::Mute | Verb::Unmute => {
            explanation_of_moderation(verb)
        }
        Verb::Paste
        | Verb::Show
        | Verb::Tty
        | Verb::Telnet
        | Verb::Color
        | Verb::Bell
        | Verb::Plain
        | Verb::Emoji
        | Verb::Typing
        | Verb::Receipts
        | Verb::Json
        | Verb::Ack => explanation_of_looks(verb),
        Verb::Help => "lists the commands, or tells more about one.".to_owned(),
        Verb::Quit => "leaves, as quit and the end of your input do. End a script with quit: \
            nc without -N, curl and other clients wait until the server ends the connection."
            .to_owned(),
    }
}

/// The same for what is about operators.
fn explanation_of_ranks(verb: Verb) -> String {
    match verb {
        Verb::Op => "makes somebody who owns their name an operator of a room of yours, your \
            current one if you name none; without NICK, says who the operators of a room are."
            .to_owned(),
        Verb::Deop => {
            "ends that somebody is an operator of a room of yours, or that you are one.".to_owned()
        }
        Verb::Slow => format!(
            "lets each say one line in so many seconds in a room of which you are an operator, up \
             to {SLOW_SECS_MAX}; 0 or off ends it. Operators may speak as often as they like."
        ),
        Verb::Announce => "tells everybody something; for operators of the server.".to_owned(),
        other => unreachable!("{other:?} is not about operators"),
    }
}

/// The same for what is about how it is for somebody.
fn explanation_of_wishes(verb: Verb) -> String {
    match verb {
        Verb::Ignore => "hides all lines of that person from you, under another name and after \
            coming back too. Without a name it lists whom you ignore."
            .to_owned(),
        Verb::Unignore => "shows you the lines of that person again.".to_owned(),
        Verb::Away => "marks you as away; who whispers to you is told, with the text. Without a \
            text it marks you as away, or as back."
            .to_owned(),
        Verb::Quiet => "hides from you who comes and goes, or shows it again.".to_owned(),
        Verb::Time => "begins each line to you with HH:MM:SS, in the server's zone, or in the one \
            that is so far ahead of UTC (+02:00) or behind it (-05:00)."
            .to_owned(),
        Verb::Replay => format!(
            "sets how many earlier lines of the last day joining a room shows you, from 0 to \
             {REPLAY_LINES_MAX}. They come when you have typed nothing for a moment."
        ),
        other => unreachable!("{other:?} is not about how it is for somebody"),
    }
}

/// The same for what is about things that are kept.
fn explanation_of_kept(verb: Verb) -> String {
    match verb {
        Verb::History => format!(
            "shows what was said in a room, your current one if you name none: the last 20 lines, \
             or N of them (up to {HISTORY_LINES_MAX}), those since a time (2h, 12:30, 2026-11-21, \
             2026-11-21 12:30), the last before a line's number or the first after one."
        ),
        Verb::Search => "shows the last lines in which all those words stand, the newest first; \
            with in ROOM and by NICK behind them, only there and of that person. Only open rooms \
            are looked through, and those that you are in."
            .to_owned(),
        Verb::Register => "makes your name yours: from then on nobody has it without the \
            password, your rooms wait for you, and lines for you alone are kept while you are \
            away. CODE is that of an invitation, where members alone come in."
            .to_owned(),
        Verb::Login => "gives you the name that is yours; without the password it is asked for. \
            You are in your rooms again and shown what you missed. A connection that is logged in \
            already ends."
            .to_owned(),
        Verb::Password => {
            "changes the password of the name that you are logged in with.".to_owned()
        }
        Verb::Unregister => {
            "gives up your name, and deletes lines that wait for its owner.".to_owned()
        }
        Verb::Lock => "locks a room that you made while logged in, or changes its password; who \
            is in it stays. The password is the rest of the line."
            .to_owned(),
        Verb::Unlock => "opens a room of yours to everybody.".to_owned(),
        Verb::Close => {
            "deletes a room of yours with all its lines; it takes typing it twice.".to_owned()
        }
        Verb::Token => "makes a name for a bot, with a secret of its own to log in with: \
            /login NAME SECRET. ROOMS, with commas between them, are all that it may speak in, \
            RATE how many lines a second it may send. /token list lists yours, /token drop NAME \
            takes one back."
            .to_owned(),
        other => unreachable!("{other:?} is not about what is kept"),
    }
}

/// The same for what is done to others by who may.
fn explanation_of_moderation(verb: Verb) -> String {
    match verb {
        Verb::Kick => "puts somebody out of a room of yours, your current one if you name none; \
            they may come back. With * in the place of #ROOM, which is for operators of the \
            server, off the server. They and the room are told why."
            .to_owned(),
        Verb::Ban => "keeps somebody out of a room of yours, under each name of theirs, for a \
            TIME (90s, 30m, 2h, 3d) or for good; a WHY does not begin with what looks like one, \
            as 5m5s. With * off the server: a name, or an address such as 192.0.2.7 or \
            2001:db8::/32; of an IPv6 address its /64. Without a name it lists who is banned there."
            .to_owned(),
        Verb::Unban => "lets somebody come back who was banned there.".to_owned(),
        Verb::Mute => "lets somebody read in a room of yours and not speak, for a TIME (90s, 30m, \
            2h, 3d) or for good; with * everywhere. Without a name it lists who is muted there."
            .to_owned(),
        Verb::Unmute => "lets somebody speak again who was muted there.".to_owned(),
        other => unreachable!("{other:?} is not done to others"),
    }
}

/// The same for what is about how somebody is served.
fn explanation_of_looks(verb: Verb) -> String {
    match verb {
        Verb::Paste => "takes your next lines as one message for that room, or your current one, \
            up to a line with nothing but a dot. Others see its first lines, and /show ID shows \
            them all. A line that begins with a dot is typed with two."
            .to_owned(),
        Verb::Show => {
            "shows all lines of a message that was too long to be shown whole.".to_owned()
        }
        Verb::Tty => "edits your lines here, for a terminal that sends each key: \
            stty -icanon -echo -isig; nc HOST PORT; stty sane. Cursor keys, Home, End, Ctrl-A E U \
            K W Y L edit; the arrows and Ctrl-R find earlier lines; Tab completes; Ctrl-C drops \
            the line; Ctrl-D on an empty one leaves; Enter on an empty one marks all as read."
            .to_owned(),
        Verb::Telnet => "does the same as /tty for a telnet client, which is asked to send each \
            key."
            .to_owned(),
        Verb::Color => "colours names; dark and light choose the colours for such a background. \
            What is remembered of your settings comes back when you log in."
            .to_owned(),
        Verb::Bell => "rings when somebody whispers to you or says your name.".to_owned(),
        Verb::Plain => "shows words for marks, no colour and nothing redrawn, for screen readers \
            and simple printers."
            .to_owned(),
        Verb::Emoji => "says :wave: and the like as the emoji that they name.".to_owned(),
        Verb::Typing => "shows in the prompt of /tty who is typing in your room, and shows you to \
            others who want to see that."
            .to_owned(),
        Verb::Receipts => "tells you when a line for one person has arrived, and when they next \
            typed something after that."
            .to_owned(),
        Verb::Json => "makes this connection speak JSON, one object a line, both ways; there is \
            no way back."
            .to_owned(),
        Verb::Ack => {
            "answers each line that you send, with + and its number when it was taken, or \
            with ! and a code."
                .to_owned()
        }
        other => unreachable!("{other:?} is not about how somebody is served"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_screen_is_one_screen() {
        let screen = screen();
        assert!(screen.lines().count() <= 24, "{}", screen.lines().count());
        for line in screen.lines() {
            assert!(line.len() <= 78, "{line}");
        }
        for row in TABLE {
            assert!(screen.contains(row.names[0]), "{}", row.names[0]);
        }
    }
}
