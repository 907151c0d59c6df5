//! The benchmark: `cargo bench` drives `chatline` from outside, with many connections, beside a
//! bare server that does nothing but carry lines.
//!
//! Promises: a fresh server process for each run, on a core of its own; servers take turns, so that
//! a slow moment of the machine meets them all; figures are medians. Needs Linux: processor time
//! and memory are read from /proc. Deliberately judges nothing: it prints.
#![allow(clippy::unwrap_used)]

mod crowd;
mod dialect;
mod driver;
mod floor;
mod million;
mod payload;
mod peers;
mod server;
mod stats;
mod subject;
mod table;
mod work;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use subject::Subject;
use table::Runs;
use work::{Case, Settings, Workload};

/// Measures chatline beside a bare server.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// What to measure; all of it, if nothing is named.
    workloads: Vec<Workload>,
    /// How many runs each figure is the median of.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How many seconds a run is measured.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Everything once, small and short, to see that it works.
    #[arg(long)]
    brief: bool,
    /// Another program than the chatline that was just built.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_chatline"))]
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
    /// What cargo passes.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(port) = arguments.floor else {
        return measure(&arguments);
    };
    if let Err(cause) = floor::serve(port) {
        eprintln!("bench: {cause}");
    }
    ExitCode::FAILURE
}

/// Measures and prints; it fails when a run did, after all others.
fn measure(arguments: &Arguments) -> ExitCode {
    raise_descriptor_limit();
    let seconds = if arguments.brief { 0.3 } else { arguments.seconds };
    let settings = Settings {
        chatline: arguments.server.clone(),
        time: Duration::from_secs_f64(seconds),
        is_brief: arguments.brief,
    };
    let runs = if arguments.brief { 1 } else { arguments.runs.max(1) };
    let workloads = match arguments.workloads.is_empty() {
        true => Workload::value_variants(),
        false => &arguments.workloads,
    };
    let mut subjects = match arguments.subjects.is_empty() {
        true => vec![Subject::Floor, Subject::LongFloor, Subject::Chatline, Subject::Lobby],
        false => arguments.subjects.clone(),
    };
    if arguments.peers {
        subjects.extend(Subject::peers());
    }
    if workloads == [Workload::Million] {
        million::run(arguments.brief);
        return ExitCode::SUCCESS;
    }
    let mut is_whole = true;
    println!("{}", circumstances(runs, seconds));
    for case in workloads.iter().flat_map(|workload| workload.cases(arguments.brief)) {
        let subjects: Vec<Subject> =
            subjects.iter().copied().filter(|it| case.is_for(*it)).collect();
        let runs = measure_case(&case, &settings, &subjects, runs.min(case.runs_max));
        is_whole &=
            runs.iter().all(|it| it.rows.iter().all(|row| row.iter().any(|value| !value.is_nan())));
        print!("{}", table::rendered(&case.title, case.columns, &runs));
    }
    if workloads.contains(&Workload::Million) {
        // It measures the memory of its own process, which is to be fresh.
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("million").args(arguments.brief.then_some("--brief"));
        is_whole &= command.status().unwrap().success();
    }
    if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn circumstances(runs: usize, seconds: f64) -> String {
    let cores = match server::cores() {
        Some((server, driver)) => format!("server on core {server}, driver on core {driver}"),
        None => "server and driver share one core".to_owned(),
    };
    format!("{cores}; medians of {runs} runs of {seconds} s")
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
