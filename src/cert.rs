//! A certificate for TLS that is signed by itself, for servers whose clients can be given a file.
//!
//! Promises: nothing is written over; the key is nobody else's to read; what is to be done with
//! both is said in commands that can be copied. Deliberately no authority, and no renewal: who
//! needs these has a certificate from elsewhere.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use sha2::{Digest, Sha256};

use crate::config::Cert;

/// How long a certificate is valid.
const VALID_DAYS: i64 = 365;

/// The port in what is said.
const PORT: u16 = 9443;

/// Makes the pair, and says in whole lines what to do with it.
///
/// # Errors
/// One sentence without its end.
pub fn make(wanted: &Cert) -> Result<String, String> {
    for host in &wanted.hosts {
        check_host(host)?;
    }
    let today = jiff::Timestamp::now().to_zoned(TimeZone::UTC).date();
    let until = today + VALID_DAYS.days();
    let failed = |error: rcgen::Error| format!("cannot make a certificate: {error}");
    let mut params = CertificateParams::new(wanted.hosts.clone()).map_err(failed)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, wanted.hosts[0].as_str());
    // The clocks of clients differ, and so do their zones.
    let moment =
        |date: Date| rcgen::date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8);
    params.not_before = moment(today - 1.day());
    params.not_after = moment(until);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(failed)?;
    let cert = params.self_signed(&key).map_err(failed)?;
    write_new(&wanted.key, "--key", 0o600, &key.serialize_pem())?;
    if let Err(why) = write_new(&wanted.cert, "--cert", 0o644, &cert.pem()) {
        // A key without its certificate is good for nothing.
        let _ = fs::remove_file(&wanted.key);
        return Err(why);
    }
    Ok(told(wanted, until, &Sha256::digest(cert.der())))
}

fn check_host(host: &str) -> Result<(), String> {
    let is_name = host.chars().all(|c| c.is_ascii_alphanumeric() || "-.*_".contains(c));
    match !host.is_empty() && (is_name || host.parse::<IpAddr>().is_ok()) {
        true => Ok(()),
        false => Err(format!(
            "'{}' is neither a name nor an address: wanted is one as in chat.example.org or \
             192.0.2.1, without a port",
            host.escape_debug()
        )),
    }
}

fn write_new(path: &Path, flag: &str, mode: u32, text: &str) -> Result<(), String> {
    let shown = path.display();
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error: io::Error| match error.kind() {
        ErrorKind::AlreadyExists => {
            format!("{shown} is there already: move it away, or name another file with {flag}")
        }
        _ => format!("cannot write {shown}: {error}"),
    })
}

fn told(wanted: &Cert, until: Date, digest: &[u8]) -> String {
    let Cert { hosts, cert, key } = wanted;
    let (cert, key, host) = (cert.display(), key.display(), &hosts[0]);
    let digest: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    let (check, at) = match host.parse() {
        Ok(IpAddr::V6(ip)) => (format!("-verify_ip {ip}"), format!("[{ip}]")),
        Ok(IpAddr::V4(ip)) => (format!("-verify_ip {ip}"), host.clone()),
        Err(_) => (format!("-verify_hostname {host}"), host.clone()),
    };
    // It looks at addresses only where no name stands.
    let name = hosts.iter().find(|host| host.parse::<IpAddr>().is_err()).unwrap_or(host);
    let openssl = format!("openssl s_client -quiet -verify_return_error {check} -CAfile {cert}");
    format!(
        "wrote {cert} and {key}, for {hosts}, until {until}\n\
         serve with it:\n  \
           chatline --tls-listen 0.0.0.0:{PORT} --tls-cert {cert} --tls-key {key}\n\
         keep {key} to yourself, and give {cert} to whoever connects, with one of these:\n  \
           ncat --ssl-verify --ssl-trustfile {cert} {name} {PORT}\n  \
           {openssl} -connect {at}:{PORT}\n  \
           socat - OPENSSL:{at}:{PORT},cafile={cert}\n\
         its fingerprint, to compare by telephone (openssl x509 -noout -sha256 -fingerprint -in \
         {cert}):\n  {digest}\n",
        hosts = hosts.join(", "),
        digest = digest.join(":"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_and_addresses_are_hosts() {
        for host in ["chat.example.org", "localhost", "*.example.org", "192.0.2.1", "2001:db8::1"] {
            assert_eq!(check_host(host), Ok(()), "{host}");
        }
        for host in ["", "a b", "chat:9443", "[::1]", "http://chat", "\u{1b}[2J"] {
            let why = check_host(host).expect_err(host);
            assert!(!why.contains(char::is_control), "{why}");
        }
    }
}
