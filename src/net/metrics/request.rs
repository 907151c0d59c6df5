//! From the head of an HTTP request to the bytes of its answer.
//!
//! Promises: whatever comes is answered, garbage with 400 and a head beyond [`HEAD_BYTES_MAX`] with
//! 431; each answer has its length and ends the connection. Deliberately nothing else of HTTP: no
//! body is looked at, and no header.

use std::fmt::Write;

use httparse::{EMPTY_HEADER, Error, Request, Status};

use super::process::Process;
use super::text;
use crate::net::figures::Figures;

/// A head is at most so long, in bytes.
pub const HEAD_BYTES_MAX: usize = 4 << 10;
/// A head has at most so many headers.
const HEADERS_MAX: usize = 64;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    what: What,
    /// Only the head of the answer is wanted.
    is_head_alone: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Metrics,
    Health,
    NoSuchPage,
    /// To do something else than to look.
    NoSuchMethod,
    /// It is no request.
    Garbage,
    /// It is longer than may be.
    TooLong,
}

/// What a head asks for; `None` while more of it is to come.
pub fn parse(head: &[u8]) -> Option<Asked> {
    let asked = |what| Some(Asked { what, is_head_alone: false });
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut request = Request::new(&mut headers);
    match request.parse(head) {
        // What comes in one piece with its end may be longer.
        Ok(Status::Complete(length)) if length > HEAD_BYTES_MAX => asked(What::TooLong),
        Ok(Status::Partial) if head.len() > HEAD_BYTES_MAX => asked(What::TooLong),
        Ok(Status::Partial) => None,
        Ok(Status::Complete(_)) => {
            let path = request.path.unwrap_or_default();
            let what = match (request.method, path.split('?').next()) {
                (Some("GET" | "HEAD"), Some("/metrics")) => What::Metrics,
                (Some("GET" | "HEAD"), Some("/healthz")) => What::Health,
                (_, Some("/metrics" | "/healthz")) => What::NoSuchMethod,
                _ => What::NoSuchPage,
            };
            Some(Asked { what, is_head_alone: request.method == Some("HEAD") })
        }
        Err(Error::TooManyHeaders) => asked(What::TooLong),
        Err(_) => asked(What::Garbage),
    }
}

/// The whole answer.
pub fn answer(asked: &Asked, figures: &Figures, process: &Process) -> Vec<u8> {
    let mut body = String::new();
    let status = match asked.what {
        What::Metrics => {
            text::render(figures, process, &mut body);
            "200 OK"
        }
        What::Health if figures.is_healthy() => {
            body += "ok\n";
            "200 OK"
        }
        What::Health => {
            body += match figures.is_stopping {
                true => "the server stops\n",
                false => "what is said is not kept\n",
            };
            "503 Service Unavailable"
        }
        What::NoSuchPage => {
            body += "there are /metrics and /healthz\n";
            "404 Not Found"
        }
        What::NoSuchMethod => {
            body += "wanted is GET\n";
            "405 Method Not Allowed\r\nAllow: GET, HEAD"
        }
        What::Garbage => {
            body += "wanted is GET /metrics HTTP/1.1\n";
            "400 Bad Request"
        }
        What::TooLong => {
            body += "wanted is a shorter request\n";
            "431 Request Header Fields Too Large"
        }
    };
    let kind = match asked.what {
        What::Metrics => "text/plain; version=0.0.4; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    };
    let mut answer = String::with_capacity(body.len() + 256);
    let length = body.len();
    // Nothing refuses to be written into a string.
    let _ = write!(
        answer,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nCache-Control: \
         no-store\r\nConnection: close\r\n\r\n"
    );
    if !asked.is_head_alone {
        answer += &body;
    }
    answer.into_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::net::figures::Lag;

    fn answered_with(head: &str, figures: &Figures) -> String {
        let asked = parse(head.as_bytes()).unwrap();
        String::from_utf8(answer(&asked, figures, &Process::default())).unwrap()
    }

    fn answered(head: &str) -> String {
        answered_with(head, &Figures::default())
    }

    #[test]
    fn a_request_is_answered_when_it_is_whole() {
        let head = "GET /healthz?from=here HTTP/1.1\r\nHost: a\r\n\r\n";
        for length in 0..head.len() {
            assert_eq!(parse(&head.as_bytes()[..length]), None, "{length}");
        }
        let (start, body) = ("HTTP/1.1 200 OK\r\n", "\r\nConnection: close\r\n\r\nok\n");
        let seen = answered(head);
        assert!(seen.starts_with(start) && seen.ends_with(body), "{seen}");
        assert!(seen.contains("\r\nContent-Length: 3\r\n"), "{seen}");
        let seen = answered("HEAD /healthz HTTP/1.0\n\n");
        assert!(seen.contains("\r\nContent-Length: 3\r\n") && seen.ends_with("\r\n\r\n"), "{seen}");
        let seen = answered("GET /metrics HTTP/1.1\r\n\r\n");
        assert!(seen.contains("version=0.0.4"), "{seen}");
        let (head, body) = seen.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    }

    #[test]
    fn what_is_not_there_is_refused_by_the_right_number() {
        for (head, status) in [
            ("GET / HTTP/1.1\r\n\r\n", "404 "),
            ("GET http://here/metrics HTTP/1.1\r\n\r\n", "404 "),
            ("POST / HTTP/1.1\r\n\r\n", "404 "),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed\r\nAllow: GET, HEAD\r\n"),
            ("hello\r\n", "400 "),
            ("\u{16}\u{3}\u{1}", "400 "),
            ("GET /metrics HTTP/9\r\n\r\n", "400 "),
            (&"x".repeat(HEAD_BYTES_MAX + 1), "431 "),
            (&format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(HEAD_BYTES_MAX)), "431 "),
            (&format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX + 1)), "431 "),
        ] {
            let seen = answered(head);
            assert!(seen.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {seen}");
        }
        assert_eq!(parse(&b"x".repeat(HEAD_BYTES_MAX)), None);
    }

    #[test]
    fn who_is_not_well_says_why() {
        let head = "GET /healthz HTTP/1.1\r\n\r\n";
        let lag = Some(Lag { is_failing: true, ..Lag::default() });
        let seen = answered_with(head, &Figures { lag, ..Figures::default() });
        assert!(seen.starts_with("HTTP/1.1 503 ") && seen.ends_with("is not kept\n"), "{seen}");
        let seen = answered_with(head, &Figures { is_stopping: true, ..Figures::default() });
        assert!(seen.starts_with("HTTP/1.1 503 ") && seen.ends_with("server stops\n"), "{seen}");
    }
}
