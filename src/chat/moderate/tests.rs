//! What operators and the console do, against a conversation in which every password is the right
//! one.
//!
//! Promises: nothing here depends on what time it is. Deliberately no words: the transcripts have
//! them.

use std::time::Duration;

use super::super::command::Command;
use super::super::kept::{Answer, Bot, Kept, KeptAccount, KeptLock, KeptRoom, KeptSettings};
use super::super::outbox::Effect;
use super::super::{Input, Limits, Origin};
use super::*;

const NOW: Now = Now { mono: Duration::ZERO, unix: 1_000, zone_secs: 0 };

fn account(serial: u64, nick: &str, owner: Option<u64>) -> KeptAccount {
    KeptAccount {
        serial,
        nick: nick.to_owned(),
        hash: String::new(),
        unix: 0,
        seen: 0,
        rooms: Vec::new(),
        directs: 0,
        settings: KeptSettings::default(),
        bot: owner.map(|owner| Bot { owner, rooms: Vec::new(), rate: None }),
    }
}

/// A room of ann's, in which are ann, bob, and a bot of his.
fn chat() -> Chat {
    let limits = Limits { is_kept: true, ..Limits::loose() };
    let dev = KeptRoom {
        serial: 1,
        name: "dev".to_owned(),
        topic: None,
        lock: KeptLock::Open,
        owner: Some(1),
        has_lines: false,
    };
    let accounts =
        vec![account(1, "ann", None), account(2, "bob", None), account(3, "ci", Some(2))];
    let kept = Kept { accounts, rooms: vec![dev], ..Kept::default() };
    let mut chat = Chat::restore(limits, [0; 16], &kept, NOW);
    for (number, nick) in ["ann", "bob", "ci"].into_iter().enumerate() {
        let conn = conn(number as u32);
        chat.handle(Input::Open { conn, origin: Origin(7) }, NOW, &mut Outbox::new());
        types(&mut chat, number as u32, &format!("/login {nick} password"));
        types(&mut chat, number as u32, "/join dev");
    }
    chat
}

fn conn(number: u32) -> ConnId {
    ConnId::new(number, 0)
}

/// What follows from a line, with the answers to what it asks: every password is right.
fn types(chat: &mut Chat, number: u32, text: &str) -> Vec<Effect> {
    let mut out = Outbox::new();
    chat.handle(Input::Line { conn: conn(number), text }, NOW, &mut out);
    let mut effects = out.effects().to_vec();
    while let Some(Effect::Ask(conn, question)) = effects.last().cloned() {
        let answer = match question {
            super::super::kept::Question::Verify { .. } => Answer::Verified(true),
            _ => Answer::Missed { rooms: Vec::new(), directs: Vec::new() },
        };
        out.clear();
        chat.handle(Input::Answer { conn, answer }, NOW, &mut out);
        effects.pop();
        effects.extend_from_slice(out.effects());
    }
    chat.assert_invariants();
    effects
}

fn moderate(chat: &mut Chat, line: &str) -> Result<(Event, Outbox), Refusal> {
    let Command::Moderate(moderation) = Command::parse(line).expect("it is a command") else {
        panic!("{line} is something else")
    };
    let mut out = Outbox::new();
    let event = chat.moderate(moderation, NOW, &mut out)?;
    chat.assert_invariants();
    Ok((event, out))
}

fn members(chat: &Chat) -> usize {
    chat.rooms().iter().map(|(_, room)| room.members().len()).sum()
}

#[test]
fn bots_go_with_whom_they_belong_to_and_not_the_other_way() {
    let mut chat = chat();
    assert_eq!(members(&chat), 3);
    types(&mut chat, 0, "/ban ci");
    assert_eq!(members(&chat), 2);
    types(&mut chat, 0, "/unban ci");
    types(&mut chat, 2, "/join dev");
    types(&mut chat, 0, "/ban bob");
    assert_eq!(members(&chat), 1);
    types(&mut chat, 2, "/join dev");
    types(&mut chat, 0, "/unban ci");
    types(&mut chat, 2, "/join dev");
    assert_eq!(members(&chat), 1, "it is bob who is banned");
    types(&mut chat, 0, "/unban bob");
    types(&mut chat, 2, "/join dev");
    assert_eq!(members(&chat), 2);
}

#[test]
fn the_console_does_it_everywhere_unless_it_names_a_room() {
    let mut chat = chat();
    let (event, _) = moderate(&mut chat, "/kick #dev ann").expect("it is done");
    let Event::Moderated(deed) = event else { panic!("{event:?}") };
    assert_eq!((deed.by.as_deref(), members(&chat)), (Some(CONSOLE), 2));
    let (_, out) = moderate(&mut chat, "/ban bob 5s why").expect("it is done");
    assert_eq!(chat.connected(), 1, "the bot went, too");
    let is_record = |effect: &&Effect| matches!(effect, Effect::Record(_));
    assert_eq!(out.effects().iter().filter(is_record).count(), 1);
    let listed = moderate(&mut chat, "/ban").expect("it is done").0;
    let Event::Listed { room: None, rows, total: 1, .. } = listed else { panic!("{listed:?}") };
    assert_eq!((rows[0].end, rows[0].why.as_deref()), (Some(1_005), Some("why")));
    let refused = moderate(&mut chat, "/kick bob").expect_err("it is refused");
    assert!(matches!(refused, Refusal::NoSuchUser { .. }), "{refused:?}");
}

#[test]
fn a_reason_is_cut_off_and_a_table_is_bounded() {
    let mut chat = chat();
    let long = "ß".repeat(WHY_BYTES_MAX);
    let (event, _) = moderate(&mut chat, &format!("/kick #dev bob x{long}")).expect("it is done");
    let Event::Moderated(deed) = event else { panic!("{event:?}") };
    assert_eq!(deed.why.map_or(0, |why| why.len()), WHY_BYTES_MAX - 1);
    for number in 0..OF_ROOM_MAX {
        let secs = if number == 0 { "1s" } else { "" };
        moderate(&mut chat, &format!("/ban #dev n{number} {secs}")).expect("it is done");
    }
    let full = Refusal::Moderation(ModerationFault::Full { most: OF_ROOM_MAX });
    assert!(moderate(&mut chat, "/ban #dev n0 1s changed").is_ok(), "it is there already");
    assert_eq!(moderate(&mut chat, "/ban #dev more").expect_err("it is refused"), full);
    let Ok(Command::Moderate(moderation)) = Command::parse("/ban #dev more") else {
        panic!("it is a ban")
    };
    let later = Now { unix: NOW.unix + 1, ..NOW };
    assert!(chat.moderate(moderation, later, &mut Outbox::new()).is_ok(), "one has ended");
}

#[test]
fn what_is_done_while_nothing_is_kept_is_kept_afterwards() {
    let mut chat = chat();
    let keeps = |chat: &mut Chat, is_kept| {
        let mut out = Outbox::new();
        chat.handle(Input::Keeping { is_kept }, NOW, &mut out);
        let is_of_it = |it: &&Change| matches!(it, Change::Sanctioned(_) | Change::Lifted { .. });
        out.ledger().changes().iter().filter(is_of_it).count()
    };
    keeps(&mut chat, false);
    for line in ["/ban #dev bob", "/mute #dev ann", "/unban #dev bob", "/ban 10.0.0.1"] {
        let (_, out) = moderate(&mut chat, line).expect("it is done");
        let is_of_it = |it: &Change| matches!(it, Change::Sanctioned(_));
        assert!(!out.ledger().changes().iter().any(is_of_it), "{line}");
    }
    assert_eq!(keeps(&mut chat, true), 3, "of each the last");
    assert_eq!(keeps(&mut chat, true), 0);
}

#[test]
fn an_account_that_is_gone_leaves_what_was_done_to_it_to_its_name() {
    let mut chat = chat();
    let listed = |chat: &mut Chat, line| {
        let listed = moderate(chat, line).expect("it is done").0;
        let Event::Listed { rows, .. } = listed else { panic!("{listed:?}") };
        rows.iter().map(|deed| deed.who.text().to_string()).collect::<Vec<_>>()
    };
    for line in ["/mute #dev bob", "/mute * bob", "/ban #dev ci"] {
        moderate(&mut chat, line).expect("it is done");
    }
    types(&mut chat, 1, "/nick rob");
    let mut out = Outbox::new();
    let line = Input::Line { conn: conn(1), text: "/unregister password" };
    chat.handle(line, NOW, &mut Outbox::new());
    let answer = Answer::Verified(true);
    chat.handle(Input::Answer { conn: conn(1), answer }, NOW, &mut out);
    chat.assert_invariants();
    let is_kept = |it: &&Change| matches!(it, Change::Sanctioned(_));
    assert_eq!(out.ledger().changes().iter().filter(is_kept).count(), 3);
    assert_eq!(listed(&mut chat, "/mute"), ["bob"]);
    assert_eq!(listed(&mut chat, "/mute #dev"), ["bob"]);
    assert_eq!(listed(&mut chat, "/ban #dev"), ["ci"]);
    let is_muted = |effects: &[Effect]| format!("{effects:?}").contains("act: Muted");
    assert!(is_muted(&types(&mut chat, 1, "hello")));
    moderate(&mut chat, "/unmute #dev bob").expect("it is done");
    assert!(is_muted(&types(&mut chat, 1, "hello")), "everywhere still");
    moderate(&mut chat, "/unmute bob").expect("it is done");
    assert!(!is_muted(&types(&mut chat, 1, "hello")));
}
