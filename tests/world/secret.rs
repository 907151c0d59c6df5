//! TLS in memory: the keys of the tests, and a client that stands between a far end and its pipe.
//!
//! The client checks the server's certificate, as a good client does. What is drawn in a handshake
//! is not drawn from the seed: the same seed gives the same run but for the bytes on the way.

use std::io::{ErrorKind, Read, Write};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, version};

use chatline::net::tls::Session;

/// The name in the certificate of the tests.
pub const HOST: &str = "chat.example";

/// A certificate and its key, and who trusts it.
pub struct Pair {
    /// PEM.
    pub cert: String,
    /// PEM.
    pub key: String,
    server: Arc<ServerConfig>,
    clients: [Arc<ClientConfig>; 2],
}

/// A new pair for [`HOST`] and this machine.
pub fn pair() -> Pair {
    let names = [HOST, "localhost", "127.0.0.1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).expect("a pair can be made");
    let der = made.cert.der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(der.clone()).expect("it can be trusted");
    let roots = Arc::new(roots);
    let client = |version| {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(&[version]).expect("there is that version");
        Arc::new(builder.with_root_certificates(Arc::clone(&roots)).with_no_client_auth())
    };
    let clients = [client(&version::TLS13), client(&version::TLS12)];
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().expect("there are versions");
    let secret = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("it is a key");
    let server = builder.with_no_client_auth().with_single_cert(vec![der], secret);
    let server = Arc::new(server.expect("they belong together"));
    Pair { cert: made.cert.pem(), key: made.signing_key.serialize_pem(), server, clients }
}

/// The pair of the tests.
pub fn known() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(pair)
}

impl Pair {
    /// The server's side of a new connection.
    pub fn session(&self) -> Session {
        Session::new(&self.server).expect("the keys can be used")
    }

    /// What rustls knows of the client's side of a new connection, of TLS 1.3 or 1.2.
    pub fn connection(&self, is_old: bool) -> ClientConnection {
        let name = ServerName::try_from(HOST).expect("it is a name");
        let config = Arc::clone(&self.clients[usize::from(is_old)]);
        ClientConnection::new(config, name).expect("the keys can be used")
    }

    /// The client's side of a new connection, of TLS 1.3 or 1.2.
    pub fn client(&self, is_old: bool) -> Client {
        let mut state = self.connection(is_old);
        state.set_buffer_limit(None);
        Client { state, has_read_end: false }
    }
}

/// A client's side of TLS.
#[derive(Debug)]
pub struct Client {
    state: ClientConnection,
    has_read_end: bool,
}

impl Client {
    /// Whether it is still being agreed on keys.
    pub fn is_handshaking(&self) -> bool {
        self.state.is_handshaking()
    }

    /// Whether the server has said that nothing more will come.
    pub fn has_read_end(&self) -> bool {
        self.has_read_end
    }

    /// What is sent is to be encrypted; returns what is to go out now.
    pub fn encrypt(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.state.writer().write_all(bytes).expect("there is room for all");
        self.output()
    }

    /// Nothing more will be sent; returns what is to go out now.
    pub fn end(&mut self) -> Vec<u8> {
        self.state.send_close_notify();
        self.output()
    }

    /// Takes new keys for what is sent from here on, and asks the server to do the same; with TLS
    /// 1.2 or before the end of the handshake nothing happens.
    pub fn renew_keys(&mut self) {
        // That is the only error.
        let _ = self.state.refresh_traffic_keys();
    }

    /// What is to go out now.
    pub fn output(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while self.state.wants_write() {
            self.state.write_tls(&mut out).expect("memory takes all");
        }
        out
    }

    /// Appends what these bytes were encrypted from.
    ///
    /// # Errors
    /// What rustls says.
    pub fn decrypt(&mut self, mut bytes: &[u8], plain: &mut Vec<u8>) -> Result<(), rustls::Error> {
        while !bytes.is_empty() {
            let read = self.state.read_tls(&mut bytes).expect("memory gives all");
            let told = self.state.process_new_packets()?;
            self.has_read_end |= told.peer_has_closed();
            let end = self.state.reader().read_to_end(plain);
            assert!(end.is_ok() || end.is_err_and(|it| it.kind() == ErrorKind::WouldBlock));
            assert!(read > 0 || bytes.is_empty(), "nothing comes behind the end");
        }
        Ok(())
    }
}
