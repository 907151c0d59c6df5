//! Tells by its first bytes whether a peer speaks another protocol: HTTP, TLS or SSH.
//!
//! Promises: what a person could type as a name or as a line to say is never taken for one of them.
//! Deliberately no parsing beyond that recognition, and no other protocols.

use crate::chat::event::Stranger;

/// The protocol that the first bytes of a connection give away, before any line has ended.
///
/// Only a TLS record that holds a handshake (RFC 8446, section 5.1) does; it takes two bytes.
pub fn stranger_at_first_bytes(bytes: &[u8]) -> Option<Stranger> {
    bytes.starts_with(&[0x16, 0x03]).then_some(Stranger::Tls)
}

/// The protocol that the first line of a connection, without its line end, gives away.
///
/// HTTP by its request line (RFC 9112, section 3; the preface of HTTP/2 has the same form), SSH by
/// its identification string (RFC 4253, section 4.2).
pub fn stranger_by_first_line(line: &[u8]) -> Option<Stranger> {
    if is_request_line(line) {
        Some(Stranger::Http)
    } else if line.strip_prefix(b"SSH-").is_some_and(begins_with_digit) {
        Some(Stranger::Ssh)
    } else {
        None
    }
}

/// `VERB target HTTP/1`: an upper-case word, anything without blanks, a version.
fn is_request_line(line: &[u8]) -> bool {
    let mut words = line.split(|&byte| byte == b' ');
    let (Some(verb), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    !verb.is_empty()
        && verb.iter().all(|&byte| byte.is_ascii_uppercase() || byte == b'-')
        && !target.is_empty()
        && version.strip_prefix(b"HTTP/").is_some_and(begins_with_digit)
}

fn begins_with_digit(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn request_lines_are_http() {
        for line in [
            "GET / HTTP/1.1",
            "POST /a?b=c HTTP/1.0",
            "OPTIONS * HTTP/1.1",
            "CONNECT example.org:443 HTTP/1.1",
            "M-SEARCH * HTTP/1.1",
            "PRI * HTTP/2.0",
        ] {
            assert_eq!(stranger_by_first_line(line.as_bytes()), Some(Stranger::Http), "{line}");
        }
    }

    #[test]
    fn banners_are_ssh() {
        for line in ["SSH-2.0-OpenSSH_9.6", "SSH-1.99-x"] {
            assert_eq!(stranger_by_first_line(line.as_bytes()), Some(Stranger::Ssh), "{line}");
        }
    }

    #[test]
    fn a_handshake_record_is_tls_once_both_bytes_are_there() {
        assert_eq!(stranger_at_first_bytes(b""), None);
        assert_eq!(stranger_at_first_bytes(b"\x16"), None);
        assert_eq!(stranger_at_first_bytes(b"\x16\x03"), Some(Stranger::Tls));
        assert_eq!(stranger_at_first_bytes(b"\x16\x03\x01\x02\x00\x01"), Some(Stranger::Tls));
        assert_eq!(stranger_at_first_bytes(b"a\x16\x03"), None);
    }

    #[test]
    fn people_are_no_strangers() {
        for line in [
            "",
            "alice",
            "GET",
            "GET /",
            "GET / HTTP/",
            "get / HTTP/1.1",
            "GET  HTTP/1.1",
            "I wrote GET / HTTP/1.1",
            "GET / HTTP/1.1 is what I typed",
            "SSH-",
            "SSH-fan",
            "my SSH-2.0",
        ] {
            assert_eq!(stranger_by_first_line(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn single_words_are_names(line in "[A-Za-z][A-Za-z0-9_.]{0,23}") {
            prop_assert_eq!(stranger_by_first_line(line.as_bytes()), None);
            prop_assert_eq!(stranger_at_first_bytes(line.as_bytes()), None);
        }

        #[test]
        fn every_verb_and_target_is_http(line in "[A-Z]{1,12} [!-~]{1,40} HTTP/[0-9]\\.[0-9]") {
            prop_assert_eq!(stranger_by_first_line(line.as_bytes()), Some(Stranger::Http));
        }
    }
}
