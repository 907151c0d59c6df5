//! The sentences of operators and of what they do.
//!
//! Promises: one short line each, and as many as it takes for a list of names. Deliberately decides
//! nothing.

use crate::chat::event::RankNews;
use crate::chat::name::Nick;

use super::{count, wrapped};

/// The lines of one of these events.
pub(super) fn ranks(news: &RankNews) -> String {
    match news {
        RankNews::Operators { .. } => wrapped(&sentence(news)),
        _ => format!("* {}\n", sentence(news)),
    }
}

fn sentence(news: &RankNews) -> String {
    match news {
        RankNews::Operators { room, owner, nicks } => {
            let (owner, none) = match owner {
                Some(owner) => (format!("#{room} is {owner}'s"), "no other operators"),
                None => (format!("#{room} is nobody's"), "no operators"),
            };
            let nicks: Vec<&str> = nicks.iter().map(Nick::as_str).collect();
            match nicks.is_empty() {
                true => format!("{owner}; it has {none}"),
                false => format!("{owner}; its operators: {}", nicks.join(", ")),
            }
        }
        RankNews::OperatorSet { room, by, nick, is_operator: true } => {
            format!("#{room}: {by} made {nick} an operator of the room")
        }
        RankNews::OperatorSet { room, by, nick, is_operator: false } if by == nick => {
            format!("#{room}: {nick} is an operator of the room no longer")
        }
        RankNews::OperatorSet { room, by, nick, is_operator: false } => {
            format!("#{room}: {by} decided that {nick} is an operator of the room no longer")
        }
        RankNews::SlowSet { room, nick, seconds: 0 } => {
            format!("#{room}: {nick} ended the slow mode; all may speak as often as they like")
        }
        RankNews::SlowSet { room, nick, seconds } => {
            format!("#{room}: {nick} slowed the room: each may say one line in {}", span(*seconds))
        }
        RankNews::IsSlow { room, seconds } => {
            format!("#{room} is slow: each may say one line in {}", span(*seconds))
        }
        RankNews::Announced { nick: Some(nick), text } => format!("announcement by {nick}: {text}"),
        RankNews::Announced { nick: None, text } => format!("announcement by the operator: {text}"),
    }
}

fn span(seconds: u32) -> String {
    count(u64::from(seconds), "second")
}
