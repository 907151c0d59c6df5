//! How a connection is served that is not served plainly.
//!
//! Promises: there is one only for who has asked for something; everybody else pays nothing for it.

use crate::chat::settings::Settings;

/// What such a connection wants.
#[derive(Debug, Default)]
pub struct View {
    /// As the conversation has it.
    pub settings: Settings,
}
