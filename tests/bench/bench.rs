//! The benchmark: `cargo bench` drives `chatline` from outside, with many connections, beside a
//! bare server that does nothing but carry lines.
//!
//! Promises: a fresh server process for each run, on a core of its own; servers take turns, so that
//! a slow moment of the machine meets them all; figures are medians. Needs Linux: processor time
//! and memory are read from /proc. Deliberately judges nothing: it prints.
#![allow(clippy::unwrap_used)]

mod dialect;
mod driver;
mod floor;
mod load;
mod million;
mod payload;
mod peers;
mod server;
mod stats;
mod subject;
mod table;
mod work;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use subject::Subject;
use table::Runs;
use work::{Case, Settings, Workload};

/// How long a run is measured where everything is short.
const BRIEF: Duration = Duration::from_millis(300);

/// The bare server and the million have the memory of the program that is measured.
#[cfg(all(target_os = "linux", feature = "jemalloc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Measures chatline beside a bare server.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// What to measure; all of it, if nothing is named.
    workloads: Vec<Workload>,
    /// How many runs each figure is the median of.
    #[arg(long, default_value = "5", value_parser = runs, allow_negative_numbers = true)]
    runs: usize,
    /// How many seconds a run is measured.
    #[arg(long, default_value = "3", value_parser = seconds, allow_negative_numbers = true)]
    seconds: Duration,
    /// Everything once, small and short, to see that it works.
    #[arg(long)]
    brief: bool,
    /// Another program than the chatline that was just built.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_chatline"), value_parser = program)]
    server: PathBuf,
    /// Which servers take part.
    #[arg(long, value_delimiter = ',')]
    subjects: Vec<Subject>,
    /// With the servers of other people that are installed here.
    #[arg(long)]
    peers: bool,
    /// Be the bare server, on that port.
    #[arg(long, hide = true, value_name = "PORT")]
    floor: Option<u16>,
    /// Be that program, and die with who started this one.
    #[arg(long, hide = true, value_name = "PROGRAM", num_args = 1.., allow_hyphen_values = true)]
    tied: Vec<OsString>,
    /// What cargo passes.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let [program, of_program @ ..] = &arguments.tied[..] {
        // Whoever waits for a server to say where it listens reads this.
        println!("{}", server::become_tied(program, of_program));
    } else if let Some(port) = arguments.floor {
        if let Err(cause) = floor::serve(port) {
            eprintln!("bench: {cause}");
        }
    } else {
        return measure(&arguments);
    }
    ExitCode::FAILURE
}

/// How many runs: 1 at least.
fn runs(text: &str) -> Result<usize, String> {
    let runs = text.parse().ok().filter(|runs| *runs > 0);
    runs.ok_or("it is to be a whole number above 0".to_owned())
}

/// A time to measure for: above 0, and an hour at most.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds <= 3600.0);
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| !time.is_zero()).ok_or("it is to be above 0, and 3600 at most".to_owned())
}

/// The path of a program, from the root.
fn program(text: &str) -> Result<PathBuf, String> {
    let path = std::fs::canonicalize(text).map_err(|cause| cause.to_string())?;
    if path.is_file() { Ok(path) } else { Err("it is no file".to_owned()) }
}

/// Ends the process: something was asked for that cannot be.
fn refuse(why: &str) -> ! {
    Arguments::command().error(ErrorKind::ValueValidation, why).exit()
}

/// Measures and prints; it fails when a run did, after all others.
fn measure(arguments: &Arguments) -> ExitCode {
    raise_descriptor_limit();
    let settings = Settings {
        chatline: arguments.server.clone(),
        time: if arguments.brief { BRIEF } else { arguments.seconds },
        is_brief: arguments.brief,
    };
    let runs = if arguments.brief { 1 } else { arguments.runs };
    let workloads = match arguments.workloads.is_empty() {
        true => Workload::value_variants(),
        false => &arguments.workloads,
    };
    if workloads == [Workload::Million] {
        million::run(arguments.brief);
        return ExitCode::SUCCESS;
    }
    let all = subjects(arguments);
    let cases = workloads.iter().flat_map(|workload| workload.cases(arguments.brief));
    let cases: Vec<(Case, Vec<Subject>)> = cases
        .map(|case| {
            let subjects = all.iter().copied().filter(|it| case.is_for(*it)).collect();
            (case, subjects)
        })
        .collect();
    if cases.iter().all(|(_, subjects)| subjects.is_empty()) {
        refuse("none of these servers takes part in what is to be measured");
    }
    let mut is_whole = true;
    println!("{}", circumstances(settings.time));
    for (case, subjects) in &cases {
        if subjects.is_empty() {
            println!("\n{}: none of these servers takes part", case.title);
            continue;
        }
        let runs = measure_case(case, &settings, subjects, runs.min(case.runs_max));
        is_whole &=
            runs.iter().all(|it| it.rows.iter().all(|row| row.iter().any(|value| !value.is_nan())));
        print!("{}", table::rendered(&case.title, &case.columns, &runs));
    }
    if workloads.contains(&Workload::Million) {
        // It measures the memory of its own process, which is to be fresh.
        let mut command = server::tied(std::env::current_exe().unwrap());
        command.arg("million").args(arguments.brief.then_some("--brief"));
        is_whole &= command.status().unwrap().success();
    }
    if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Who takes part, each once.
fn subjects(arguments: &Arguments) -> Vec<Subject> {
    let mut named = match arguments.subjects.is_empty() {
        true => vec![
            Subject::Floor,
            Subject::LongFloor,
            Subject::Chatline,
            Subject::Kept,
            Subject::Lobby,
        ],
        false => arguments.subjects.clone(),
    };
    if arguments.peers {
        named.extend(Subject::peers().into_iter().filter(|peer| peer.is_installed()));
    }
    let mut all: Vec<Subject> = Vec::new();
    for subject in named {
        if !subject.is_installed() {
            refuse(&format!("{} is not installed here", subject.name()));
        }
        if !all.contains(&subject) {
            all.push(subject);
        }
    }
    all
}

fn circumstances(time: Duration) -> String {
    let cores = match server::cores() {
        Some((server, driver)) => format!("server on core {server}, driver on core {driver}"),
        None => "server and driver share one core".to_owned(),
    };
    format!("{cores}; medians of runs of {} s", time.as_secs_f64())
}

/// Runs all servers by turns.
fn measure_case(case: &Case, settings: &Settings, subjects: &[Subject], runs: usize) -> Vec<Runs> {
    let mut all: Vec<Runs> =
        subjects.iter().map(|it| Runs { name: it.name(), rows: Vec::new() }).collect();
    for _ in 0..runs {
        for (subject, runs) in subjects.iter().zip(&mut all) {
            let row = case.run(settings, *subject).unwrap_or_else(|cause| {
                eprintln!("{}: {cause}", subject.name());
                vec![f64::NAN; case.columns.len()]
            });
            runs.rows.push(row);
        }
    }
    all
}

fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Where it cannot be raised, the workloads make do with what there is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
