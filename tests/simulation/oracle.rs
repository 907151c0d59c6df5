//! The first judge: what each client saw is what the model says, line for line, after each deed.

use std::net::IpAddr;
use std::time::Duration;

use super::model::{ConnNo, Model};
use super::plan::{Deed, MEMBERS, Plan, Slot};
use super::program::as_lines;
use super::run::{Run, STORE_PATIENCE, config};
use super::told::{Told, compare};
use crate::world::on_hub::START;

/// Plays a plan on the hub and on the model at once. Returns all streams; the error says what
/// differs first.
pub fn judge(plan: &Plan) -> Result<Vec<Vec<u8>>, String> {
    let config = config(plan);
    let mut model = Model::new(config.chat, config.hub, START.unix);
    for (name, password) in MEMBERS.iter().filter(|_| plan.has_members) {
        model.enroll(name, password);
    }
    let run = Run::new(plan, true);
    let mut judge = Judge { run, model, seen: Vec::new(), told: Vec::new() };
    for (number, deed) in plan.deeds.iter().enumerate() {
        if judge.run.can(deed) {
            judge.run.act(deed);
            judge.foretell(deed);
            if judge.model.is_lost() {
                break;
            }
            judge.model.tell_receipts();
            judge.compare().map_err(|why| format!("in deed {number}: {why}"))?;
        }
    }
    if plan.is_store_slow && !judge.model.is_lost() {
        judge.run.act(&Deed::Wait(STORE_PATIENCE));
        judge.wait(STORE_PATIENCE);
        judge.compare().map_err(|why| format!("at last: {why}"))?;
    }
    judge.run.end();
    Ok(judge.run.lines.into_iter().map(|line| line.stream).collect())
}

struct Judge {
    run: Run,
    model: Model,
    /// How much of each stream was compared.
    seen: Vec<usize>,
    /// What each must have seen beyond that, once it is kept.
    told: Vec<Vec<Told>>,
}

impl Judge {
    /// The same deed in the model.
    fn foretell(&mut self, deed: &Deed) {
        match deed {
            Deed::Connect(slot, from) => _ = self.connect(*slot, *from),
            Deed::Stranger(slot, from, bytes) => {
                let no = self.connect(*slot, *from);
                self.model.turn_away(no, bytes[0] == 0x16);
            }
            Deed::Send(slot, pieces, _) => {
                let no = self.no(*slot);
                self.model.receive(no, pieces);
            }
            Deed::Leap(slot, pieces, time) => {
                let no = self.no(*slot);
                self.model.set_clock(self.model.now() + *time);
                self.model.receive(no, pieces);
                self.model.expire();
            }
            Deed::Wait(time) => self.wait(*time),
            Deed::Jump(seconds) => self.model.jump(*seconds),
            Deed::Stop => self.model.stop(),
            Deed::Restart => {
                self.wait(STORE_PATIENCE);
                self.model.restart();
            }
            Deed::End(slot) | Deed::Close(slot) | Deed::Reset(slot) => {
                let no = self.no(*slot);
                self.model.end(no);
            }
            Deed::Noise(..) | Deed::Window(..) | Deed::Read(..) | Deed::Store(_) => {
                unreachable!("everybody reads at once, and what is typed is known")
            }
        }
    }

    /// The connection that a person has now; connections have the same numbers everywhere.
    fn no(&self, slot: Slot) -> ConnNo {
        self.run.slots[slot].expect("what was done could be done")
    }

    fn connect(&mut self, slot: Slot, from: IpAddr) -> ConnNo {
        let no = self.no(slot);
        // The run has closed the person's earlier connection.
        for old in 0..no {
            if self.run.lines[old].is_input_over {
                self.model.end(old);
            }
        }
        let conn = self.run.world.conn(self.run.lines[no].peer);
        let place = conn.map_or(u64::MAX, |conn| conn.to_bits().rotate_left(32));
        self.seen.push(0);
        self.told.push(Vec::new());
        self.model.connect(from, place)
    }

    fn wait(&mut self, time: Duration) {
        let until = self.model.now() + time;
        while let Some(at) = self.model.deadline().filter(|at| *at <= until) {
            self.model.set_clock(at.max(self.model.now()));
            self.model.expire();
        }
        self.model.set_clock(until);
    }

    fn compare(&mut self) -> Result<(), String> {
        for (no, line) in self.run.lines.iter().enumerate() {
            self.told[no].extend(self.model.take_told(no));
            if line.is_deaf || !self.run.world.is_store_idle() {
                continue;
            }
            let told = std::mem::take(&mut self.told[no]);
            let seen = as_lines(&line.stream[self.seen[no]..])?;
            self.seen[no] = line.stream.len();
            let who = self.run.slots.iter().position(|slot| *slot == Some(no));
            let who = who.map_or("somebody who came back".to_owned(), |slot| format!("c{slot}"));
            compare(&told, &seen).map_err(|why| format!("{who} (connection {no}): {why}"))?;
            let is_over = self.run.world.far(line.peer).is_disconnected();
            if is_over != self.model.is_over(no) {
                return Err(format!("{who}: whether the connection is over is {is_over}"));
            }
        }
        let waiting = self.run.world.hub().queued_bytes();
        let is_due = waiting > 0 && self.run.world.is_store_idle();
        if is_due { Err(format!("{waiting} bytes wait for nobody")) } else { Ok(()) }
    }
}
