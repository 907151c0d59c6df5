//! Bytes as a transcript shows them, and back.
//!
//! Printable text stands for itself; a backslash is `\\`; everything that a reader of the file
//! could not see is an escape: `\r \n \t`, `\xNN` for a byte, `\u{…}` for a character that has no
//! glyph of its own (joiners, selectors, bidi controls), `\x20` for a blank at the end of a line.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Shows bytes; invalid UTF-8 becomes `\xNN`.
pub fn shown(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| show_char(c, &mut out));
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    if out.ends_with(' ') {
        out.pop();
        out.push_str("\\x20");
    }
    out
}

fn show_char(c: char, out: &mut String) {
    match c {
        '\\' => out.push_str("\\\\"),
        '\r' => out.push_str("\\r"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        ' ' => out.push(' '),
        c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
        c if has_no_glyph(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        c => out.push(c),
    }
}

fn has_no_glyph(c: char) -> bool {
    let is_selector = matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    let category = c.general_category();
    is_selector
        || matches!(
            category,
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
                | GeneralCategory::SpaceSeparator
                | GeneralCategory::PrivateUse
                | GeneralCategory::Unassigned
        )
}

/// Reads escapes back into bytes; the error says which escape is none.
pub fn bytes_of(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = read_escape(&rest[at + 1..], &mut out)?;
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// Reads one escape, without its backslash, and returns what follows it.
fn read_escape<'a>(text: &'a str, out: &mut Vec<u8>) -> Result<&'a str, String> {
    let unknown = || format!("no such escape: \\{}", text.chars().take(6).collect::<String>());
    let kind = text.chars().next().ok_or_else(unknown)?;
    let rest = &text[kind.len_utf8()..];
    match kind {
        '\\' => out.push(b'\\'),
        'r' => out.push(b'\r'),
        'n' => out.push(b'\n'),
        't' => out.push(b'\t'),
        'x' => {
            let digits = rest.get(..2).ok_or_else(unknown)?;
            out.push(u8::from_str_radix(digits, 16).map_err(|_| unknown())?);
            return Ok(&rest[2..]);
        }
        'u' => {
            let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let (digits, rest) = inside.ok_or_else(unknown)?;
            let code = u32::from_str_radix(digits, 16).map_err(|_| unknown())?;
            let c = char::from_u32(code).ok_or_else(unknown)?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(rest);
        }
        _ => return Err(unknown()),
    }
    Ok(rest)
}
