//! How numbers are written in flags: counts (`100`), sizes (`65536`, `64K`, `64KiB`, `1MiB`),
//! durations (`120`, `120s`, `500ms`, `2m`, `30d`), each within a range, `off` for no limit, and
//! what is `on` or `off`.
//!
//! Promises: each parser refuses with one clause that says what is wanted. Deliberately no
//! fractions, no signs and no decimal kilobytes: each amount has one plain spelling.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A limit that can be turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound<T> {
    /// There is none.
    Off,
    /// This is the most.
    At(T),
}

impl<T> Bound<T> {
    /// The limit, in the form that the rest of the server holds it.
    pub(super) fn most(self) -> Option<T> {
        match self {
            Bound::Off => None,
            Bound::At(most) => Some(most),
        }
    }
}

/// What a flag's text becomes, or what is wrong with it.
type Parsed<T> = Result<T, String>;

/// A parser that also takes `off`.
pub(super) fn or_off<T>(
    parse: impl Fn(&str) -> Parsed<T> + Clone,
) -> impl Fn(&str) -> Parsed<Bound<T>> + Clone {
    move |text| match text {
        "off" => Ok(Bound::Off),
        _ => parse(text).map(Bound::At).map_err(|fault| format!("{fault}, or off")),
    }
}

/// A parser of whole numbers.
pub(super) fn count<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Parsed<T> + Clone
where
    T: TryFrom<u64> + PartialOrd + Copy + std::fmt::Display,
{
    move |text| {
        let amount = digits(text).and_then(|number| T::try_from(number).ok());
        within(amount, &range, "a whole number", T::to_string)
    }
}

/// A parser of sizes in bytes.
pub(super) fn size(range: RangeInclusive<usize>) -> impl Fn(&str) -> Parsed<usize> + Clone {
    move |text| {
        let (number, unit) = split(text);
        let scale = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => Some(1),
            "k" | "kib" => Some(1 << 10),
            "m" | "mib" => Some(1 << 20),
            "g" | "gib" => Some(1 << 30),
            _ => None,
        };
        let bytes = digits(number).zip(scale).and_then(|(number, scale)| number.checked_mul(scale));
        within(bytes.and_then(|bytes| bytes.try_into().ok()), &range, "a size", show_size)
    }
}

/// A parser of durations; a bare number is in seconds.
pub(super) fn duration(
    range: RangeInclusive<Duration>,
) -> impl Fn(&str) -> Parsed<Duration> + Clone {
    move |text| {
        let (number, unit) = split(text);
        let scale = match unit {
            "ms" => Some(1),
            "" | "s" => Some(1_000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            "d" => Some(86_400_000),
            _ => None,
        };
        let millis =
            digits(number).zip(scale).and_then(|(number, scale)| number.checked_mul(scale));
        within(millis.map(Duration::from_millis), &range, "a duration", show_duration)
    }
}

/// Whether something is `on` or `off`.
pub(super) fn switch(text: &str) -> Parsed<bool> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("wanted is on or off".to_owned()),
    }
}

/// Whether the variable of a flag without a value turns it on.
pub(super) fn truth(text: &str) -> Parsed<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        _ => Err("wanted is true or false".to_owned()),
    }
}

/// A size as it would be typed.
pub(super) fn show_size(bytes: &usize) -> String {
    match *bytes {
        0 => "0".to_owned(),
        bytes if bytes % (1 << 30) == 0 => format!("{}GiB", bytes >> 30),
        bytes if bytes % (1 << 20) == 0 => format!("{}MiB", bytes >> 20),
        bytes if bytes % (1 << 10) == 0 => format!("{}KiB", bytes >> 10),
        bytes => bytes.to_string(),
    }
}

/// A duration as it would be typed.
fn show_duration(duration: &Duration) -> String {
    match duration.as_millis() {
        millis if millis > 86_400_000 && millis % 86_400_000 == 0 => {
            format!("{}d", millis / 86_400_000)
        }
        millis if millis > 0 && millis % 3_600_000 == 0 => format!("{}h", millis / 3_600_000),
        millis if millis % 1_000 == 0 => format!("{}s", millis / 1_000),
        millis => format!("{millis}ms"),
    }
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn digits(text: &str) -> Option<u64> {
    // The standard parser also takes a plus sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn within<T: PartialOrd>(
    amount: Option<T>,
    range: &RangeInclusive<T>,
    what: &str,
    show: impl Fn(&T) -> String,
) -> Parsed<T> {
    amount.filter(|amount| range.contains(amount)).ok_or_else(|| {
        format!("wanted is {what} from {} to {}", show(range.start()), show(range.end()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_numbers_within_their_range() {
        let parse = count(1..=50_u32);
        assert_eq!(parse("1"), Ok(1));
        assert_eq!(parse("50"), Ok(50));
        for wrong in ["0", "51", "", "-1", "+1", "1.5", " 1", "1k", "x", "99999999999999999999999"]
        {
            assert_eq!(parse(wrong), Err("wanted is a whole number from 1 to 50".to_owned()));
        }
    }

    #[test]
    fn sizes_take_binary_units() {
        let parse = size(1..=1 << 30);
        for (text, bytes) in [
            ("65536", 65_536),
            ("64K", 65_536),
            ("64k", 65_536),
            ("64KiB", 65_536),
            ("1M", 1 << 20),
            ("1MiB", 1 << 20),
            ("256MiB", 256 << 20),
            ("1GiB", 1 << 30),
            ("12B", 12),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "K", "64KB", "1.5M", "64 K", "2GiB", "0", "99999999999999999999G"] {
            assert_eq!(parse(wrong), Err("wanted is a size from 1 to 1GiB".to_owned()), "{wrong}");
        }
    }

    #[test]
    fn durations_are_in_seconds_unless_they_say_otherwise() {
        let parse = duration(Duration::from_millis(100)..=Duration::from_secs(86_400));
        for (text, millis) in [
            ("120", 120_000),
            ("120s", 120_000),
            ("2m", 120_000),
            ("500ms", 500),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for wrong in ["", "s", "99ms", "25h", "2 m", "2d", "0", "18446744073709551615h"] {
            let fault = "wanted is a duration from 100ms to 24h".to_owned();
            assert_eq!(parse(wrong), Err(fault), "{wrong}");
        }
    }

    #[test]
    fn off_is_no_limit_and_is_offered() {
        let parse = or_off(count(1..=9_usize));
        assert_eq!(parse("off").map(Bound::most), Ok(None));
        assert_eq!(parse("9").map(Bound::most), Ok(Some(9)));
        assert_eq!(parse("0"), Err("wanted is a whole number from 1 to 9, or off".to_owned()));
        assert_eq!((switch("on"), switch("off")), (Ok(true), Ok(false)));
        assert_eq!(switch("yes"), Err("wanted is on or off".to_owned()));
        assert_eq!((truth("1"), truth("False")), (Ok(true), Ok(false)));
        assert_eq!(truth("maybe"), Err("wanted is true or false".to_owned()));
    }
}
