//! The colours of names, and of what stands beside what people say.
//!
//! Promises: a name has the same colour everywhere and after every restart, however its letters are
//! cased; every colour can be read on the backgrounds that its palette is for (WCAG 2.2, contrast
//! ratio: 3 on both black and white, 4.5 where the background is known). Deliberately the colours
//! 16 to 255 of xterm alone: those before them are whatever the terminal makes of them.

use crate::chat::name::key_of;

/// The colours for a kind of background, as numbers of xterm's.
#[derive(Debug)]
pub(super) struct Palette {
    names: [u8; 12],
    refusal: u8,
    aside: u8,
}

/// For any background.
pub(super) const ON: Palette = Palette {
    names: [130, 93, 31, 28, 169, 26, 65, 131, 200, 100, 197, 135],
    refusal: 160,
    aside: 244,
};

/// For dark ones.
pub(super) const DARK: Palette = Palette {
    names: [139, 46, 165, 220, 50, 65, 33, 199, 81, 113, 223, 208],
    refusal: 203,
    aside: 247,
};

/// For light ones.
pub(super) const LIGHT: Palette = Palette {
    names: [21, 24, 126, 22, 94, 62, 128, 161, 96, 19, 88, 54],
    refusal: 160,
    aside: 242,
};

impl Palette {
    /// How a name looks.
    pub(super) fn name(&self, name: &str) -> Style {
        let place = hash(&key_of(name)) % self.names.len() as u64;
        Style::Color(self.names[place as usize])
    }

    /// How the mark and the code of a refusal look.
    pub(super) fn refusal(&self) -> Style {
        Style::Bold(self.refusal)
    }

    /// How looks what is there to be overlooked.
    pub(super) fn aside(&self) -> Style {
        Style::Color(self.aside)
    }
}

/// FNV-1a: it need not withstand anybody, who would gain a colour.
fn hash(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// How a piece of a line looks (ECMA-48, SGR).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// In that colour.
    Color(u8),
    /// In that colour, and bold.
    Bold(u8),
    /// The reader's own name: foreground and background change places.
    Mention,
}

impl Style {
    pub(super) fn bold(self) -> Style {
        match self {
            Style::Color(color) => Style::Bold(color),
            other => other,
        }
    }

    /// Appends a text that looks so; what follows looks as before.
    pub(super) fn paint(self, text: &str, out: &mut Vec<u8>) {
        let begin = match self {
            Style::Color(color) => format!("\x1b[38;5;{color}m"),
            Style::Bold(color) => format!("\x1b[1;38;5;{color}m"),
            Style::Mention => "\x1b[7m".to_owned(),
        };
        out.extend_from_slice(begin.as_bytes());
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(b"\x1b[0m");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, green and blue of a colour from 16 on, each from 0 to 255.
    fn rgb(color: u8) -> [u8; 3] {
        let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
        match color {
            0..16 => panic!("{color} is what the terminal makes of it"),
            16..232 => {
                let cube = color - 16;
                [level(cube / 36), level(cube / 6 % 6), level(cube % 6)]
            }
            232.. => [8 + 10 * (color - 232); 3],
        }
    }

    fn linear(color: u8) -> [f64; 3] {
        rgb(color).map(|part| match f64::from(part) / 255.0 {
            part if part <= 0.04045 => part / 12.92,
            part => ((part + 0.055) / 1.055).powf(2.4),
        })
    }

    fn luminance(color: u8) -> f64 {
        let [red, green, blue] = linear(color);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn on_black(color: u8) -> f64 {
        (luminance(color) + 0.05) / 0.05
    }

    fn on_white(color: u8) -> f64 {
        1.05 / (luminance(color) + 0.05)
    }

    /// In CIELAB, where the distance of two colours is how different they look.
    fn lab(color: u8) -> [f64; 3] {
        let [red, green, blue] = linear(color);
        let of = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let x = of((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505);
        let y = of(0.2126 * red + 0.7152 * green + 0.0722 * blue);
        let z = of((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn distance(one: u8, other: u8) -> f64 {
        let pairs = lab(one).into_iter().zip(lab(other));
        pairs.map(|(one, other)| (one - other).powi(2)).sum::<f64>().sqrt()
    }

    fn all(palette: &Palette) -> impl Iterator<Item = u8> {
        palette.names.into_iter().chain([palette.refusal, palette.aside])
    }

    #[test]
    fn every_colour_can_be_read() {
        for color in all(&ON) {
            assert!(on_black(color) >= 3.0 && on_white(color) >= 3.0, "{color}");
        }
        for color in all(&DARK) {
            assert!(on_black(color) >= 4.5, "{color} on black: {}", on_black(color));
        }
        for color in all(&LIGHT) {
            assert!(on_white(color) >= 4.5, "{color} on white: {}", on_white(color));
        }
    }

    #[test]
    fn no_two_colours_look_the_same() {
        for palette in [&ON, &DARK, &LIGHT] {
            let colors: Vec<u8> = palette.names.into_iter().chain([palette.refusal]).collect();
            for (place, one) in colors.iter().enumerate() {
                for other in &colors[..place] {
                    let distance = distance(*one, *other);
                    assert!(distance >= 30.0, "{one} and {other}: {distance}");
                }
            }
        }
    }

    #[test]
    fn a_name_keeps_its_colour() {
        assert_eq!(ON.name("Straße"), ON.name("STRASSE"));
        for (name, color) in [("alice", 135), ("bob", 130), ("carol", 197), ("dave", 28)] {
            assert_eq!(ON.name(name), Style::Color(color), "{name}");
        }
    }

    #[test]
    fn names_share_the_colours_evenly() {
        let mut counts = [0; 12];
        for n in 0..1200 {
            let Style::Color(color) = ON.name(&format!("guest-{n}")) else {
                panic!("a name is coloured");
            };
            let place = ON.names.iter().position(|it| *it == color);
            counts[place.expect("it is of the palette")] += 1;
        }
        assert!(counts.iter().all(|count| (50..200).contains(count)), "{counts:?}");
    }
}
