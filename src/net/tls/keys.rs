//! The certificate and its key: read from their files at the start, at SIGHUP, and when the files
//! have changed.
//!
//! Promises: a pair that is taken fits together; a new one that does not is told of once, and the
//! old one stays; who is connected notices nothing, whatever stands in the place of a file.
//! Deliberately does not judge the certificate:
//! clients do.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use log::{info, warn};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{Error, ServerConfig};
use x509_cert::der::Decode;

use super::Session;
use crate::chat::Now;
use crate::config::{Tls, small};
use crate::wire;

/// How often it is looked whether the files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// So long before its end it is warned of a certificate, in seconds, and so often.
const WARNED_BEFORE_SECS: i64 = 14 * 86_400;
const WARN_EVERY: Duration = Duration::from_secs(86_400);

/// What of a file changes when it does: inode, size, and time of the last change in nanoseconds.
type Mark = Option<(u64, u64, i64, i64)>;

/// What new sessions are opened with.
#[derive(Debug)]
pub struct Keys {
    files: Tls,
    config: Arc<ServerConfig>,
    /// When the certificate ends, in seconds since 1970 UTC, if that can be read.
    ends_at: Option<i64>,
    /// The files as they were when they were read last.
    read: [Mark; 2],
    /// The files as they were when they were looked at last.
    seen: [Mark; 2],
    /// When they are to be looked at again, since start.
    look_at: Duration,
    /// When it is to be warned again that the certificate ends, since start.
    warn_at: Duration,
}

impl Keys {
    /// Reads the files.
    ///
    /// # Errors
    /// One sentence without its end: what is wrong, and what to do.
    pub fn load(files: &Tls) -> Result<Keys, String> {
        let read = marks(files);
        let (config, ends_at) = config(files)?;
        Ok(Keys {
            files: files.clone(),
            config: Arc::new(config),
            ends_at,
            read,
            seen: read,
            look_at: LOOK_EVERY,
            warn_at: Duration::ZERO,
        })
    }

    /// When the certificate ends, in seconds since 1970 UTC; `None` when it does not say so in a
    /// way that can be read.
    pub fn ends_at(&self) -> Option<i64> {
        self.ends_at
    }

    /// Logs which certificate it is, and whether it ends soon.
    pub fn log_loaded(&mut self, now: Now) {
        let not_after = self.ends_at.map_or_else(|| "-".to_owned(), wire::rfc3339);
        info!(file:% = self.files.cert.display(), not_after; "certificate_loaded");
        self.warn_at = now.mono;
        self.warn_of_end(now);
    }

    /// Warns of a certificate that ends soon or has ended, once a day.
    fn warn_of_end(&mut self, now: Now) {
        if now.mono < self.warn_at {
            return;
        }
        self.warn_at = now.mono + WARN_EVERY;
        let is_soon = |ends_at: &i64| *ends_at <= now.unix.saturating_add(WARNED_BEFORE_SECS);
        if let Some(ends_at) = self.ends_at.filter(is_soon) {
            let not_after = wire::rfc3339(ends_at);
            match ends_at <= now.unix {
                true => warn!(not_after; "certificate_over"),
                false => warn!(not_after; "certificate_ends"),
            }
        }
    }

    /// A session for a new connection.
    ///
    /// # Errors
    /// One sentence without its end.
    pub fn open_session(&self) -> Result<Session, String> {
        Session::new(&self.config)
    }

    /// When the files are to be looked at, since start.
    pub fn deadline(&self) -> Duration {
        self.look_at
    }

    /// Looks at the files, if it is time, and reads them when they have changed; and not before
    /// they have come to rest, since there are two of them.
    pub fn look(&mut self, now: Now) {
        if now.mono < self.look_at {
            return;
        }
        self.look_at = now.mono + LOOK_EVERY;
        self.warn_of_end(now);
        let marks = marks(&self.files);
        let has_settled = std::mem::replace(&mut self.seen, marks) == marks;
        if has_settled && marks != self.read {
            // It is in the log, which is all that there is to tell here.
            let _ = self.reload(now);
        }
    }

    /// Reads the files again, and logs what came of it.
    ///
    /// # Errors
    /// One sentence without its end: why the old pair stays.
    pub fn reload(&mut self, now: Now) -> Result<(), String> {
        self.read = marks(&self.files);
        let config = config(&self.files);
        let (config, ends_at) =
            config.inspect_err(|why| warn!(cause = why.as_str(); "certificate_kept"))?;
        self.config = Arc::new(config);
        self.ends_at = ends_at;
        self.log_loaded(now);
        Ok(())
    }
}

fn marks(files: &Tls) -> [Mark; 2] {
    [&files.cert, &files.key].map(|file| {
        let it = fs::metadata(file).ok()?;
        Some((it.ino(), it.size(), it.mtime(), it.mtime_nsec()))
    })
}

/// What new sessions are opened with, and when the certificate ends.
fn config(files: &Tls) -> Result<(ServerConfig, Option<i64>), String> {
    let Tls { cert, key } = files;
    let chain = read(cert, "--tls-cert")?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| {
        let cert = cert.display();
        format!("--tls-cert {cert}: there is no certificate in it (PEM, BEGIN CERTIFICATE)")
    })?;
    let ends_at = end_of(&chain[0]);
    let text = read(key, "--tls-key")?;
    let wrong = |what: &str| format!("--tls-key {}: {what}", key.display());
    if is_encrypted(&text) {
        let key = key.display();
        return Err(wrong(&format!(
            "the key is encrypted, and nobody is there to ask for its password; `openssl pkey -in \
             {key} -out plain.key` decrypts it"
        )));
    }
    let secret = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| wrong("there is no key in it (PEM, BEGIN PRIVATE KEY)"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| error.to_string())?;
    let config = builder.with_no_client_auth().with_single_cert(chain, secret);
    let mut config = config.map_err(|error| match error {
        Error::InconsistentKeys(_) => {
            wrong(&format!("it does not belong to the certificate in {}", cert.display()))
        }
        Error::InvalidCertificate(_) => {
            format!("--tls-cert {}: it is no certificate of a server", cert.display())
        }
        other => wrong(&format!("it cannot be used: {other}")),
    })?;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok((config, ends_at))
}

/// When a certificate ends, in seconds since 1970 UTC (RFC 5280, section 4.1.2.5).
fn end_of(cert: &CertificateDer<'_>) -> Option<i64> {
    let cert = x509_cert::Certificate::from_der(cert).ok()?;
    let end = cert.tbs_certificate().validity().not_after.to_unix_duration();
    i64::try_from(end.as_secs()).ok()
}

/// Whether a key stands there that takes a password (RFC 5958, section 3; RFC 1421, section 4.6.1).
fn is_encrypted(pem: &[u8]) -> bool {
    let has = |mark: &[u8]| memchr::memmem::find(pem, mark).is_some();
    has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED")
}

fn read(path: &Path, flag: &str) -> Result<Vec<u8>, String> {
    let wrong = |what: String| format!("{flag} {}: {what}", path.display());
    small::read(path).map_err(|error: io::Error| match error.kind() {
        ErrorKind::NotFound => {
            wrong("there is no such file; `chatline cert HOST` makes a pair".to_owned())
        }
        ErrorKind::PermissionDenied => {
            wrong("not permitted; the server's user must be able to read it".to_owned())
        }
        _ => wrong(error.to_string()),
    })
}
