//! The words of the line editor, beside the prompt.
//!
//! Promises: each fits on one row. Deliberately no sequences: the editor has those.

/// Stands before what is found of those words, or was found last.
pub fn search(words: &str, has_found: bool) -> String {
    let verb = if has_found { "search" } else { "not found" };
    format!("{verb} \"{words}\": ")
}

/// Asks whether so many lines that were pasted are meant.
pub fn paste_question(lines: usize) -> String {
    format!("paste {lines} lines as one message? y sends, n drops ")
}

/// More was pasted than is kept.
pub fn paste_is_cut(bytes_max: usize) -> String {
    format!("* only the first {bytes_max} bytes of the paste are kept")
}

/// Stands for choices that are not shown.
pub fn more_choices(more: usize) -> String {
    format!("and {more} more")
}
