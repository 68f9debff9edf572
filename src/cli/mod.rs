//! The command line.

mod check;

use crate::{
    access::{Role, Viewer},
    db::Db,
    error::AppError,
    people::server::{service as people, store::OrganisationRow},
    server::{
        App, Cx,
        config::{Config, Settings},
        serve,
    },
    values::{EmailAddress, OrganisationId},
};
use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

pub use check::{Broken, Clause, check, clauses};

/// The after-sales portal: purchases, coverage, repairs, training and ratings for the people who bought from you.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the portal
    Serve(serve::Serve),
    /// Bring in what was sold: products, plans, purchases
    Import(crate::import::server::command::Import),
    /// Add staff
    #[command(subcommand)]
    Staff(Staff),
    /// Name the owner of a business customer, or end the membership of one
    #[command(subcommand)]
    Organisation(Organisation),
    /// Print a one-time link that signs in as EMAIL
    SignInLink { email: EmailAddress },
    /// Verify the promises over the whole database; exit 1 and one line each for what breaks them
    Check {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Bring the database to this version's schema
    Migrate,
}

#[derive(Subcommand)]
enum Staff {
    /// Make EMAIL one of the staff
    Add {
        email: EmailAddress,
        #[arg(long)]
        name: String,
        /// trainer, technician, agent, manager or admin
        #[arg(long)]
        role: Role,
    },
}

#[derive(Subcommand)]
enum Organisation {
    /// Let EMAIL see all that the organisation NAME bought, and enrol its people
    Owner {
        /// Its exact name, or its number (`organisation_id`) where several have that name
        name: String,
        email: EmailAddress,
    },
    /// End the membership of EMAIL, an owner of the organisation NAME; what they bought for it goes to its first other
    /// owner
    RemoveOwner {
        /// Its exact name, or its number (`organisation_id`) where several have that name
        name: String,
        email: EmailAddress,
    },
}

/// Runs the command; 0, 1 with one line on standard error, or 2 for wrong usage.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Import(import) = &cli.command
        && let Err(wrong) = import.usage()
    {
        Cli::command().error(clap::error::ErrorKind::ArgumentConflict, wrong).exit();
    }
    log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(line) => fail(&line),
    }
}

fn fail(line: &str) -> ExitCode {
    eprintln!("aftercare: {line}");
    ExitCode::from(1)
}

/// Structured lines on standard error: for people on a terminal, JSON otherwise. `RUST_LOG` chooses what.
fn log() {
    use std::io::IsTerminal;
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,aftercare=info".into());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() { builder.compact().init() } else { builder.json().init() }
}

async fn run(cli: Cli) -> Result<ExitCode, String> {
    let done = ExitCode::SUCCESS;
    match cli.command {
        Command::Serve(serve) => serve::run(serve, cli.settings).await.map(|()| done),
        Command::Migrate => {
            let config = config(cli.settings)?;
            serve::make_folder(&config)?;
            Db::open(&config.database_url).await?.close().await;
            Ok(done)
        }
        Command::Check { json } => check::run(&open(cli.settings).await?, json).await,
        Command::Import(import) => {
            let cx = operator(cli.settings).await?;
            let done = crate::import::server::command::command(&cx, import).await;
            cx.db().close().await;
            done.map(|_| ExitCode::SUCCESS)
        }
        Command::Staff(Staff::Add { email, name, role }) => {
            let cx = operator(cli.settings).await?;
            people::add_staff(&cx, email, name, role).await.map_err(|e| explain(&e))?;
            Ok(done)
        }
        Command::Organisation(Organisation::Owner { name, email }) => {
            let cx = operator(cli.settings).await?;
            let firm = firm_called(&cx, &name).await?;
            people::name_owner(&cx, firm, email).await.map(|()| done).map_err(|e| explain(&e))
        }
        Command::Organisation(Organisation::RemoveOwner { name, email }) => {
            let cx = operator(cli.settings).await?;
            let firm = firm_called(&cx, &name).await?;
            let ended = crate::training::server::members::end_ownership(&cx, firm, email.clone()).await;
            ended.map(|()| done).map_err(|error| match error {
                AppError::NotFound => format!("{email} is not an owner of {name:?}"),
                other => explain(&other),
            })
        }
        Command::SignInLink { email } => {
            let cx = operator(cli.settings).await?;
            let link = crate::accounts::server::service::link_for(&cx, email.clone()).await.map_err(|e| {
                if e == AppError::NotFound { format!("nobody has the address {email}") } else { explain(&e) }
            })?;
            println!("{link}");
            Ok(done)
        }
    }
}

/// The one organisation that is called so. Owners see what it bought, so that nobody guesses which of several is meant.
async fn firm_called(cx: &Cx, name: &str) -> Result<OrganisationId, String> {
    let firms = people::firms_called(cx, name).await.map_err(|e| explain(&e))?;
    match firms.as_slice() {
        [] => Err(format!("there is no organisation {name:?}")),
        [firm] => Ok(firm.id),
        several => {
            let numbers: Vec<String> = several.iter().map(|firm| number(firm, name)).collect();
            Err(format!("several organisations are called {name:?}; name one by its number: {}", numbers.join(", ")))
        }
    }
}

/// What names this firm and no other: the company's number, or ours where there is none, or it is what was asked for.
fn number(firm: &OrganisationRow, asked: &str) -> String {
    let own = firm.external_id.clone().filter(|number| number != asked.trim());
    own.unwrap_or_else(|| firm.id.to_string())
}

fn config(settings: Settings) -> Result<Config, String> {
    let given = std::env::var("AFTERCARE_LISTEN").ok().filter(|text| !text.is_empty());
    let wrong = |text: &str| format!("AFTERCARE_LISTEN must be an address with a port, not {text:?}");
    let given = given.map(|text| text.parse().map_err(|_| wrong(&text))).transpose()?;
    Config::read(settings, Config::listen(given)?)
}

/// Opens the database that the settings name, demo or not: commands work on both.
async fn open(settings: Settings) -> Result<App, String> {
    let config = config(settings)?;
    serve::make_folder(&config)?;
    let db = Db::open(&config.database_url).await?;
    let demo = crate::server::settings::is_demo(&db).await.map_err(|e| explain(&e))?;
    db.close().await;
    serve::open(config, demo).await
}

async fn operator(settings: Settings) -> Result<Cx, String> {
    Ok(Cx::without_request(&open(settings).await?, Viewer::Operator))
}

fn explain(error: &AppError) -> String {
    use crate::i18n::{Fmt, InWords, Locale};
    match error {
        AppError::Refused(refusal) => refusal.in_words(Fmt::new(Locale::default())),
        AppError::Busy => "the database is busy; try again".to_owned(),
        other => format!("{other:?}"),
    }
}
