//! Tokens: secrets for bots. (stub)

use super::event::Refusal;
use super::outbox::Outbox;
use super::{Chat, ConnId, Now};

impl Chat {
    pub(super) fn make_token(
        &mut self,
        _conn: ConnId,
        _name: &str,
        _rooms: &str,
        _rate: Option<u32>,
        _now: Now,
        _out: &mut Outbox,
    ) -> Result<(), Refusal> {
        Err(Refusal::Unavailable)
    }

    pub(super) fn list_tokens(&mut self, _conn: ConnId, _out: &mut Outbox) -> Result<(), Refusal> {
        Err(Refusal::Unavailable)
    }

    pub(super) fn drop_token(
        &mut self,
        _conn: ConnId,
        _name: &str,
        _out: &mut Outbox,
    ) -> Result<(), Refusal> {
        Err(Refusal::Unavailable)
    }
}
