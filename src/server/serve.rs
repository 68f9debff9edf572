//! `aftercare serve`: opens everything, listens, works off jobs, and stops gracefully.

use super::{
    App, Parts,
    assets::Assets,
    clock::Clock,
    config::{Config, Settings},
    demo,
    router::router,
    settings,
};
use crate::{db::Db, notices::server::mail::Mailer};
use axum::serve::ListenerExt;
use std::{io::Write, net::SocketAddr, time::Duration};
use tokio::net::TcpListener;

/// How long requests may go on after the signal to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

#[derive(clap::Args, Clone, Debug)]
pub struct Serve {
    /// The address to listen on; by default 127.0.0.1:3000
    #[arg(long, env = "AFTERCARE_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Serve the demo company: seeds an empty database, marks it, and lets everybody step into every role
    #[arg(long)]
    pub demo: bool,
    /// Let the demo be reached from other machines
    #[arg(long, requires = "demo")]
    pub demo_public: bool,
}

/// The folder of everything that is kept, made where it is not there yet.
///
/// # Errors
/// One line that names it.
pub fn make_folder(config: &Config) -> Result<(), String> {
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|e| format!("cannot make the folder {}: {e}", config.data_dir.display()))
}

/// Opens the database and everything around it.
///
/// # Errors
/// One line for the operator.
pub async fn open(config: Config, demo: bool) -> Result<App, String> {
    make_folder(&config)?;
    let db = Db::open(&config.database_url).await?;
    let failed = |e| format!("the database failed: {e:?}");
    let marked = settings::is_demo(&db).await.map_err(failed)?;
    if demo && !marked && !settings::is_untouched(&db).await.map_err(failed)? {
        return Err("--demo: this database holds real data; the demo needs an empty one or its own".to_owned());
    }
    if !demo && marked {
        return Err("this database is the demo company's; serve it with --demo, or choose another by --data-dir or --database-url".to_owned());
    }
    if !demo && config.clock.is_some() {
        return Err("AFTERCARE_CLOCK moves the demo's clock only; unset it to work on a company's own data".to_owned());
    }
    while db.write(|tx| Box::pin(crate::people::server::store::fill_likeness(tx))).await.map_err(failed)? > 0 {}
    let secret = settings::secret(&db).await.map_err(failed)?;
    let clock = Clock::new(config.clock);
    if demo {
        clock.set_offset(settings::clock_offset(&db).await.map_err(failed)?);
    }
    let company = settings::Company {
        name: if demo { "Lumina Works".to_owned() } else { config.company.clone() },
        zone: config.zone,
        currency: config.currency,
    };
    // In the demo nothing leaves the process.
    let mailer = if demo { Mailer::demo() } else { Mailer::new(&config)? };
    let app = App::new(Parts {
        db,
        config,
        clock,
        assets: Assets::load(),
        mailer,
        company,
        secret,
        demo,
        wake: tokio::sync::Notify::new(),
    });
    if !settings::owns_folder(&app).await {
        tracing::warn!("the data folder is another installation's: what nobody knows of in it is left there");
    }
    if demo && !marked {
        demo::seed(&app).await.map_err(|e| format!("the demo company could not be set up: {e:?}"))?;
    }
    Ok(app)
}

pub async fn run(serve: Serve, settings: Settings) -> Result<(), String> {
    let listen = Config::listen(serve.listen)?;
    if serve.demo && !serve.demo_public && !listen.ip().is_loopback() {
        return Err(
            "--demo lets everybody into every role and listens on loopback only; --demo-public lifts that".to_owned()
        );
    }
    let listener = TcpListener::bind(listen).await.map_err(|e| format!("cannot listen on {listen}: {e}"))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let config = Config::read(settings, address)?;
    if !config.is_https() && !address.ip().is_loopback() {
        tracing::warn!("the portal is reached without https: sign-in codes and sessions can be read on the way");
    }
    let app = open(config, serve.demo).await?;
    if let Err(error) = app.assets.keep(&app.config.data_dir) {
        tracing::warn!(%error, "this build's files could not be kept for pages that outlive it");
    }
    announce(&app);
    let stop = tokio_util::sync::CancellationToken::new();
    let worker = tokio::spawn(crate::jobs::work(app.clone(), stop.clone()));
    let signal = stop.clone();
    tokio::spawn(async move {
        told_to_stop().await;
        signal.cancel();
    });
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let ending = stop.clone();
    let served = axum::serve(listener, service).with_graceful_shutdown(ending.cancelled_owned());
    tokio::select! {
        outcome = served => outcome.map_err(|e| e.to_string())?,
        () = async { stop.cancelled().await; tokio::time::sleep(LAST_REQUESTS).await; } => tracing::warn!("some requests took too long to finish"),
    }
    let _ = worker.await;
    app.db.close().await;
    Ok(())
}

fn announce(app: &App) {
    let mut lines = format!("{} is at {}\n", app.company.name, app.config.address("/"));
    if app.demo {
        lines.push_str("Demo: step into a role by the bar on top of every page, or sign in as one of\n");
        for (role, email, name) in demo::ACCOUNTS {
            lines.push_str(&format!("  {role:<11} {email:<24} {name}\n"));
        }
        lines.push_str(&format!("Codes arrive at {}\n", app.config.address("/demo/mail")));
    }
    // Whoever started us may have read the first line and closed the pipe; that is no reason to stop.
    let _ = std::io::stdout().write_all(lines.as_bytes());
}

async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
        }
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}
