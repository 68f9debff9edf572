//! `aftercare import`: the run as its operator sees it.

use super::{
    run::{Failed, Kind, Options, Report, Told, run},
    source::Format,
};
use crate::server::Cx;
use indicatif::{ProgressBar, ProgressStyle};
use std::{io::IsTerminal, path::PathBuf};

/// How many faults are printed; more help nobody.
const MOST_FAULTS: usize = 1000;

/// How many purchases are named that a shop has cancelled since.
const MOST_STAYS: usize = 100;

/// What the command line says.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = columns())]
pub struct Import {
    /// products, plans or purchases
    pub kind: Kind,
    /// The file: UTF-8 CSV with a header, comma or semicolon; of woocommerce JSON
    pub file: PathBuf,
    /// aftercare (our own columns), or for purchases shopify (its export of orders) or woocommerce (its orders as JSON)
    #[arg(long, default_value = "aftercare", value_name = "FORMAT")]
    pub format: Format,
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

impl Import {
    /// What is asked for and does not go together.
    ///
    /// # Errors
    /// The words for it.
    pub fn usage(&self) -> Result<(), String> {
        match self.format.holds(self.kind) {
            true => Ok(()),
            false => Err(Failed::Format(self.format, self.kind).to_string()),
        }
    }
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
    let (mut faults, mut stays) = (0, 0);
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
        Told::LeftOut { why, rows: count } => say(&told, &format!("left out, {why}: {}", rows(count))),
        Told::Stays { line, order, why } => {
            stays += 1;
            if stays <= MOST_STAYS {
                say(&told, &format!("warning: line {line}: order {order} is {why}, but was imported before; it stays"));
            }
        }
        Told::Fault { line, fault } => {
            faults += 1;
            if faults <= MOST_FAULTS {
                say(&told, &format!("line {line}, {}: {:?}: {}", fault.name(), fault.value, fault.fault));
            }
        }
    };
    let options = Options {
        kind: import.kind,
        format: import.format,
        file: import.file,
        dry_run,
        rejects: import.skip_bad_rows,
        notify: import.notify,
    };
    let outcome = run(cx, &options, &mut tell).await;
    bar.finish_and_clear();
    if faults > MOST_FAULTS {
        let more = faults - MOST_FAULTS;
        eprintln!("and {more} more {}", if more == 1 { "fault" } else { "faults" });
    }
    if stays > MOST_STAYS {
        eprintln!("and {} more that stay", stays - MOST_STAYS);
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
    let all = match report.left_out {
        0 => rows(report.rows),
        left_out => format!("{}, and {left_out} left out", rows(report.rows)),
    };
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

const SHOPS: &str = "Of --format shopify (Orders, Export, CSV) and woocommerce (GET /wp-json/wc/v3/orders, one page or \
    several in one file) an order line is a purchase unless it is cancelled, refunded, a draft, or neither paid nor \
    delivered. Bad rows are put aside in our own columns, to be imported without --format. README.md says more.";

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
        "{}\n{SHOPS}\n\nDates are 2026-11-10 or RFC 3339, countries ISO 3166-1 (LT), languages BCP 47 (lt), currencies ISO 4217 (EUR); \
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
