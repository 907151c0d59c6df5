//! The line editor on the screen of a terminal emulator.
//!
//! Promises: whatever is typed, and whatever arrives meanwhile, the screen shows the prompt and the
//! line with the cursor in its place, and above them all that was printed, whole. However the bytes
//! are cut, the same edits come out. Deliberately no keys by name: those are tested beside them.

#![allow(clippy::unwrap_used)]

#[path = "editor/terminal.rs"]
mod terminal;

use proptest::prelude::*;
use terminal::{MARK, PIECES, Terminal};

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    /// So many bytes arrive at once, then the others.
    Keys(String, usize),
    Print,
    Prompt(bool),
    Clear,
}

/// Keys that leave the editor in its line.
const KEYS: &[&str] = &[
    "\r",
    "\x7F",
    "\x7F",
    "\x7F",
    "\x1b[3~",
    "\x1b[D",
    "\x1b[D",
    "\x1b[D",
    "\x1bOC",
    "\x1b[A",
    "\x1b[B",
    "\x01",
    "\x05",
    "\x1bb",
    "\x1bf",
    "\x1bd",
    "\x1b\x7F",
    "\x15",
    "\x0B",
    "\x17",
    "\x19",
    "\x19",
    "\t",
    "\x1b[24;9~",
    "\x07",
];

fn keys() -> impl Strategy<Value = String> {
    let pieces: Vec<&str> = PIECES.iter().copied().chain([MARK]).collect();
    let piece = proptest::sample::select(pieces);
    let pasted = proptest::collection::vec(piece.clone(), 0..30)
        .prop_map(|pieces| format!("\x1b[200~{}\n\x1b[201~", pieces.concat()));
    let key = prop_oneof![
        12 => piece.prop_map(str::to_owned),
        6 => proptest::sample::select(KEYS).prop_map(str::to_owned),
        1 => pasted,
    ];
    proptest::collection::vec(key, 1..25).prop_map(|keys| keys.concat())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (keys(), 0..200usize).prop_map(|(keys, cut)| Step::Keys(keys, cut)),
        4 => Just(Step::Print),
        1 => any::<bool>().prop_map(Step::Prompt),
        1 => Just(Step::Clear),
    ]
}

fn play(terminal: &mut Terminal, step: &Step) {
    match step {
        Step::Keys(keys, cut) => {
            let (head, tail) = keys.as_bytes().split_at(keys.len().min(*cut));
            terminal.feed(head);
            terminal.feed(tail);
        }
        Step::Print => terminal.print(),
        Step::Prompt(true) => terminal.set_prompt("[漢字 12] > ", "[漢字 \x1b[31m12\x1b[0m] > "),
        Step::Prompt(false) => terminal.set_prompt("", ""),
        Step::Clear => terminal.clear(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_screen_shows_prompt_and_line_and_what_was_printed(
        columns in 20..100u16,
        rows in 2..30u16,
        has_telnet in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..12),
    ) {
        let mut terminal = Terminal::new(columns, rows, has_telnet);
        for step in &steps {
            play(&mut terminal, step);
            terminal.look();
        }
    }

    #[test]
    fn any_cutting_gives_the_same_edits_and_the_same_screen(
        columns in 20..60u16,
        keys in keys(),
        len in 1..8usize,
    ) {
        let play = |len: usize| {
            let mut terminal = Terminal::new(columns, 24, true);
            keys.as_bytes().chunks(len).for_each(|chunk| terminal.feed(chunk));
            terminal.look();
            let (line, cursor) = (terminal.editor.line().to_owned(), terminal.editor.cursor());
            (terminal.edits, line, cursor)
        };
        let whole = play(usize::MAX);
        prop_assert_eq!(&play(1), &whole);
        prop_assert_eq!(&play(len), &whole);
    }
}
