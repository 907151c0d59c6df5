//! Connections and the loop that serves them.
//!
//! From the inside out: [`slots`] finds connections, [`queue`] holds what waits to be sent (of
//! frozen [`page`]s), [`conn`] is one connection, [`view`] is how it is served if not plainly,
//! [`tls`] stands between its stream and its lines where that is spoken, [`door`] counts who is let
//! in ([`arrivals`], how often), [`figures`] is what is counted, [`logbook`] bounds what is logged,
//! [`hub`] is the turn of all of them.
//! Up to here nothing knows the operating system, but that [`tls`] reads the files of its
//! certificate. [`listen`], [`signal`] and [`server`] do: they
//! ferry readiness, time and signals into the hub; [`errands`] ferries between it and those who
//! may block, and [`console`] is where the operator's orders come in. [`metrics`] shows the figures
//! beside it, and knows nothing of the hub; [`service`] speaks with who has started it all.

pub mod arrivals;
pub mod conn;
pub mod console;
pub mod door;
pub mod errands;
pub mod figures;
pub mod hub;
pub mod listen;
pub mod logbook;
pub mod metrics;
pub mod page;
pub mod queue;
pub mod server;
pub mod service;
pub mod signal;
pub mod slots;
pub mod tls;
pub mod view;
