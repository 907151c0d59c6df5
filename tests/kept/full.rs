//! No room on the disk, somebody else who writes, a file that is gone: the conversation goes on, is
//! told so once, and what was said gets into the file when that is possible again.
//!
//! A full disk is played by the most that a file of the server may have (setrlimit(2),
//! `RLIMIT_FSIZE`), which can be set and lifted from outside and takes no privilege; so the reason
//! in the log is another one than that of a disk that is full.

use std::fs;

use crate::database::{Database, Folder};
use crate::world::on_tcp::{Peer, ServerProcess, wait_for};

const NOT_KEPT: &str = "* what is said now is not kept: the server cannot write it down";
const KEPT_AGAIN: &str = "* what is said is kept again";
const CANNOT_WRITE: &str = "event=store_failing cause=";
const PASSWORD: &str = "correct-horse";

/// Lines that are said at once; few enough for who reads between two rounds to miss none.
const LINES_PER_ROUND: usize = 50;

/// One who remembers all that was told.
struct Witness {
    peer: Peer,
    told: Vec<String>,
}

impl Witness {
    /// Reads on until that was told so many times in all.
    fn hear(&mut self, start: &str, times: usize) {
        while self.times(start) < times {
            self.told.push(self.peer.line().expect("the server stays"));
        }
    }

    fn times(&self, start: &str) -> usize {
        self.told.iter().filter(|line| line.starts_with(start)).count()
    }

    /// Does what is refused with that code.
    fn is_refused(&mut self, typed: &str, code: &str) {
        let start = format!("! {code} ");
        let times = self.times("! ");
        self.peer.send_line(typed);
        self.hear("! ", times + 1);
        assert!(self.told.last().unwrap().starts_with(&start), "{:?}", self.told.last());
    }
}

/// Alice talks, and bob listens; dora owns a name and is away.
struct Scene {
    folder: Folder,
    server: ServerProcess,
    alice: Witness,
    bob: Witness,
    said: usize,
    outages: usize,
}

impl Scene {
    fn open() -> Scene {
        let folder = Folder::new();
        // Else the first byte too many would end the server.
        let mut command = ServerProcess::command_through("trap '' XFSZ; exec \"$0\" \"$@\"");
        command.args(["--listen", "127.0.0.1:0"]).args(folder.flags("--pace off"));
        let server = ServerProcess::spawn(command, 1);
        for nick in ["alice", "dora"] {
            let mut owner = server.person(nick);
            owner.send_line(&format!("/register {PASSWORD}"));
            owner.line_that_starts(&format!("* {nick} is yours now"));
            owner.send_line("quit");
            owner.rest();
        }
        let mut alice = server.connect();
        alice.send_line(&format!("/login alice {PASSWORD}"));
        alice.line_that_starts("* you are alice");
        let bob = server.person("bob");
        let [alice, bob] = [alice, bob].map(|peer| Witness { peer, told: Vec::new() });
        Scene { folder, server, alice, bob, said: 0, outages: 0 }
    }

    /// Alice says that many lines with that behind their numbers, and bob hears them all.
    fn say(&mut self, count: usize, text: &str) {
        let until = self.said + count;
        while self.said < until {
            let numbers = self.said..until.min(self.said + LINES_PER_ROUND);
            let lines = numbers.clone().map(|number| format!("{number}{text}\n"));
            self.alice.peer.send(lines.collect::<String>().as_bytes());
            self.bob.hear("#lobby alice: ", numbers.end);
            self.said = numbers.end;
        }
    }

    /// So much that the log is the largest of the files.
    fn say_much(&mut self) {
        self.say(30, &format!(" {}", "x".repeat(1000)));
    }

    /// What is said cannot be written from now on; that is told when it is found out.
    fn stops_keeping(&mut self) {
        self.outages += 1;
        self.say(1, "");
        self.bob.hear(NOT_KEPT, self.outages);
        self.alice.hear(NOT_KEPT, self.outages);
    }

    /// What works meanwhile, and what does not.
    fn goes_on(&mut self) {
        self.say(20, " meanwhile");
        self.bob.is_refused(&format!("/register {PASSWORD}"), "not-kept");
        self.bob.is_refused("@dora are you there?", "not-kept");
        self.alice.is_refused(&format!("/password {PASSWORD} another-horse"), "not-kept");
        self.alice.is_refused(&format!("/unregister {PASSWORD}"), "not-kept");
        let mut carol = self.server.person("carol");
        carol.send_line("quit");
        carol.line_that_starts("* bye");
        self.say(20, "");
    }

    /// It can be written again, and that is told without anybody's doing.
    fn keeps_again(&mut self) {
        self.bob.hear(KEPT_AGAIN, self.outages);
        self.alice.hear(KEPT_AGAIN, self.outages);
        self.say(20, " afterwards");
    }

    /// The numbers of the lines that are in the file.
    fn kept(&self) -> Vec<usize> {
        numbers(&Database::look(&self.folder.path()))
    }

    /// The server stops as ever, and another one goes on; what the first one has logged.
    fn close(self, kept: &[usize]) -> String {
        let Scene { folder, mut server, alice, bob, outages, .. } = self;
        server.stop();
        for mut witness in [alice, bob] {
            assert_eq!(witness.times(NOT_KEPT), outages, "it is told once");
            witness.peer.rest();
        }
        assert_eq!(server.wait().code(), Some(0));
        let log = logged(&server, "stopped\n");
        assert_eq!(log.matches(CANNOT_WRITE).count(), outages, "{log}");
        let file = Database::own(&folder.path());
        file.expect_sound();
        assert_eq!(numbers(&file), kept);
        drop(file);
        let server = folder.server("");
        assert_eq!(numbers(&Database::look(&folder.path())), kept);
        for nick in ["alice", "dora"] {
            let mut owner = server.connect();
            owner.send_line(&format!("/login {nick} {PASSWORD}"));
            owner.line_that_starts(&format!("* you are {nick}"));
        }
        log
    }

    /// It cannot be written twice, for that reason, and can again.
    fn lives_through(
        mut self,
        why: &str,
        mut begin: impl FnMut(&Scene),
        mut end: impl FnMut(&Scene),
    ) {
        self.say_much();
        for _ in 0..2 {
            begin(&self);
            self.stops_keeping();
            self.goes_on();
            end(&self);
            self.keeps_again();
        }
        self.bob.peer.send_line(&format!("/register {PASSWORD}"));
        self.bob.hear("* bob is yours now", 1);
        assert_eq!(self.kept(), (0..self.said).collect::<Vec<_>>());
        assert_eq!([self.alice.times(KEPT_AGAIN), self.bob.times(KEPT_AGAIN)], [2, 2]);
        let all = (0..self.said).collect::<Vec<_>>();
        let log = self.close(&all);
        assert_eq!(log.matches(&format!("{CANNOT_WRITE}\"{why}\"\n")).count(), 2, "{log}");
        assert_eq!(log.matches("event=store_recovered lost=0\n").count(), 2, "{log}");
    }
}

/// The numbers of alice's lines, in order.
fn numbers(file: &Database) -> Vec<usize> {
    let lines = file.lines(0);
    let alices = lines.iter().filter(|line| line.nick == "alice");
    alices.map(|line| line.text.split(' ').next().unwrap().parse().unwrap()).collect()
}

/// The log, as soon as that is in it.
fn logged(server: &ServerProcess, text: &str) -> String {
    let log = wait_for(|| Some(server.log()).filter(|log| log.contains(text)));
    log.unwrap_or_else(|| panic!("{text} is not in the log: {}", server.log()))
}

#[test]
fn while_somebody_else_writes_the_conversation_goes_on() {
    let scene = Scene::open();
    let other = Database::own(&scene.folder.path());
    let (begin, end) =
        (|_: &Scene| other.run("BEGIN EXCLUSIVE"), |_: &Scene| other.run("ROLLBACK"));
    scene.lives_through("database is locked", begin, end);
}

#[test]
fn while_the_file_is_elsewhere_the_conversation_goes_on() {
    let path = |scene: &Scene, name: &str| scene.folder.path_of(name);
    Scene::open().lives_through(
        "it has been deleted, moved or replaced",
        |scene| fs::rename(scene.folder.path(), path(scene, "elsewhere")).unwrap(),
        |scene| fs::rename(path(scene, "elsewhere"), scene.folder.path()).unwrap(),
    );
}

#[cfg(target_os = "linux")]
mod disk {
    use super::*;
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    /// What the first byte too many gives (write(2), `EFBIG`), as SQLite says it.
    const WHY: &str = "disk I/O error";

    fn set_limit(scene: &Scene, current: Option<u64>) {
        let id = Pid::from_raw(scene.server.id().try_into().unwrap());
        let old = prlimit(id, Resource::Fsize, Rlimit { current, maximum: None });
        old.expect("the limit of a child can be set");
    }

    /// No file may grow any more.
    fn fill(scene: &Scene) {
        let sizes = scene.folder.contents().into_iter().map(|(_, bytes)| bytes.len() as u64);
        set_limit(scene, sizes.max());
    }

    fn empty(scene: &Scene) {
        set_limit(scene, None);
    }

    #[test]
    fn while_the_disk_is_full_the_conversation_goes_on() {
        Scene::open().lives_through(WHY, fill, empty);
    }

    #[test]
    fn of_more_than_memory_may_hold_the_oldest_lines_are_lost_and_counted() {
        let mut scene = Scene::open();
        scene.say_much();
        fill(&scene);
        scene.stops_keeping();
        scene.say(2400, &format!(" {}", "x".repeat(4000)));
        empty(&scene);
        scene.keeps_again();
        let log = logged(&scene.server, "event=store_recovered ");
        let (_, rest) = log.split_once("event=store_recovered lost=").unwrap();
        let lost: usize = rest.lines().next().unwrap().parse().expect("it is a number");
        assert!(lost > 0, "{log}");
        let kept: Vec<usize> = (0..30).chain(30 + lost..scene.said).collect();
        assert!(kept.len() > 2000, "8 MiB are not lost: {lost}");
        assert_eq!(scene.kept(), kept);
        scene.close(&kept);
    }

    #[test]
    fn a_server_stops_also_while_the_disk_is_full() {
        let mut scene = Scene::open();
        scene.say_much();
        fill(&scene);
        scene.stops_keeping();
        scene.goes_on();
        let log = scene.close(&(0..30).collect::<Vec<_>>());
        assert!(log.contains("event=store_gave_up lost=41\n"), "{log}");
    }
}
