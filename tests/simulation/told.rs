//! What a client must have seen, and whether it did.
//!
//! Lines of people, comings and goings, renames, topics and most answers are compared to the byte;
//! refusals by their code, for their sentence is not the rules' concern.

/// What one line, or one answer of several, must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Exactly this line.
    Line(String),
    /// A refusal with that code.
    Refused(&'static str),
    /// One notice with these words in it, in this order.
    Words(Vec<String>),
    /// A notice that is wrapped at 78 columns; `{id}` stands for a connection's id.
    Wrapped(String),
    /// These bytes, which are no line.
    Bytes(Vec<u8>),
}

/// Something that a client must see next, as its lines are at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What stands before each line: empty, or a time of day and a blank.
    pub stamp: String,
    /// Whether lines end with CR LF.
    pub is_crlf: bool,
    /// What it is.
    pub what: What,
}

/// What is still to be compared.
struct Seen<'a> {
    rest: &'a [u8],
}

/// Whether a client saw exactly that. The error is a sentence with what is missing, or too much.
pub fn compare(told: &[Told], seen: &[u8]) -> Result<(), String> {
    let mut seen = Seen { rest: seen };
    for told in told {
        let before = seen.rest;
        if let Err(why) = seen.expect(told) {
            let before = String::from_utf8_lossy(before);
            return Err(format!("expected {:?}\nbut {why}\nseen is {before:?}", told));
        }
    }
    match seen.rest {
        [] => Ok(()),
        rest => Err(format!("nothing was expected but {:?}", String::from_utf8_lossy(rest))),
    }
}

impl Seen<'_> {
    fn expect(&mut self, told: &Told) -> Result<(), String> {
        if let What::Bytes(bytes) = &told.what {
            self.rest = self.rest.strip_prefix(&bytes[..]).ok_or("these bytes did not come")?;
            return Ok(());
        }
        let mut line = self.line(told)?;
        let is_it = match &told.what {
            What::Line(text) => line == *text,
            What::Refused(code) => line.starts_with(&format!("! {code} ")),
            What::Words(words) => has_words(&line, words),
            What::Wrapped(text) => {
                while masked(&line) != masked(text) {
                    let more = self.line(told).map_err(|why| format!("{why} after {line:?}"))?;
                    if line.chars().count() > text.len() {
                        return Err(format!("{line:?} is too long"));
                    }
                    line += more.strip_prefix('*').ok_or("the notice was cut short")?;
                }
                true
            }
            What::Bytes(_) => unreachable!("bytes are no line"),
        };
        is_it.then_some(()).ok_or_else(|| format!("{line:?} came"))
    }

    /// The next line, without its time and its end.
    fn line(&mut self, told: &Told) -> Result<String, String> {
        let end = self.rest.iter().position(|byte| *byte == b'\n').ok_or("no line came")?;
        let (line, rest) = self.rest.split_at(end);
        self.rest = &rest[1..];
        let line = String::from_utf8(line.to_vec()).map_err(|_| "a line is not UTF-8")?;
        let plain = match told.is_crlf {
            true => line.strip_suffix('\r').ok_or("the line does not end with CR LF")?,
            false => &line,
        };
        let text = plain.strip_prefix(&told.stamp);
        text.map(str::to_owned).ok_or_else(|| format!("{plain:?} does not begin with the time"))
    }
}

fn has_words(line: &str, words: &[String]) -> bool {
    let mut rest = line.strip_prefix("* ");
    for word in words {
        rest = rest.and_then(|rest| rest.split_once(word.as_str())).map(|(_, rest)| rest);
    }
    rest.is_some()
}

/// The text with ids of connections masked; where it was wrapped, blanks may be lost.
fn masked(text: &str) -> String {
    let is_id = |word: &str| word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = text.split_ascii_whitespace().map(|word| if is_id(word) { "{id}" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
