//! One import from the file to the report.

use super::{
    apply, catalog,
    changes::{self, Effect},
    people,
    source::{Format, Row, Source, whole},
    staging,
};
use crate::{
    access::{Act, Permit, Subject},
    catalog::{domain::Plan, server::store as plans},
    db::Tx,
    error::AppError,
    import::domain::{
        Fault, Header, Layout, LeftOut, PurchaseRow, RowFault, plan_columns, product_columns, purchase_columns,
        read_plan, read_product, read_purchase,
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
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// How many rows are staged by one transaction, and applied by one.
const STAGED_AT_ONCE: usize = 5000;
const APPLIED_AT_ONCE: i64 = 2000;
/// Up to how many rows that take something away go in by one transaction, all or none.
const TAKEN_AT_ONCE: i64 = 2000;
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
    pub format: Format,
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
    /// Lines of orders that are no purchases.
    pub left_out: u64,
    /// Good rows that were in already when an import of the same file was cut off.
    pub before: u64,
    /// Whether anything was applied at all.
    pub applied: bool,
}

/// What the import tells while it runs, in the order of the file.
#[derive(Clone, PartialEq, Debug)]
pub enum Told {
    Read {
        rows: u64,
    },
    /// The whole file was looked at; nothing of it is in.
    Checked {
        rows: u64,
    },
    Applied {
        rows: u64,
        of: u64,
    },
    UnknownColumn(String),
    Resumed {
        line: i64,
    },
    /// So many lines of orders are no purchases.
    LeftOut {
        why: LeftOut,
        rows: u64,
    },
    /// This one is no purchase, but was imported as one before.
    Stays {
        line: i64,
        order: String,
        why: LeftOut,
    },
    Fault {
        line: i64,
        fault: RowFault,
    },
}

/// Why an import could not run.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("{0}: {1}")]
    File(PathBuf, String),
    #[error("{format} files hold purchases, no {kind}", format = .0.as_str(), kind = .1.as_str())]
    Format(Format, Kind),
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
    if let Some(rejects) = options.rejects.as_deref().filter(|rejects| same_file(&options.file, rejects)) {
        return Err(Failed::RejectsInto(rejects.to_owned()));
    }
    if !options.format.holds(options.kind) {
        return Err(Failed::Format(options.format, options.kind));
    }
    let source = Source::open(&options.file, options.kind, options.format, cx.app.company.currency)?;
    for column in source.header.unknown() {
        tell(Told::UnknownColumn(column.to_owned()));
    }
    if !options.dry_run
        && let Some((run, line)) = staging::cut_off(&mut cx.db().read().await?, options.kind, &source.digest).await?
    {
        let mut tx = cx.db().read().await?;
        let (_, bad) = staging::count(&mut tx, run).await?;
        let in_file = staging::line_in_file(&mut tx, run, line).await?;
        drop(tx);
        if bad > 0 && options.rejects.is_none() {
            return Err(Failed::PutAside(in_file));
        }
        tell(Told::Resumed { line: in_file });
        tell_faults(cx, run, tell).await?;
        return finish(cx, permit, options, &source, (run, Start::CutOff { line }), Report::default(), tell).await;
    }
    let run = Uuid::now_v7();
    let left_out = stage(cx, options, &source, run, tell).await?;
    let mut begun = Report { left_out, ..Report::default() };
    look(cx, options.kind, run).await?;
    let (rows, bad) = staging::count(&mut cx.db().read().await?, run).await?;
    tell_faults(cx, run, tell).await?;
    tell(Told::Checked { rows: rows.unsigned_abs() });
    if options.dry_run || (bad > 0 && options.rejects.is_none()) {
        return nothing(cx, run, begun).await;
    }
    if options.kind == Kind::Purchases && options.rejects.is_none() {
        let Some(taken) = take_away(cx, permit, options, run, tell).await? else {
            tell_faults(cx, run, tell).await?;
            return nothing(cx, run, begun).await;
        };
        begun.changed = taken;
    }
    finish(cx, permit, options, &source, (run, Start::Fresh), begun, tell).await
}

/// Ends a run of which nothing goes in.
async fn nothing(cx: &Cx, run: Uuid, begun: Report) -> Result<Report, Failed> {
    let (rows, bad) = staging::count(&mut cx.db().read().await?, run).await?;
    discard(cx, run).await?;
    Ok(Report { rows: rows.unsigned_abs(), bad: bad.unsigned_abs(), ..begun })
}

/// Where applying begins.
#[derive(Clone, Copy)]
enum Start {
    /// At the first line.
    Fresh,
    /// After the line that an import came to when it was cut off.
    CutOff { line: i64 },
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

/// Reads the file into the staging table; gives how many lines of orders it left out.
async fn stage(cx: &Cx, options: &Options, source: &Source, run: Uuid, tell: Tell<'_>) -> Result<u64, Failed> {
    let (kind, digest, now) = (options.kind, source.digest.clone(), crate::server::clock::real_now());
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
    let header = &source.header;
    let reading = Reading { kind, header, plans, zone: cx.company_zone(), currency: cx.app.company.currency };
    let mut batch = Vec::with_capacity(STAGED_AT_ONCE);
    let mut rows = 0;
    let mut left_out: BTreeMap<LeftOut, u64> = BTreeMap::new();
    let mut gone = Vec::new();
    for row in source.rows()? {
        let row = row?;
        if let Some(why) = row.shop.as_ref().and_then(|shop| shop.left_out) {
            *left_out.entry(why).or_default() += 1;
            gone.push(reading.gone(&row, why));
            if gone.len() == STAGED_AT_ONCE {
                tell_stays(cx, std::mem::take(&mut gone), tell).await?;
            }
            continue;
        }
        batch.push(reading.staged(&row));
        rows += 1;
        if batch.len() == STAGED_AT_ONCE {
            put(cx, run, std::mem::replace(&mut batch, Vec::with_capacity(STAGED_AT_ONCE))).await?;
            tell(Told::Read { rows });
        }
    }
    put(cx, run, batch).await?;
    tell(Told::Read { rows });
    tell_stays(cx, gone, tell).await?;
    for (why, rows) in &left_out {
        tell(Told::LeftOut { why: *why, rows: *rows });
    }
    Ok(left_out.values().sum())
}

/// A line of an order that is no purchase: where it stands, what it is known by, and why.
struct Gone {
    line: i64,
    known_by: (String, i64),
    why: LeftOut,
}

/// Names what was imported as a purchase before it came to be none: an import takes nothing away from anybody.
async fn tell_stays(cx: &Cx, gone: Vec<Gone>, tell: Tell<'_>) -> Result<(), AppError> {
    if gone.is_empty() {
        return Ok(());
    }
    let lines: Vec<(String, i64)> = gone.iter().map(|gone| gone.known_by.clone()).collect();
    let sold = staging::sold(&mut cx.db().read().await?, &lines).await?;
    for Gone { line, known_by, why } in gone {
        if sold.contains(&known_by) {
            tell(Told::Stays { line, order: known_by.0, why });
        }
    }
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
    fn staged(&self, row: &Row) -> Staged {
        let lossy: Vec<_> = row.cells.iter().map(String::from_utf8_lossy).collect();
        let texts: Vec<&str> = lossy.iter().map(AsRef::as_ref).collect();
        let whole_row = |fault| RowFault::new(self.header.first(), "", fault);
        let fault = match &row.shop {
            Some(shop) => shop.fault.clone(),
            None => whole(&row.cells, self.header.width()),
        };
        if let Some(fault) = fault {
            return self.bad(row, &texts, vec![whole_row(fault)]);
        }
        let (line, at) = (row.line, row.place(self.header));
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
                Staged { line, identity, place, digest: fingerprint(&parsed), at, content: Ok(parsed) }
            }
            Ok((identity, place, Err(_))) => {
                let faults = vec![whole_row(Fault::NotUtf8)];
                Staged { line, identity, place, digest: String::new(), at, content: Err(faults) }
            }
            Err(faults) => self.bad(row, &texts, faults),
        }
    }

    /// A bad row still has its place in its order.
    fn bad(&self, row: &Row, texts: &[&str], faults: Vec<RowFault>) -> Staged {
        let cell = |column| crate::import::domain::cell(self.header, texts, column);
        let faults = faults.into_iter().map(|fault| row.in_file(self.header, fault)).collect();
        let (identity, place) = match self.kind {
            Kind::Purchases => (cell("order_number").to_owned(), cell("order_line").parse().ok()),
            Kind::Products | Kind::Plans => (String::new(), None),
        };
        let at = row.place(self.header);
        Staged { line: row.line, identity, place, digest: String::new(), at, content: Err(faults) }
    }

    fn gone(&self, row: &Row, why: LeftOut) -> Gone {
        let lossy: Vec<_> = row.cells.iter().map(String::from_utf8_lossy).collect();
        let texts: Vec<&str> = lossy.iter().map(AsRef::as_ref).collect();
        let cell = |column| crate::import::domain::cell(self.header, &texts, column);
        let known_by = (cell("order_number").to_owned(), cell("order_line").parse().unwrap_or_default());
        Gone { line: row.place(self.header).map_or(row.line, |(line, _)| line), known_by, why }
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
        let repeated = staging::repeated(&mut cx.db().read().await?, run, kind, lines).await?;
        blame_all(cx, run, repeated).await?;
    }
    if kind != Kind::Purchases {
        return Ok(());
    }
    tell_firms_apart(cx, run).await?;
    let settings = Arc::new(apply::Settings::read(cx, false).await?);
    let mut after = 0;
    loop {
        let changed = staging::changed(&mut cx.db().read().await?, run, after).await?;
        let Some(last) = changed.last().map(|row| row.line) else { return Ok(()) };
        after = last;
        let (changed, settings) = (Arc::new(changed), Arc::clone(&settings));
        write(cx, move |tx| {
            let (changed, settings) = (Arc::clone(&changed), Arc::clone(&settings));
            Box::pin(async move {
                for row in changed.iter() {
                    match changes::effect(tx, &settings, row).await? {
                        Effect::Harmless => {}
                        Effect::Takes => staging::mark_taking(tx, run, row.line).await?,
                        Effect::Conflict(fault) => {
                            staging::blame(tx, run, row.line, fault).await?;
                        }
                    }
                }
                Ok(())
            })
        })
        .await?;
    }
}

/// Applies the rows that take something away before all others: of a file with a bad row nothing goes in, and only these
/// can turn bad after the file was looked at, where somebody came to rely on a piece. Gives how many there were, or
/// nothing where one has turned bad; then none is applied.
async fn take_away(
    cx: &Cx,
    permit: Permit,
    options: &Options,
    run: Uuid,
    tell: Tell<'_>,
) -> Result<Option<u64>, AppError> {
    let settings = Arc::new(apply::Settings::read(cx, options.notify).await?);
    if staging::count_taking(&mut cx.db().read().await?, run).await? > TAKEN_AT_ONCE {
        return take_much_away(cx, permit, settings, run, tell).await;
    }
    let context = cx.clone();
    write_some(cx, move |tx| {
        let (cx, settings) = (context.clone(), Arc::clone(&settings));
        Box::pin(async move {
            let (mut after, mut turned_bad) = (0, false);
            while let Some((rows, last)) = taking(tx, run, after).await? {
                after = last;
                for row in &rows {
                    changes::hold(tx, row).await?;
                    if let Effect::Conflict(fault) = changes::effect(tx, &settings, row).await? {
                        staging::blame(tx, run, row.line, fault).await?;
                        turned_bad = true;
                    }
                }
            }
            if turned_bad {
                return Ok(None);
            }
            let mut changed = 0;
            after = 0;
            while let Some((rows, last)) = taking(tx, run, after).await? {
                after = last;
                let applied = apply::purchases(tx, &cx, &permit, &settings, &rows).await?;
                if !applied.conflicts.is_empty() {
                    return Err(AppError::Busy);
                }
                changed += applied.changed;
                staging::applied(tx, run, 0).await?;
            }
            Ok(Some(changed))
        })
    })
    .await
}

/// As [`take_away`], of more than one transaction may hold while a portal runs beside it: all are judged once more before
/// the first goes in, and each again when it does. What turns bad in between is told like every conflict that comes late.
async fn take_much_away(
    cx: &Cx,
    permit: Permit,
    settings: Arc<apply::Settings>,
    run: Uuid,
    tell: Tell<'_>,
) -> Result<Option<u64>, AppError> {
    let (mut after, mut bad) = (0, Vec::new());
    let mut tx = cx.db().read().await?;
    while let Some((rows, last)) = taking(&mut tx, run, after).await? {
        after = last;
        for row in &rows {
            if let Effect::Conflict(fault) = changes::effect(&mut tx, &settings, row).await? {
                bad.push((row.line, fault));
            }
        }
    }
    let (rows, bad_rows) = staging::count(&mut tx, run).await?;
    drop(tx);
    if !bad.is_empty() {
        blame_all(cx, run, bad).await?;
        return Ok(None);
    }
    let (mut after, mut changed) = (0, 0);
    loop {
        let (settings, context) = (Arc::clone(&settings), cx.clone());
        let done = write_some(cx, move |tx| {
            let (cx, settings) = (context.clone(), Arc::clone(&settings));
            Box::pin(async move {
                let Some((rows, last)) = taking(tx, run, after).await? else { return Ok(None) };
                let mut applied = apply::purchases(tx, &cx, &permit, &settings, &rows).await?;
                for (line, fault) in &mut applied.conflicts {
                    *fault = staging::blame(tx, run, *line, fault.clone()).await?;
                }
                // From the first line on: an import that goes on finds which of these are in.
                staging::applied(tx, run, 0).await?;
                Ok(Some((last, applied)))
            })
        })
        .await?;
        let Some((last, applied)) = done else { return Ok(Some(changed)) };
        after = last;
        changed += applied.changed;
        tell_conflicts(applied.conflicts, tell);
        tell(Told::Applied { rows: changed, of: (rows - bad_rows).unsigned_abs() });
    }
}

/// Marks rows as bad, in short transactions.
async fn blame_all(cx: &Cx, run: Uuid, bad: Vec<(i64, RowFault)>) -> Result<(), AppError> {
    for some in bad.chunks(STAGED_AT_ONCE) {
        let some = Arc::new(some.to_vec());
        write(cx, move |tx| {
            let some = Arc::clone(&some);
            Box::pin(async move {
                for (line, fault) in some.iter() {
                    staging::blame(tx, run, *line, fault.clone()).await?;
                }
                Ok(())
            })
        })
        .await?;
    }
    Ok(())
}

fn tell_conflicts(conflicts: Vec<(i64, RowFault)>, tell: Tell<'_>) {
    for (line, fault) in conflicts {
        tell(Told::Fault { line: fault.line.unwrap_or(line), fault });
    }
}

async fn taking(tx: &mut Tx, run: Uuid, after: i64) -> Result<Option<(Vec<staging::Ready>, i64)>, AppError> {
    let rows = staging::taking(tx, run, after).await?;
    Ok(rows.last().map(|row| row.line).map(|last| (rows, last)))
}

/// Rows that name a firm by a name that several have, or will have once the file is in. Hardly any company has such
/// firms, so that rarely any row is read.
async fn tell_firms_apart(cx: &Cx, run: Uuid) -> Result<(), AppError> {
    let brought = staging::numbered_firms(&mut cx.db().read().await?, run).await?;
    let firms = people::shared(&mut cx.db().read().await?, brought).await?;
    if firms.tells_all_apart() {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let mut tx = cx.db().read().await?;
        let ready = staging::ready(&mut tx, run, after, STAGED_AT_ONCE as i64).await?;
        let Some(last) = ready.last().map(|row| row.line) else { return Ok(()) };
        after = last;
        let mut bad = Vec::new();
        for row in &ready {
            let Ok(purchase) = serde_json::from_str::<PurchaseRow>(&row.parsed) else { continue };
            if firms.share(&purchase)
                && let Err(fault) = firms.of(&mut tx, &purchase, row.place).await?
            {
                bad.push((row.line, fault));
            }
        }
        drop(tx);
        blame_all(cx, run, bad).await?;
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
                tell(Told::Fault { line: fault.line.unwrap_or(line), fault });
            }
        }
    }
}

/// Writes the bad rows as they stood in the file, with the reason, and with the place in the order that they keep.
async fn write_rejects(cx: &Cx, source: &Source, run: Uuid, path: &Path) -> Result<(), Failed> {
    let failed = |error: &dyn std::fmt::Display| Failed::File(path.to_owned(), error.to_string());
    let header = &source.header;
    let mut writer = source.writer(path).map_err(|error| failed(&error))?;
    let lacks_place = !header.has("order_line") && header.has("order_number");
    let reason_at = header.place("reason");
    let mut names: Vec<&[u8]> =
        source.names.iter().enumerate().filter(|(at, _)| Some(*at) != reason_at).map(|(_, c)| c).collect();
    if lacks_place {
        names.push(b"order_line");
    }
    names.push(b"reason");
    writer.write_record(&names).map_err(|error| failed(&error))?;
    let mut rows = source.rows()?;
    let mut after = 0;
    loop {
        let bad = staging::bad(&mut cx.db().read().await?, run, after).await?;
        let Some(last) = bad.last() else { break };
        after = last.0;
        for (line, place, faults) in bad {
            let Some(row) = rows.by_ref().filter_map(Result::ok).find(|row| row.line == line) else { continue };
            let mut cells: Vec<Vec<u8>> = (0..header.width())
                .filter(|at| Some(*at) != reason_at)
                .map(|at| row.cells.get(at).unwrap_or_default().to_vec())
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
    source: &Source,
    (run, start): (Uuid, Start),
    begun: Report,
    tell: Tell<'_>,
) -> Result<Report, Failed> {
    let from = match start {
        Start::Fresh => 0,
        Start::CutOff { line } => line,
    };
    let mut tx = cx.db().read().await?;
    let (rows, bad) = staging::count(&mut tx, run).await?;
    let before = staging::good_until(&mut tx, run, from).await?.unsigned_abs();
    drop(tx);
    let mut report = Report { applied: true, before, ..begun };
    let good = (rows - bad).unsigned_abs();
    // Before anything is applied: a file that cannot be written stops the import in time.
    if let Some(rejects) = options.rejects.as_deref() {
        write_rejects(cx, source, run, rejects).await?;
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
                let mut applied = match kind {
                    Kind::Products => catalog::products(tx, &settings, &ready).await?,
                    Kind::Plans => catalog::plans(tx, &settings, &ready).await?,
                    Kind::Purchases => apply::purchases(tx, &cx, &permit, &settings, &ready).await?,
                };
                // What somebody came to rely on meanwhile: it is put aside like every bad row. Where none are, nothing
                // can come here but what another import of the same orders did in this moment.
                for (line, fault) in &mut applied.conflicts {
                    *fault = staging::blame(tx, run, *line, fault.clone()).await?;
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
        if let Start::CutOff { .. } = start {
            report.before += applied.earlier;
        }
        tell_conflicts(applied.conflicts, tell);
        let applied = report.before + report.added + report.changed + report.unchanged;
        tell(Told::Applied { rows: applied, of: good });
    }
    let bad_at_first = bad;
    let (rows, bad) = staging::count(&mut cx.db().read().await?, run).await?;
    (report.rows, report.bad) = (rows.unsigned_abs(), bad.unsigned_abs());
    if let Some(rejects) = options.rejects.as_deref().filter(|_| bad > bad_at_first) {
        write_rejects(cx, source, run, rejects).await?;
    }
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
    // Last: a run that is cut off before it is noted still has all the rows that it counts.
    clear(cx, run).await?;
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
