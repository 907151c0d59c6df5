//! What is to be forgotten: a name, when the operator says so, and a guest's locked room. Nothing
//! of either is left in the bytes of any file.
//!
//! Deliberately says nothing of what the file system keeps of a file that was cut short.

use rustix::process::Signal;

use crate::database::{Database, Folder};
use crate::tools::{printed, refusal};
use crate::world::on_tcp::{Peer, ServerProcess, wait_for};

const PASSWORD: &str = "correct-horse";

/// Nothing else in the files has these; the second is what an index that shares beginnings would
/// keep of a word beside it.
const SECRETS: [&str; 2] = ["zyzzyva", "quokkabirb"];

/// Fails if a secret, or the rest of it, is in any file.
fn expect_no_trace(folder: &Folder, texts: &[&str]) {
    for text in texts {
        assert_eq!(folder.files_with(text), [""; 0], "{text} is in the files");
    }
}

/// Types lines, and waits until all of them were handled.
fn do_all(peer: &mut Peer, nick: &str, lines: &str) {
    peer.send_line(&format!("{lines}\n@{nick} done"));
    peer.line_that_starts(&format!("@{nick}: done"));
}

/// What a server has told somebody for some lines.
fn told(server: &ServerProcess, lines: &str) -> String {
    let mut peer = server.connect();
    peer.send_line(lines);
    peer.end();
    String::from_utf8(peer.rest()).unwrap()
}

fn stop(server: &mut ServerProcess) {
    server.stop();
    assert_eq!(server.wait().code(), Some(0));
}

/// Mallory, who has an account, talks in two rooms with bob, leaves word for him while he is away,
/// and goes while somebody leaves word for her.
fn talk(server: &ServerProcess) {
    let mut bob = server.person("bob");
    bob.send_line(&format!("/register {PASSWORD}"));
    bob.line_that_starts("* bob is yours now");
    let mut mallory = server.person("mallory");
    mallory.send_line(&format!("/register {PASSWORD}"));
    mallory.line_that_starts("* mallory is yours now");
    let mut lines = "/join dev\n".to_owned();
    for n in 0..300 {
        let more = if n % 50 == 0 { " at length".repeat(350) } else { String::new() };
        lines +=
            &format!("#dev zyzzyva {n}{more} zyzzyva\n/me quokkabirb{n}\n#lobby zyzzyvas {n}\n");
    }
    do_all(&mut mallory, "mallory", &lines);
    let lines: String = (0..300).map(|n| format!("#dev common {n} words\n")).collect();
    do_all(&mut bob, "bob", &lines);
    bob.send_line("quit");
    bob.rest();
    mallory.send_line("@bob zyzzyva for you alone");
    mallory.line_that_starts("* bob is not here: your line is kept");
    mallory.send_line("quit");
    mallory.rest();
    let mut carol = server.person("carol");
    do_all(&mut carol, "carol", "@mallory quokkabirb for you\n@bob hello");
}

#[test]
fn a_name_that_is_to_be_forgotten_leaves_nothing_behind() {
    for signal in [Signal::TERM, Signal::KILL] {
        let folder = Folder::new();
        let path = folder.path();
        let mut server = folder.server("--pace off --sync process");
        talk(&server);
        let file = Database::look(&path);
        file.wait_for_index();
        drop(file);
        let sentence = refusal(&path, &["forget", "mallory"]);
        assert!(sentence.contains("another chatline has it open"), "{sentence}");
        assert_eq!(Database::look(&path).count(), 1200, "nothing is forgotten meanwhile");
        server.signal(signal);
        server.wait();
        assert!(!folder.files_with(SECRETS[0]).is_empty());
        let forgotten = printed(&path, &["forget", "MALLORY"]);
        assert_eq!(forgotten, "forgot the account, 900 lines and 2 direct messages\n");
        let traces = ["zyzzyva", "zzyva", "quokkabirb", "kkabirb", "mallory", "ngth at le"];
        expect_no_trace(&folder, &traces);
        let file = Database::own(&path);
        file.expect_sound();
        let lines = file.lines(0);
        let texts = lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts, (0..300).map(|n| format!("common {n} words")).collect::<Vec<_>>());
        assert_eq!(file.directs(), [("carol".to_owned(), "hello".to_owned())]);
        assert_eq!(file.texts("SELECT nick FROM accounts"), ["bob"]);
        drop(file);
        let mut server = folder.server("");
        let seen = told(&server, &format!("/login mallory {PASSWORD}"));
        assert!(seen.contains("! not-registered mallory is nobody's name"), "{seen}");
        let seen = told(&server, "dora\n/search zyzzyva");
        assert!(seen.contains("* nothing was found for zyzzyva"), "{seen}");
        let mut bob = server.connect();
        bob.send_line(&format!("/login bob {PASSWORD}"));
        assert!(bob.line_that_starts("* 2").ends_with(" @carol: hello"), "the other one is there");
        // What others said is found again, when it is indexed anew.
        Database::look(&path).wait_for_index();
        bob.send_line("/search common 299 words");
        bob.line_that_starts("* 1 line found:");
        drop(bob);
        stop(&mut server);
        expect_no_trace(&folder, &["zyzzyva", "zzyva", "quokkabirb", "kkabirb", "ngth at le"]);
    }
}

#[test]
fn whom_nobody_knows_is_forgotten_easily() {
    let folder = Folder::new();
    let mut server = folder.server("");
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    alice.send_line("hello");
    bob.line_that_starts("#lobby alice: hello");
    drop((alice, bob));
    stop(&mut server);
    let forgotten = printed(&folder.path(), &["forget", "nobody"]);
    assert_eq!(forgotten, "forgot 0 lines and 0 direct messages\n");
    assert_eq!(Database::own(&folder.path()).count(), 1);
    let missing = folder.path_of("missing.db");
    let sentence = refusal(&missing, &["forget", "alice"]);
    assert!(sentence.starts_with("there is no PATH"), "{sentence}");
    assert!(!missing.exists());
}

/// Two guests talk in a locked room, others elsewhere, so that their lines lie between each other;
/// all are still there.
fn whisper_in_a_locked_room(server: &ServerProcess) -> Vec<Peer> {
    let (mut ann, mut ben) = (server.person("ann"), server.person("ben"));
    let mut others = server.person("carl");
    do_all(&mut ann, "ann", "/join zyzzyvaden opensesame\n/topic zyzzyva matters");
    do_all(&mut ben, "ben", "/join zyzzyvaden opensesame");
    for n in 0..60 {
        let more = if n % 10 == 0 { " at length".repeat(n * 6) } else { " ".repeat(n) };
        do_all(&mut ann, "ann", &format!("zyzzyva {n}{more} quokkabirb"));
        do_all(
            &mut others,
            "carl",
            &format!("something else {n}{more}\n#lobby and {n}\n/join l{n}\nhi"),
        );
        do_all(&mut ben, "ben", &format!("/me says quokkabirb{n}"));
    }
    vec![ann, ben, others]
}

/// What must not be left of that: what was said, the topic, the name and the password.
const TRACES: [&str; 4] = ["zyzzyva", "quokkabirb", "zzyva", "opensesame"];

fn expect_the_rest(folder: &Folder) {
    let file = Database::own(&folder.path());
    file.expect_sound();
    assert_eq!(file.count(), 180, "what was said elsewhere stays");
    assert_eq!(file.number("SELECT count(*) FROM doomed"), 0);
}

#[test]
fn a_guests_locked_room_is_forgotten_with_its_last_member() {
    let folder = Folder::new();
    let mut server = folder.server("--pace off --sync process --rooms-per-user off");
    let mut people = whisper_in_a_locked_room(&server);
    assert!(!folder.files_with("zyzzyva 59").is_empty(), "it is kept as long as they are there");
    do_all(&mut people[0], "ann", "/leave zyzzyvaden");
    people[1].send_line("quit");
    people[1].rest();
    // It is done in steps, while the server runs.
    wait_for(|| folder.files_with("quokkabirb").is_empty().then_some(()))
        .unwrap_or_else(|| panic!("it is in {:?}", folder.files_with("quokkabirb")));
    drop(people);
    stop(&mut server);
    expect_no_trace(&folder, &TRACES);
    expect_the_rest(&folder);
}

#[test]
fn a_guests_locked_room_does_not_outlive_a_kill() {
    let folder = Folder::new();
    let flags = "--pace off --sync process --rooms-per-user off";
    let mut server = folder.server(flags);
    let people = whisper_in_a_locked_room(&server);
    server.signal(Signal::KILL);
    server.wait();
    drop(people);
    assert!(!folder.files_with("zyzzyva 59").is_empty());
    let mut server = folder.server(flags);
    let seen = told(&server, "dora\n/rooms\n/history zyzzyvaden");
    assert!(seen.contains("! no-such-room no #zyzzyvaden"), "{seen}");
    let file = Database::look(&folder.path());
    let doomed = || file.number("SELECT count(*) FROM doomed");
    wait_for(|| (doomed() == 0).then_some(())).expect("its lines are deleted");
    drop(file);
    stop(&mut server);
    expect_no_trace(&folder, &TRACES);
    expect_the_rest(&folder);
}

#[test]
fn no_password_is_in_the_file() {
    let folder = Folder::new();
    let mut server = folder.server("");
    let mut alice = server.person("alice");
    alice.send_line(&format!("/register {PASSWORD}"));
    alice.line_that_starts("* alice is yours now");
    alice.send_line("/join vault opensesame");
    alice.line_that_starts("* you made #vault, locked");
    alice.send_line("a line");
    let mut other = server.connect();
    other.send_line("alice\nwrong-horse\n\ndora");
    other.line_that_starts("* you are dora");
    drop((alice, other));
    let passwords = [PASSWORD, "opensesame", "wrong-horse"];
    expect_no_trace(&folder, &passwords);
    stop(&mut server);
    expect_no_trace(&folder, &passwords);
    assert_eq!(Database::own(&folder.path()).count(), 1);
}
