//! A fresh portal for each test: its own database on either engine, its own clock, people, and requests through the
//! real router.

use aftercare::{
    access::{Act, Membership, Role, Subject, Viewer},
    accounts::server::session,
    db::{Db, Statements},
    notices::server::mail::Mailer,
    people::server::store::{self as people, NewPerson},
    server::{
        App, Cx, Parts,
        assets::Assets,
        clock::Clock,
        config::{Config, Settings},
        router::router,
        settings,
    },
    values::{OrganisationId, PersonId},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use chrono::{DateTime, Utc};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};
use tower::ServiceExt;

/// Which engine a test runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Makes of one test two: `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! both {
    ($(#[$meta:meta])* async fn $name:ident($world:ident: World) $body:block) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn test($world: $crate::world::World) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let world = $crate::world::World::new($crate::world::Engine::Sqlite).await;
                test(world).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let world = $crate::world::World::new($crate::world::Engine::Postgres).await;
                test(world).await;
            }
        }
    };
}

#[allow(dead_code, reason = "not every slice asks")]
pub struct World {
    pub app: App,
    pub router: Router,
    pub engine: Engine,
    folder: PathBuf,
    corrupted: Mutex<Corrupted>,
}

/// What tests broke, so that `check` is held to naming that and nothing else.
#[derive(Default)]
struct Corrupted {
    /// Every identity in the rows that were changed, as they stood before and as they stand now: these may be named.
    ids: BTreeSet<uuid::Uuid>,
    /// The rows themselves: what points to one of them may be named as well.
    rows: BTreeSet<uuid::Uuid>,
    /// What was named before and may still be broken.
    named: BTreeSet<uuid::Uuid>,
    /// Whether it was looked at since: then what is corrupted next begins anew.
    seen: bool,
}

/// A row of some table, as a text that holds all of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct AnyRow {
    table: String,
    id: Option<uuid::Uuid>,
    text: String,
}

/// The identities in a row, however an engine writes them.
fn identities(row: &str) -> impl Iterator<Item = uuid::Uuid> {
    let plain = row.replace('-', "");
    let hex: Vec<String> = plain.split(|c: char| !c.is_ascii_hexdigit()).map(str::to_owned).collect();
    hex.into_iter().filter(|word| word.len() == 32).filter_map(|word| uuid::Uuid::try_parse(&word).ok())
}

/// Somebody with a signed-in browser.
#[allow(dead_code, reason = "not every slice asks")]
#[derive(Clone, Debug)]
pub struct Signed {
    pub id: PersonId,
    pub cookie: String,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a cookie that this reply sets.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.headers
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok()?.split(';').next()?.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    }
}

static NUMBER: AtomicU32 = AtomicU32::new(0);
/// Where business time stands in tests that do not say otherwise: a Tuesday morning.
pub const NOW: &str = "2026-12-01T09:00:00Z";

#[allow(dead_code, reason = "not every slice asks for everything")]
impl World {
    pub async fn new(engine: Engine) -> Self {
        Self::at(engine, NOW).await
    }

    pub async fn at(engine: Engine, now: &str) -> Self {
        Self::build(engine, now, false).await
    }

    /// With the demo company in it.
    pub async fn demo(engine: Engine) -> Self {
        Self::build(engine, NOW, true).await
    }

    /// Where letters have no server to leave by.
    pub async fn without_mail(engine: Engine) -> Self {
        Self::build_with(engine, NOW, false, Mailer::Unset).await
    }

    /// Where letters leave by this server.
    pub async fn mailing_by(engine: Engine, smtp_url: &str) -> Self {
        let settings = Settings { smtp_url: Some(smtp_url.to_owned()), ..Settings::default() };
        let config = Config::read(settings, "127.0.0.1:3000".parse().unwrap()).unwrap();
        Self::build_with(engine, NOW, false, Mailer::new(&config).unwrap()).await
    }

    async fn build(engine: Engine, now: &str, demo: bool) -> Self {
        Self::build_with(engine, now, demo, Mailer::demo()).await
    }

    async fn build_with(engine: Engine, now: &str, demo: bool, mailer: Mailer) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("aftercare-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (url, seed) = match engine {
            Engine::Sqlite if demo && now == NOW => (sqlite_demo(&folder).await, false),
            Engine::Sqlite => (sqlite_copy(&folder).await, demo),
            Engine::Postgres => (postgres_copy(number).await, demo),
        };
        let db = Db::open(&url).await.unwrap();
        let settings = Settings {
            database_url: Some(url),
            data_dir: Some(folder.clone()),
            public_url: Some("http://portal.test".to_owned()),
            clock: Some(now.to_owned()),
            ..Settings::default()
        };
        let config = Config::read(settings, "127.0.0.1:3000".parse().unwrap()).unwrap();
        let secret = settings::secret(&db).await.unwrap();
        let company = settings::Company { name: "Test Works".to_owned(), zone: config.zone, currency: config.currency };
        let app = App::new(Parts {
            db,
            clock: Clock::new(config.clock),
            config,
            assets: Assets::load(),
            mailer,
            company,
            secret,
            demo,
            wake: tokio::sync::Notify::new(),
        });
        if seed {
            aftercare::server::demo::seed(&app).await.unwrap();
        }
        Self { router: router(app.clone()), app, engine, folder, corrupted: Mutex::default() }
    }

    pub fn db(&self) -> &Db {
        &self.app.db
    }

    /// A context without a request.
    pub fn cx(&self, viewer: Viewer) -> Cx {
        Cx::without_request(&self.app, viewer)
    }

    pub fn operator(&self) -> Cx {
        self.cx(Viewer::Operator)
    }

    /// Somebody's context, as their browser would have it.
    pub async fn cx_of(&self, signed: &Signed) -> Cx {
        let token = signed.cookie.split_once('=').unwrap().1;
        let (_, person) = session::resolve(self.db(), token, Utc::now()).await.unwrap().unwrap();
        self.cx(Viewer::Person(Box::new(person)))
    }

    /// Moves business time.
    pub fn advance(&self, by: chrono::TimeDelta) {
        let passed = (self.app.clock.now() - NOW.parse::<DateTime<Utc>>().unwrap()).num_seconds();
        self.app.clock.set_offset(passed + by.num_seconds());
    }

    /// Works off all jobs that are due.
    pub async fn drain(&self) {
        aftercare::jobs::drain(&self.cx(Viewer::System)).await.unwrap();
    }

    async fn sign(&self, id: PersonId) -> Signed {
        let token = self
            .db()
            .write(move |tx| Box::pin(async move { session::insert(tx, id, "Test/1.0").await }))
            .await
            .unwrap();
        Signed { id, cookie: format!("aftercare={token}") }
    }

    /// Somebody who is known already, by an address, with a signed-in browser.
    pub async fn signed(&self, email: &str) -> Signed {
        let person = people::by_email(&mut self.db().read().await.unwrap(), &email.parse().unwrap()).await.unwrap();
        self.sign(person.unwrap_or_else(|| panic!("nobody has the address {email}")).id).await
    }

    /// A customer with a signed-in browser.
    pub async fn customer(&self, email: &str) -> Signed {
        let id = self.person(email).await;
        self.sign(id).await
    }

    /// Somebody known by an address, not signed in.
    pub async fn person(&self, email: &str) -> PersonId {
        let permit = Viewer::Operator.may(Act::Import, &Subject::nobody()).unwrap();
        let new = NewPerson {
            email: Some(email.parse().unwrap()),
            name: email.split('@').next().unwrap().to_owned(),
            ..NewPerson::default()
        };
        let now = self.app.clock.now();
        self.db()
            .write(move |tx| {
                let new = new.clone();
                Box::pin(async move { people::insert(tx, &permit, &new, now).await })
            })
            .await
            .unwrap()
    }

    /// One of the staff with a signed-in browser.
    pub async fn staff(&self, role: Role) -> Signed {
        self.staff_named(role, &format!("{}@staff.example", role.as_str())).await
    }

    pub async fn staff_named(&self, role: Role, email: &str) -> Signed {
        let cx = self.operator();
        let id = aftercare::people::server::service::add_staff(
            &cx,
            email.parse().unwrap(),
            format!("The {}", role.as_str()),
            role,
        )
        .await
        .unwrap();
        self.sign(id).await
    }

    /// A business customer.
    pub async fn organisation(&self, name: &str) -> OrganisationId {
        let permit = Viewer::Operator.may(Act::Import, &Subject::nobody()).unwrap();
        let (name, now) = (name.to_owned(), self.app.clock.now());
        self.db()
            .write(move |tx| {
                let name = name.clone();
                Box::pin(async move { people::insert_organisation(tx, &permit, &name, now).await })
            })
            .await
            .unwrap()
    }

    pub async fn join(&self, organisation: OrganisationId, person: PersonId, membership: Membership) {
        let permit = Viewer::Operator.may(Act::Import, &Subject::nobody()).unwrap();
        let now = self.app.clock.now();
        self.db()
            .write(move |tx| {
                Box::pin(async move { people::join(tx, &permit, organisation, person, membership, now).await })
            })
            .await
            .unwrap();
    }

    pub async fn get(&self, signed: impl Into<Option<&Signed>>, path: &str) -> Reply {
        let cookie = signed.into().map(|signed| signed.cookie.clone()).unwrap_or_default();
        let request = Request::get(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Posts a form from the portal's own site.
    pub async fn post(&self, signed: impl Into<Option<&Signed>>, path: &str, fields: &[(&str, &str)]) -> Reply {
        let cookie = signed.into().map(|signed| signed.cookie.clone()).unwrap_or_default();
        self.post_with(&cookie, path, fields).await
    }

    pub async fn post_with(&self, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::ORIGIN, "http://portal.test")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        Reply { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// Runs statements that no rule would allow, to see that `check` finds what they did: see [`World::broken`]. On both
    /// engines alike.
    pub async fn corrupt(&self, sql: &'static str) {
        let before = self.every_row().await;
        self.run(sql).await;
        let after = self.every_row().await;
        let mut corrupted = self.corrupted.lock().unwrap();
        if std::mem::take(&mut corrupted.seen) {
            corrupted.ids.clear();
            corrupted.rows.clear();
        }
        for row in before.symmetric_difference(&after) {
            corrupted.ids.extend(identities(&row.text));
            corrupted.rows.extend(row.id);
            // A job, time that is taken, and a row without an identity of its own stand for what they tie together.
            if ["job", "busy"].contains(&row.table.as_str()) || row.id.is_none() {
                corrupted.rows.extend(identities(&row.text));
            }
        }
    }

    /// The same where what is named lies further away from what is changed: these rows.
    pub async fn corrupt_of(&self, sql: &'static str, named: &'static str) {
        self.corrupt(sql).await;
        let mut tx = self.db().read().await.unwrap();
        let named = aftercare::fetch_all!(tx, (uuid::Uuid,), named).unwrap();
        self.corrupted.lock().unwrap().ids.extend(named.into_iter().map(|(id,)| id));
    }

    async fn run(&self, sql: &'static str) {
        self.db()
            .write(move |tx| {
                Box::pin(async move {
                    aftercare::execute!(tx, sql)?;
                    Ok(())
                })
            })
            .await
            .unwrap();
    }

    /// Every row of every table.
    async fn every_row(&self) -> BTreeSet<AnyRow> {
        let columns = match self.engine {
            Engine::Sqlite => {
                "select m.name, c.name from sqlite_master m join pragma_table_info(m.name) c \
                where m.type = 'table' and m.name not like 'sqlite_%' order by m.name, c.cid"
            }
            Engine::Postgres => {
                "select cast(table_name as text), cast(column_name as text) from information_schema.columns \
                where table_schema = 'public' order by table_name, ordinal_position"
            }
        };
        let mut tx = self.db().read().await.unwrap();
        let mut tables = BTreeMap::<String, Vec<String>>::new();
        for (table, column) in aftercare::fetch_all!(tx, (String, String), columns).unwrap() {
            tables.entry(table).or_default().push(column);
        }
        let mut rows = BTreeSet::new();
        for (table, columns) in tables {
            let text = |column: &String| match self.engine {
                Engine::Sqlite => format!("quote(\"{column}\")"),
                Engine::Postgres => format!("coalesce(cast(\"{column}\" as text), '')"),
            };
            let id = columns.iter().find(|column| *column == "id").map_or("''".to_owned(), text);
            let all: Vec<String> = columns.iter().map(text).collect();
            let sql = sqlx::AssertSqlSafe(format!("select {id}, {} from \"{table}\"", all.join(" || '|' || ")));
            for (id, text) in aftercare::fetch_all!(tx, (String, String), sql).unwrap() {
                rows.insert(AnyRow { table: table.clone(), id: identities(&id).next(), text });
            }
        }
        rows
    }

    /// What `aftercare check` finds, by the names of the clauses. Each says what is wrong, and names a row that was
    /// corrupted, that stands in a corrupted one, or that points to one: whatever else it names is wrong.
    pub async fn broken(&self) -> Vec<String> {
        let broken = aftercare::cli::check(&self.app).await.unwrap();
        let rows = if broken.is_empty() { BTreeSet::new() } else { self.every_row().await };
        let mut corrupted = self.corrupted.lock().unwrap();
        for found in &broken {
            assert!(!found.detail.trim().is_empty(), "{} says nothing", found.name);
            let row = rows.iter().find(|row| row.id == Some(found.id));
            let row = row.unwrap_or_else(|| panic!("{} names {}, which is no row", found.name, found.id));
            let known = corrupted.ids.contains(&found.id)
                || corrupted.named.contains(&found.id)
                || identities(&row.text).any(|id| corrupted.rows.contains(&id));
            assert!(
                known || corrupted.ids.is_empty(),
                "{} names {} of {}, which nobody corrupted: {}",
                found.name,
                found.id,
                row.table,
                found.detail
            );
        }
        corrupted.seen = true;
        corrupted.named.extend(broken.iter().map(|found| found.id));
        broken.into_iter().map(|found| found.name.to_owned()).collect()
    }

    /// How many rows there are in each table.
    pub async fn rows(&self) -> BTreeMap<String, i64> {
        let tables = match self.engine {
            Engine::Sqlite => "select name from sqlite_master where type = 'table' and name not like 'sqlite%'",
            Engine::Postgres => "select table_name::text from information_schema.tables where table_schema = 'public'",
        };
        let mut tx = self.db().read().await.unwrap();
        let mut rows = BTreeMap::new();
        for (table,) in aftercare::fetch_all!(tx, (String,), tables).unwrap() {
            let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
            rows.insert(table, aftercare::fetch_scalar!(tx, i64, sql).unwrap().unwrap());
        }
        rows
    }

    /// What `act` comes to, how many rows it adds to which tables, and how many statements it takes.
    pub async fn cost<T>(&self, act: impl Future<Output = T>) -> (T, BTreeMap<String, i64>, Statements) {
        let before = self.rows().await;
        let (output, statements) = aftercare::db::counted(act).await;
        let mut added = self.rows().await;
        for (table, rows) in &mut added {
            *rows -= before[table];
        }
        added.retain(|_, rows| *rows != 0);
        (output, added, statements)
    }

    /// How many rows a statement gives.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let mut tx = self.db().read().await.unwrap();
        aftercare::fetch_scalar!(tx, i64, sql).unwrap().unwrap()
    }

    /// The newest letter to an address, as (subject, body, link).
    pub async fn letter(&self, email: &str) -> Option<(String, String, Option<String>)> {
        const LETTER: &str =
            "select subject, body, link from message where email = $1 order by created_at desc, id desc limit 1";
        let mut tx = self.db().read().await.unwrap();
        aftercare::fetch_optional!(tx, (String, String, Option<String>), LETTER, email).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Migrating takes a while, so it is done once and copied, from memory: nothing is left behind.
async fn sqlite_copy(folder: &std::path::Path) -> String {
    static TEMPLATE: tokio::sync::OnceCell<Vec<u8>> = tokio::sync::OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(async || {
            // In a runtime of its own: the test whose runtime began it may end before the others.
            let path = std::env::temp_dir().join(format!("aftercare-template-{}.db", std::process::id()));
            let url = format!("sqlite:{}", path.display());
            own_runtime(move || async move { Db::open(&url).await.unwrap().close().await });
            let bytes = std::fs::read(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            bytes
        })
        .await;
    database(folder, template)
}

/// Living through the demo company's months takes a while too.
async fn sqlite_demo(folder: &std::path::Path) -> String {
    static TEMPLATE: tokio::sync::OnceCell<Vec<u8>> = tokio::sync::OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(async || {
            let (send, bytes) = std::sync::mpsc::channel();
            own_runtime(move || async move {
                let world = World::build(Engine::Sqlite, NOW, false).await;
                aftercare::server::demo::seed(&world.app).await.unwrap();
                world.app.db.close().await;
                send.send(std::fs::read(world.folder.join("aftercare.db")).unwrap()).unwrap();
            });
            bytes.recv().unwrap()
        })
        .await;
    database(folder, template)
}

fn database(folder: &std::path::Path, bytes: &[u8]) -> String {
    let path = folder.join("aftercare.db");
    std::fs::write(&path, bytes).unwrap();
    format!("sqlite:{}", path.display())
}

fn own_runtime<F: Future<Output = ()>>(work: impl FnOnce() -> F + Send + 'static) {
    std::thread::spawn(move || tokio::runtime::Runtime::new().unwrap().block_on(work())).join().unwrap();
}

/// The server that the tests may fill with databases; `tests/with-postgres.sh` starts one.
fn server() -> &'static str {
    static SERVER: OnceLock<String> = OnceLock::new();
    SERVER.get_or_init(|| {
        let url = std::env::var("AFTERCARE_TEST_POSTGRES").expect(
            "AFTERCARE_TEST_POSTGRES is not set: run the tests by `make test` or `tests/with-postgres.sh cargo test`",
        );
        url.trim_end_matches("/postgres").to_owned()
    })
}

async fn postgres_copy(number: u32) -> String {
    static TEMPLATE: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(async || {
            let name = format!("aftercare_template_{}", std::process::id());
            statement(format!("create database {name}")).await;
            let url = format!("{}/{name}", server());
            own_runtime(move || async move { Db::open(&url).await.unwrap().close().await });
            name
        })
        .await;
    let name = format!("aftercare_test_{}_{number}", std::process::id());
    statement(format!("create database {name} template {template} strategy file_copy")).await;
    format!("{}/{name}", server())
}

/// One statement on the server itself, one at a time: copying a template allows no other.
async fn statement(sql: String) {
    static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _one = ONE.lock().await;
    use sqlx::Connection;
    let mut connection = sqlx::PgConnection::connect(&format!("{}/postgres", server())).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
