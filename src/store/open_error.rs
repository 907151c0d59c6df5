//! Why a database cannot be opened, in one sentence for the operator.
//!
//! Promises: it names the file as the operator did, says what is wrong, and what to do. Has no end
//! of its own: whoever prints it puts the full stop. Deliberately no cause chain: the text is all.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why a database cannot be opened; shown as one sentence without its end.
#[derive(Debug)]
pub struct OpenError {
    path: PathBuf,
    fault: Fault,
}

/// What is wrong with it.
#[derive(Debug)]
pub enum Fault {
    /// Another server has it.
    Locked,
    /// It is no database, or somebody else's.
    Foreign,
    /// A later program has written it.
    Newer {
        /// The version of its schema.
        schema: i64,
    },
    /// What is in it makes no sense.
    Damaged(String),
    /// Another program keeps it to itself.
    Busy,
    /// The machine refuses.
    Refused(String),
}

impl OpenError {
    /// That is wrong with the file at this path.
    pub fn new(path: &Path, fault: Fault) -> OpenError {
        OpenError { path: path.to_owned(), fault }
    }

    /// SQLite says so.
    pub fn of(path: &Path, error: &rusqlite::Error) -> OpenError {
        let fault = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Fault::Damaged(cause_of(error))
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Fault::Busy,
            // A table or a column that should be there is not.
            Some(ErrorCode::Unknown) => Fault::Damaged(cause_of(error)),
            _ => Fault::Refused(cause_of(error)),
        };
        OpenError::new(path, fault)
    }

    /// The machine says so.
    pub fn io(path: &Path, error: &io::Error) -> OpenError {
        let text = error.to_string();
        // The number behind it helps nobody.
        let text = text.split(" (os error").next().unwrap_or_default();
        OpenError::new(path, Fault::Refused(text.to_owned()))
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const OTHER: &str = "choose another file with --data PATH";
        write!(f, "cannot open {}: ", self.path.display())?;
        match &self.fault {
            Fault::Locked => {
                write!(f, "another chatline has it open; stop that one, or {OTHER}")
            }
            Fault::Foreign => write!(f, "it is not a database of chatline; {OTHER}"),
            Fault::Newer { schema } => write!(
                f,
                "it was written by a newer chatline (schema {schema}, this one knows {}); use \
                 that one, or another file with --data PATH",
                super::schema::VERSION
            ),
            Fault::Damaged(cause) => {
                write!(f, "it is damaged ({cause}); put a backup in its place, or {OTHER}")
            }
            Fault::Busy => {
                write!(f, "another program is writing to it; close that one, or {OTHER}")
            }
            Fault::Refused(cause) => write!(f, "{cause}; mend that, or {OTHER}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// What SQLite says, without its numbers.
pub fn cause_of(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        rusqlite::Error::SqliteFailure(code, None) => {
            rusqlite::ffi::code_to_str(code.extended_code).to_owned()
        }
        other => other.to_string(),
    }
}
