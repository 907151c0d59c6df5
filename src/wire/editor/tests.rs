//! Recorded keys, and what they amount to: edits, the line, and what the terminal is sent.

use super::*;
use crate::wire::clean;
use proptest::prelude::*;

/// An editor that is shown, knows its size, and has the prompt `> `.
fn shown(columns: u16) -> Editor {
    let mut editor = Editor::new(Some(100));
    editor.set_size(Size { columns, rows: 5 });
    editor.set_prompt("> ");
    editor.show(&mut Vec::new());
    editor
}

/// The edits but [`Edit::Changed`], and the echo; after each edit the editor is shown again.
fn feed(editor: &mut Editor, bytes: &[u8]) -> (Vec<Edit>, String) {
    let (mut input, mut out, mut edits) = (bytes, Vec::new(), Vec::new());
    while let Some(edit) = editor.feed(&mut input, &mut out) {
        if edit != Edit::Changed {
            editor.show(&mut out);
            edits.push(edit);
        }
    }
    assert!(input.is_empty());
    (edits, String::from_utf8(out).expect("the echo is text"))
}

fn echo(editor: &mut Editor, bytes: &str) -> String {
    feed(editor, bytes.as_bytes()).1
}

fn line(text: &str) -> Edit {
    Edit::Line(text.to_owned())
}

/// These keys, in an editor that has sent these lines, leave this line; `|` is the cursor.
fn assert_leaves(sent: &[&str], keys: &str, expected: &str) {
    for len in [1, 2, 3, usize::MAX] {
        let mut editor = shown(80);
        sent.iter().for_each(|line| drop(echo(&mut editor, &format!("{line}\r"))));
        for chunk in keys.as_bytes().chunks(len) {
            assert_eq!(feed(&mut editor, chunk).0, [], "{keys:?}");
        }
        let (head, tail) = editor.line().split_at(editor.cursor());
        assert_eq!(format!("{head}|{tail}"), expected, "{keys:?} in pieces of {len}");
    }
}

#[test]
fn characters_are_put_at_the_cursor() {
    assert_leaves(&[], "abc", "abc|");
    assert_leaves(&[], "ac\x1b[Db", "ab|c");
    assert_leaves(&[], "é漢\x02\x02x", "x|é漢");
    assert_leaves(&[], "a\u{202E}b\u{85}c\u{9B}31md", "abcd|");
    assert_leaves(&[], "a\u{2028}b", "a b|");
    assert_leaves(&[], "\x1b[31ma\x1bOPb\x1b]0;x\x07c", "abc|");
}

#[test]
fn the_cursor_goes_by_clusters_words_and_ends() {
    assert_leaves(&[], "a👨\u{200D}👩e\u{301}\x1b[D\x1b[D", "a|👨\u{200D}👩e\u{301}");
    assert_leaves(&[], "a👨\u{200D}👩e\u{301}\x01\x06\x1b[C", "a👨\u{200D}👩|e\u{301}");
    assert_leaves(&[], "one two\x1bb", "one |two");
    assert_leaves(&[], "one two\x1b[1;5D\x1b[1;3D", "|one two");
    assert_leaves(&[], "one two\x1b[H\x1bf", "one| two");
    assert_leaves(&[], "one two\x1b[1~\x1b[1;5C\x1b[1;3C", "one two|");
    assert_leaves(&[], "one\x01\x1b[D\x05\x1b[C", "one|");
    assert_leaves(&[], "one\x1bOH\x1bOF", "one|");
}

#[test]
fn text_is_removed_and_put_elsewhere() {
    assert_leaves(&[], "abc\x7F\x08", "a|");
    assert_leaves(&[], "a🇨🇭👍🏽e\u{301}\x7F\x7F", "a🇨🇭|");
    assert_leaves(&[], "abc\x01\x1b[3~\x04", "|c");
    assert_leaves(&[], "\x7F\x1b[3~\x15\x0B\x17\x1bd\x1b\x7F", "|");
    assert_leaves(&[], "abc def\x1bb\x15\x05\x19", "defabc |");
    assert_leaves(&[], "abc def\x1bb\x0B\x01\x19\x19", "defdef|abc ");
    assert_leaves(&[], "one a-b\x17x", "one x|");
    assert_leaves(&[], "one a-b\x1b\x7Fx", "one a-x|");
    assert_leaves(&[], "one two\x01\x1bd\x05\x19", " twoone|");
    assert_leaves(&[], "abc\x03x", "x|");
}

#[test]
fn each_kind_of_enter_sends_one_line() {
    for len in [1, 2, usize::MAX] {
        let mut editor = shown(80);
        let mut edits = Vec::new();
        for chunk in b"one\rtwo\nthree\r\nfour\r\0\r\n".chunks(len) {
            edits.extend(feed(&mut editor, chunk).0);
        }
        let expected = [line("one"), line("two"), line("three"), line("four"), line("")];
        assert_eq!(edits, expected);
    }
}

#[test]
fn an_empty_line_is_where_one_leaves() {
    let mut editor = shown(80);
    assert_eq!(feed(&mut editor, b"\x04\x03").0, [Edit::Leave, Edit::Interrupt]);
    assert_eq!(feed(&mut editor, b"a\x01\x04\x04").0, [Edit::Leave]);
    assert_eq!(feed(&mut editor, b"a\x03\x03").0, [Edit::Interrupt]);
}

#[test]
fn invalid_bytes_are_shown_as_such() {
    let mut editor = shown(80);
    feed(&mut editor, b"a\xFFb\xE6\xBC");
    assert_eq!(editor.line(), "a\u{FFFD}b");
    feed(&mut editor, b"\xA2");
    assert_eq!(editor.line(), "a\u{FFFD}b漢");
}

#[test]
fn what_is_typed_at_the_end_is_all_that_is_echoed() {
    let mut editor = shown(20);
    assert_eq!(echo(&mut editor, "ab 漢e"), "ab 漢e");
    assert_eq!(echo(&mut editor, "\x7F\x7F"), "\x08 \x08\x08\x08  \x08\x08");
    assert_eq!(echo(&mut editor, "x"), "x");
    assert_eq!(echo(&mut editor, "\x1b[D"), "\x08");
    assert_eq!(echo(&mut editor, "\x01"), "\x1b[3D");
    assert_eq!(echo(&mut editor, "\x05"), "\x1b[4C");
    assert_eq!(echo(&mut editor, "0123456789012"), "0123456789012");
    assert_eq!(echo(&mut editor, "3"), "3 \r", "the row is full");
    assert_eq!(echo(&mut editor, "4"), "4");
    let mut out = Vec::new();
    editor.hide(&mut out);
    editor.hide(&mut out);
    assert_eq!(out, b"\x1b[A\r\x1b[J");
    assert_eq!(echo(&mut editor, "56"), "", "nothing is echoed while it is hidden");
}

#[test]
fn redrawing_begins_at_the_change() {
    let mut editor = shown(80);
    echo(&mut editor, "abcdef\x1b[D\x1b[D");
    assert_eq!(echo(&mut editor, "x"), "\x08\x1b[Jdxef\x1b[2D");
    assert_eq!(echo(&mut editor, "\x15"), "\x1b[5D\x1b[Jef\x1b[2D");
    assert_eq!(echo(&mut editor, "\x01xyz"), "\x1b[Jxyzef\x1b[2D", "drawn once for all keys");
}

#[test]
fn what_did_not_fit_in_a_row_leaves_it_as_it_was() {
    let mut editor = shown(20);
    assert_eq!(echo(&mut editor, "0123456789abcdefg漢"), "0123456789abcdefg 漢");
    assert_eq!(echo(&mut editor, "\x7F"), "\x1b[A\x1b[16C\x1b[Jg");
    assert_eq!(echo(&mut editor, "h"), "h \r");
}

#[test]
fn where_terminals_disagree_the_cursor_is_put_in_its_place() {
    let mut editor = shown(80);
    echo(&mut editor, "a");
    assert_eq!(echo(&mut editor, "❤"), "❤");
    assert_eq!(echo(&mut editor, "\u{FE0F}"), "\x08\x1b[J❤\u{FE0F}\r\x1b[5C\x1b[K");
}

#[test]
fn an_entered_line_stays_where_it_is() {
    let mut editor = shown(20);
    assert_eq!(feed(&mut editor, b"ab\r"), (vec![line("ab")], "ab\r\n> ".to_owned()));
    echo(&mut editor, "ab\x01");
    assert_eq!(echo(&mut editor, "\r"), "\x1b[2C\r\n> ");
    let full = "0123456789abcdefgh";
    assert_eq!(echo(&mut editor, &format!("{full}\r")), format!("{full} \r> "));
    editor.hide(&mut Vec::new());
    let (mut input, mut out) = (&b"early\r"[..], Vec::new());
    assert_eq!(editor.feed(&mut input, &mut out), Some(line("early")));
    assert_eq!(out, b"> early\r\n", "typed before the prompt was there");
}

#[test]
fn history_keeps_what_was_half_typed() {
    let sent = ["one", "two", "two", " "];
    assert_leaves(&sent, "half\x1b[A", "two|");
    assert_leaves(&sent, "half\x10\x10\x10", "one|");
    assert_leaves(&sent, "half\x1b[A\x1b[A\x1b[B\x0E\x0E", "half|");
    assert_leaves(&sent, "\x1b[Ax\x1b[A\x1b[B", "two|");
    let mut editor = shown(80);
    let edits = feed(&mut editor, b"one\rtwo\r\x1b[A\x1b[A!\r\x1b[A").0;
    assert_eq!(edits, [line("one"), line("two"), line("one!")]);
    assert_eq!(editor.line(), "one!");
}

#[test]
fn an_older_line_is_searched() {
    let sent = ["make tea", "drink tea", "sleep"];
    assert_leaves(&sent, "half\x12tea\x1b[C", "drink t|ea");
    assert_leaves(&sent, "half\x12tea\x12\x01", "|make tea");
    assert_leaves(&sent, "half\x12tea\x12\x12\x12\x05", "make tea|");
    assert_leaves(&sent, "half\x12teax\x7F\x1b[F", "drink tea|");
    assert_leaves(&sent, "half\x12k\x12tea\x07", "half|");
    assert_leaves(&sent, "half\x12tea\x03", "half|");
    assert_leaves(&sent, "half\x12tea\x1bx", "halfx|");
    assert_leaves(&sent, "half\x12coffee\x1b[A", "half|");
    assert_leaves(&sent, "half\x12coffee\r", "half|");
    let mut editor = shown(80);
    let edits = feed(&mut editor, b"make tea\rsleep\rhalf\x12tea\r").0;
    assert_eq!(edits, [line("make tea"), line("sleep"), line("make tea")]);
    assert!(echo(&mut editor, "\x12te").contains("search \"te\": make tea"));
    assert!(echo(&mut editor, "x").contains("not found \"tex\": make tea"));
    assert_eq!(echo(&mut editor, "\x07"), "\r\x1b[J> ");
}

#[test]
fn pasted_text_does_not_send() {
    assert_leaves(&[], "a\x1b[200~b\tc\x1b[31md\n\x1b[201~e", "ab    cde|");
    assert_leaves(&[], "ac\x1b[D\x1b[200~b\x04\x1b[201~", "ab|c");
    assert_leaves(&[], "a\x1b[200~lost\nlost\x03c", "ac|");
    assert_leaves(&[], "a\x1b[200~lost\x03\x1b[200~c\x1b[201~", "ac|");
}

#[test]
fn pasted_lines_are_a_block_and_long_ones_are_asked_about() {
    let mut editor = shown(80);
    let block = |text: &str| Edit::Block(text.to_owned());
    let edits = feed(&mut editor, b"\x1b[200~a\r\nb\rc\n\n\x1b[201~").0;
    assert_eq!(edits, [block("a\nb\nc")]);
    let long = "\x1b[200~1\n2\n\n4\x1b[201~";
    let question = "paste 4 lines as one message? y sends, n drops ";
    let echoed = echo(&mut editor, long);
    assert!(echoed.ends_with(question), "{echoed:?}");
    assert_eq!(echo(&mut editor, "x"), "\x07");
    assert_eq!(feed(&mut editor, b"\r").0, [block("1\n2\n\n4")]);
    for yes in ["y", "Y", "\r"] {
        let keys = format!("{long}{yes}");
        assert_eq!(feed(&mut editor, keys.as_bytes()).0, [block("1\n2\n\n4")], "{yes:?}");
    }
    for no in ["\x03", "\x07", "\x04", "\x1b\r", "\x1b\x1b", "n", "N", "q", "Q"] {
        assert_eq!(feed(&mut editor, format!("{long}{no}").as_bytes()).0, [], "{no:?}");
        assert!(matches!(editor.content.mode, Mode::Edit), "{no:?}");
    }
    feed(&mut editor, b"xhalf typed\x1bb");
    assert!(echo(&mut editor, "\x1b[200~1\n2\x1b[201~").contains("paste 2 lines"));
    let (edits, echoed) = feed(&mut editor, b"\r");
    assert_eq!(edits, [block("1\n2")]);
    assert!(echoed.ends_with("> xhalf typed\x1b[5D"), "{echoed:?}");
}

#[test]
fn a_paste_is_bounded_and_says_so() {
    let mut editor = shown(80);
    let paste = format!("\x1b[200~{}\x1b[201~", "0123456789\n".repeat(10_000));
    let echoed = echo(&mut editor, &paste);
    assert!(echoed.contains("* only the first 65536 bytes of the paste are kept\r\n"));
    let edits = feed(&mut editor, b"\r").0;
    assert!(matches!(&edits[..], [Edit::Block(text)] if text.len() <= PASTE_BYTES_MAX));
}

#[test]
fn a_secret_is_neither_echoed_nor_remembered() {
    let mut editor = shown(80);
    echo(&mut editor, "known\rse");
    editor.set_secret(true);
    let mut out = Vec::new();
    editor.show(&mut out);
    assert_eq!(out, b"\r\x1b[J> ");
    let (edits, echoed) =
        feed(&mut editor, b"crex\x7Ft\x0C\x1b[D\x1b[A\x12\t\x1b[200~y\x1b[201~\x15");
    assert!(edits.is_empty() && !echoed.contains(['s', 'c', 'y', 'k']), "{echoed:?}");
    assert_eq!(editor.line(), "t");
    let (edits, echoed) = feed(&mut editor, b"op\r");
    assert_eq!((edits, echoed.as_str()), (vec![line("opt")], "\r\n> "));
    feed(&mut editor, b"half");
    editor.set_secret(false);
    assert_eq!(editor.line(), "");
    assert_eq!(echo(&mut editor, "\x19\x1b[A"), "\r\x1b[J> known");
}

#[test]
fn a_password_in_a_command_is_masked() {
    let mut editor = shown(80);
    assert_eq!(echo(&mut editor, "/join dev ab漢\u{301}"), "/join dev ****");
    assert_eq!(echo(&mut editor, "\x7F"), "\x1b[3D\x1b[J*", "a character and its mark");
    assert_eq!(echo(&mut editor, "c"), "*");
    assert_eq!(echo(&mut editor, "\x7F"), "\x08 \x08");
    assert_eq!(echo(&mut editor, "\x1b[D\x1b[D"), "\x1b[2D");
    assert_eq!(echo(&mut editor, "x"), "\x08\x1b[J ***\x1b[2D");
    assert_eq!(echo(&mut editor, "\t"), "\x07");
    let (edits, echoed) = feed(&mut editor, b"\r");
    assert_eq!((edits, echoed.as_str()), (vec![line("/join dev xab")], "\x1b[2C\r\n> "));
    assert_eq!(echo(&mut editor, "\x1b[A\x12dev\x07"), "\x07\r\x1b[J> ", "not remembered");
    for cut in ["\x17", "\x15", "\x1b\x7F", "\x01\x0B", "\x1bb\x1bd"] {
        let keys = format!("/register geheim{cut}\x03\x19");
        assert!(!echo(&mut editor, &keys).contains("ge"), "{cut:?}");
        assert_eq!(editor.line(), "", "{cut:?}");
    }
    let echoed = echo(&mut editor, "/lock dev \x1b[200~geheim\x1b[201~\x12\x07\x0C");
    assert!(echoed.ends_with("> /lock dev ******") && !echoed.contains("geh"), "{echoed:?}");
    // A draft is masked when it comes back; what only looks like a command is not.
    echo(&mut editor, "\x03/nick bob\r/register geheim\x1b[A");
    assert!(echo(&mut editor, "\x1b[B").ends_with("/register ******"));
    assert!(echo(&mut editor, "\x03/join dev\r//join a bc").ends_with("> //join a bc"));
    editor.set_plain(true);
    assert_eq!(echo(&mut editor, "\x03/register ab"), "\r\n> /register **");
}

#[test]
fn a_word_is_completed_or_its_choices_are_shown() {
    let choices: Vec<String> = ["Alice ", "alina "].map(str::to_owned).to_vec();
    let mut editor = shown(80);
    assert_eq!(feed(&mut editor, b"hi al\t").0, [Edit::Complete]);
    let mut out = Vec::new();
    editor.complete(3, &choices, &mut out);
    assert_eq!((editor.line(), editor.cursor()), ("hi Ali", 6));
    out.clear();
    editor.complete(3, &choices, &mut out);
    assert_eq!(out, b"\r\x1b[JAlice  alina\r\n> hi Ali");
    editor.complete(3, &choices[..1], &mut out);
    assert_eq!(editor.line(), "hi Alice ");
    out.clear();
    editor.complete(9, &[], &mut out);
    assert_eq!((editor.line(), out.as_slice()), ("hi Alice ", &b"\x07"[..]));
    editor.complete(90, &choices, &mut out);
    assert_eq!(editor.line(), "hi Alice ");
}

#[test]
fn too_long_a_line_rings_once_and_goes_no_further() {
    let mut editor = shown(80);
    let echoed = echo(&mut editor, &"x".repeat(300));
    assert_eq!((editor.line().len(), echoed.matches('\x07').count()), (100, 1));
    assert!(feed(&mut editor, b"\x01\x1b[200~yy\x1b[201~\x15\x19\x19").1.contains('\x07'));
    assert_eq!(editor.line().len(), 100);
    assert_eq!(Editor::new(None).line_bytes_max, LINE_BYTES_MAX);
}

#[test]
fn the_size_is_asked_for_unless_it_is_known() {
    let mut editor = Editor::new(None);
    let mut out = Vec::new();
    editor.set_prompt("> ");
    editor.show(&mut out);
    assert_eq!(out, [ASK_SIZE, b"> "].concat());
    assert_eq!(echo(&mut editor, "\x1b[1;5R\x1b[40;132R\x1b[30;30R"), "");
    assert_eq!(editor.size(), Size { columns: 132, rows: 40 });
    let ask = String::from_utf8_lossy(ASK_SIZE);
    assert_eq!(echo(&mut editor, "\r"), format!("\r\n{ask}> "));
    assert_eq!(echo(&mut editor, "\x1b[9;5R"), "");
    assert_eq!(editor.size(), Size { columns: 20, rows: 9 });
    editor.set_size(Size { columns: 9999, rows: 0 });
    assert_eq!(editor.size(), Size { columns: 500, rows: 2 });
    assert_eq!(echo(&mut editor, "\r\x1b[50;50R"), "\r\n> ");
    assert_eq!(editor.size(), Size { columns: 500, rows: 2 });
}

#[test]
fn another_size_draws_long_lines_anew_and_nothing_above_them() {
    let mut editor = shown(40);
    let text = "x".repeat(50);
    echo(&mut editor, &text);
    editor.set_size(Size { columns: 80, rows: 5 });
    let mut out = Vec::new();
    editor.show(&mut out);
    assert_eq!(String::from_utf8_lossy(&out), format!("\r\x1b[J> {text}"));
    out.clear();
    editor.set_size(Size { columns: 30, rows: 5 });
    editor.show(&mut out);
    assert_eq!(String::from_utf8_lossy(&out), format!("\r\x1b[J> {text}"));
}

#[test]
fn who_reads_with_ears_hears_no_line_twice() {
    let mut editor = shown(20);
    editor.set_plain(true);
    assert_eq!(echo(&mut editor, "abc\x7F"), "abc\x08 \x08");
    let mut out = Vec::new();
    editor.hide(&mut out);
    out.extend_from_slice(b"line\r\n");
    editor.show(&mut out);
    assert_eq!(out, b"\r\nline\r\n> ab");
    assert_eq!(echo(&mut editor, "\x1b[D"), "");
    assert_eq!(echo(&mut editor, "x"), "\r\n> axb");
    assert_eq!(echo(&mut editor, "\x05\x03"), "\r\n> ");
    let echoed = echo(&mut editor, &format!("{}😀❤\u{FE0F}\x0C\x01\x12y\x07\r", "y".repeat(30)));
    assert!(!echoed.contains('\x1b') && !echoed.contains(" \r"), "{echoed:?}");
}

#[test]
fn after_something_was_lost_a_new_row_begins() {
    let mut editor = shown(80);
    echo(&mut editor, "ab");
    editor.forget_screen();
    assert_eq!(echo(&mut editor, "c"), "");
    let mut out = Vec::new();
    editor.show(&mut out);
    assert_eq!(out, b"\x1b[0m\r\n\x1b[J> abc");
}

#[test]
fn a_change_is_told_once() {
    let mut editor = shown(80);
    let mut changes = |bytes: &[u8]| {
        let (mut input, mut out, mut edits) = (bytes, Vec::new(), Vec::new());
        while let Some(edit) = editor.feed(&mut input, &mut out) {
            edits.push(edit);
        }
        edits
    };
    assert_eq!(changes(b"abc"), [Edit::Changed]);
    assert_eq!(changes(b"\x7F"), [Edit::Changed]);
    assert_eq!(changes(b"\x1b[D\x1b[C"), []);
    assert_eq!(changes(b"a\r"), [line("aba")]);
    assert_eq!(changes(b"\ra"), [line(""), Edit::Changed]);
}

#[test]
fn what_is_kept_is_bounded() {
    let mut editor = Editor::new(None);
    editor.set_size(Size { columns: 80, rows: 24 });
    editor.show(&mut Vec::new());
    let line = "漢👍🏽e\u{301} ".repeat(1000);
    for number in 0..50 {
        let keys = format!("{number}{line}\x15\x19\x1b[A\r{number}\r\x12{line}\x07{line}");
        let keys = [keys.as_bytes(), b"\x1b[200~", &[b'\n'; 100_000], b"\x1b[201~\x03"].concat();
        feed(&mut editor, &keys);
        feed(&mut editor, &[&b"\x1b]"[..], line.as_bytes(), b"\x1b[", &[b'1'; 9999]].concat());
    }
    let Content { line, history, .. } = &editor.content;
    assert!(line.text().len() <= LINE_BYTES_MAX && editor.cut.len() <= LINE_BYTES_MAX);
    assert!(
        (0..).map_while(|index| history.entry(index)).map(str::len).sum::<usize>() <= 16 * 1024
    );
    assert!(size_of::<Editor>() < 1024, "{}", size_of::<Editor>());
}

#[test]
fn the_screen_is_emptied_once_and_not_later() {
    let mut editor = shown(80);
    assert_eq!(echo(&mut editor, "ab\x0C\x0Cc"), "ab\x1b[H\x1b[2J> abc");
    assert_eq!(feed(&mut editor, b"\x0C\r").0, [line("abc")]);
    let (edits, echoed) = feed(&mut editor, b"\x0C\x1b[200~a\nb\x1b[201~");
    assert_eq!(edits, [Edit::Block("a\nb".to_owned())]);
    assert_eq!(echoed.matches("\x1b[2J").count(), 1);
    editor.set_prompt("# ");
    let mut out = Vec::new();
    editor.show(&mut out);
    assert_eq!(out, b"\r\x1b[J# ");
}

#[test]
fn cheap_keys_stay_cheap() {
    let keys = |piece: &str| piece.repeat(64 * 1024 / piece.len());
    let mut editor = Editor::new(None);
    editor.set_size(Size { columns: 80, rows: 24 });
    editor.show(&mut Vec::new());
    for number in 0..200 {
        feed(&mut editor, format!("{number:03}{}\r", "a".repeat(79)).as_bytes());
    }
    let empty = editor.weight();
    let mut fed = |keys: &str| {
        let before = editor.content.history.searched.get();
        let echoed = echo(&mut editor, keys);
        (editor.content.history.searched.get() - before, echoed.len(), editor.weight())
    };
    let history_bytes = history::BYTES_MAX;
    // Found in all, then in none; typed on behind that; and what is longer than it may be.
    for words in ["a".to_owned(), "b".to_owned(), "a".repeat(79) + "b", "a".repeat(300)] {
        let (searched, echoed, weight) = fed(&format!("\x12{words}{}", keys("\x12")));
        assert!(searched <= 2 * history_bytes, "{words}: {searched}");
        assert!(echoed < 64 * 1024 + 2000 && weight > history_bytes / 2, "{echoed} {weight}");
        let (searched, ..) = fed(&keys("ab"));
        assert!(searched <= 2 * history_bytes, "{words}: {searched}");
        fed("\x07");
    }
    let (_, echoed, _) = fed(&keys("\x0C"));
    assert!(echoed < 100, "emptied once: {echoed}");
    fed(&"\u{301}".repeat(LINE_BYTES_MAX / 2));
    for piece in ["\x1bb\x1bf", "\x01x\x7F", "\x02\x06", "\x0C\x01\x05"] {
        let (_, echoed, weight) = fed(&keys(piece));
        assert!(echoed <= 2 * LINE_BYTES_MAX && weight > LINE_BYTES_MAX - 9, "{piece:?}: {echoed}");
    }
    fed("\x05\x15\x03");
    assert!(editor.weight() <= empty + LINE_BYTES_MAX, "what was cut");
}

/// What the terminal is sent, without the sequences that the editor uses.
fn without_sequences(echo: &str) -> String {
    let mut rest = echo.to_owned();
    while let Some((head, tail)) = rest.split_once("\x1b[") {
        let behind = tail.trim_start_matches(|it: char| it.is_ascii_digit());
        assert!(behind.starts_with(['A', 'B', 'C', 'D', 'H', 'J', 'K']), "{echo:?}");
        rest = format!("{head}{}", &behind[1..]);
    }
    rest.replace("\r\n", "").replace(['\r', '\x08', '\x07'], "")
}

fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
    let beginnings = vec!["\x1b[", "\x1bO", "\x1b]", "\x1b[200~", "\x1b[201~", "\u{9B}"];
    let piece = prop_oneof![
        3 => any::<u8>().prop_map(|byte| vec![byte]),
        2 => proptest::sample::select(beginnings).prop_map(|text| text.as_bytes().to_vec()),
        3 => any::<char>().prop_map(|it| it.to_string().into_bytes()),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_key_uncovers_a_password(
        command in proptest::sample::select(vec!["/register ", "/LOGIN bob ", "/join a "]),
        keys in proptest::collection::vec(proptest::sample::select(vec![
            "Z", "Q", "漢", "\u{301}", " ", "\x7F", "\x1b[D", "\x1b[C", "\x05", "\x0B", "\x0C", "\t",
            "\x12", "Q\x07", "\x1b[A", "\x1b[B", "\x19", "\x1b[200~ZQ\x1b[201~", "\x1bf", "\x1bd",
        ]), 0..30),
        columns in 20..40u16,
        len in 1..9usize,
    ) {
        let mut editor = shown(columns);
        let keys = [command, &keys.concat()].concat();
        let mut echoed = String::new();
        for chunk in keys.as_bytes().chunks(len) {
            echoed += &feed(&mut editor, chunk).1;
            if !editor.line().starts_with(command) {
                return Ok(());
            }
        }
        let seen = echoed.replace("search \"", "").replace("not found \"", "");
        prop_assert!(!seen.contains('Z') || keys.contains('\x12'), "{:?}", echoed);
        let mut out = Vec::new();
        editor.hide(&mut out);
        editor.show(&mut out);
        if matches!(editor.content.mode, Mode::Edit) {
            prop_assert!(!out.iter().any(|byte| b"ZQ\xBC".contains(byte)), "{:?}", echoed);
        }
    }

    #[test]
    fn nothing_that_arrives_gets_through_as_a_control(
        bytes in hostile_bytes(),
        columns in 20..40u16,
    ) {
        let mut editor = shown(columns);
        let echoed = without_sequences(&feed(&mut editor, &bytes).1);
        let is_clean = |it: char| clean::printed(it) == Some(it);
        prop_assert!(echoed.chars().all(is_clean), "{:?}", echoed);
        prop_assert!(editor.line().chars().all(is_clean));
    }
}
