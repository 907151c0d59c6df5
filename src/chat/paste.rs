//! Blocks: many lines that are one message. (stub)

use super::event::Refusal;
use super::outbox::Outbox;
use super::{Chat, ConnId};

impl Chat {
    pub(super) fn paste(
        &mut self,
        _conn: ConnId,
        _room: Option<&str>,
        _out: &mut Outbox,
    ) -> Result<(), Refusal> {
        Err(Refusal::Unavailable)
    }

    pub(super) fn show_block(
        &mut self,
        _conn: ConnId,
        _id: u64,
        _out: &mut Outbox,
    ) -> Result<(), Refusal> {
        Err(Refusal::Unavailable)
    }
}
