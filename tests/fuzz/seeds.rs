//! Seeds for the fuzz targets, taken out of the transcripts: what is typed there, each line and
//! each whole script, in the form that a target reads.
//!
//! Promises: the same seeds in the same order each time; nothing is written. What is to be seen is
//! not looked at: the transcripts' own test does that.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::targets::operations::Deed;
#[cfg(feature = "tls")]
use crate::targets::tls;
use crate::world::memory::Mood;
use crate::world::script::{self, Action, Script};

/// The seeds of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let scripts = scripts();
    let of_each = |make: fn(&Script) -> Vec<u8>| scripts.iter().map(make).collect();
    let of_typed = |make: fn(&[u8]) -> Vec<u8>| typed(&scripts).iter().map(|it| make(it)).collect();
    match target {
        "lines" => of_each(|script| [&[2, 2, 3, 9][..], &sent(script)].concat()),
        "telnet" => of_each(|script| [&[0, 3, 90][..], &sent(script)].concat()),
        "editor" => of_typed(|typed| {
            let typed = &typed[..typed.len().min(255)];
            [&[20, 10, 0, 0, typed.len() as u8][..], typed, &[9]].concat()
        }),
        "operations" => of_each(operations),
        #[cfg(feature = "tls")]
        "tls" => (0..).zip(&scripts).map(|(index, script)| within_tls(script, index)).collect(),
        _ => of_typed(|typed| typed.trim_ascii_end().to_vec()),
    }
}

fn scripts() -> Vec<Script> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = fs::read_dir(root.join("tests/transcripts")).unwrap();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut scripts = Vec::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|end| end == "chat")) {
        let text = fs::read_to_string(path).unwrap();
        let name = path.display().to_string();
        scripts.push(script::parse(&name, &text, 0..text.lines().count()).unwrap());
    }
    let protocol = fs::read_to_string(root.join("protocol.md")).unwrap();
    scripts.extend(script::parse_fenced("protocol.md", &protocol).unwrap());
    scripts
}

/// All that is sent in a script, by whomever.
fn sent(script: &Script) -> Vec<u8> {
    let bytes = script.steps.iter().filter_map(|step| match &step.action {
        Action::Send(_, bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    let mut bytes: Vec<u8> = bytes.collect::<Vec<_>>().concat();
    bytes.truncate(2_000);
    bytes
}

/// Everything that is typed anywhere, each once.
fn typed(scripts: &[Script]) -> BTreeSet<Vec<u8>> {
    let actions = scripts.iter().flat_map(|script| &script.steps).map(|step| &step.action);
    let bytes = actions.filter_map(|action| match action {
        Action::Send(_, bytes) if bytes.len() < 2_000 => Some(bytes.clone()),
        _ => None,
    });
    bytes.collect()
}

/// A script as a program for the whole server.
fn operations(script: &Script) -> Vec<u8> {
    let is_kept = !script.flags.iter().any(|flag| flag == "none");
    let mut out = vec![if is_kept { 4 } else { 0 }];
    let mut names: Vec<&str> = Vec::new();
    for action in script.steps.iter().map(|step| &step.action) {
        let who = action.who().map_or(0, |name| {
            let known = names.iter().position(|it| *it == name);
            known.unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            })
        });
        // The first four come from far away, of which there may be few at once.
        let who = ((who + 4) % 8) as u8;
        match action {
            Action::Send(_, bytes) => {
                for piece in bytes.chunks(255).take(8) {
                    Deed::Send(who, piece.to_vec()).write(&mut out);
                }
            }
            other => deed(other, who).write(&mut out),
        }
    }
    out.truncate(4_000);
    out
}

fn deed(action: &Action, who: u8) -> Deed {
    match action {
        Action::Connect(..) => Deed::Connect(who),
        Action::Send(_, bytes) => Deed::Send(who, bytes.clone()),
        Action::End(_) => Deed::End(who),
        Action::Close(_) => Deed::Close(who),
        Action::Reset(_) => Deed::Reset(who),
        Action::StopReading(_) => Deed::Window(who, 0),
        Action::ReadOn(_) => Deed::Window(who, u8::MAX),
        Action::Wait(time) => Deed::Wait(match time.as_millis() {
            0..300 => 2,
            300..900 => 3,
            900..3_000 => 4,
            3_000..30_000 => 5,
            30_000..90_000 => 6,
            _ => 7,
        }),
        Action::Stop => Deed::Stop,
        Action::Restart(_) => Deed::Restart,
        // Neither has its like there.
        Action::Invite(_) | Action::OpenConsole(_) => Deed::Wait(2),
        Action::Store(Mood::Works) => Deed::Store(0),
        Action::Store(Mood::Fails) => Deed::Store(1),
        Action::Store(Mood::Hangs) => Deed::Store(2),
    }
}

/// A script as what happens where TLS is spoken; now and then something is wrong there, by number.
#[cfg(feature = "tls")]
fn within_tls(script: &Script, index: usize) -> Vec<u8> {
    use tls::{Caller, Exit, Harm};

    let mut out = vec![index as u8 & 19];
    let mut put = |deed: tls::Deed| deed.write(&mut out);
    let mut names: Vec<&str> = Vec::new();
    for (step, action) in script.steps.iter().map(|step| &step.action).enumerate() {
        let who = action.who().map_or(0, |name| {
            let known = names.iter().position(|it| *it == name);
            known.unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            })
        });
        let who = ((who + 4) % 6) as u8;
        let place = (step * 7 + index) as u8;
        let is_old = place & 1 > 0;
        match (action, (index + step) % 16) {
            (Action::Connect(..), 0) => put(tls::Deed::Connect(who, Caller::Stranger)),
            (Action::Connect(..), 1..4) => {
                let harms = [Harm::Flip(1), Harm::Insert(place), Harm::Cut(place), Harm::Double(9)];
                put(tls::Deed::Connect(who, Caller::Client { is_old }));
                put(tls::Deed::Spoil(who, place, harms[index % 4]));
                put(tls::Deed::Deliver(who, 255, place / 2));
            }
            (Action::Connect(..), _) => put(tls::Deed::Connect(who, Caller::Guest { is_old })),
            (Action::Send(_, bytes), 0) => put(tls::Deed::Raw(who, bytes.clone())),
            (Action::Send(_, bytes), 1) => {
                put(tls::Deed::Hold(who, bytes.clone()));
                put(tls::Deed::Spoil(who, place % 40, Harm::Flip(place)));
                put(tls::Deed::Deliver(who, 255, 0));
            }
            (Action::Send(_, bytes), 2) => put(tls::Deed::SayInRecords(who, 3, bytes.clone())),
            (Action::Send(_, bytes), 3) => put(tls::Deed::Flood(who, place, bytes.clone())),
            (Action::Send(_, bytes), 4) => {
                put(tls::Deed::Hold(who, bytes.clone()));
                put(tls::Deed::Deliver(who, place, 5));
                put(tls::Deed::Rekey(who, 1 + place % 4));
            }
            (Action::Send(_, bytes), _) => {
                bytes.chunks(255).take(8).for_each(|it| put(tls::Deed::Say(who, it.to_vec())));
            }
            (Action::End(_), 0..8) => put(tls::Deed::Leave(who, Exit::End)),
            (Action::End(_), 8..12) => put(tls::Deed::Leave(who, Exit::Abrupt)),
            (Action::End(_), _) => put(tls::Deed::Leave(who, Exit::Word)),
            (Action::Close(_), _) => put(tls::Deed::Leave(who, Exit::Close)),
            (Action::Reset(_), _) => put(tls::Deed::Leave(who, Exit::Reset)),
            (Action::StopReading(_), _) => put(tls::Deed::Window(who, 0)),
            (Action::ReadOn(_), _) => put(tls::Deed::Window(who, 255)),
            (Action::Stop, _) => put(tls::Deed::Stop),
            _ => put(tls::Deed::Wait(step as u8)),
        }
        put(tls::Deed::Read(who, 255));
    }
    out.truncate(4_000);
    out
}
