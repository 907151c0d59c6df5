//! The figures in the text format of Prometheus, version 0.0.4.
//!
//! Promises: each family has its `HELP` and its `TYPE` once, before its samples; names and labels
//! are API: some are added, none changes its meaning. `protocol.md` lists all of them. Deliberately
//! names no person, no room and no address: figures are for many eyes.

use std::fmt::{Display, Write};
use std::time::Duration;

use super::process::Process;
use crate::net::figures::{Figures, Histogram};

/// What is being written.
struct Page<'o> {
    out: &'o mut String,
}

impl Page<'_> {
    /// One figure.
    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// The same where the machine tells it.
    fn known(&mut self, name: &str, help: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.one(name, "gauge", help, value);
        }
    }

    /// Figures of one name, each with a label.
    fn by<'l>(
        &mut self,
        (name, label): (&str, &str),
        kind: &str,
        help: &str,
        samples: impl Iterator<Item = (&'l str, u64)>,
    ) {
        self.family(name, kind, help);
        for (word, value) in samples {
            self.sample(name, &[(label, word)], value);
        }
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for (bound, count) in histogram.buckets() {
            self.sample(&bucket, &[("le", &bound.as_secs_f64().to_string())], count);
        }
        self.sample(&bucket, &[("le", "+Inf")], histogram.count());
        self.sample(&format!("{name}_sum"), &[], secs(histogram.sum()));
        self.sample(&format!("{name}_count"), &[], histogram.count());
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Nothing refuses to be written into a string.
        let _ = writeln!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        *self.out += name;
        for (place, (label, text)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            let _ = write!(self.out, "{before}{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.out.push('}');
        }
        let _ = writeln!(self.out, " {value}");
    }
}

/// The value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn secs(time: Duration) -> f64 {
    time.as_secs_f64()
}

/// Appends all figures. Each of them stands in `protocol.md`.
pub fn render(figures: &Figures, process: &Process, out: &mut String) {
    let mut page = Page { out };
    let version = env!("CARGO_PKG_VERSION");
    page.family("chatline_build_info", "gauge", "Which chatline this is; always 1.");
    page.sample("chatline_build_info", &[("version", version)], 1);
    conversation(&mut page, figures);
    traffic(&mut page, figures);
    page.one(
        "chatline_queue_bytes",
        "gauge",
        "Bytes that wait for readers who have not taken them yet.",
        figures.queue_bytes,
    );
    page.histogram(
        "chatline_turn_seconds",
        "How long turns of the loop took, from waking to going to sleep.",
        &figures.turns,
    );
    store(&mut page, figures);
    page.known(
        "chatline_tls_certificate_expiry_seconds",
        "When the certificate ends, in seconds since 1970 UTC.",
        figures.certificate_ends_at,
    );
    of_process(&mut page, figures, process);
}

fn conversation(page: &mut Page<'_>, figures: &Figures) {
    let opened = || figures.counts.opened();
    page.by(
        ("chatline_connections", "kind"),
        "gauge",
        "Connections that are open, by how they came in.",
        opened().map(|(kind, opened)| (kind.word(), opened.now)),
    );
    page.by(
        ("chatline_connections_total", "kind"),
        "counter",
        "Connections that were let in, by how they came in.",
        opened().map(|(kind, opened)| (kind.word(), opened.total)),
    );
    page.one("chatline_people", "gauge", "People who have a name.", figures.people);
    page.one("chatline_rooms", "gauge", "Rooms that there are.", figures.rooms);
}

fn traffic(page: &mut Page<'_>, figures: &Figures) {
    let counts = &figures.counts;
    page.one("chatline_lines_in_total", "counter", "Lines that were taken.", counts.lines_in);
    page.one(
        "chatline_lines_out_total",
        "counter",
        "Messages, notices and answers, once for each connection that was told one.",
        counts.lines_out,
    );
    let help = "Bytes that were read from connections.";
    page.one("chatline_bytes_in_total", "counter", help, counts.bytes_in);
    let help = "Bytes that connections took.";
    page.one("chatline_bytes_out_total", "counter", help, counts.bytes_out);
    page.by(
        ("chatline_refusals_total", "code"),
        "counter",
        "Refusals, by their code.",
        counts.refusals().map(|(code, count)| (code.word(), count)),
    );
    page.by(
        ("chatline_partings_total", "reason"),
        "counter",
        "Connections that have ended, by why.",
        counts.partings(),
    );
}

fn store(page: &mut Page<'_>, figures: &Figures) {
    let Some(lag) = figures.lag else { return };
    page.one(
        "chatline_store_lag_seconds",
        "gauge",
        "For how long the oldest of what is to be kept has waited for it.",
        secs(lag.waited),
    );
    page.one(
        "chatline_store_waiting_bytes",
        "gauge",
        "Bytes that are to be kept and are not yet, about.",
        lag.bytes,
    );
    page.one(
        "chatline_store_failing",
        "gauge",
        "1 while what is said is not kept.",
        u8::from(lag.is_failing),
    );
}

fn of_process(page: &mut Page<'_>, figures: &Figures, process: &Process) {
    page.one(
        "chatline_log_lines_lost_total",
        "counter",
        "Lines of the log that nobody read fast enough.",
        figures.log_lines_lost,
    );
    page.one(
        "process_start_time_seconds",
        "gauge",
        "When the server started, in seconds since 1970 UTC.",
        process.started,
    );
    page.known("process_open_fds", "Descriptors that are open.", process.open_fds);
    page.known("process_max_fds", "Descriptors that may be open.", process.max_fds);
    page.known(
        "process_resident_memory_bytes",
        "Memory that is not swapped out, in bytes.",
        process.resident_bytes,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::event::{Code, Parting};
    use crate::net::figures::{Kind, Lag};

    fn rendered(figures: &Figures) -> String {
        let mut out = String::new();
        render(figures, &Process { open_fds: Some(12), ..Process::default() }, &mut out);
        out
    }

    #[test]
    fn labels_are_escaped() {
        let mut out = String::new();
        let labels = [("a", "q\"b\\s"), ("b", "two\nlines")];
        Page { out: &mut out }.sample("it", &labels, 7);
        assert_eq!(out, "it{a=\"q\\\"b\\\\s\",b=\"two\\nlines\"} 7\n");
    }

    #[test]
    fn every_sample_follows_its_family() {
        let figures = Figures { lag: Some(Lag::default()), ..Figures::default() };
        let text = rendered(&figures);
        let mut family = "";
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                family = rest.split(' ').next().unwrap_or_default();
                assert_eq!(text.matches(&format!("# TYPE {family} ")).count(), 1, "{family}");
            } else if !line.starts_with("# TYPE ") {
                let (sample, value) = line.rsplit_once(' ').unwrap_or_default();
                let name = sample.split('{').next().unwrap_or_default();
                let rest = name.strip_prefix(family);
                assert!(matches!(rest, Some("" | "_bucket" | "_sum" | "_count")), "{line}");
                assert!(value.parse::<f64>().is_ok(), "{line}");
            }
        }
    }

    #[test]
    fn what_was_counted_is_shown() {
        let mut figures = Figures { people: 3, ..Figures::default() };
        figures.counts.note_opened(Kind::Telnet);
        figures.counts.note_refused(Code::NoName);
        figures.counts.note_parted(Parting::NoName.word());
        figures.turns.note(Duration::from_micros(30));
        figures.turns.note(Duration::from_secs(2));
        let text = rendered(&figures);
        for line in [
            "chatline_connections{kind=\"telnet\"} 1",
            "chatline_connections{kind=\"lines\"} 0",
            "chatline_people 3",
            "chatline_refusals_total{code=\"no-name\"} 1",
            "chatline_partings_total{reason=\"no-name\"} 1",
            "chatline_partings_total{reason=\"quit\"} 0",
            "chatline_turn_seconds_bucket{le=\"0.00001\"} 0",
            "chatline_turn_seconds_bucket{le=\"0.00005\"} 1",
            "chatline_turn_seconds_bucket{le=\"1\"} 1",
            "chatline_turn_seconds_bucket{le=\"+Inf\"} 2",
            "chatline_turn_seconds_sum 2.00003",
            "chatline_turn_seconds_count 2",
            "process_open_fds 12",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is missing in:\n{text}");
        }
        // What nobody keeps does not lag, and what the machine does not tell is left out.
        assert!(!text.contains("chatline_store_") && !text.contains("process_max_fds"), "{text}");
    }
}
