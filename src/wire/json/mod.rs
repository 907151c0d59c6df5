//! The conversation for programs: JSON, one object a line, both ways.
//!
//! Promises: an event is exactly one line, and any line that comes is a [`Request`] or a
//! [`BadRequest`]; [`ACTIONS`] and [`TYPES`] are all there is, and the schema in `protocol.md`
//! describes both. Deliberately no second set of words: `text` is what everybody else is told.

mod action;
mod ask;
mod event;
mod object;
mod request;

use serde_json::Value;

use crate::chat::event::Event;

pub use action::{ACTIONS, Action, FIELD_ALIASES, Field, Kind, Need};
pub use ask::{Ask, Given};
pub use event::TYPES;
pub use request::{BadRequest, Request, parse};

use object::Object;

use super::{Clock, Ends};

/// How long an id may be that is a text.
pub const REQUEST_ID_BYTES_MAX: usize = 64;

/// What a request calls itself, so that its answers can be told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// A whole number of 64 bits, or a text of 1 to [`REQUEST_ID_BYTES_MAX`] printable ASCII
    /// characters; `None` for anything else.
    fn of(value: &Value) -> Option<RequestId> {
        match value {
            Value::Number(number) if number.is_u64() || number.is_i64() => {
                Some(RequestId(number.to_string()))
            }
            Value::String(text) => {
                let is_printable = text.bytes().all(|byte| matches!(byte, 0x20..=0x7E));
                let is_sized = (1..=REQUEST_ID_BYTES_MAX).contains(&text.len());
                (is_printable && is_sized).then(|| RequestId(value.to_string()))
            }
            _ => None,
        }
    }

    /// As it stands in an answer.
    pub fn json(&self) -> &str {
        &self.0
    }
}

/// Appends the line that an event is; `re` if it answers that request.
pub fn render(event: &Event, re: Option<&RequestId>, ends: Ends, clock: Clock, out: &mut Vec<u8>) {
    let mut object = begun(event::kind(event), re, out);
    // That a request was taken has no words.
    if !matches!(event, Event::Taken { .. }) {
        event::write(event, clock, &mut object);
    }
    object.close();
    out.extend_from_slice(ends.bytes());
}

fn begun<'o>(kind: &str, re: Option<&RequestId>, out: &'o mut Vec<u8>) -> Object<'o> {
    let mut object = Object::open(out);
    object.text("type", kind);
    if let Some(re) = re {
        object.raw("re", re.json());
    }
    object
}
