//! Writes what was seen back into a transcript: the switch that turns a change of wording into a
//! readable diff.
//!
//! Only lines that say what is seen are replaced. Comments, blank lines, what people type and the
//! order of it all stay; a step that holds already stays to the byte, with its masks and its order
//! of people.

use super::compare::{Sight, step_holds};
use super::script::{Script, is_expectation, written};

/// The text of a file with what was seen in place of what was written. `played` are the
/// transcripts of that file with what was seen in them.
pub fn blessed(text: &str, played: &[(&Script, &[Sight])]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    // From the end of the file on, so that the line numbers before it stay true.
    for (script, sights) in played.iter().rev() {
        for (index, (step, sight)) in script.steps.iter().zip(*sights).enumerate().rev() {
            if step_holds(step, sight) {
                continue;
            }
            let next = script.steps.get(index + 1);
            let end = next.map_or(script.lines.end, |next| next.line - 1).min(lines.len());
            let seen = sight.iter().map(|(who, seen)| written(who, seen));
            let rest = lines[step.line..end].iter().filter(|line| !is_expectation(line)).cloned();
            let block: Vec<String> = seen.chain(rest).collect();
            lines.splice(step.line..end, block);
        }
    }
    lines.join("\n") + "\n"
}
