//! Settings: a flag over the environment over `aftercare.toml`. A wrong one stops the start with its name.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::Args;
use ipnet::{IpNet, Ipv6Net};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};
use url::Url;

/// What `aftercare serve` and the other commands take. Everything but the database's place can also stand in
/// `aftercare.toml` under the flag's name with `_` for `-`.
#[derive(Args, Clone, Debug, Default)]
pub struct Settings {
    /// Where the database is: `sqlite:PATH` or `postgres://…`; by default `sqlite:DATA_DIR/aftercare.db`
    #[arg(long, env = "AFTERCARE_DATABASE_URL", global = true, hide_env_values = true)]
    pub database_url: Option<String>,
    /// The folder for the database and the pictures; by default `data`
    #[arg(long, env = "AFTERCARE_DATA_DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// The address that people type, such as `https://service.example.com`
    #[arg(long, env = "AFTERCARE_PUBLIC_URL", global = true)]
    pub public_url: Option<String>,
    /// How mail leaves: `smtp://host:25`, `smtps://user:password@host`
    #[arg(long, env = "AFTERCARE_SMTP_URL", global = true, hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// The sender of mail: `Name <address>`
    #[arg(long, env = "AFTERCARE_MAIL_FROM", global = true)]
    pub mail_from: Option<String>,
    /// The company's name, as pages and letters say it
    #[arg(long, env = "AFTERCARE_COMPANY", global = true)]
    pub company: Option<String>,
    /// The company's time zone, such as `Europe/Madrid`
    #[arg(long, env = "AFTERCARE_ZONE", global = true)]
    pub zone: Option<String>,
    /// The company's currency, an ISO 4217 code
    #[arg(long, env = "AFTERCARE_CURRENCY", global = true)]
    pub currency: Option<String>,
    /// Which reverse proxies say truly from where a request comes (`X-Forwarded-For`): addresses or networks, with commas
    #[arg(long, env = "AFTERCARE_TRUSTED_PROXIES", global = true)]
    pub trusted_proxies: Option<String>,
    /// Where the demo's business time starts, RFC 3339
    #[arg(long, env = "AFTERCARE_CLOCK", global = true, hide = true)]
    pub clock: Option<String>,
}

/// The settings after all three places were asked, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub database_url: String,
    pub data_dir: PathBuf,
    pub public_url: Url,
    pub smtp_url: Option<String>,
    pub mail_from: String,
    pub company: String,
    pub zone: Tz,
    pub currency: crate::values::Currency,
    pub trusted_proxies: Vec<IpNet>,
    pub clock: Option<DateTime<Utc>>,
}

/// The settings file, beside where the command is run.
const FILE: &str = "aftercare.toml";
/// What may stand in it. The demo may not, and neither may its clock.
const KNOWN: [&str; 10] = [
    "listen",
    "database_url",
    "data_dir",
    "public_url",
    "smtp_url",
    "mail_from",
    "company",
    "zone",
    "currency",
    "trusted_proxies",
];
/// Where the portal listens if nobody says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

impl Config {
    /// Joins the three places. `listen` gives the public address where none is set.
    ///
    /// # Errors
    /// One line that names the setting and says what it may be.
    pub fn read(settings: Settings, listen: SocketAddr) -> Result<Self, String> {
        Self::join(settings, &in_file()?, listen)
    }

    /// Where to listen: what was given on the command line or in the environment, else what the file says.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn listen(given: Option<SocketAddr>) -> Result<SocketAddr, String> {
        listens(given, &in_file()?)
    }

    fn join(settings: Settings, file: &toml::Table, listen: SocketAddr) -> Result<Self, String> {
        if let Some(unknown) = file.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(format!("{FILE}: {unknown} is not a setting; there are {}", KNOWN.join(", ")));
        }
        let pick = |given: Option<String>, name: &str| match given {
            Some(value) => Ok(Some(value)),
            None => text(file, name),
        };
        let data_dir = pick(settings.data_dir.map(|dir| dir.to_string_lossy().into_owned()), "data_dir")?;
        let data_dir = PathBuf::from(data_dir.unwrap_or_else(|| "data".to_owned()));
        let database_url = pick(settings.database_url, "database_url")?
            .unwrap_or_else(|| format!("sqlite:{}", data_dir.join("aftercare.db").display()));
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| database_url.starts_with(scheme)) {
            return Err("database-url must begin with sqlite: or postgres://".to_owned());
        }
        let public_url = pick(settings.public_url, "public_url")?.unwrap_or_else(|| format!("http://{listen}"));
        let public_url = Url::parse(&public_url)
            .ok()
            .filter(|url| {
                matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none() && url.has_host()
            })
            .ok_or("public-url must be http:// or https:// with a host and no path")?;
        let zone = pick(settings.zone, "zone")?.unwrap_or_else(|| "Europe/Madrid".to_owned());
        let zone =
            zone.parse().map_err(|_| format!("zone must be an IANA time zone such as Europe/Madrid, not {zone:?}"))?;
        let currency = pick(settings.currency, "currency")?.unwrap_or_else(|| "EUR".to_owned());
        let currency =
            currency.parse().map_err(|_| format!("currency must be an ISO 4217 code such as EUR, not {currency:?}"))?;
        let trusted_proxies = networks(&pick(settings.trusted_proxies, "trusted_proxies")?.unwrap_or_default())?;
        let smtp_url = pick(settings.smtp_url, "smtp_url")?;
        if smtp_url.as_ref().is_some_and(|url| !url.starts_with("smtp://") && !url.starts_with("smtps://")) {
            return Err("smtp-url must begin with smtp:// or smtps://".to_owned());
        }
        let mail_from = pick(settings.mail_from, "mail_from")?.unwrap_or_else(|| {
            format!(
                "service@{}",
                public_url.host_str().filter(|h| h.contains('.') && !h.starts_with("127.")).unwrap_or("example.com")
            )
        });
        mail_from
            .parse::<lettre::message::Mailbox>()
            .map_err(|_| "mail-from must be an address or Name <address>".to_owned())?;
        let clock = settings
            .clock
            .map(|text| {
                DateTime::parse_from_rfc3339(&text).map(|at| at.to_utc()).map_err(|_| {
                    format!("AFTERCARE_CLOCK must be an RFC 3339 time such as 2026-12-01T09:00:00Z, not {text:?}")
                })
            })
            .transpose()?;
        let company = pick(settings.company, "company")?.unwrap_or_else(|| "Aftercare".to_owned());
        Ok(Self {
            database_url,
            data_dir,
            public_url,
            smtp_url,
            mail_from,
            company,
            zone,
            currency,
            trusted_proxies,
            clock,
        })
    }

    /// From where a request comes: the nearest address that is not one of the trusted proxies'. What stands before it
    /// in `X-Forwarded-For` may have been made up by whoever sent it. Of an IPv6 address the network, since one line has
    /// all of its addresses (RFC 6177: at least a /64).
    pub fn sender<'a>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a str>) -> String {
        let mut nearest = peer.to_canonical();
        let mut further = forwarded.flat_map(|line| line.split(',')).map(str::trim).rev();
        while self.trusted_proxies.iter().any(|network| network.contains(&nearest)) {
            // Some proxies write the port as well.
            let read = |text: &str| text.parse().or_else(|_| text.parse::<SocketAddr>().map(|at| at.ip()));
            match further.next().map(read) {
                Some(Ok(address)) => nearest = address.to_canonical(),
                Some(Err(_)) | None => break,
            }
        }
        match nearest {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => Ipv6Net::new_assert(address, 64).trunc().to_string(),
        }
    }

    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// The public address as browsers write it in `Origin`.
    pub fn origin(&self) -> String {
        self.public_url.origin().ascii_serialization()
    }

    /// The public address of a path that begins with `/`.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// What cookies end with: `; Secure` where the portal is reached by https.
    pub fn secure_suffix(&self) -> &'static str {
        if self.is_https() { "; Secure" } else { "" }
    }

    /// The session cookie's name. The prefix binds it to this very host, which browsers allow under https only.
    pub fn session_cookie(&self) -> &'static str {
        if self.is_https() { "__Host-aftercare" } else { "aftercare" }
    }
}

fn in_file() -> Result<toml::Table, String> {
    match std::fs::read_to_string(FILE) {
        Ok(text) => text.parse::<toml::Table>().map_err(|e| format!("{FILE}: {}", e.message())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(toml::Table::new()),
        Err(error) => Err(format!("{FILE} cannot be read: {error}")),
    }
}

fn text(file: &toml::Table, name: &str) -> Result<Option<String>, String> {
    match file.get(name) {
        Some(toml::Value::String(value)) => Ok(Some(value.clone())),
        Some(_) => Err(format!("{FILE}: {name} must be text in quotes")),
        None => Ok(None),
    }
}

fn listens(given: Option<SocketAddr>, file: &toml::Table) -> Result<SocketAddr, String> {
    let Some(text) = text(file, "listen")?.filter(|_| given.is_none()) else { return Ok(given.unwrap_or(LISTEN)) };
    text.parse().map_err(|_| format!("listen must be an address with a port such as {LISTEN}, not {text:?}"))
}

/// `10.0.0.0/8, ::1` as networks; a bare address is a network of its own.
fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let one = |text: &str| {
        text.parse()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map_err(|_| format!("trusted-proxies must be addresses or networks such as 10.0.0.0/8, not {text:?}"))
    };
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(settings: Settings, file: &str) -> Result<Config, String> {
        Config::join(settings, &file.parse().unwrap(), "127.0.0.1:3000".parse().unwrap())
    }

    #[test]
    fn the_flag_wins_over_the_file() {
        let file = "zone = \"Asia/Kolkata\"\ncompany = \"A\"";
        let config = join(Settings { zone: Some("Europe/Vilnius".into()), ..Settings::default() }, file).unwrap();
        assert_eq!((config.zone, config.company.as_str()), (chrono_tz::Europe::Vilnius, "A"));
        assert_eq!(config.origin(), "http://127.0.0.1:3000");
    }

    #[test]
    fn every_setting_may_stand_in_the_file() {
        let file = r#"
            listen = "0.0.0.0:8080"
            database_url = "postgres://db.example.com/care"
            data_dir = "/var/lib/aftercare"
            public_url = "https://care.example.com"
            smtp_url = "smtp://mail.example.com"
            mail_from = "Care <care@example.com>"
            company = "A"
            zone = "Europe/Vilnius"
            currency = "GBP"
            trusted_proxies = "10.0.0.0/8"
        "#;
        let table: toml::Table = file.parse().unwrap();
        assert_eq!(table.len(), KNOWN.len());
        let config = join(Settings::default(), file).unwrap();
        assert_eq!((config.origin().as_str(), config.trusted_proxies.len()), ("https://care.example.com", 1));
        assert_eq!(listens(None, &table).unwrap().to_string(), "0.0.0.0:8080");
        let given = "127.0.0.1:9".parse().unwrap();
        assert_eq!(listens(Some(given), &table), Ok(given), "the flag wins");
        assert_eq!(listens(None, &toml::Table::new()), Ok(LISTEN));
        let wrong: toml::Table = "listen = \"here\"".parse().unwrap();
        assert!(listens(None, &wrong).unwrap_err().contains("listen must be"));
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let with = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            join(settings, "").unwrap_err()
        };
        assert!(with(|s| s.zone = Some("Mars".into())).contains("zone must be"));
        assert!(with(|s| s.currency = Some("EURO".into())).contains("currency must be"));
        assert!(with(|s| s.public_url = Some("ftp://x".into())).contains("public-url must be"));
        assert!(with(|s| s.database_url = Some("mysql://x".into())).contains("database-url must"));
        assert!(with(|s| s.trusted_proxies = Some("10.0.0.0/8, proxy".into())).contains("not \"proxy\""));
        assert!(with(|s| s.clock = Some("noon".into())).contains("AFTERCARE_CLOCK"));
        assert!(join(Settings::default(), "demo = true").unwrap_err().contains("demo is not a setting"));
    }

    #[test]
    fn a_proxy_is_believed_only_where_it_is_trusted() {
        let sender = |proxies: &str, peer: &str, forwarded: &[&str]| {
            let settings = Settings { trusted_proxies: Some(proxies.into()), ..Settings::default() };
            let config = join(settings, "").unwrap();
            config.sender(peer.parse().unwrap(), forwarded.iter().copied())
        };
        assert_eq!(sender("", "127.0.0.1", &["203.0.113.9"]), "127.0.0.1");
        assert_eq!(sender("127.0.0.1", "127.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(sender("127.0.0.1", "127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(sender("127.0.0.1", "198.51.100.1", &["203.0.113.9"]), "198.51.100.1", "not through the proxy");
        assert_eq!(sender("127.0.0.1", "::ffff:127.0.0.1", &["203.0.113.9:4711"]), "203.0.113.9");
        let made_up = ["1.2.3.4, 203.0.113.9", "10.1.2.3"];
        assert_eq!(sender("127.0.0.1, 10.0.0.0/8", "127.0.0.1", &made_up), "203.0.113.9", "two proxies, one lie");
        assert_eq!(sender("::1", "::1", &["2001:db8::7"]), "2001:db8::/64");
        assert_eq!(sender("::1", "::1", &["unknown"]), "::/64");
    }
}
