//! One import from the file to the report.

use super::{apply, catalog, changes, people, reader::Table, staging};
use crate::{
    access::{Act, Permit, Subject},
    catalog::{domain::Plan, server::store as plans},
    db::Tx,
    error::AppError,
    import::domain::{
        Fault, Header, Layout, PurchaseRow, RowFault, plan_columns, product_columns, purchase_columns, read_plan,
        read_product, read_purchase,
    },
    server::{
        Cx,
        history::{self, Change},
    },
};
use chrono::TimeDelta;
use chrono_tz::Tz;
use futures::future::BoxFuture;
use sha2::{Digest, Sha256};
use staging::Staged;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// How many rows are staged by one transaction, and applied by one.
const STAGED_AT_ONCE: usize = 5000;
const APPLIED_AT_ONCE: i64 = 2000;
/// How often a transaction is tried that a running portal got in the way of.
const TRIES: u32 = 20;

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Products,
    Plans,
    Purchases,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::Plans => "plans",
            Self::Purchases => "purchases",
        }
    }

    pub fn layout(self) -> Layout {
        match self {
            Self::Products => product_columns(),
            Self::Plans => plan_columns(),
            Self::Purchases => purchase_columns(),
        }
    }

    /// The column that a repeated row is blamed at.
    pub fn identity_column(self) -> &'static str {
        match self {
            Self::Products => "sku",
            Self::Plans => "plan",
            Self::Purchases => "order_line",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Products, Self::Plans, Self::Purchases]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("{text:?} is none of products, plans, purchases"))
    }
}

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct Options {
    pub kind: Kind,
    pub file: PathBuf,
    /// Only look; change nothing.
    pub dry_run: bool,
    /// Import the good rows, and put the bad ones here.
    pub rejects: Option<PathBuf>,
    /// Also ask for feedback about what was delivered shortly before.
    pub notify: bool,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    pub rows: u64,
    pub bad: u64,
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
    /// Good rows that were in already when an import of the same file was cut off.
    pub before: u64,
    /// Whether anything was applied at all.
    pub applied: bool,
}

/// What the import tells while it runs, in the order of the file.
#[derive(Clone, PartialEq, Debug)]
pub enum Told {
    Read { rows: u64 },
    Applied { rows: u64, of: u64 },
    UnknownColumn(String),
    Resumed { line: i64 },
    Fault { line: i64, fault: RowFault },
}

/// Why an import could not run.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("{0}: {1}")]
    File(PathBuf, String),
    #[error("{0} is the file that is imported; the bad rows need a file of their own")]
    RejectsInto(PathBuf),
    #[error("{0}: {1}")]
    Header(PathBuf, crate::import::domain::MissingColumn),
    #[error(
        "an import of this file that puts bad rows aside was cut off after line {0}; go on with --skip-bad-rows REJECTS.csv"
    )]
    PutAside(i64),
    #[error("the database said no: {0:?}")]
    Database(AppError),
}

impl From<AppError> for Failed {
    fn from(error: AppError) -> Self {
        Self::Database(error)
    }
}

type Tell<'t> = &'t mut (dyn FnMut(Told) + Send);

/// Imports a file. With bad rows in it nothing is applied, unless they are to be put aside.
///
/// # Errors
/// Where the file or the database cannot be used; what is wrong with rows is told and counted instead.
pub async fn run(cx: &Cx, options: &Options, tell: Tell<'_>) -> Result<Report, Failed> {
    let permit = cx.may(Act::Import, &Subject::nobody())?;
    let in_file = |error: std::io::Error| Failed::File(options.file.clone(), error.to_string());
    if let Some(rejects) = options.rejects.as_deref().filter(|rejects| same_file(&options.file, rejects)) {
        return Err(Failed::RejectsInto(rejects.to_owned()));
    }
    let table = Table::open(&options.file).map_err(in_file)?;
    let names: Vec<String> = table.header.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
    let header = Header::read(names.iter().map(String::as_str), options.kind.layout())
        .map_err(|missing| Failed::Header(options.file.clone(), missing))?;
    for column in header.unknown() {
        tell(Told::UnknownColumn(column.to_owned()));
    }
    if !options.dry_run
        && let Some((run, line)) = staging::cut_off(&mut cx.db().read().await?, options.kind, &table.digest).await?
    {
        let (_, bad) = staging::count(&mut cx.db().read().await?, run).await?;
        if bad > 0 && options.rejects.is_none() {
            return Err(Failed::PutAside(line));
        }
        tell(Told::Resumed { line });
        tell_faults(cx, run, tell).await?;
        return finish(cx, permit, options, &File { table, header }, run, line, tell).await;
    }
    let run = Uuid::now_v7();
    stage(cx, options, &table, &header, run, tell).await?;
    look(cx, options.kind, run).await?;
    let (rows, bad) = staging::count(&mut cx.db().read().await?, run).await?;
    tell_faults(cx, run, tell).await?;
    if options.dry_run || (bad > 0 && options.rejects.is_none()) {
        discard(cx, run).await?;
        return Ok(Report { rows: rows.unsigned_abs(), bad: bad.unsigned_abs(), ..Report::default() });
    }
    finish(cx, permit, options, &File { table, header }, run, 0, tell).await
}

/// The file as its bad rows are copied from it.
struct File {
    table: Table,
    header: Header,
}

/// Whether two paths lead to one file, by whatever names and links.
fn same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |path: &Path| std::fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    place(one).is_some_and(|place_of_one| place(other) == Some(place_of_one))
}

/// Writes in short transactions, each tried again where a running portal was in the way.
async fn write<F>(cx: &Cx, work: F) -> Result<(), AppError>
where
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<(), AppError>> + Send + Sync + Clone + 'static,
{
    write_some(cx, work).await
}

async fn write_some<T, F>(cx: &Cx, work: F) -> Result<T, AppError>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, AppError>> + Send + Sync + Clone + 'static,
{
    for attempt in 1..TRIES {
        match cx.db().write(work.clone()).await {
            Err(AppError::Busy) => tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 50)).await,
            other => return other,
        }
    }
    cx.db().write(work).await
}

/// Reads the file into the staging table.
async fn stage(
    cx: &Cx,
    options: &Options,
    table: &Table,
    header: &Header,
    run: Uuid,
    tell: Tell<'_>,
) -> Result<(), Failed> {
    let (kind, digest, now) = (options.kind, table.digest.clone(), crate::server::clock::real_now());
    write(cx, move |tx| {
        let digest = digest.clone();
        Box::pin(async move {
            crate::db::dialect::widen_cache(tx).await?;
            staging::forget(tx, now - TimeDelta::days(1)).await?;
            staging::begin(tx, run, kind, &digest, now).await
        })
    })
    .await?;
    let plans = plans::plans(&mut cx.db().read().await?).await?;
    let reading = Reading { kind, header, plans, zone: cx.company_zone(), currency: cx.app.company.currency };
    let in_file = |error: &dyn std::fmt::Display| Failed::File(options.file.clone(), error.to_string());
    let mut batch = Vec::with_capacity(STAGED_AT_ONCE);
    let mut rows = 0;
    for record in table.records().map_err(|error| in_file(&error))? {
        let record = record.map_err(|error| in_file(&error))?;
        batch.push(reading.staged(i64::try_from(record.line).unwrap_or(i64::MAX), &record.cells));
        rows += 1;
        if batch.len() == STAGED_AT_ONCE {
            put(cx, run, std::mem::replace(&mut batch, Vec::with_capacity(STAGED_AT_ONCE))).await?;
            tell(Told::Read { rows });
        }
    }
    put(cx, run, batch).await?;
    tell(Told::Read { rows });
    Ok(())
}

async fn put(cx: &Cx, run: Uuid, batch: Vec<Staged>) -> Result<(), AppError> {
    let batch = Arc::new(batch);
    write(cx, move |tx| {
        let batch = Arc::clone(&batch);
        Box::pin(async move { staging::add(tx, run, &batch).await })
    })
    .await
}

/// What is needed to understand a row.
struct Reading<'h> {
    kind: Kind,
    header: &'h Header,
    plans: HashMap<String, Plan>,
    zone: Tz,
    currency: crate::values::Currency,
}

impl Reading<'_> {
    fn staged(&self, line: i64, cells: &csv::ByteRecord) -> Staged {
        let lossy: Vec<_> = cells.iter().map(String::from_utf8_lossy).collect();
        let texts: Vec<&str> = lossy.iter().map(AsRef::as_ref).collect();
        let whole = |fault| RowFault { column: self.header.first().to_owned(), value: String::new(), fault };
        if cells.iter().any(|cell| std::str::from_utf8(cell).is_err()) {
            return self.bad(line, &texts, vec![whole(Fault::NotUtf8)]);
        }
        if texts.len() != self.header.width() {
            let count = Fault::CellCount { found: texts.len(), expected: self.header.width() };
            return self.bad(line, &texts, vec![whole(count)]);
        }
        let read = match self.kind {
            Kind::Products => read_product(self.header, &texts, self.currency)
                .map(|row| (row.sku.clone(), Some(1), serde_json::to_string(&row))),
            Kind::Plans => {
                read_plan(self.header, &texts).map(|row| (row.code.clone(), Some(1), serde_json::to_string(&row)))
            }
            Kind::Purchases => {
                let day_of = |at: chrono::DateTime<chrono::FixedOffset>| at.with_timezone(&self.zone).date_naive();
                read_purchase(self.header, &texts, |code| self.plans.get(code), self.currency, &day_of).map(
                    |mut row| {
                        // The place is kept beside the row, so that numbering lines does not change what they say.
                        let place = row.order_line.take();
                        (row.order_number.clone(), place, serde_json::to_string(&row))
                    },
                )
            }
        };
        match read {
            Ok((identity, place, Ok(parsed))) => {
                Staged { line, identity, place, digest: fingerprint(&parsed), content: Ok(parsed) }
            }
            Ok((identity, place, Err(_))) => {
                let faults = vec![whole(Fault::NotUtf8)];
                Staged { line, identity, place, digest: String::new(), content: Err(faults) }
            }
            Err(faults) => self.bad(line, &texts, faults),
        }
    }

    /// A bad row still has its place in its order.
    fn bad(&self, line: i64, texts: &[&str], faults: Vec<RowFault>) -> Staged {
        let cell = |column| crate::import::domain::cell(self.header, texts, column);
        let (identity, place) = match self.kind {
            Kind::Purchases => (cell("order_number").to_owned(), cell("order_line").parse().ok()),
            Kind::Products | Kind::Plans => (String::new(), None),
        };
        Staged { line, identity, place, digest: String::new(), content: Err(faults) }
    }
}

fn fingerprint(text: &str) -> String {
    Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// What only the whole file tells: places in orders, rows that come twice, changes that would take something away.
async fn look(cx: &Cx, kind: Kind, run: Uuid) -> Result<(), AppError> {
    let last = staging::last_line(&mut cx.db().read().await?, run).await?;
    let batches = || (0..last).step_by(STAGED_AT_ONCE).map(|after| (after, after + STAGED_AT_ONCE as i64));
    if kind == Kind::Purchases {
        for lines in batches() {
            write(cx, move |tx| Box::pin(async move { staging::number(tx, run, lines).await })).await?;
        }
    }
    for lines in batches() {
        let repeated = Arc::new(staging::repeated(&mut cx.db().read().await?, run, kind, lines).await?);
        if repeated.is_empty() {
            continue;
        }
        write(cx, move |tx| {
            let repeated = Arc::clone(&repeated);
            Box::pin(async move {
                for (line, fault) in repeated.iter() {
                    staging::blame(tx, run, *line, fault.clone()).await?;
                }
                Ok(())
            })
        })
        .await?;
    }
    if kind != Kind::Purchases {
        return Ok(());
    }
    tell_firms_apart(cx, run).await?;
    let mut after = 0;
    loop {
        let changed = staging::changed(&mut cx.db().read().await?, run, after).await?;
        let Some(last) = changed.last().map(|row| row.line) else { return Ok(()) };
        after = last;
        let changed = Arc::new(changed);
        write(cx, move |tx| {
            let changed = Arc::clone(&changed);
            Box::pin(async move {
                for row in changed.iter() {
                    if let Some(conflict) = changes::conflict(tx, row).await? {
                        staging::blame(tx, run, row.line, conflict).await?;
                    }
                }
                Ok(())
            })
        })
        .await?;
    }
}

/// Rows that name a firm by a name that several have. Hardly any company has such firms, so that rarely any row is read.
async fn tell_firms_apart(cx: &Cx, run: Uuid) -> Result<(), AppError> {
    let firms = people::shared(&mut cx.db().read().await?).await?;
    if firms.tells_all_apart() {
        return Ok(());
    }
    let firms = Arc::new(firms);
    let mut after = 0;
    loop {
        let ready = staging::ready(&mut cx.db().read().await?, run, after, STAGED_AT_ONCE as i64).await?;
        let Some(last) = ready.last().map(|row| row.line) else { return Ok(()) };
        after = last;
        let ready = Arc::new(ready);
        let firms = Arc::clone(&firms);
        write(cx, move |tx| {
            let (ready, firms) = (Arc::clone(&ready), Arc::clone(&firms));
            Box::pin(async move {
                for row in ready.iter() {
                    let Ok(purchase) = serde_json::from_str::<PurchaseRow>(&row.parsed) else { continue };
                    if let Err(fault) = firms.of(tx, &purchase, row.place).await? {
                        staging::blame(tx, run, row.line, fault).await?;
                    }
                }
                Ok(())
            })
        })
        .await?;
    }
}

async fn tell_faults(cx: &Cx, run: Uuid, tell: Tell<'_>) -> Result<(), AppError> {
    let mut after = 0;
    loop {
        let bad = staging::bad(&mut cx.db().read().await?, run, after).await?;
        let Some(last) = bad.last() else { return Ok(()) };
        after = last.0;
        for (line, _, faults) in bad {
            for fault in faults {
                tell(Told::Fault { line, fault });
            }
        }
    }
}

/// Writes the bad rows as they stood in the file, with the reason, and with the place in the order that they keep.
async fn write_rejects(cx: &Cx, File { table, header }: &File, run: Uuid, path: &Path) -> Result<(), Failed> {
    let failed = |error: &dyn std::fmt::Display| Failed::File(path.to_owned(), error.to_string());
    let mut writer = table.writer(path).map_err(|error| failed(&error))?;
    let lacks_place = !header.has("order_line") && header.has("order_number");
    let reason_at = header.place("reason");
    let mut names: Vec<&[u8]> =
        table.header.iter().enumerate().filter(|(at, _)| Some(*at) != reason_at).map(|(_, c)| c).collect();
    if lacks_place {
        names.push(b"order_line");
    }
    names.push(b"reason");
    writer.write_record(&names).map_err(|error| failed(&error))?;
    let mut records = table.records().map_err(|error| failed(&error))?;
    let mut after = 0;
    loop {
        let bad = staging::bad(&mut cx.db().read().await?, run, after).await?;
        let Some(last) = bad.last() else { break };
        after = last.0;
        for (line, place, faults) in bad {
            let found = records.by_ref().filter_map(Result::ok).find(|record| i64::try_from(record.line) == Ok(line));
            let Some(record) = found else { continue };
            let mut cells: Vec<Vec<u8>> = (0..header.width())
                .filter(|at| Some(*at) != reason_at)
                .map(|at| record.cells.get(at).unwrap_or_default().to_vec())
                .collect();
            let place = place.map(|place| place.to_string()).unwrap_or_default();
            if lacks_place {
                cells.push(place.into_bytes());
            } else if let Some(at) = header.place("order_line")
                && cells.get(at).is_some_and(Vec::is_empty)
            {
                cells[at] = place.into_bytes();
            }
            let reasons: Vec<String> =
                faults.iter().map(|fault| format!("{}: {}", fault.column, fault.fault)).collect();
            cells.push(reasons.join("; ").into_bytes());
            writer.write_record(&cells).map_err(|error| failed(&error))?;
        }
    }
    writer.flush().map_err(|error| failed(&error))
}

/// Applies what is staged from a line on, puts aside what is bad, and closes the run.
async fn finish(
    cx: &Cx,
    permit: Permit,
    options: &Options,
    file: &File,
    run: Uuid,
    from: i64,
    tell: Tell<'_>,
) -> Result<Report, Failed> {
    let mut tx = cx.db().read().await?;
    let (rows, bad) = staging::count(&mut tx, run).await?;
    let before = staging::good_until(&mut tx, run, from).await?.unsigned_abs();
    drop(tx);
    let mut report = Report { applied: true, before, ..Report::default() };
    let good = (rows - bad).unsigned_abs();
    // Before anything is applied: a file that cannot be written stops the import in time.
    if let Some(rejects) = options.rejects.as_deref() {
        write_rejects(cx, file, run, rejects).await?;
    }
    let settings = Arc::new(apply::Settings::read(cx, options.notify).await?);
    let mut after = from;
    loop {
        let (kind, settings, context) = (options.kind, Arc::clone(&settings), cx.clone());
        let done = write_some(cx, move |tx| {
            let (settings, cx) = (Arc::clone(&settings), context.clone());
            Box::pin(async move {
                let ready = staging::ready(tx, run, after, APPLIED_AT_ONCE).await?;
                let Some(last) = ready.last().map(|row| row.line) else { return Ok(None) };
                let applied = match kind {
                    Kind::Products => catalog::products(tx, &settings, &ready).await?,
                    Kind::Plans => catalog::plans(tx, &settings, &ready).await?,
                    Kind::Purchases => apply::purchases(tx, &cx, &permit, &settings, &ready).await?,
                };
                // What somebody came to rely on meanwhile: it is put aside like every bad row.
                for (line, fault) in &applied.conflicts {
                    staging::blame(tx, run, *line, fault.clone()).await?;
                }
                staging::applied(tx, run, last).await?;
                Ok(Some((last, applied)))
            })
        })
        .await?;
        let Some((last, applied)) = done else { break };
        after = last;
        report.added += applied.added;
        report.changed += applied.changed;
        report.unchanged += applied.unchanged;
        for (line, fault) in applied.conflicts {
            tell(Told::Fault { line, fault });
        }
        tell(Told::Applied { rows: before + report.added + report.changed + report.unchanged, of: good });
    }
    let bad_at_first = bad;
    let (rows, bad) = staging::count(&mut cx.db().read().await?, run).await?;
    (report.rows, report.bad) = (rows.unsigned_abs(), bad.unsigned_abs());
    if let Some(rejects) = options.rejects.as_deref().filter(|_| bad > bad_at_first) {
        write_rejects(cx, file, run, rejects).await?;
    }
    clear(cx, run).await?;
    let context = cx.clone();
    let detail = serde_json::json!({
        "kind": options.kind.as_str(), "rows": report.rows, "added": report.added, "changed": report.changed,
    });
    let detail = detail.to_string();
    write(cx, move |tx| {
        let (cx, detail) = (context.clone(), detail.clone());
        Box::pin(async move {
            staging::done(tx, run, crate::server::clock::real_now()).await?;
            let change =
                Change { entity: "import_run", id: run, to: Some("done"), detail: Some(&detail), ..Change::default() };
            history::record(tx, &cx, &permit, change).await
        })
    })
    .await?;
    Ok(report)
}

async fn discard(cx: &Cx, run: Uuid) -> Result<(), AppError> {
    clear(cx, run).await?;
    write(cx, move |tx| Box::pin(async move { staging::drop(tx, run).await })).await
}

/// Takes the staged rows away, a few thousand at a time.
async fn clear(cx: &Cx, run: Uuid) -> Result<(), AppError> {
    let last = staging::last_line(&mut cx.db().read().await?, run).await?;
    let mut line = 0;
    while line < last {
        line = (line + 10_000).min(last);
        write(cx, move |tx| Box::pin(async move { staging::clear(tx, run, line).await })).await?;
    }
    Ok(())
}
