//! Who hears something: from an audience to its connections.
//!
//! Promises: an audience is who is there when it is asked for; who ignores somebody, or wants to
//! hear of no comings and goings, is not among them. Deliberately tells nobody anything.

use super::outbox::{Audience, Source};
use super::room::{Member, Room, RoomId};
use super::{Chat, ConnId};

impl Chat {
    /// Calls `listener` for each connection that an audience consists of; a member of several of
    /// its rooms is given several times, and is to be told once.
    pub fn resolve(&self, audience: &Audience, mut listener: impl FnMut(ConnId)) {
        let ignores = |member: &Member, source: &Source| self.ignores(member, source);
        let members = |room| self.members(room);
        match audience {
            Audience::One(conn) => listener(*conn),
            Audience::Everybody => self.users.people_iter().for_each(|user| listener(user.conn)),
            Audience::Listeners { room, speaker } => {
                _ = self.each_listener(*room, speaker, listener);
            }
            Audience::Witnesses { room, newcomer, entry } => members(*room)
                .iter()
                .filter(|member| member.entry() < *entry && !member.is_quiet())
                .filter(|member| !ignores(member, newcomer))
                .for_each(|member| listener(member.conn)),
            Audience::Movement { rooms, source } => rooms
                .iter()
                .flat_map(|room| members(*room))
                .filter(|member| !member.is_quiet())
                .filter(|member| match source {
                    None => true,
                    Some(source) => member.conn != source.conn && !ignores(member, source),
                })
                .for_each(|member| listener(member.conn)),
            Audience::Typists { room, source } => members(*room)
                .iter()
                .filter(|member| member.conn != source.conn && !ignores(member, source))
                .filter(|member| {
                    self.users.at(member.conn).settings().is_some_and(|it| it.shows_typing)
                })
                .for_each(|member| listener(member.conn)),
            Audience::Members { rooms } => rooms
                .iter()
                .flat_map(|room| members(*room))
                .for_each(|member| listener(member.conn)),
            Audience::Change { rooms, source, heir } => rooms
                .iter()
                .flat_map(|room| members(*room))
                .filter(|member| member.conn != source.conn && Some(member.conn) != *heir)
                .filter(|member| !ignores(member, source))
                .for_each(|member| listener(member.conn)),
        }
    }

    /// The same for those who hear what somebody says in a room: what nearly all of it is about.
    /// Returns how many that are.
    #[inline]
    pub fn each_listener(
        &self,
        room: RoomId,
        speaker: &Source,
        mut listener: impl FnMut(ConnId),
    ) -> usize {
        let members = self.members(room);
        // Those who do not are few.
        let mut spared = 0;
        for member in members {
            if member.conn != speaker.conn && !self.ignores(member, speaker) {
                listener(member.conn);
            } else {
                spared += 1;
            }
        }
        members.len() - spared
    }

    fn members(&self, room: RoomId) -> &[Member] {
        self.rooms.find(room).map_or(&[][..], Room::members)
    }

    /// Whether a member does not want to hear of somebody.
    #[inline]
    fn ignores(&self, member: &Member, source: &Source) -> bool {
        member.is_ignoring() && self.users.at(member.conn).ignores(source.conn, &source.nick)
    }
}
