//! `aftercare import`: the run as its operator sees it.

use super::run::{Failed, Kind, Options, Report, Told, run};
use crate::server::Cx;
use indicatif::{ProgressBar, ProgressStyle};
use std::{io::IsTerminal, path::PathBuf};

/// How many faults are printed; more help nobody.
const MOST_FAULTS: usize = 1000;

/// What the command line says.
#[derive(clap::Args, Clone, Debug)]
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
    let mut tell = move |what: Told| match what {
        Told::Read { rows } => told.set_message(format!("read {rows} rows")),
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
    let report = outcome.map_err(|failed: Failed| failed.to_string())?;
    println!("{}", summary(&report, dry_run));
    if report.bad == 0 || (aside && !dry_run) { Ok(true) } else { Err(refused(&report, dry_run)) }
}

fn summary(report: &Report, dry_run: bool) -> String {
    let Report { rows, bad, added, changed, unchanged, applied } = report;
    match (applied, dry_run) {
        (true, _) => format!("{rows} rows: {added} added, {changed} changed, {unchanged} unchanged, {bad} bad"),
        (false, true) => format!("{rows} rows: {} good, {bad} bad; nothing was changed", rows.saturating_sub(*bad)),
        (false, false) => format!("{rows} rows: {bad} bad; nothing was imported"),
    }
}

fn refused(report: &Report, dry_run: bool) -> String {
    let rows = if report.bad == 1 { "1 row is bad".to_owned() } else { format!("{} rows are bad", report.bad) };
    if dry_run { rows } else { format!("{rows}; mend them, or import the others with --skip-bad-rows REJECTS.csv") }
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
