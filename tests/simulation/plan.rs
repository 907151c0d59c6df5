//! What happens in a run, as data: drawn from a seed before anything happens, so that a run can be
//! repeated, shortened and written down.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use super::typing::{Piece, bytes_of};
use crate::world::escape;
use crate::world::memory::Mood;

/// Who does it: the person in that place; a person can connect again.
pub type Slot = usize;

/// Names that are somebody's from the start, in worlds that have such, and their passwords.
pub const MEMBERS: [(&str, &str); 4] =
    [("ann", "hunter-ann"), ("ben", "hunter-ben"), ("cat", "hunter-cat"), ("dan", "hunter-dan")];

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Deed {
    /// A connection comes; the person's earlier one is closed.
    Connect(Slot, IpAddr),
    /// A connection comes and begins with these bytes of another protocol.
    Stranger(Slot, IpAddr, &'static [u8]),
    /// Pieces are typed, in two parts with a turn between them if it says where.
    Send(Slot, Vec<Piece>, Option<usize>),
    /// Bytes that nobody knows the meaning of.
    Noise(Slot, Vec<u8>),
    /// The input ends.
    End(Slot),
    /// Both directions are closed.
    Close(Slot),
    /// The connection breaks.
    Reset(Slot),
    /// How many bytes may pile up on the way to the person; `None` for any number.
    Window(Slot, Option<usize>),
    /// The person takes so many bytes of those.
    Read(Slot, usize),
    /// Time passes, and what is due happens when it is due.
    Wait(Duration),
    /// The machine sleeps; what was typed meanwhile, and what was due, is found at once.
    Leap(Slot, Vec<Piece>, Duration),
    /// The wall clock jumps by seconds.
    Jump(i64),
    /// The server is told to stop.
    Stop,
    /// After two seconds the server dies, and another one goes on with what was kept.
    Restart,
    /// From now on the store behaves so.
    Store(Mood),
}

/// All that a run consists of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it comes from.
    pub seed: u64,
    /// The server's command line, without the program.
    pub flags: Vec<String>,
    /// Whether reads and writes are awkward.
    pub is_awkward: bool,
    /// Whether the store takes its time.
    pub is_store_slow: bool,
    /// Whether there are [`MEMBERS`].
    pub has_members: bool,
    /// How many people there are.
    pub slots: usize,
    /// What happens, in order.
    pub deeds: Vec<Deed>,
}

impl Plan {
    /// The plan in the language of transcripts, without what is seen. What that language has no
    /// word for stands in a comment.
    pub fn transcript(&self) -> String {
        let flags = self.flags.iter().map(|flag| match flag.as_str() {
            "" => " ''".to_owned(),
            flag => format!(" {flag}"),
        });
        let mut text = format!(
            "# SEED={}, awkward: {}, slow store: {}\n",
            self.seed, self.is_awkward, self.is_store_slow
        );
        let _ = writeln!(text, "flags:{}", flags.collect::<String>());
        for (name, password) in MEMBERS.iter().filter(|_| self.has_members) {
            let _ = writeln!(text, "# {name} was registered before, with the password {password}");
        }
        self.deeds.iter().for_each(|deed| deed.write(&mut text));
        text
    }
}

impl Deed {
    fn write(&self, text: &mut String) {
        let _ = match self {
            Deed::Connect(slot, from) => writeln!(text, "c{slot} connects from {from}"),
            Deed::Stranger(slot, from, bytes) => {
                let _ = writeln!(text, "c{slot} connects from {from}");
                write_typed(text, *slot, bytes)
            }
            Deed::Send(slot, pieces, None) => write_typed(text, *slot, &bytes_of(pieces)),
            Deed::Send(slot, pieces, Some(cut)) => {
                let bytes = bytes_of(pieces);
                let (first, rest) = bytes.split_at(*cut.min(&bytes.len()));
                let _ = write_typed(text, *slot, first);
                write_typed(text, *slot, rest)
            }
            Deed::Noise(slot, bytes) => write_typed(text, *slot, bytes),
            Deed::End(slot) => writeln!(text, "c{slot} ends"),
            Deed::Close(slot) => writeln!(text, "c{slot} closes"),
            Deed::Reset(slot) => writeln!(text, "c{slot} resets"),
            Deed::Window(slot, None) => writeln!(text, "c{slot} reads on"),
            Deed::Window(slot, Some(0)) => writeln!(text, "c{slot} stops reading"),
            Deed::Window(slot, Some(most)) => writeln!(text, "# c{slot} lets {most} bytes pile up"),
            Deed::Read(slot, most) => writeln!(text, "# c{slot} takes {most} bytes"),
            Deed::Wait(time) => writeln!(text, "wait {}ms", time.as_millis()),
            Deed::Leap(slot, pieces, time) => {
                if !pieces.is_empty() {
                    let _ = write_typed(text, *slot, &bytes_of(pieces));
                }
                let _ = writeln!(text, "# in one leap, with what was typed last");
                writeln!(text, "wait {}ms", time.as_millis())
            }
            Deed::Jump(seconds) => writeln!(text, "# the wall clock jumps by {seconds} seconds"),
            Deed::Stop => writeln!(text, "stop"),
            Deed::Restart => writeln!(text, "restart"),
            Deed::Store(Mood::Works) => writeln!(text, "store works"),
            Deed::Store(Mood::Fails) => writeln!(text, "store fails"),
            Deed::Store(Mood::Hangs) => writeln!(text, "store hangs"),
        };
    }
}

fn write_typed(text: &mut String, slot: Slot, bytes: &[u8]) -> std::fmt::Result {
    let shown = escape::shown(bytes);
    match shown.strip_suffix("\\n").filter(|line| !line.contains('\\')) {
        Some("") => writeln!(text, "c{slot}>"),
        Some(line) => writeln!(text, "c{slot}> {line}"),
        None => writeln!(text, "c{slot}>\\ {shown}"),
    }
}
