//! The commands of telnet (RFC 854, 855, 860), taken out of a stream one byte at a time.
//!
//! Promises: it never speaks first, refuses each option once and so cannot be drawn into a loop,
//! and strips every command and subnegotiation however the bytes are cut. No option is agreed to
//! but those that were offered with [`TERMINAL_WANTED`]. Deliberately nothing is known of lines.

/// Interpret As Command: the byte that begins every command; doubled, it is data.
pub const IAC: u8 = 255;

const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
/// Subnegotiation begins, and ends.
const SB: u8 = 250;
const SE: u8 = 240;
const ERASE_LINE: u8 = 248;
const ERASE_CHARACTER: u8 = 247;
const ARE_YOU_THERE: u8 = 246;
const INTERRUPT_PROCESS: u8 = 244;
const BREAK: u8 = 243;
const ABORT: u8 = 238;
const SUSPEND: u8 = 237;
const END_OF_FILE: u8 = 236;

/// The option that asks for an answer at this point of the stream (RFC 860).
const TIMING_MARK: u8 = 6;
/// The options that make a client send each key and show nothing by itself (RFC 857, 858), say what
/// its terminal is (RFC 1091) and how large (RFC 1073).
const ECHO: u8 = 1;
const SUPPRESS_GO_AHEAD: u8 = 3;
const TERMINAL_TYPE: u8 = 24;
const WINDOW_SIZE: u8 = 31;

/// Asks the peer not to show what is typed (RFC 857).
pub const WILL_ECHO: [u8; 3] = [IAC, WILL, ECHO];

/// Asks the peer to show again what is typed.
pub const WONT_ECHO: [u8; 3] = [IAC, WONT, ECHO];

/// Asks the peer to send each key as it is pressed, and to tell of its terminal.
pub const TERMINAL_WANTED: [u8; 12] =
    [IAC, WILL, ECHO, IAC, WILL, SUPPRESS_GO_AHEAD, IAC, DO, TERMINAL_TYPE, IAC, DO, WINDOW_SIZE];

/// Asks the peer for the name of its terminal.
pub const TYPE_WANTED: [u8; 6] = [IAC, SB, TERMINAL_TYPE, 1, IAC, SE];

/// Tells the peer to edit its lines itself again.
pub const TERMINAL_OVER: [u8; 6] = [IAC, WONT, ECHO, IAC, WONT, SUPPRESS_GO_AHEAD];

/// The answer that a telnet waits for after its interrupt (RFC 860): until then it shows nothing.
pub const TIMING_MARK_REFUSED: [u8; 3] = [IAC, WONT, TIMING_MARK];

/// Bytes after which a subnegotiation without an end is given up.
const SUBNEGOTIATION_BYTES_MAX: u16 = 4096;

/// How many bytes of a subnegotiation are looked at.
const SUBNEGOTIATION_BYTES_KEPT: usize = 40;

/// What one byte of the stream amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The byte is consumed and means nothing more.
    Nothing,
    /// A byte of the text.
    Data(u8),
    /// Send this: an option is refused.
    Reply([u8; 3]),
    /// The peer asks for a sign of life (AYT).
    AreYouThere,
    /// The peer wants to stop what goes on (IP, BRK, ABORT, SUSP).
    Interrupt,
    /// The character before is to be erased (EC).
    EraseChar,
    /// The line so far is to be erased (EL).
    EraseLine,
    /// The peer will send no more (EOF, RFC 1184).
    EndOfInput,
    /// The peer sends each key from now on, as it was asked to; or will not.
    SendsKeys(bool),
    /// The peer's terminal can be asked for its name.
    HasType,
    /// Whether the peer's terminal can do nothing but print.
    IsDumb(bool),
    /// The peer's terminal has that many columns and rows.
    Size(u16, u16),
}

/// Where in a command the stream stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Data,
    /// After IAC.
    Command,
    /// After IAC and a verb; the option follows.
    Negotiation(Verb),
    /// Within a subnegotiation of which so many bytes have come.
    Subnegotiation(u16),
    /// After an IAC within a subnegotiation.
    SubnegotiationCommand(u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Do,
    Will,
    Dont,
    Wont,
}

/// What became of the wish that the peer send each key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    /// It was declined, or taken back.
    #[default]
    Off,
    /// There is no answer yet.
    Open,
    /// The peer does so.
    On,
}

/// What is known of a peer that was asked to send each key.
#[derive(Clone, Debug, Default)]
struct Offer {
    /// Whether it has to answer, or does so.
    stands: Standing,
    /// The first bytes of the subnegotiation under way.
    bytes: Vec<u8>,
}

/// One connection's telnet: a state and the options that were refused, 80 bytes; and heap only for
/// who was asked to send each key.
#[derive(Clone, Debug, Default)]
pub struct Telnet {
    state: State,
    wont: OptionSet,
    dont: OptionSet,
    offer: Option<Box<Offer>>,
}

impl Telnet {
    /// Whether the next byte is plain data unless it is [`IAC`].
    pub fn is_idle(&self) -> bool {
        self.state == State::Data
    }

    /// [`WILL_ECHO`] is sent: the answer to it is no question, and is not refused.
    pub fn offer_echo(&mut self) {
        self.wont.insert(ECHO);
    }

    /// [`TERMINAL_WANTED`] is sent: the answers to it are agreed to.
    pub fn offer_terminal(&mut self) {
        self.offer.get_or_insert_default().stands = Standing::Open;
    }

    /// [`TERMINAL_OVER`] is sent: the answers to it are no news.
    pub fn take_back_terminal(&mut self) {
        if let Some(offer) = &mut self.offer {
            offer.stands = Standing::Off;
        }
    }

    /// Takes the next byte of the stream and says what it amounts to.
    pub fn step(&mut self, byte: u8) -> Step {
        match self.state {
            State::Data if byte == IAC => self.go(State::Command),
            State::Data => Step::Data(byte),
            State::Command => self.command(byte),
            State::Negotiation(verb) => {
                self.state = State::Data;
                self.agree(verb, byte).unwrap_or_else(|| self.refuse(verb, byte))
            }
            State::Subnegotiation(len) if byte == IAC => self.go(State::SubnegotiationCommand(len)),
            State::SubnegotiationCommand(_) if byte == SE => {
                self.state = State::Data;
                self.subnegotiated()
            }
            State::SubnegotiationCommand(_) if byte != IAC => self.command(byte),
            State::Subnegotiation(len) | State::SubnegotiationCommand(len) => {
                if let Some(offer) = &mut self.offer
                    && offer.bytes.len() < SUBNEGOTIATION_BYTES_KEPT
                {
                    offer.bytes.push(byte);
                }
                self.go(if len + 1 < SUBNEGOTIATION_BYTES_MAX {
                    State::Subnegotiation(len + 1)
                } else {
                    State::Data
                })
            }
        }
    }

    fn go(&mut self, state: State) -> Step {
        self.state = state;
        Step::Nothing
    }

    /// The byte after an IAC.
    fn command(&mut self, byte: u8) -> Step {
        self.state = match byte {
            DO => State::Negotiation(Verb::Do),
            WILL => State::Negotiation(Verb::Will),
            DONT => State::Negotiation(Verb::Dont),
            WONT => State::Negotiation(Verb::Wont),
            SB => {
                if let Some(offer) = &mut self.offer {
                    offer.bytes.clear();
                }
                State::Subnegotiation(0)
            }
            _ => State::Data,
        };
        match byte {
            IAC => Step::Data(IAC),
            ERASE_LINE => Step::EraseLine,
            ERASE_CHARACTER => Step::EraseChar,
            ARE_YOU_THERE => Step::AreYouThere,
            INTERRUPT_PROCESS | BREAK | ABORT | SUSPEND => Step::Interrupt,
            END_OF_FILE => Step::EndOfInput,
            // SE, what the new state awaits, and what asks nothing of us: NOP, DM, AO, GA.
            _ => Step::Nothing,
        }
    }

    /// What the answer to an offer amounts to; `None` for what is no answer to one.
    fn agree(&mut self, verb: Verb, option: u8) -> Option<Step> {
        let offer = self.offer.as_mut()?;
        Some(match (verb, option) {
            (Verb::Do, ECHO) if offer.stands == Standing::Open => {
                offer.stands = Standing::On;
                Step::SendsKeys(true)
            }
            (Verb::Dont, ECHO) if offer.stands != Standing::Off => {
                offer.stands = Standing::Off;
                Step::SendsKeys(false)
            }
            (Verb::Will, TERMINAL_TYPE) => Step::HasType,
            (Verb::Do, ECHO | SUPPRESS_GO_AHEAD) | (Verb::Will, WINDOW_SIZE) => Step::Nothing,
            _ => return None,
        })
    }

    /// What the subnegotiation that has just ended amounts to.
    fn subnegotiated(&mut self) -> Step {
        let Some(offer) = &mut self.offer else { return Step::Nothing };
        match *std::mem::take(&mut offer.bytes) {
            [WINDOW_SIZE, a, b, c, d] => {
                Step::Size(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
            }
            [TERMINAL_TYPE, 0, ref name @ ..] => Step::IsDumb(name.eq_ignore_ascii_case(b"dumb")),
            _ => Step::Nothing,
        }
    }

    fn refuse(&mut self, verb: Verb, option: u8) -> Step {
        match verb {
            // A timing mark is a question, not a setting: every one of them awaits its answer.
            Verb::Do if option == TIMING_MARK || self.wont.insert(option) => {
                Step::Reply([IAC, WONT, option])
            }
            Verb::Will if self.dont.insert(option) => Step::Reply([IAC, DONT, option]),
            // What is off already need not be answered.
            Verb::Do | Verb::Will | Verb::Dont | Verb::Wont => Step::Nothing,
        }
    }
}

/// A set of options, one bit each.
#[derive(Clone, Debug, Default)]
struct OptionSet([u32; 8]);

impl OptionSet {
    /// Whether `option` was not in the set before.
    fn insert(&mut self, option: u8) -> bool {
        let word = &mut self.0[usize::from(option / 32)];
        let bit = 1 << (option % 32);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Everything but `Nothing` that the bytes amount to.
    fn steps(telnet: &mut Telnet, bytes: &[u8]) -> Vec<Step> {
        let steps = bytes.iter().map(|&byte| telnet.step(byte));
        steps.filter(|step| *step != Step::Nothing).collect()
    }

    fn fresh(bytes: &[u8]) -> Vec<Step> {
        steps(&mut Telnet::default(), bytes)
    }

    fn data(text: &[u8]) -> Vec<Step> {
        text.iter().map(|&byte| Step::Data(byte)).collect()
    }

    #[test]
    fn it_is_as_small_as_it_says() {
        assert!(size_of::<Telnet>() <= 80);
    }

    #[test]
    fn commands_are_told_apart() {
        for (byte, step) in [
            (ARE_YOU_THERE, Step::AreYouThere),
            (INTERRUPT_PROCESS, Step::Interrupt),
            (BREAK, Step::Interrupt),
            (ABORT, Step::Interrupt),
            (SUSPEND, Step::Interrupt),
            (ERASE_CHARACTER, Step::EraseChar),
            (ERASE_LINE, Step::EraseLine),
            (END_OF_FILE, Step::EndOfInput),
            (IAC, Step::Data(0xFF)),
        ] {
            assert_eq!(fresh(&[IAC, byte]), [step]);
        }
        for silent in [SE, 241, 242, 245, 249, 0, b'a', 239, 235] {
            assert_eq!(fresh(&[IAC, silent]), []);
            assert_eq!(fresh(&[IAC, silent, b'x']), data(b"x"));
        }
    }

    #[test]
    fn each_option_is_refused_once() {
        let mut telnet = Telnet::default();
        for option in 0..=255 {
            let (wont, dont) = ([IAC, WONT, option], [IAC, DONT, option]);
            assert_eq!(steps(&mut telnet, &[IAC, DO, option]), [Step::Reply(wont)]);
            assert_eq!(steps(&mut telnet, &[IAC, WILL, option]), [Step::Reply(dont)]);
        }
        for option in (0..=255).filter(|&option| option != TIMING_MARK) {
            assert_eq!(steps(&mut telnet, &[IAC, DO, option, IAC, WILL, option]), []);
            assert_eq!(steps(&mut telnet, &[IAC, DONT, option, IAC, WONT, option]), []);
        }
    }

    #[test]
    fn the_answer_to_an_offer_is_not_refused() {
        let mut telnet = Telnet::default();
        telnet.offer_echo();
        assert_eq!(steps(&mut telnet, &[IAC, DO, ECHO, IAC, DONT, ECHO]), []);
    }

    #[test]
    fn what_was_offered_is_agreed_to() {
        let mut telnet = Telnet::default();
        assert_eq!(steps(&mut telnet, b"\xFF\xFB\x1F"), [Step::Reply([IAC, DONT, WINDOW_SIZE])]);
        telnet.offer_terminal();
        let agreed = b"\xFF\xFD\x01\xFF\xFD\x03\xFF\xFB\x18\xFF\xFB\x1F\xFF\xFD\x01";
        assert_eq!(steps(&mut telnet, agreed), [Step::SendsKeys(true), Step::HasType]);
        let size = b"\xFF\xFA\x1F\x00\x50\x01\xFF\xFF\xFF\xF0";
        assert_eq!(steps(&mut telnet, size), [Step::Size(80, 511)]);
        let name = b"\xFF\xFA\x18\x00DUMB\xFF\xF0\xFF\xFA\x18\x00xterm\xFF\xF0";
        assert_eq!(steps(&mut telnet, name), [Step::IsDumb(true), Step::IsDumb(false)]);
        let long = [&[IAC, SB, TERMINAL_TYPE, 0][..], &[b'x'; 4000], &[IAC, SE]].concat();
        assert_eq!(steps(&mut telnet, &long), [Step::IsDumb(false)]);
        assert_eq!(steps(&mut telnet, b"\xFF\xFE\x01\xFF\xFE\x01"), [Step::SendsKeys(false)]);
        telnet.offer_terminal();
        assert_eq!(steps(&mut telnet, b"\xFF\xFD\x01"), [Step::SendsKeys(true)]);
        telnet.take_back_terminal();
        assert_eq!(steps(&mut telnet, b"\xFF\xFE\x01\xFF\xFD\x01"), []);
        let other = Step::Reply([IAC, WONT, 34]);
        assert_eq!(steps(&mut telnet, b"\xFF\xFD\x22\xFF\xFD\x22"), [other]);
    }

    #[test]
    fn every_timing_mark_is_answered() {
        let answer = Step::Reply([IAC, WONT, TIMING_MARK]);
        let mut telnet = Telnet::default();
        for _ in 0..3 {
            assert_eq!(steps(&mut telnet, &[IAC, DO, TIMING_MARK]), [answer]);
        }
        let will = [IAC, WILL, TIMING_MARK];
        assert_eq!(steps(&mut telnet, &will), [Step::Reply([IAC, DONT, TIMING_MARK])]);
        assert_eq!(steps(&mut telnet, &will), []);
    }

    #[test]
    fn subnegotiations_are_stripped() {
        assert_eq!(fresh(b"a\xFF\xFA\x18\x00xterm\n\xFF\xF0b"), data(b"ab"));
        assert_eq!(fresh(b"a\xFF\xFA\x18\xFF\xFFx\xFF\xF0b"), data(b"ab"));
        assert_eq!(fresh(b"\xFF\xFA\xFF\xF0b"), data(b"b"));
    }

    #[test]
    fn another_command_ends_a_subnegotiation() {
        let ayt = b"\xFF\xFA\x18x\xFF\xF6b";
        assert_eq!(fresh(ayt), [Step::AreYouThere, Step::Data(b'b')]);
        let negotiation = b"\xFF\xFA\x18x\xFF\xFD\x01b";
        assert_eq!(fresh(negotiation), [Step::Reply([IAC, WONT, 1]), Step::Data(b'b')]);
        assert_eq!(fresh(b"\xFF\xFA\x18x\xFF\xFA\x18y\xFF\xF0b"), data(b"b"));
    }

    #[test]
    fn an_endless_subnegotiation_is_given_up() {
        let max = usize::from(SUBNEGOTIATION_BYTES_MAX);
        let with = |len: usize, end: &[u8]| [&[IAC, SB], &vec![7; len][..], end].concat();
        assert_eq!(fresh(&with(max, b"\xFF\xF0b")), data(b"b"));
        assert_eq!(fresh(&with(max + 2, b"b")), data(b"\x07\x07b"));
        assert_eq!(fresh(&with(max - 1, b"\xFF\xFFb")), data(b"b"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn text_passes_and_idleness_tells_it(text in proptest::collection::vec(0u8..255, 0..64)) {
            let mut telnet = Telnet::default();
            prop_assert_eq!(steps(&mut telnet, &text), data(&text));
            prop_assert!(telnet.is_idle());
        }

        #[test]
        fn doubled_iac_restores_any_text(text in any::<Vec<u8>>()) {
            let doubled: Vec<u8> =
                text.iter().flat_map(|&byte| vec![byte; 1 + usize::from(byte == IAC)]).collect();
            prop_assert_eq!(fresh(&doubled), data(&text));
        }

        #[test]
        fn replies_are_refusals_and_bounded(
            bytes in proptest::collection::vec(prop_oneof![Just(IAC), 236..255u8, 0..255u8], 0..500)
        ) {
            let replies: Vec<_> = fresh(&bytes).into_iter().filter_map(|step| match step {
                Step::Reply([IAC, verb @ (WONT | DONT), option]) => Some((verb, option)),
                Step::Reply(other) => panic!("{other:?}"),
                _ => None,
            }).filter(|&(_, option)| option != TIMING_MARK).collect();
            let mut once = replies.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), replies.len());
        }
    }
}
