//! Certificates that lapse: how they stand in words; and who has one is told in time, once, as is their firm.

use super::{learning_letters, store};
use crate::{
    access::Viewer, error::AppError, i18n::Fmt, server::Cx, training::domain::Validity, ui::Tone,
    values::CertificateId, w,
};

/// How a certificate stands, with the colour of it; nothing where it is valid for ever.
pub fn said(fmt: Fmt, validity: Validity) -> Option<(Tone, String)> {
    match validity {
        Validity::ForEver => None,
        Validity::Until(day) => Some((Tone::Good, w!(fmt, validity.until, date = fmt.date(day)))),
        Validity::Lapses(day) => Some((Tone::Warn, w!(fmt, validity.lapses_on, date = fmt.date(day)))),
        Validity::Lapsed(day) => Some((Tone::Bad, w!(fmt, validity.lapsed_on, date = fmt.date(day)))),
    }
}

/// A certificate lapses soon: its holder and the owners of their firms are told. Run by a job.
pub async fn tell(cx: &Cx, certificate: CertificateId) -> Result<(), AppError> {
    let cx = cx.as_viewer(Viewer::System);
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let Some(row) = store::to_tell(tx, certificate).await? else { return Ok(()) };
                // Nobody ran the portal for long enough: what has lapsed says the matrix, and a letter no longer helps.
                if row.last_valid_on < cx.today() {
                    return Ok(());
                }
                learning_letters::lapses(tx, &cx, certificate, &row).await?;
                for (owner, firm, name) in store::owners_concerned(tx, &row).await? {
                    learning_letters::employee_lapses(tx, &cx, certificate, &row, owner, (firm, name)).await?;
                }
                Ok(())
            })
        })
        .await
}
