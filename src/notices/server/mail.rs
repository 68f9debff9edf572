//! How mail leaves: by SMTP, or not at all.

use super::store::{CalendarRow, MessageRow};
use crate::{error::AppError, server::config::Config};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType},
};
use std::time::Duration;

/// How long a letter may take to leave: less than a worker has it, so that no other one sends it again meanwhile.
const MOST: Duration = Duration::from_secs(50);

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

    /// # Errors
    /// [`AppError::Busy`] where a later try may succeed, [`AppError::Internal`] where the server will never take it.
    pub async fn send(&self, message: &MessageRow, calendar: Option<&CalendarRow>) -> Result<(), AppError> {
        match self {
            Self::Demo => Ok(()),
            Self::Unset => {
                tracing::warn!("a letter waits: no smtp-url is set");
                Err(AppError::Busy)
            }
            Self::Smtp { transport, from } => {
                let mail = compose(message, calendar, from)?;
                let Ok(sent) = tokio::time::timeout(MOST, transport.send(mail)).await else {
                    tracing::warn!("the mail server took too long over a letter");
                    return Err(AppError::Busy);
                };
                sent.map_err(|error| {
                    if error.is_permanent() {
                        return crate::server::internal("the mail server refuses a letter", &error);
                    }
                    tracing::warn!(%error, "the mail server did not take a letter");
                    AppError::Busy
                })?;
                Ok(())
            }
        }
    }
}

fn compose(message: &MessageRow, calendar: Option<&CalendarRow>, from: &Mailbox) -> Result<Message, AppError> {
    let failed = |cause: &dyn std::fmt::Debug| crate::server::internal("a letter cannot be composed", cause);
    let to: Mailbox = message.email.parse().map_err(|e: lettre::address::AddressError| failed(&e))?;
    let body = match &message.link {
        Some(link) => format!("{}\n\n{link}\n", message.body),
        None => format!("{}\n", message.body),
    };
    let builder = Message::builder()
        .from(from.clone())
        .to(to)
        // Stable, so that a letter sent twice after a crash is one for the reader's program.
        .message_id(Some(format!("<{}@{}>", message.id, from.email.domain())))
        .subject(message.subject.clone());
    match calendar {
        None => builder.header(ContentType::TEXT_PLAIN).body(body).map_err(|e| failed(&e)),
        Some(calendar) => {
            let kind = |text: &str| text.parse::<ContentType>().map_err(|e| failed(&e));
            let method = calendar.method.name();
            // RFC 6047: the words and the calendar are two ways to say one thing; the file is for programs that read no
            // alternatives.
            let same = MultiPart::alternative().singlepart(SinglePart::plain(body)).singlepart(
                SinglePart::builder()
                    .header(kind(&format!("text/calendar; charset=utf-8; method={method}"))?)
                    .body(calendar.body.clone()),
            );
            let file = Attachment::new("invite.ics".to_owned())
                .body(calendar.body.clone().into_bytes(), kind("application/ics; name=\"invite.ics\"")?);
            builder.multipart(MultiPart::mixed().multipart(same).singlepart(file)).map_err(|e| failed(&e))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::server::ics::Method;
    use uuid::Uuid;

    fn message() -> MessageRow {
        MessageRow {
            id: Uuid::from_u128(7).into(),
            person_id: None,
            email: "ann@example.org".into(),
            letter: "enrolment_booked".into(),
            language: "lt".into(),
            subject: "Vieta jūsų".into(),
            body: "Iki pasimatymo – spausdintuvai.".into(),
            link: Some("https://portal.example.com/training/1".into()),
            created_at: chrono::DateTime::UNIX_EPOCH,
            send_after: chrono::DateTime::UNIX_EPOCH,
            sent_at: None,
            read_at: None,
            by_day: false,
        }
    }

    #[test]
    fn a_letter_with_an_appointment_says_it_in_words_to_programs_and_as_a_file() {
        let calendar = CalendarRow {
            message_id: message().id,
            thread: "a@aftercare".into(),
            number: 1,
            method: Method::Cancel,
            sequence: 3,
            body: "BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nEND:VCALENDAR\r\n".into(),
        };
        let from: Mailbox = "Lumina <service@example.com>".parse().unwrap();
        let mail = String::from_utf8(compose(&message(), Some(&calendar), &from).unwrap().formatted()).unwrap();
        let place = |text: &str| mail.find(text).unwrap_or_else(|| panic!("no {text} in {mail}"));
        let order = [
            "Content-Type: multipart/mixed",
            "Content-Type: multipart/alternative",
            "Content-Type: text/plain",
            "Content-Type: text/calendar; charset=utf-8; method=CANCEL",
            "Content-Disposition: attachment; filename=\"invite.ics\"",
        ];
        assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])), "{mail}");
        assert!(mail.contains("application/ics"));
        // Twice composed is the same but for the boundaries: a second try sends the same.
        assert!(mail.contains(&format!("Message-ID: <{}@example.com>", message().id)));
        let plain = compose(&message(), None, &from).unwrap().formatted();
        assert!(!String::from_utf8(plain).unwrap().contains("multipart"));
    }
}
