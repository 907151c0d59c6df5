//! The words of `/help`: one screen for all commands, one paragraph for each.
//!
//! Promises: lists exactly the table of `chat::command`, in its order, in at most 24 lines of at
//! most 78 columns.

use crate::chat::command::{REPLAY_LINES_MAX, TABLE, Verb};

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
    for command in TABLE.iter().filter(|command| command.verb != Verb::Quit) {
        let left = format!("/{} {}", command.names[0], command.arguments);
        row(left.trim_end(), brief(command.verb));
    }
    row("quit", brief(Verb::Quit));
    lines.push_str(&wrapped(
        "/help COMMAND tells more. In a script, end with quit: some netcats need it.",
    ));
    lines.push_str(&wrapped("If others' lines break what you type, Ctrl-R shows it again."));
    lines
}

/// What a command does, in a few words.
fn brief(verb: Verb) -> &'static str {
    match verb {
        Verb::Join => "enter a room, or make it (with it: locked)",
        Verb::Leave => "leave a room",
        Verb::Who => "who is here, or there, or who somebody is",
        Verb::Rooms => "list the rooms",
        Verb::Nick => "change your name",
        Verb::Topic => "show or set what a room is about",
        Verb::Me => "say what you do: * alice TEXT",
        Verb::Whisper => "the same as @NICK TEXT (also /msg)",
        Verb::Ignore => "hear nothing of somebody, or list whom",
        Verb::Unignore => "hear of somebody again",
        Verb::Away => "be away; once more when you are back",
        Verb::Quiet => "hide comings and goings",
        Verb::Time => "begin each line with the time",
        Verb::Replay => "how many earlier lines joining shows",
        Verb::Help => "this, or more about one command",
        Verb::Quit => "leave (also /quit, /exit, end of input)",
    }
}

/// What a command wants, for who gave it something else.
pub fn usage(verb: Verb) -> String {
    let row = verb.row();
    let call = format!("/{} {}", row.names[0], row.arguments);
    if verb == Verb::Replay {
        return format!("type: {call}, from 0 to {REPLAY_LINES_MAX}");
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
             {REPLAY_LINES_MAX}; before anything is set, 20. They come when you have typed nothing \
             for a moment."
        ),
        Verb::Help => "lists the commands, or tells more about one.".to_owned(),
        Verb::Quit => "leaves, as quit and the end of your input do. End a script with quit: \
            nc without -N, curl and other clients wait until the server ends the connection."
            .to_owned(),
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
