//! Joiners and variation selectors: the invisible characters that change how their neighbours look.
//!
//! Promises: they stay inside an emoji sequence, between letters of the scripts that need them and
//! behind what they select a form of, and nowhere else; no two joiners and no two selectors stand
//! in a row; nothing else is touched; twice is once; the work is linear. Deliberately no tables but
//! the list of scripts.

use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};
use unicode_segmentation::UnicodeSegmentation;

const ZWNJ: char = '\u{200C}';
const ZWJ: char = '\u{200D}';

/// Canonical combining class of signs that take the vowel off a consonant (UAX #44).
const VIRAMA: u8 = 9;

/// Scripts in which a joiner changes the shape of its neighbours: the cursive and the Brahmic ones
/// (The Unicode Standard, sections 9.2, 12.1 and 23.2).
const JOINING_SCRIPTS: &[Script] = &[
    Script::Adlam,
    Script::Ahom,
    Script::Arabic,
    Script::Balinese,
    Script::Bengali,
    Script::Bhaiksuki,
    Script::Brahmi,
    Script::Chakma,
    Script::Devanagari,
    Script::Dogra,
    Script::Grantha,
    Script::Gujarati,
    Script::Gunjala_Gondi,
    Script::Gurmukhi,
    Script::Hanifi_Rohingya,
    Script::Javanese,
    Script::Kaithi,
    Script::Kannada,
    Script::Kawi,
    Script::Kharoshthi,
    Script::Khmer,
    Script::Khojki,
    Script::Khudawadi,
    Script::Limbu,
    Script::Malayalam,
    Script::Mandaic,
    Script::Manichaean,
    Script::Masaram_Gondi,
    Script::Meetei_Mayek,
    Script::Modi,
    Script::Mongolian,
    Script::Myanmar,
    Script::Nandinagari,
    Script::Newa,
    Script::Nko,
    Script::Oriya,
    Script::Phags_Pa,
    Script::Sharada,
    Script::Siddham,
    Script::Sinhala,
    Script::Sundanese,
    Script::Syloti_Nagri,
    Script::Syriac,
    Script::Tai_Tham,
    Script::Takri,
    Script::Tamil,
    Script::Telugu,
    Script::Tibetan,
    Script::Tirhuta,
];

/// Joiners and variation selectors: invisible, but they change how their neighbours look.
pub fn needs_context(character: char) -> bool {
    is_joiner(character) || is_selector(character)
}

fn is_joiner(character: char) -> bool {
    matches!(character, ZWNJ | ZWJ)
}

fn is_selector(character: char) -> bool {
    matches!(
        character,
        '\u{FE00}'..='\u{FE0F}'
            | '\u{180B}'..='\u{180D}'
            | '\u{180F}'
            | '\u{E0100}'..='\u{E01EF}'
    )
}

/// Drops the joiners and variation selectors that have no meaning where they stand.
pub fn in_context(text: &str) -> String {
    let mut kept = Kept::default();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let stays = if is_joiner(character) {
            kept.lets_join(character, rest.clone().next())
        } else if is_selector(character) {
            kept.last.is_some_and(|last| selects_form(last, character))
        } else {
            true
        };
        if stays {
            kept.push(character);
        }
    }
    kept.text
}

/// What is kept so far, and what of it decides about the next character.
#[derive(Default)]
struct Kept {
    text: String,
    last: Option<char>,
    /// The last character that is no mark, no joiner and no emoji modifier, and where it begins.
    base: Option<(usize, char)>,
}

impl Kept {
    fn push(&mut self, character: char) {
        if !is_joiner(character) && !is_mark(character) && !is_emoji_modifier(character) {
            self.base = Some((self.text.len(), character));
        }
        self.last = Some(character);
        self.text.push(character);
    }

    /// Whether `joiner` means something here, before `next`.
    ///
    /// A joiner before a joiner or selector never does. So what follows a kept one is itself always
    /// kept, and a second cleaning sees the same neighbours as the first.
    fn lets_join(&self, joiner: char, next: Option<char>) -> bool {
        let Some(last) = self.last else { return false };
        if next.is_some_and(needs_context) {
            return false;
        }
        if canonical_combining_class(last) == VIRAMA {
            return true;
        }
        let (Some((base_at, base)), Some(next)) = (self.base, next) else {
            return false;
        };
        joins_letters(base, last, next) || joiner == ZWJ && joins_emoji(&self.text[base_at..], next)
    }
}

/// Whether `last`, which is the letter `base` or a mark on it, and `next` are joined in writing.
fn joins_letters(base: char, last: char, next: char) -> bool {
    if !is_letter(base) || !(last == base || is_mark(last)) {
        return false;
    }
    let (before, after) = (base.script_extension(), next.script_extension());
    let has_script = is_mark(next) || is_letter(next) && !after.is_common();
    let shared = before.intersection(last.script_extension()).intersection(after);
    has_script
        && !before.is_common()
        && JOINING_SCRIPTS.iter().any(|&script| shared.contains_script(script))
}

/// Whether a ZWJ between `cluster` and `next` makes one emoji of them (UAX #29, rule GB11).
fn joins_emoji(cluster: &str, next: char) -> bool {
    // Only a pictograph holds on to another one across a ZWJ.
    is_one_grapheme(&format!("{next}{ZWJ}\u{1F600}"))
        && is_one_grapheme(&format!("{cluster}{ZWJ}{next}"))
}

fn is_one_grapheme(text: &str) -> bool {
    text.graphemes(true).nth(1).is_none()
}

/// Whether `selector` can choose among the forms of `last`.
fn selects_form(last: char, selector: char) -> bool {
    match selector {
        '\u{FE0E}' | '\u{FE0F}' => last.is_emoji_char(),
        '\u{FE00}'..='\u{FE0D}' => {
            is_letter(last) || last.general_category_group() == GeneralCategoryGroup::Symbol
        }
        '\u{E0100}'..='\u{E01EF}' => last.script() == Script::Han,
        _ => is_letter(last) && last.script() == Script::Mongolian,
    }
}

fn is_letter(character: char) -> bool {
    character.general_category_group() == GeneralCategoryGroup::Letter
}

fn is_mark(character: char) -> bool {
    character.general_category_group() == GeneralCategoryGroup::Mark
}

fn is_emoji_modifier(character: char) -> bool {
    use unicode_properties::EmojiStatus::EmojiPresentationAndModifierAndEmojiComponent;
    character.emoji_status() == EmojiPresentationAndModifierAndEmojiComponent
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn they_stay_where_they_mean_something() {
        for text in [
            "می\u{200C}خواهم",
            "بِ\u{200C}می",
            "هـ\u{200D}ـه",
            "क्\u{200D}ष",
            "क्\u{200D}",
            "র\u{200D}্য",
            "ශ්\u{200D}රී ලංකා",
            "👨\u{200D}👩\u{200D}👧\u{200D}👦",
            "🏳\u{FE0F}\u{200D}🌈",
            "🏴\u{200D}☠\u{FE0F}",
            "👩🏽\u{200D}🚀",
            "🧑🏿\u{200D}❤\u{FE0F}\u{200D}💋\u{200D}🧑🏻",
            "🏃🏽\u{200D}♀\u{FE0F}\u{200D}➡\u{FE0F}",
            "❤\u{FE0F} 1\u{FE0F}\u{20E3} #\u{FE0F}\u{20E3} ☺\u{FE0E} ©\u{FE0F}",
            "葛\u{E0100} ᠮᠣᠩᠭᠣᠯ ᠠ\u{180B} ∩\u{FE00}",
        ] {
            assert_eq!(in_context(text), text);
        }
    }

    #[test]
    fn they_are_dropped_everywhere_else() {
        for (text, expected) in [
            ("a\u{200D}b\u{200C}c", "abc"),
            ("\u{200D}😀\u{200D}", "😀"),
            ("😀\u{200C}😀", "😀😀"),
            ("😀\u{200D}a\u{200D}😀", "😀a😀"),
            ("😀\u{200D}🏽\u{200D}ﾞ", "😀🏽ﾞ"),
            ("1\u{200D}😀", "1😀"),
            ("😀\u{200D}\u{200D}😀", "😀\u{200D}😀"),
            ("😀\u{200D}\u{FE0F}😀", "😀\u{FE0F}😀"),
            ("م\u{200C}\u{200D}م", "م\u{200D}م"),
            ("م\u{200C} م\u{200C}", "م م"),
            ("م\u{200C}क", "مक"),
            ("a\u{301}\u{200C}م", "a\u{301}م"),
            ("ʼ\u{200C}م", "ʼم"),
            ("क्\u{200D}\u{200D}\u{200C}", "क्\u{200C}"),
            ("❤\u{FE0F}\u{FE0F}\u{FE0E}", "❤\u{FE0F}"),
            ("a\u{FE0F} \u{FE0F}", "a "),
            (" \u{FE00}1\u{FE01}", " 1"),
            ("a\u{E0100}漢\u{E01EF}\u{E0100}", "a漢\u{E01EF}"),
            ("a\u{180B}1\u{180F}", "a1"),
        ] {
            assert_eq!(in_context(text), expected, "{text:?}");
        }
    }

    #[test]
    fn long_hostile_lines_take_linear_time() {
        for piece in ["😀\u{301}", "\u{200D}🏽", "म\u{200C}\u{301}", "क्\u{200D}"] {
            let line = format!("😀{}", piece.repeat(20_000));
            assert!(in_context(&line).len() <= line.len());
        }
    }

    /// Characters among which joiners, selectors and what they may stand beside are frequent.
    fn text() -> impl Strategy<Value = String> {
        let known = "a1# مـकিিᠠ漢ʼ😀❤🏽🇮☠👩ﾞ\u{64B}\u{94D}\u{301}\u{20E3}\u{200C}\u{200C}\u{200D}\
            \u{200D}\u{FE00}\u{FE0E}\u{FE0F}\u{180B}\u{E0100}";
        let character = prop_oneof![
            8 => proptest::sample::select(known.chars().collect::<Vec<_>>()),
            1 => any::<char>(),
        ];
        proptest::collection::vec(character, 0..16).prop_map(String::from_iter)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn nothing_else_is_touched_and_twice_is_once(text in text()) {
            let once = in_context(&text);
            prop_assert_eq!(in_context(&once), once.as_str());
            let others = |text: &str| text.replace(needs_context, "");
            prop_assert_eq!(others(&once), others(&text));
        }

        #[test]
        fn none_dangles(text in text()) {
            let kept: Vec<char> = in_context(&text).chars().collect();
            prop_assert!(!kept.first().copied().is_some_and(needs_context));
            for pair in kept.windows(2) {
                prop_assert!(!(is_joiner(pair[0]) && needs_context(pair[1])), "{:?}", kept);
                prop_assert!(!(is_selector(pair[0]) && is_selector(pair[1])), "{:?}", kept);
            }
            if let [.., before, last] = kept[..] && is_joiner(last) {
                prop_assert_eq!(canonical_combining_class(before), VIRAMA);
            }
        }
    }
}
