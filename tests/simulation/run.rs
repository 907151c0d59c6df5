//! One run of a plan on a real hub: does the deeds, and holds what must always hold.
//!
//! What people see is handed to whoever asked for the run; here it is only gathered.

use std::net::SocketAddr;
use std::time::Duration;

use chatline::config::{Config, Connections};

use super::plan::{Deed, MEMBERS, Plan, Slot};
use super::typing::bytes_of;
use crate::world::drive_hub;
use crate::world::memory::Mood;
use crate::world::on_hub::{PeerId, World};
use crate::world::rng::Rng;

/// A store that takes its time has done everything within this.
pub const STORE_PATIENCE: Duration = Duration::from_secs(2);

/// One connection of a run.
#[derive(Debug)]
pub struct Line {
    /// Its end in the world.
    pub peer: PeerId,
    /// All that it has taken so far.
    pub stream: Vec<u8>,
    /// Its input has ended.
    pub is_input_over: bool,
    /// It was closed or broken by its own side, and takes nothing any more.
    pub is_deaf: bool,
    /// Bytes were sent that nobody knows the meaning of: a screen may be drawn for it.
    pub is_noisy: bool,
    /// The hub has taken it in, if only to refuse it.
    pub was_let_in: bool,
    /// It did not always take everything at once.
    pub was_slow: bool,
    window: Option<usize>,
}

/// A run that goes on.
pub struct Run {
    /// Everything there is.
    pub world: World,
    /// Each connection there was, in order.
    pub lines: Vec<Line>,
    /// Which connection each person has now.
    pub slots: Vec<Option<usize>>,
    has_appetites: bool,
    /// How many bytes may not have been looked at yet: what waits for a slow store does so until
    /// it answers.
    unread: usize,
    is_store_slow: bool,
}

/// What a plan's flags say.
pub fn config(plan: &Plan) -> Config {
    let mut config = drive_hub::config(&plan.flags)
        .unwrap_or_else(|declined| panic!("{:?} are declined: {declined:?}", plan.flags));
    config.hub.connections_max = match config.connections {
        Connections::AtMost(most) => Some(most),
        Connections::AsDescriptorsAllow | Connections::Unlimited => None,
    };
    config
}

impl Run {
    /// A world as the plan wants it; where there are no appetites, everybody takes everything at
    /// once and queues have no bound.
    pub fn new(plan: &Plan, has_appetites: bool) -> Run {
        let mut config = config(plan);
        if !has_appetites {
            config.hub.queue_bytes_max = None;
            config.hub.queue_total_bytes_max = None;
        }
        let mischief = plan.is_awkward.then(|| Rng::new(plan.seed));
        let mut world = World::new(config.chat, config.hub, mischief);
        if plan.has_members {
            world.begin_with(&MEMBERS);
        }
        if plan.is_store_slow {
            world.delay_store(Rng::new(!plan.seed));
        }
        let (lines, slots) = (Vec::new(), vec![None; plan.slots]);
        let is_store_slow = plan.is_store_slow;
        Run { world, lines, slots, has_appetites, unread: 0, is_store_slow }
    }

    /// Whether the deed can be done.
    pub fn can(&self, deed: &Deed) -> bool {
        match deed {
            Deed::Send(slot, ..)
            | Deed::Noise(slot, _)
            | Deed::Leap(slot, ..)
            | Deed::End(slot)
            | Deed::Close(slot)
            | Deed::Reset(slot)
            | Deed::Window(slot, _)
            | Deed::Read(slot, _) => self.open_line(*slot).is_some(),
            Deed::Connect(..)
            | Deed::Stranger(..)
            | Deed::Wait(_)
            | Deed::Jump(_)
            | Deed::Store(_)
            | Deed::Restart
            | Deed::Stop => true,
        }
    }

    /// The connection of a person who can still do something with it.
    pub fn open_line(&self, slot: Slot) -> Option<usize> {
        self.slots[slot].filter(|line| !self.lines[*line].is_input_over)
    }

    /// Does a deed that can be done, and turns until nothing is left to do.
    pub fn act(&mut self, deed: &Deed) {
        let turns = self.world.turns();
        let mut bytes = 0;
        match deed {
            Deed::Connect(slot, from) => self.connect(*slot, SocketAddr::new(*from, 40_000)),
            Deed::Stranger(slot, from, typed) => {
                self.connect(*slot, SocketAddr::new(*from, 40_000));
                self.world.settle();
                self.send(*slot, typed);
            }
            Deed::Send(slot, pieces, cut) => {
                let typed = bytes_of(pieces);
                let (first, rest) = typed.split_at(cut.unwrap_or(0).min(typed.len()));
                self.send(*slot, first);
                self.world.settle();
                self.send(*slot, rest);
                bytes = typed.len();
            }
            Deed::Noise(slot, typed) => {
                if let Some(line) = self.open_line(*slot) {
                    self.lines[line].is_noisy = true;
                }
                self.send(*slot, typed);
            }
            Deed::Leap(slot, pieces, time) => {
                let typed = bytes_of(pieces);
                self.send(*slot, &typed);
                self.world.leap(*time);
                bytes = typed.len();
            }
            Deed::Wait(time) => {
                self.world.advance(*time);
                return self.take_all();
            }
            Deed::Jump(seconds) => self.world.jump_wall_clock(*seconds),
            Deed::Stop => self.world.stop(),
            Deed::Restart => self.restart(),
            Deed::Store(mood) => self.world.store_is(*mood),
            Deed::Window(slot, window) => self.set_window(*slot, *window),
            Deed::Read(slot, most) => self.read(*slot, *most),
            Deed::End(slot) | Deed::Close(slot) | Deed::Reset(slot) => self.go(*slot, deed),
        }
        self.world.settle();
        let turns = self.world.turns() - turns;
        self.unread = if self.is_store_slow { self.unread + bytes } else { bytes };
        let is_busy = turns > 100 + 2 * self.unread + 10 * self.lines.len();
        // Before a restart time passes; noise may have waited for the store.
        let may_be_busy = matches!(deed, Deed::Noise(..) | Deed::Restart | Deed::Store(_));
        // A handshake has a thousand bytes or two.
        let may_be_busy = may_be_busy || self.world.is_secret();
        assert!(!is_busy || may_be_busy, "{turns} turns at one instant");
        self.take_all();
    }

    fn connect(&mut self, slot: Slot, from: SocketAddr) {
        if let Some(old) = self.open_line(slot) {
            self.world.far(self.lines[old].peer).close();
            self.lines[old].is_input_over = true;
            self.lines[old].is_deaf = true;
            self.world.settle();
        }
        let peer = self.world.connect(from);
        self.slots[slot] = Some(self.lines.len());
        self.lines.push(Line {
            peer,
            stream: Vec::new(),
            is_input_over: false,
            is_deaf: false,
            is_noisy: false,
            was_let_in: self.world.is_taken_in(peer),
            was_slow: false,
            window: None,
        });
    }

    fn restart(&mut self) {
        self.world.advance(STORE_PATIENCE);
        self.world.restart();
        self.slots.fill(None);
        for line in &mut self.lines {
            (line.is_input_over, line.is_deaf) = (true, true);
        }
    }

    fn send(&mut self, slot: Slot, bytes: &[u8]) {
        if let Some(line) = self.open_line(slot) {
            self.world.far(self.lines[line].peer).send(bytes);
        }
    }

    fn go(&mut self, slot: Slot, deed: &Deed) {
        let Some(line) = self.open_line(slot) else { return };
        let line = &mut self.lines[line];
        line.is_input_over = true;
        line.is_deaf = !matches!(deed, Deed::End(_));
        let far = self.world.far(line.peer);
        match deed {
            Deed::End(_) => far.end(),
            Deed::Close(_) => far.close(),
            _ => far.reset(),
        }
    }

    fn set_window(&mut self, slot: Slot, window: Option<usize>) {
        let Some(line) = self.open_line(slot).filter(|_| self.has_appetites) else { return };
        let line = &mut self.lines[line];
        line.window = window;
        line.was_slow |= window.is_some();
        self.world.far(line.peer).set_window(window);
    }

    fn read(&mut self, slot: Slot, most: usize) {
        let Some(line) = self.open_line(slot) else { return };
        let line = &mut self.lines[line];
        line.stream.extend(self.world.far(line.peer).take(most));
    }

    /// Whoever has an appetite without bound takes all that has come.
    fn take_all(&mut self) {
        for line in self.lines.iter_mut().filter(|line| line.window.is_none()) {
            line.stream.extend(self.world.take(line.peer));
        }
    }

    /// Everybody reads on, as long as anything comes.
    pub fn read_on(&mut self) {
        for line in &mut self.lines {
            line.window = None;
            if !line.is_deaf {
                self.world.far(line.peer).set_window(None);
            }
        }
        self.world.settle();
        self.take_all();
    }

    /// Whoever is left leaves; then nothing must be left of anybody.
    pub fn end(&mut self) {
        self.world.store_is(Mood::Works);
        for line in self.lines.iter_mut().filter(|line| !line.is_input_over) {
            line.is_input_over = true;
            self.world.far(line.peer).close();
        }
        self.world.settle();
        // At one line a second, and as long as anything may take to drain.
        self.world.advance(Duration::from_secs(3_600));
        let hub = self.world.hub();
        assert!(hub.is_empty(), "connections are left");
        assert_eq!(hub.queued_bytes(), 0, "pages are left");
        let chat = hub.conversation();
        assert_eq!((chat.people(), chat.connected()), (0, 0), "people are left");
        for (_, room) in chat.rooms().iter() {
            let is_plain = room.members().is_empty() && !room.is_fleeting();
            assert!(is_plain, "#{} is left as it was", room.name);
            assert!(!room.is_awaited(), "somebody waits in #{}", room.name);
        }
        assert!(hub.deadline().is_none_or(|at| at > self.world.now().mono), "nothing is overdue");
    }
}
