//! The sentences for programs whose requests are none.
//!
//! Promises: one line, without the mark and the code before it; each ends with what is taken.
//! Deliberately decides nothing.

use crate::chat::event::JsonFault;
use crate::wire::json::{Action, REQUEST_ID_BYTES_MAX};

use super::quoted;

/// What a request lacks, or has too much of.
pub(super) fn fault_text(fault: &JsonFault) -> String {
    match fault {
        JsonFault::NoObject => {
            "this is no object of JSON: send one a line, with an action in it".to_owned()
        }
        JsonFault::Id => format!(
            "an id is a whole number, or a text of at most {REQUEST_ID_BYTES_MAX} ASCII characters"
        ),
        JsonFault::NoAction => {
            "an action is missing: the action help lists what there is".to_owned()
        }
        JsonFault::UnknownAction { typed, meant: Some(meant) } => {
            format!("no action {}; did you mean {meant}?", quoted(typed))
        }
        JsonFault::UnknownAction { typed, meant: None } => {
            format!("no action {}; the action help lists what there is", quoted(typed))
        }
        JsonFault::Missing { action, field } => {
            format!("{field} is missing: {}", takes(action))
        }
        JsonFault::Unfit { action, field } => {
            format!("{field} does not fit: {}", takes(action))
        }
        JsonFault::UnknownField { action, typed } => {
            format!("{} is no field of it: {}", quoted(typed), takes(action))
        }
    }
}

fn takes(action: &str) -> String {
    let takes = Action::named(action).map(Action::takes);
    format!("{action} takes {}", takes.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_says_what_is_taken() {
        let unknown = |typed: &str, meant| JsonFault::UnknownAction { typed: typed.into(), meant };
        let odd = JsonFault::UnknownField { action: "join", typed: "x".repeat(50) };
        let long = "x".repeat(40);
        for (fault, text) in [
            (unknown("jion", Some("join")), "no action jion; did you mean join?"),
            (unknown("x", None), "no action x; the action help lists what there is"),
            (
                JsonFault::Missing { action: "quiet", field: "on" },
                "on is missing: quiet takes on (true or false)",
            ),
            (
                JsonFault::Unfit { action: "show", field: "line" },
                "line does not fit: show takes line (a number)",
            ),
            (
                odd,
                &format!(
                    "{long}… is no field of it: join takes room, password (optional), name \
                     (optional)"
                ),
            ),
        ] {
            assert_eq!(fault_text(&fault), text);
        }
    }
}
