//! What must be left in a world when everybody has gone: nothing.

use std::time::Duration;

use crate::world::on_hub::World;

/// Everything that waits is over after this: at one line a second, and for whoever drains.
pub const LONG: Duration = Duration::from_secs(3_600);

/// Panics if anything is left of anybody, once all have left and [`LONG`] has passed.
pub fn assert_nothing_is_left(world: &World) {
    let hub = world.hub();
    assert!(hub.is_empty(), "connections are left");
    assert_eq!(hub.queued_bytes(), 0, "pages are left");
    let chat = hub.conversation();
    assert_eq!((chat.people(), chat.connected()), (0, 0), "people are left");
    for (_, room) in chat.rooms().iter() {
        assert!(room.members().is_empty(), "#{} has members", room.name);
        assert!(!room.is_awaited(), "somebody waits in #{}", room.name);
    }
    assert!(hub.deadline().is_none_or(|at| at > world.now().mono), "something is overdue");
}
