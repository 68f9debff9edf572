//! `aftercare import`: the run as its operator sees it.

use super::run::{Failed, Kind, Options, Report, Told, run};
use crate::server::Cx;
use indicatif::{ProgressBar, ProgressStyle};
use std::{io::IsTerminal, path::PathBuf};

/// How many faults are printed; more help nobody.
const MOST_FAULTS: usize = 1000;

/// What the command line says.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = columns())]
pub struct Import {
    /// products, plans or purchases
    pub kind: Kind,
    /// The file: UTF-8 CSV with a header, comma or semicolon
    pub file: PathBuf,
    /// Only look: say what would be imported and what is wrong, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Import the good rows, and put the bad ones with their reasons here
    #[arg(long, value_name = "REJECTS.csv")]
    pub skip_bad_rows: Option<PathBuf>,
    /// Also ask for feedback about what was delivered in the last 30 days
    #[arg(long)]
    pub notify: bool,
}

/// Runs it. Faults and warnings go to standard error, the result to standard output, progress to a terminal only.
/// True where every row is in, or was put aside as asked.
///
/// # Errors
/// One line that says why it could not run.
pub async fn command(cx: &Cx, import: Import) -> Result<bool, String> {
    let aside = import.skip_bad_rows.is_some();
    let dry_run = import.dry_run;
    let bar = bar();
    let told = bar.clone();
    let mut faults = 0;
    let mut tell = |what: Told| match what {
        Told::Read { rows } => told.set_message(format!("read {rows} rows")),
        Told::Checked { rows } => told.set_message(format!("checked {rows} rows")),
        Told::Applied { rows, of } => {
            told.set_length(of);
            told.set_position(rows);
            told.set_message("applied");
        }
        Told::UnknownColumn(name) => say(&told, &format!("warning: the column {name:?} is not known and not read")),
        Told::Resumed { line } => {
            say(&told, &format!("going on after line {line}, where an earlier import was cut off"))
        }
        Told::Fault { line, fault } => {
            faults += 1;
            if faults <= MOST_FAULTS {
                say(&told, &format!("line {line}, {}: {:?}: {}", fault.column, fault.value, fault.fault));
            }
        }
    };
    let options =
        Options { kind: import.kind, file: import.file, dry_run, rejects: import.skip_bad_rows, notify: import.notify };
    let outcome = run(cx, &options, &mut tell).await;
    bar.finish_and_clear();
    if faults > MOST_FAULTS {
        let more = faults - MOST_FAULTS;
        eprintln!("and {more} more {}", if more == 1 { "fault" } else { "faults" });
    }
    let report = outcome.map_err(|failed: Failed| failed.to_string())?;
    println!("{}", summary(&report, dry_run));
    if report.bad == 0 || (aside && !dry_run) { Ok(true) } else { Err(refused(&report, dry_run)) }
}

fn rows(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

fn summary(report: &Report, dry_run: bool) -> String {
    let Report { bad, added, changed, unchanged, before, .. } = report;
    let all = rows(report.rows);
    let earlier = if *before > 0 { format!(", {before} before it was cut off") } else { String::new() };
    match (report.applied, dry_run) {
        (true, _) => format!("{all}: {added} added, {changed} changed, {unchanged} unchanged{earlier}, {bad} bad"),
        (false, true) => format!("{all}: {} good, {bad} bad; nothing was changed", report.rows.saturating_sub(*bad)),
        (false, false) => format!("{all}: {bad} bad; nothing was imported"),
    }
}

fn refused(report: &Report, dry_run: bool) -> String {
    let bad = format!("{} {} bad", rows(report.bad), if report.bad == 1 { "is" } else { "are" });
    match (report.applied, dry_run) {
        (_, true) => bad,
        // Another import changed the same orders while this one went in, or this one had been cut off.
        (true, false) => format!("{bad}, the others are in; mend them and import them again"),
        (false, false) => format!("{bad}; mend them, or import the others with --skip-bad-rows REJECTS.csv"),
    }
}

/// What the files may hold, for `--help`: from what the import reads, so that it is never out of date.
fn columns() -> String {
    let list = |kind: Kind| {
        let layout = kind.layout();
        let needed: Vec<String> = layout.required.iter().map(|group| group.join(" or ")).collect();
        let is_extra = |name: &&&str| !layout.required.iter().any(|group| group.contains(*name));
        let others: Vec<&str> = layout.known.iter().filter(is_extra).copied().collect();
        format!("Columns of {}:\n  needed: {}\n  known:  {}\n", kind.as_str(), needed.join(", "), others.join(", "))
    };
    let kinds = [Kind::Purchases, Kind::Products, Kind::Plans].map(list);
    format!(
        "{}\nDates are 2026-11-10 or RFC 3339, countries ISO 3166-1 (LT), languages BCP 47 (lt), currencies ISO 4217 (EUR); \
         several serial numbers are separated by |. What a purchase does not say comes from its product.",
        kinds.join("\n")
    )
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
    let bar = ProgressBar::new(0);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// A line that does not break the bar.
fn say(bar: &ProgressBar, line: &str) {
    bar.suspend(|| eprintln!("{line}"));
}
