//! Emoji by name: `:wave:` is 👋.
//!
//! Promises: what is no name of an emoji stays as it was typed, and so does what stands inside of a
//! word, a time or a path: `10:30:45`, `a:wave:b`, `std::fire::x`; a text hardly gets longer.
//! Deliberately no table of its own: the names are those of gemoji, which GitHub uses.

use std::borrow::Cow;

/// A text gets longer by at most so many bytes: a few names, those of flags above all, are shorter
/// than their emoji. Names beyond that stay.
const GROWTH_BYTES_MAX: usize = 64;

/// The text with emoji in place of their names. Borrowed when there is none.
pub fn expand(text: &str) -> Cow<'_, str> {
    let mut expanded = String::new();
    let mut kept = 0;
    let mut from = 0;
    while let Some(at) = text[from..].find(':') {
        let start = from + at;
        from = start + 1;
        let Some((emoji, end)) = emoji_at(text, start, kept) else { continue };
        if expanded.len() + (start - kept) + emoji.len() > end + GROWTH_BYTES_MAX {
            continue;
        }
        expanded.push_str(&text[kept..start]);
        expanded.push_str(emoji);
        (kept, from) = (end, end);
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    expanded.push_str(&text[kept..]);
    Cow::Owned(expanded)
}

/// The names that begin so and mean something, without their colons, in alphabetical order; at most
/// so many.
pub fn shortcodes_with(prefix: &str, most: usize) -> Vec<&'static str> {
    let all = emojis::iter().flat_map(|emoji| emoji.shortcodes());
    let is_one = |name: &&str| name.starts_with(prefix) && emoji_named(name).is_some();
    let mut names: Vec<_> = all.filter(is_one).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(most);
    names
}

/// The emoji whose name begins with the colon there, and where that ends. An emoji may end at
/// `ended` already, so that one can follow another.
fn emoji_at(text: &str, start: usize, ended: usize) -> Option<(&'static str, usize)> {
    let is_glued = |c: char| c.is_alphanumeric() || c == ':';
    if start > ended && text[..start].ends_with(is_glued) {
        return None;
    }
    let is_of_names = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_+-".contains(c);
    let behind = &text[start + 1..];
    let name = &behind[..behind.find(|c| !is_of_names(c))?];
    let rest = behind[name.len()..].strip_prefix(':')?;
    if rest.starts_with(char::is_alphanumeric) {
        return None;
    }
    Some((emoji_named(name)?, start + name.len() + 2))
}

/// The emoji of that name, if it has one that terminals may be sent: flags of parts of a country
/// are spelled with tags.
fn emoji_named(name: &str) -> Option<&'static str> {
    let emoji = emojis::get_by_shortcode(name)?.as_str();
    let is_tag = |c| matches!(c, '\u{e0000}'..='\u{e007f}');
    (!emoji.contains(is_tag)).then_some(emoji)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_where_they_stand_alone() {
        for (text, expected) in [
            (":wave:", "👋"),
            ("hi :wave:, all", "hi 👋, all"),
            ("(:wave:)", "(👋)"),
            (":wave::fire: :+1:", "👋🔥 👍"),
            ("::wave:", "::wave:"),
            (":wave: :nosuch: :wave:", "👋 :nosuch: 👋"),
            ("é :wave: é", "é 👋 é"),
        ] {
            assert_eq!(expand(text), expected);
        }
    }

    #[test]
    fn all_else_stays() {
        for text in [
            "",
            ":",
            "::",
            ":wave",
            ":Wave:",
            ": wave:",
            "10:30:45",
            "1:100:2 :100:2",
            "a:wave:b",
            "é:wave:",
            ":wave:é",
            "std::fire::x",
            "12:00 bob: hi",
            ":england: :scotland: :wales:",
        ] {
            assert!(matches!(expand(text), Cow::Borrowed(it) if it == text), "{text}");
        }
    }

    #[test]
    fn every_name_means_something_but_those_of_tags() {
        let all = emojis::iter().flat_map(|emoji| emoji.shortcodes());
        let texts: Vec<String> = all.map(|name| format!(":{name}:")).collect();
        assert!(texts.len() > 1_800);
        let left: Vec<_> = texts.iter().filter(|text| expand(text) == text.as_str()).collect();
        assert_eq!(left, [":england:", ":scotland:", ":wales:"]);
    }

    #[test]
    fn a_text_hardly_gets_longer() {
        let text = ":us: ".repeat(100);
        let expanded = expand(&text);
        assert_eq!(expanded.len(), text.len() + GROWTH_BYTES_MAX);
        assert!(expanded.ends_with(":us: "), "the last ones stay: {expanded}");
        let text = ":wave: ".repeat(100) + &":us: ".repeat(60);
        assert!(!expand(&text).contains(':'), "what got shorter counts");
    }

    #[test]
    fn names_are_completed_in_order_and_up_to_a_bound() {
        assert_eq!(shortcodes_with("wave", 10), ["wave"]);
        assert_eq!(shortcodes_with("smile", 2), ["smile", "smile_cat"]);
        assert_eq!(shortcodes_with("", 100).len(), 100);
        assert_eq!(shortcodes_with("nosuch", 10), [""; 0]);
        assert_eq!(shortcodes_with("engl", 10), [""; 0], "what would not be said");
    }
}
