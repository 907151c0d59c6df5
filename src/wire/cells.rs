//! How many cells of a terminal a text takes, and which ones.
//!
//! Promises: a grapheme cluster takes at least one cell, and never more than [`CELLS_MAX`]; a
//! cluster that does not fit in a row begins the next one; where terminals do not agree on a
//! cluster, that is known. Deliberately prints nothing: that is `editor` and `look`.

use unicode_properties::UnicodeEmoji;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// No cluster takes more cells, on any terminal: of a larger one the first character is drawn.
pub const CELLS_MAX: usize = 12;
/// So many characters of a cluster are drawn.
const CHARACTERS_MAX: usize = 16;

/// What a cluster needs on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Cells that it takes.
    pub width: usize,
    /// Cells that it takes on a terminal that knows no clusters; no fewer than `width`.
    pub span: usize,
    /// All terminals agree on the width.
    pub is_certain: bool,
    /// There is nothing in it that marks could stand on: it is drawn on a blank.
    pub is_bare: bool,
}

/// The cells of a text that some terminal or other gives to it, at most.
pub fn widest(text: &str) -> usize {
    text.graphemes(true).map(|cluster| shape(cluster).span).sum()
}

/// One grapheme cluster of a text.
#[derive(Clone, Copy, Debug)]
pub struct Cluster<'t> {
    /// Where in the text it begins, in bytes.
    pub at: usize,
    /// What of it is drawn.
    pub drawn: &'t str,
    /// What it needs.
    pub shape: Shape,
}

/// The clusters of a text without control characters.
pub fn clusters(text: &str) -> impl Iterator<Item = Cluster<'_>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let (at, rest) = (next, &text[next..]);
        let cluster = match rest.as_bytes() {
            // Most text is nothing else, and nothing in it joins.
            [_, 0x00..=0x7F, ..] if rest.is_char_boundary(1) => &rest[..1],
            _ => rest.graphemes(true).next()?,
        };
        next += cluster.len();
        let drawn = first_characters(cluster, CHARACTERS_MAX);
        let shape = shape(drawn);
        if shape.span <= CELLS_MAX {
            return Some(Cluster { at, drawn, shape });
        }
        let drawn = first_characters(cluster, 1);
        Some(Cluster { at, drawn, shape: self::shape(drawn) })
    })
}

fn first_characters(text: &str, count: usize) -> &str {
    if text.len() <= count {
        return text;
    }
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}

/// What one cluster needs.
///
/// Terminals that know clusters show an emoji sequence in two cells, the others its parts beside
/// each other. All others are as wide as their characters: most terminals add these up, and to read
/// Devanagari matters more.
pub fn shape(cluster: &str) -> Shape {
    if matches!(cluster.as_bytes(), [0x20..=0x7E]) {
        return Shape { width: 1, span: 1, is_certain: true, is_bare: false };
    }
    let widths = || cluster.chars().map(|character| character.width().unwrap_or(0));
    let sum: usize = widths().sum();
    let mut span = sum;
    // Some take a half of a flag to be as wide as a flag, and know what a selector widens.
    span += cluster.chars().filter(|&it| is_half_flag(it) || it == '\u{FE0F}').count();
    // Fillers are blanks to some, and nothing to others.
    span += 2 * cluster.chars().filter(|&it| is_filler(it)).count();
    let is_sequence = cluster.chars().nth(1).is_some()
        && cluster.chars().next().is_some_and(UnicodeEmoji::is_emoji_char)
        && cluster.chars().any(|it| it == '\u{FE0F}' || it.width() != Some(0) && !it.is_ascii());
    let first = widths().next().unwrap_or(0);
    let width = if is_sequence { cluster.width().max(first).min(2) } else { sum };
    let is_bare = sum == 0;
    let is_certain = span == width
        && (1..=2).contains(&width)
        && !cluster.contains(['\u{FE0E}', '\u{FE0F}'])
        && widths().filter(|&width| width > 0).count() == 1;
    let width = width.max(1);
    // What is drawn on a blank takes its cell; a filler takes two of its own on some terminals.
    let span = if is_bare { span.max(3) } else { span.max(width) };
    Shape { width, span, is_certain, is_bare }
}

fn is_half_flag(character: char) -> bool {
    matches!(character, '\u{1F1E6}'..='\u{1F1FF}')
}

fn is_filler(character: char) -> bool {
    matches!(character, '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}')
}

/// A cell; rows are counted from the first row of the prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// From the top.
    pub row: usize,
    /// From the left; less than the columns of the terminal.
    pub column: usize,
}

impl Place {
    /// Where a cluster comes to stand that is put here, and the cell behind it.
    pub fn put(self, shape: Shape, columns: usize) -> (Place, Place) {
        let fits = self.column + shape.span <= columns;
        let at = if fits { self } else { Place { row: self.row + 1, column: 0 } };
        let column = at.column + shape.width;
        let behind = if column < columns {
            Place { row: at.row, column }
        } else {
            Place { row: at.row + 1, column: 0 }
        };
        (at, behind)
    }
}

/// A piece of a prompt.
#[derive(Clone, Copy, Debug)]
pub enum Stretch<'t> {
    /// A sequence that sets colours.
    Colour(&'t str),
    /// What is seen.
    Text(&'t str),
}

/// The pieces of a prompt.
pub fn stretches(prompt: &str) -> impl Iterator<Item = Stretch<'_>> {
    let mut rest = prompt;
    std::iter::from_fn(move || {
        let is_colour = rest.starts_with('\x1b');
        let len = match is_colour {
            true => rest.find('m').map_or(rest.len(), |at| at + 1),
            false => rest.find('\x1b').unwrap_or(rest.len()),
        };
        let (stretch, behind) = rest.split_at(len);
        rest = behind;
        match stretch {
            "" => None,
            _ if is_colour => Some(Stretch::Colour(stretch)),
            _ => Some(Stretch::Text(stretch)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_as_wide_as_on_terminals() {
        for (cluster, width, is_certain) in [
            ("a", 1, true),
            ("é", 1, true),
            ("e\u{301}", 1, true),
            ("漢", 2, true),
            ("😀", 2, true),
            ("한", 2, true),
            ("\u{1112}\u{1161}\u{11AB}", 2, true),
            ("👍🏽", 2, false),
            ("❤", 1, true),
            ("❤\u{FE0F}", 2, false),
            ("1\u{FE0F}\u{20E3}", 2, false),
            ("🇮🇷", 2, false),
            ("🇮", 1, false),
            ("👨\u{200D}👩\u{200D}👧\u{200D}👦", 2, false),
            ("🏳\u{FE0F}\u{200D}🌈", 2, false),
            ("क्ष", 2, false),
            ("\u{301}", 1, false),
            ("\u{3164}", 1, false),
        ] {
            let shape = shape(cluster);
            assert_eq!((shape.width, shape.is_certain), (width, is_certain), "{cluster:?}");
            assert!(shape.span >= shape.width);
            assert_eq!(clusters(cluster).count(), 1, "{cluster:?}");
        }
    }

    #[test]
    fn monstrous_clusters_are_not_drawn_whole() {
        let family = "👩\u{200D}".repeat(100) + "👩";
        let marked = format!("a{}", "\u{301}".repeat(1000));
        for text in [family, marked] {
            let all: Vec<Cluster<'_>> = clusters(&text).collect();
            assert_eq!(all.len(), 1);
            assert!(all[0].drawn.len() < 64 && all[0].shape.span <= CELLS_MAX);
        }
    }

    #[test]
    fn what_does_not_fit_begins_the_next_row() {
        let put = |row, column, cluster| {
            let (at, behind) = Place { row, column }.put(shape(cluster), 20);
            ((at.row, at.column), (behind.row, behind.column))
        };
        assert_eq!(put(0, 18, "a"), ((0, 18), (0, 19)));
        assert_eq!(put(0, 19, "a"), ((0, 19), (1, 0)));
        assert_eq!(put(0, 18, "漢"), ((0, 18), (1, 0)));
        assert_eq!(put(0, 19, "漢"), ((1, 0), (1, 2)));
        assert_eq!(put(0, 17, "👍🏽"), ((1, 0), (1, 2)));
    }

    #[test]
    fn colours_take_no_cells() {
        let shown = |prompt| {
            let mut text = String::new();
            let mut colours = 0;
            for stretch in stretches(prompt) {
                match stretch {
                    Stretch::Text(piece) => text.push_str(piece),
                    Stretch::Colour(_) => colours += 1,
                }
            }
            (text, colours)
        };
        assert_eq!(shown("\x1b[1;32m[dev]\x1b[0m > "), ("[dev] > ".to_owned(), 2));
        assert_eq!(shown(""), (String::new(), 0));
        assert_eq!(shown("a\x1b[1"), ("a".to_owned(), 1));
    }
}
