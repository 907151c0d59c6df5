//! Runs the hub's errands: ledgers and questions go to the store, passwords to the keyring, and
//! what comes of it goes back into the hub.
//!
//! Promises: nothing here waits, but for the start and the end; without anything to keep there is
//! nobody to run, and without the feature `store` never. Deliberately decides nothing: when
//! something goes and what follows from its coming back is the hub's to say.

#[cfg(feature = "store")]
pub use with_store::{Opened, Runners};
#[cfg(not(feature = "store"))]
pub use without_store::{Opened, Runners};

#[cfg(feature = "store")]
mod with_store {
    use std::io;
    use std::sync::Arc;

    use mio::{Registry, Token, Waker};

    use crate::chat::Now;
    use crate::chat::kept::{Answer, Kept, Question};
    use crate::config::{Data, Sync};
    use crate::keyring::Keyring;
    use crate::net::hub::{Hub, Stream};
    use crate::store::{self, News, Settings, Store};

    /// A store that is open, if anything is kept, and that nobody runs errands to yet.
    #[derive(Debug)]
    pub struct Opened(Option<Store>);

    impl Opened {
        /// Opens the store, and says what was kept in it.
        ///
        /// # Errors
        /// One sentence without its end.
        pub fn open(data: Option<&Data>, now: Now) -> Result<(Opened, Kept), String> {
            let Some(data) = data else { return Ok((Opened(None), Kept::default())) };
            let opened = Store::open(&settings(data), now.unix);
            let (store, kept) = opened.map_err(|error| error.to_string())?;
            Ok((Opened(Some(store)), kept))
        }

        /// Answers a question at once.
        pub fn answer(&mut self, question: &Question) -> Answer {
            let store = self.0.as_mut();
            store.map_or(Answer::Unavailable, |store| store.answer_now(question))
        }

        /// Starts the threads, which wake the poll under `token`.
        ///
        /// # Errors
        /// What the poll says, or the machine when it has no thread.
        pub fn start(self, registry: &Registry, token: Token) -> io::Result<Runners> {
            let Some(mut store) = self.0 else { return Ok(Runners(None)) };
            let waker = Arc::new(Waker::new(registry, token)?);
            // A loop that cannot be woken finds what has come in its next turn.
            let wake = || {
                let waker = Arc::clone(&waker);
                move || _ = waker.wake()
            };
            store.start(wake())?;
            Ok(Runners(Some((store, Keyring::start(wake())?))))
        }
    }

    /// Those who run errands, if there are any.
    #[derive(Debug)]
    pub struct Runners(Option<(Store, Keyring)>);

    impl Runners {
        /// Sends out what the hub wants done.
        pub fn send_out<S: Stream>(&mut self, hub: &mut Hub<S>) {
            let Some((store, keyring)) = &mut self.0 else { return };
            let errands = hub.take_errands();
            if let Some(ledger) = errands.ledger {
                store.commit(ledger);
            }
            for (conn, question) in errands.questions {
                match question {
                    Question::Hash { .. } | Question::Verify { .. } => keyring.ask(conn, question),
                    _ => store.ask(conn, question),
                }
            }
        }

        /// Gives the hub what has come back.
        pub fn bring_back<S: Stream>(&mut self, hub: &mut Hub<S>, now: Now) {
            let Some((store, keyring)) = &mut self.0 else { return };
            while let Some(news) = store.news() {
                match news {
                    News::Committed { ledger, is_kept } => hub.kept(ledger, is_kept, now),
                    News::Recovered => hub.note_keeping(true, now),
                    News::Answer(conn, answer) => hub.answer(conn, answer, now),
                }
            }
            while let Some((conn, answer)) = keyring.answers() {
                hub.answer(conn, answer, now);
            }
        }

        /// Ends the store: what was given to it is kept, as far as that is possible.
        pub fn finish(self) {
            if let Some((store, _)) = self.0 {
                store.finish();
            }
        }
    }

    fn settings(data: &Data) -> Settings {
        let sync = match data.sync {
            Sync::Disk => store::Sync::Disk,
            Sync::Process => store::Sync::Process,
            Sync::Later => store::Sync::Later,
        };
        let Data { keep, keep_lines, is_searchable, .. } = *data;
        Settings { path: data.path.clone(), sync, keep, keep_lines, is_searchable }
    }
}

#[cfg(not(feature = "store"))]
mod without_store {
    use std::io;

    use mio::{Registry, Token};

    use crate::chat::Now;
    use crate::chat::kept::{Answer, Kept, Question};
    use crate::config::Data;
    use crate::net::hub::{Hub, Stream};

    /// Nothing to open.
    #[derive(Debug)]
    pub struct Opened;

    impl Opened {
        /// Nothing was kept.
        ///
        /// # Errors
        /// None.
        pub fn open(_: Option<&Data>, _: Now) -> Result<(Opened, Kept), String> {
            Ok((Opened, Kept::default()))
        }

        /// Nobody answers.
        pub fn answer(&mut self, _: &Question) -> Answer {
            Answer::Unavailable
        }

        /// Nobody starts.
        ///
        /// # Errors
        /// None.
        pub fn start(self, _: &Registry, _: Token) -> io::Result<Runners> {
            Ok(Runners)
        }
    }

    /// Nobody.
    #[derive(Debug)]
    pub struct Runners;

    impl Runners {
        /// There is nothing to send out.
        pub fn send_out<S: Stream>(&mut self, _: &mut Hub<S>) {}

        /// Nothing comes back.
        pub fn bring_back<S: Stream>(&mut self, _: &mut Hub<S>, _: Now) {}

        /// There is nothing to end.
        pub fn finish(self) {}
    }
}
