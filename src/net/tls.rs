//! TLS between a connection's stream and its lines: a session for each connection that speaks it,
//! and the keys that new sessions are opened with.
//!
//! Promises: to the hub a connection within TLS behaves like every other one, from half-closes to
//! what waits for slow readers. Without the feature `tls` there are no keys, hence no sessions.
//! Deliberately no certificates of peers, no resumption and no early data: connections are few and
//! long, and what is not kept cannot be stolen.

#[cfg(feature = "tls")]
mod keys;
#[cfg(not(feature = "tls"))]
mod none;
#[cfg(feature = "tls")]
mod session;

#[cfg(feature = "tls")]
pub use keys::Keys;
#[cfg(not(feature = "tls"))]
pub use none::{Keys, Session};
#[cfg(feature = "tls")]
pub use session::{Sealer, Session};

/// How far a handshake has come by one step.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Something came, and more has to.
    Further,
    /// The keys are agreed on; what is said from here on is secret.
    Done,
    /// The peer has ended its output.
    Ended,
    /// What came first is not TLS.
    Stranger,
    /// It cannot be agreed on keys, for this reason. The alert that says so is to be written out.
    Failed(String),
}
