//! What may stand in a name, what is compared, and what a name looks like.
//!
//! Promises: what [`shown_of`] returns passes through it unchanged. Deliberately has no table of
//! its own: the characters are PRECIS's (RFC 8265, section 3.4) less those that are no letter, mark
//! or digit, and less those that UTS #39 advises against in identifiers, its scripts of limited use
//! among them.

use std::borrow::Cow;

use caseless::default_case_fold_str;
use precis_profiles::UsernameCasePreserved;
use precis_profiles::precis_core::Error as PrecisError;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::{
    GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection, skeleton,
};

use super::NameFault;

/// Marks in a row above or below one letter. Four is what living orthographies need at most; more
/// would paint over the lines of others.
const MARKS_MAX: usize = 4;

/// What is longer than this, in code points as typed, is no name, whatever the limit: some rules
/// look at all of a name for each of its characters.
pub(super) const TYPED_CHARS_MAX: usize = 256;

/// Whether `text` is too long to be looked at.
pub(super) fn is_beyond_names(text: &str) -> bool {
    text.len() > TYPED_CHARS_MAX && text.chars().nth(TYPED_CHARS_MAX).is_some()
}

/// The key of the name that somebody means who types `text`; of any text, for nothing is checked.
pub fn key_of(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => text.to_ascii_lowercase().into(),
            false => text.into(),
        };
    }
    if is_beyond_names(text) {
        return text.into();
    }
    let composed: String = text.nfc().collect();
    let narrowed = UsernameCasePreserved::enforce(composed.as_str());
    default_case_fold_str(narrowed.as_deref().unwrap_or(&composed)).nfc().collect::<String>().into()
}

/// `text` as a name is shown: NFC, wide characters narrowed. The error is the first rule that it
/// breaks; how long it is, and whether it is reserved, is not looked at.
pub(super) fn shown_of(text: &str) -> Result<String, NameFault> {
    // Composed first, because PRECIS refuses the letters that Hangul is decomposed into.
    let composed: String = text.nfc().collect();
    let shown = UsernameCasePreserved::enforce(composed.as_str())
        .map_err(|error| fault_of(&composed, &error))?;
    check_chars(&shown)?;
    Ok(shown.into_owned())
}

/// What `text` looks like: its skeleton (UTS #39, section 4), case folded. A dot above an i or a j,
/// which have one already, is not seen.
pub(super) fn look_of(text: &str) -> String {
    let look = default_case_fold_str(&skeleton(text).collect::<String>());
    look.replace("i\u{307}", "i").replace("j\u{307}", "j")
}

/// Letters and decimal digits.
fn begins_name(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Letter
        || c.general_category() == GeneralCategory::DecimalNumber
}

/// Letters, marks, decimal digits and `_ - .`.
pub(super) fn is_of_names(c: char) -> bool {
    begins_name(c)
        || matches!(c, '_' | '-' | '.')
        || c.general_category_group() == GeneralCategoryGroup::Mark
}

/// PRECIS says less than a person needs to know, so its refusal is looked at again.
fn fault_of(text: &str, error: &PrecisError) -> NameFault {
    let stranger = text.chars().find(|&c| !is_of_names(c)).or(match error {
        PrecisError::BadCodepoint(info) => char::from_u32(info.cp),
        _ => None,
    });
    stranger.map_or(NameFault::Direction, NameFault::Char)
}

/// Our own rules, on top of PRECIS.
fn check_chars(shown: &str) -> Result<(), NameFault> {
    let is_allowed = |c| is_of_names(c) && c.identifier_allowed();
    if let Some(stranger) = shown.chars().find(|&c| !is_allowed(c)) {
        return Err(NameFault::Char(stranger));
    }
    if !shown.starts_with(begins_name) {
        return Err(NameFault::Start);
    }
    let mut marks = 0;
    for c in shown.nfd() {
        marks = if c.general_category() == GeneralCategory::NonspacingMark { marks + 1 } else { 0 };
        if marks > MARKS_MAX {
            return Err(NameFault::Marks);
        }
    }
    if !shown.check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        return Err(NameFault::Scripts);
    }
    Ok(())
}
