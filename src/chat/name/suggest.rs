//! Names to suggest: a free one like a taken one, a known one like a mistyped one.
//!
//! Promises: bounded work, and what is suggested is valid. Deliberately knows no names: who asks
//! says which are free, and among which to look.

use rapidfuzz::distance::osa;

use super::Nick;

/// How many numbers [`first_free`] tries.
const NUMBERS_MAX: u32 = 1_000;

/// The first free one of `ci`, `ci-2`, `ci-3` and so on, `base` cut so that its number fits; `None`
/// when `base` is no name, or after a thousand tries. `is_used` is asked for a key, and what is not
/// used may still not be free: it may look like something else.
pub fn first_free(
    base: &str,
    chars_max: Option<usize>,
    is_used: impl Fn(&str) -> bool,
    is_free: impl Fn(&Nick) -> bool,
) -> Option<Nick> {
    let base = Nick::parse(base, chars_max).ok()?;
    let chars = base.as_str().chars().count();
    let numbered = |number: u32| {
        let suffix = format!("-{number}");
        let kept = chars_max.map_or(chars, |most| most.saturating_sub(suffix.len()).min(chars));
        // A key is all that a thousand numbers cost; parsing is for the first that is not used.
        if kept == chars && is_used(&format!("{}{suffix}", base.key())) {
            return None;
        }
        let text: String = base.as_str().chars().take(kept).chain(suffix.chars()).collect();
        Nick::parse(&text, chars_max).ok().filter(&is_free)
    };
    if is_free(&base) {
        return Some(base);
    }
    (2..=NUMBERS_MAX).find_map(numbered)
}

/// The word nearest to `wanted`, of equals the first in order: at most two slips of the finger
/// away, and one for words of up to four characters. Bounding `among` is the caller's.
pub fn nearest<'a>(wanted: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let chars = wanted.chars().count();
    let slips_max = if chars <= 4 { 1 } else { 2 };
    let near = osa::Args::default().score_cutoff(slips_max);
    let wanted = osa::BatchComparator::new(wanted.chars());
    among
        .filter(|word| word.chars().count().abs_diff(chars) <= slips_max)
        .filter_map(|word| Some((wanted.distance_with_args(word.chars(), &near)?, word)))
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_free_number_is_found() {
        let free = |base, most, taken: &[&str]| {
            let is_used = |key: &str| taken.contains(&key);
            let free = first_free(base, most, is_used, |nick| !taken.contains(&nick.as_str()));
            free.map(|nick| nick.to_string())
        };
        assert_eq!(free("ci", None, &[]).as_deref(), Some("ci"));
        assert_eq!(free("ci", None, &["ci", "ci-2"]).as_deref(), Some("ci-3"));
        assert_eq!(free("abcd", Some(4), &["abcd"]).as_deref(), Some("ab-2"));
        assert_eq!(free("שלום", Some(4), &["שלום"]).as_deref(), Some("של-2"));
        assert_eq!(free("ab", Some(2), &["ab"]), None);
        assert_eq!(free("two words", None, &[]), None);
        assert_eq!(free("guest", None, &["guest"]), None);
        assert_eq!(first_free("ci", None, |_| true, |_| false), None);
    }

    #[test]
    fn near_misses_are_found() {
        let words = ["join", "leave", "who", "rooms"];
        let near = |wanted| nearest(wanted, words.into_iter());
        assert_eq!(near("jion"), Some("join"));
        assert_eq!(near("laeve"), Some("leave"));
        assert_eq!(near("room"), Some("rooms"));
        assert_eq!(near("wh"), Some("who"));
        assert_eq!(near("jxxn"), None);
        assert_eq!(near(&"j".repeat(4_096)), None);
    }
}
