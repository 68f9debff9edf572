//! How mail leaves: by SMTP, or not at all.

use super::store::MessageRow;
use crate::{error::AppError, server::config::Config};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use std::time::Duration;

pub enum Mailer {
    /// The demo: letters stay in the database, to be read at `/demo/mail`.
    Demo,
    /// No server is set: letters wait, and the log says so.
    Unset,
    Smtp {
        transport: AsyncSmtpTransport<Tokio1Executor>,
        from: Mailbox,
    },
}

impl Mailer {
    pub fn demo() -> Self {
        Self::Demo
    }

    /// # Errors
    /// One line that names the setting.
    pub fn new(config: &Config) -> Result<Self, String> {
        let Some(url) = &config.smtp_url else { return Ok(Self::Unset) };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|e| format!("smtp-url must be smtp://host:port or smtps://user:password@host: {e}"))?
            .timeout(Some(Duration::from_secs(20)))
            .build();
        let from = config.mail_from.parse().map_err(|_| "mail-from must be an address or Name <address>".to_owned())?;
        Ok(Self::Smtp { transport, from })
    }

    pub async fn send(&self, message: &MessageRow) -> Result<(), AppError> {
        match self {
            Self::Demo => Ok(()),
            Self::Unset => {
                tracing::warn!("a letter waits: no smtp-url is set");
                Err(AppError::Busy)
            }
            Self::Smtp { transport, from } => {
                let mail = compose(message, from)?;
                transport.send(mail).await.map_err(|error| {
                    tracing::warn!(%error, "the mail server did not take a letter");
                    AppError::Busy
                })?;
                Ok(())
            }
        }
    }
}

fn compose(message: &MessageRow, from: &Mailbox) -> Result<Message, AppError> {
    let failed = |cause: &dyn std::fmt::Debug| crate::server::internal("a letter cannot be composed", cause);
    let to: Mailbox = message.email.parse().map_err(|e: lettre::address::AddressError| failed(&e))?;
    let body = match &message.link {
        Some(link) => format!("{}\n\n{link}\n", message.body),
        None => format!("{}\n", message.body),
    };
    Message::builder()
        .from(from.clone())
        .to(to)
        // Stable, so that a letter sent twice after a crash is one for the reader's program.
        .message_id(Some(format!("<{}@{}>", message.id, from.email.domain())))
        .subject(message.subject.clone())
        .header(ContentType::TEXT_PLAIN)
        .body(body)
        .map_err(|e| failed(&e))
}
