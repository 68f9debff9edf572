//! The executable itself: its exit codes, its one line on standard error, its start and its end.

use crate::sold;
use aftercare::db::Db;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let path = std::env::temp_dir().join(format!(
            "aftercare-process-{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        ));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn aftercare(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aftercare"));
    command
        .args(arguments)
        .arg("--data-dir")
        .arg(folder.join("data"))
        .current_dir(folder)
        .env("RUST_LOG", "error")
        .stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    aftercare(folder, arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Works on the database of a portal that does not run.
fn in_database<T>(folder: &Path, work: impl AsyncFnOnce(&Db) -> T) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let db = Db::open(&format!("sqlite:{}", folder.join("data/aftercare.db").display())).await.unwrap();
        let done = work(&db).await;
        db.close().await;
        done
    })
}

fn count(folder: &Path, sql: &'static str) -> i64 {
    in_database(folder, async |db| {
        let mut tx = db.read().await.unwrap();
        aftercare::fetch_scalar!(tx, i64, sql).unwrap().unwrap()
    })
}

/// A portal that listens on a port of its own; ended when dropped.
struct Serving {
    child: Child,
    port: u16,
}

impl Serving {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut all = vec!["--listen", "127.0.0.1:0"];
        all.extend(arguments);
        Self::start_as_told(folder, &all)
    }

    /// As the arguments say, or else the settings file in the folder.
    fn start_as_told(folder: &Path, arguments: &[&str]) -> Self {
        let mut all = vec!["serve"];
        all.extend(arguments);
        Self::begin(aftercare(folder, &all))
    }

    fn begin(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line
            .trim()
            .trim_end_matches('/')
            .rsplit(':')
            .next()
            .unwrap()
            .parse()
            .unwrap_or_else(|_| panic!("no address in {line:?}"));
        Self { child, port }
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"))
    }

    /// Posts a form from the portal's own pages; `headers` are whole lines.
    fn post(&self, path: &str, headers: &str, body: &str) -> String {
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n{headers}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ))
    }

    /// Whether it still takes connections.
    fn listens(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn wrong_usage_is_2_and_a_wrong_setting_is_1_with_its_name() {
    let folder = Folder::new();
    assert_eq!(run(&folder.0, &["dance"]).status.code(), Some(2));
    let wrong = run(&folder.0, &["migrate", "--zone", "Mars"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(said(&wrong).lines().count(), 1, "{}", said(&wrong));
    assert!(said(&wrong).contains("zone must be"));
}

#[test]
fn where_it_listens_may_stand_in_the_settings_file() {
    let folder = Folder::new();
    let file = folder.0.join("aftercare.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\ncompany = \"Petrauskas\"\n").unwrap();
    let portal = Serving::start_as_told(&folder.0, &[]);
    assert!(portal.port != 3000 && portal.get("/sign-in").contains("Petrauskas"));
    drop(portal);
    std::fs::write(&file, "listen = \"3000\"\n").unwrap();
    let wrong = run(&folder.0, &["serve"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(said(&wrong).lines().count(), 1, "{}", said(&wrong));
    assert!(said(&wrong).contains("listen must be"), "{}", said(&wrong));
    // A file that is there and cannot be read is none the less meant.
    std::fs::write(&file, b"company = \"M\xfcller\"\n").unwrap();
    let wrong = run(&folder.0, &["migrate"]);
    assert_eq!((wrong.status.code(), said(&wrong).lines().count()), (Some(1), 1), "{}", said(&wrong));
    assert!(said(&wrong).contains("aftercare.toml cannot be read"), "{}", said(&wrong));
}

#[test]
fn commands_know_where_it_listens_and_make_the_folder_that_is_not_there() {
    let folder = Folder::new();
    assert!(!folder.0.join("data").exists() && run(&folder.0, &["migrate"]).status.success());
    assert!(folder.0.join("data/aftercare.db").exists());
    run(&folder.0, &["staff", "add", "tea@example.com", "--name", "Tea", "--role", "trainer"]);
    let link = |listen: &str| {
        aftercare(&folder.0, &["sign-in-link", "tea@example.com"]).env("AFTERCARE_LISTEN", listen).output().unwrap()
    };
    assert!(told(&link("127.0.0.1:8080")).starts_with("http://127.0.0.1:8080/"));
    let wrong = link("8080");
    assert_eq!((wrong.status.code(), said(&wrong).lines().count()), (Some(1), 1), "{}", said(&wrong));
    assert!(said(&wrong).contains("AFTERCARE_LISTEN must be"), "{}", said(&wrong));
}

#[test]
fn every_command_explains_itself() {
    let folder = Folder::new();
    for command in [
        &["serve"][..],
        &["import"],
        &["staff", "add"],
        &["organisation", "owner"],
        &["organisation", "remove-owner"],
        &["sign-in-link"],
        &["check"],
        &["migrate"],
    ] {
        let mut arguments = command.to_vec();
        arguments.push("--help");
        let output = run(&folder.0, &arguments);
        assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Usage: "), "{command:?}");
    }
}

#[test]
fn staff_are_added_and_get_a_link_and_strangers_do_not() {
    let folder = Folder::new();
    assert!(
        run(&folder.0, &["staff", "add", "tea@example.com", "--name", "Tea", "--role", "trainer"]).status.success()
    );
    let link = run(&folder.0, &["sign-in-link", "tea@example.com"]);
    assert!(String::from_utf8_lossy(&link.stdout).starts_with("http://127.0.0.1:3000/sign-in/link/"));
    let stranger = run(&folder.0, &["sign-in-link", "nobody@example.com"]);
    assert_eq!((stranger.status.code(), said(&stranger).lines().count()), (Some(1), 1));
    let printed = "select count(*) from history where act = 'print_sign_in_link' and actor_kind = 'operator'";
    assert_eq!(count(&folder.0, printed), 1, "who could sign in as Tea stands in her history");
    assert!(run(&folder.0, &["check"]).status.success());
}

/// The command itself: 1, and one line for each row that breaks a promise, whichever clause that is.
#[test]
fn check_ends_with_1_and_a_line_for_everything_that_breaks_a_promise() {
    let folder = Folder::new();
    let mut portal = Serving::start(&folder.0, &["--demo"]);
    portal.signal("TERM");
    portal.child.wait().unwrap();
    let whole = run(&folder.0, &["check"]);
    assert_eq!(whole.status.code(), Some(0), "{}", told(&whole));
    assert!(told(&whole).ends_with("clauses hold\n") && told(&whole).lines().count() == 1, "{}", told(&whole));
    // Without its history, hardly anything in it can be explained.
    let history = in_database(&folder.0, async |db| {
        db.write(|tx| Box::pin(async move { Ok(aftercare::execute!(tx, "delete from history")?) })).await.unwrap()
    });
    assert!(history > 100);
    let (lines, objects) = (run(&folder.0, &["check"]), run(&folder.0, &["check", "--json"]));
    assert_eq!((lines.status.code(), objects.status.code()), (Some(1), Some(1)));
    let named: BTreeSet<(String, String)> = told(&lines)
        .lines()
        .map(|line| {
            let (promise, rest) = line.split_once(": ").unwrap();
            let (clause, rest) = rest.split_once(' ').unwrap();
            let (id, detail) = rest.split_once(": ").unwrap();
            assert!(promise.starts_with("promise ") && id.len() == 32 && !detail.is_empty(), "{line}");
            (clause.to_owned(), id.to_owned())
        })
        .collect();
    let as_objects: BTreeSet<(String, String)> = told(&objects)
        .lines()
        .map(|line| {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| object[name].as_str().unwrap().to_owned();
            (text("clause"), text("id").replace('-', ""))
        })
        .collect();
    assert_eq!(named, as_objects);
    let unexplained: BTreeSet<&str> = named.iter().map(|(clause, _)| clause.as_str()).collect();
    let without: Vec<&str> = aftercare::cli::clauses()
        .iter()
        .map(|clause| clause.name)
        .filter(|name| name.ends_with("_without_history"))
        .collect();
    assert!(without.len() > 5 && unexplained.len() >= 5, "{unexplained:?} of {without:?}");
}

#[test]
fn an_owner_is_named_for_the_one_firm_that_is_meant() {
    let folder = Folder::new();
    let file = sold::file(&[
        "order_number,customer_email,purchased_on,product_name,organisation,organisation_id",
        "A1,ann@example.com,2026-11-10,Kettle,Petrauskas,7",
        "A2,ben@example.com,2026-11-10,Kettle,Petrauskas,8",
        "A3,cleo@example.com,2026-11-10,Kettle,Costa,9",
        "A4,dan@example.com,2026-11-10,Kettle,7,",
    ]);
    assert_eq!(import(&folder.0, &["purchases", &file.0.display().to_string()]).0, Some(0));
    let name = |name: &str| run(&folder.0, &["organisation", "owner", name, "owner@example.com"]);
    const OWNED: &str = "select count(*) from membership where role = 'owner'";
    let several = name("Petrauskas");
    assert_eq!((several.status.code(), said(&several).lines().count()), (Some(1), 1), "{}", said(&several));
    assert!(said(&several).contains("7") && said(&several).contains("8"), "{}", said(&several));
    // The number of one is the name of another: then only ours tells them apart.
    let both = name("7");
    assert_eq!((both.status.code(), count(&folder.0, OWNED)), (Some(1), 0), "{}", said(&both));
    let ours = said(&both).trim().rsplit([' ', ',']).next().unwrap().to_owned();
    assert!(name(&ours).status.success(), "{ours}");
    assert_eq!(name("nobody").status.code(), Some(1));
    for only in ["8", " Costa "] {
        assert!(name(only).status.success(), "{only}");
    }
    assert_eq!(count(&folder.0, OWNED), 3);
    let eight = "select count(*) from membership m join organisation o on o.id = m.organisation_id \
        where m.role = 'owner' and o.external_id = '8'";
    assert_eq!(count(&folder.0, eight), 1);
    assert!(run(&folder.0, &["check"]).status.success());
}

#[test]
fn an_owner_is_removed_unless_the_firm_would_be_without_one() {
    let folder = Folder::new();
    let file = sold::file(&[
        "order_number,customer_email,purchased_on,product_name,organisation,organisation_id",
        "A1,ann@example.com,2026-11-10,Kettle,Costa,9",
    ]);
    assert_eq!(import(&folder.0, &["purchases", &file.0.display().to_string()]).0, Some(0));
    let does = |act: &str, firm: &str, email: &str| run(&folder.0, &["organisation", act, firm, email]);
    for owner in ["ann@example.com", "ben@example.com"] {
        assert!(does("owner", "Costa", owner).status.success(), "{owner}");
    }
    const OWNED: &str = "select count(*) from membership where role = 'owner'";
    for (firm, email, why) in [
        ("Costa", "cleo@example.com", "cleo@example.com is not an owner"),
        ("Nobody", "ann@example.com", "there is no organisation"),
    ] {
        let wrong = does("remove-owner", firm, email);
        assert_eq!((wrong.status.code(), said(&wrong).lines().count()), (Some(1), 1), "{}", said(&wrong));
        assert!(said(&wrong).contains(why), "{}", said(&wrong));
    }
    // By the company's number as well; what she bought for the firm is his.
    assert!(does("remove-owner", "9", "ann@example.com").status.success());
    assert_eq!(count(&folder.0, OWNED), 1);
    let his = "select count(*) from item i join person p on p.id = i.owner_id where p.email = 'ben@example.com'";
    assert_eq!(count(&folder.0, his), 1);
    let told = "select count(*) from history where act = 'end_membership' and actor_kind = 'operator' and from_state = 'owner'";
    assert_eq!(count(&folder.0, told), 1);
    let again = does("remove-owner", "Costa", "ann@example.com");
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));
    let last = does("remove-owner", "Costa", "ben@example.com");
    assert_eq!((last.status.code(), said(&last).lines().count()), (Some(1), 1), "{}", said(&last));
    assert!(said(&last).contains("the only owner"), "{}", said(&last));
    assert_eq!(count(&folder.0, OWNED), 1);
    assert!(run(&folder.0, &["check"]).status.success());
}

#[test]
fn the_demo_is_fenced_off_from_real_data() {
    let folder = Folder::new();
    assert!(
        run(&folder.0, &["staff", "add", "tea@example.com", "--name", "Tea", "--role", "trainer"]).status.success()
    );
    let refused = run(&folder.0, &["serve", "--demo", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("real data"), "{}", said(&refused));

    let other = Folder::new();
    {
        let demo = Serving::start(&other.0, &["--demo"]);
        assert!(demo.get("/demo/mail").starts_with("HTTP/1.1 200"));
    }
    let refused = run(&other.0, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(said(&refused).contains("demo company"), "{}", said(&refused));
    let public = run(&other.0, &["serve", "--demo", "--listen", "0.0.0.0:0"]);
    assert!(said(&public).contains("--demo-public"), "{}", said(&public));
}

#[test]
fn the_demo_wants_a_database_that_holds_nothing_of_a_company() {
    let plans = sold::file(&[
        "plan,name,period_months,training_seats,maintenance_visits,repairs,applies_to_kind",
        "care-6,Care,6,3,2,1,goods",
    ]);
    let products = sold::file(&["sku,name,kind", "P1,Printer,goods"]);
    let imports = [("plans", &plans), ("products", &products)];
    for (kind, file) in imports {
        let folder = Folder::new();
        assert_eq!(import(&folder.0, &[kind, &file.0.display().to_string()]).0, Some(0));
        let refused = run(&folder.0, &["serve", "--demo", "--listen", "127.0.0.1:0"]);
        assert_eq!(refused.status.code(), Some(1), "{kind}");
        assert_eq!(said(&refused).lines().count(), 1, "{}", said(&refused));
        assert!(said(&refused).contains("real data"), "{kind}: {}", said(&refused));
        assert_eq!(count(&folder.0, "select count(*) from setting where key = 'demo'"), 0);
    }
    // Each kind of thing alone is enough.
    let firm = "insert into organisation (id, name, created_at) values (x'0190', 'Petrauskas', '2026-12-01T09:00:00Z')";
    let begun = "insert into import_run (id, kind, digest, state, applied_line, started_at) \
        values (x'0190', 'purchases', '', 'staging', 0, '2026-12-01T09:00:00Z')";
    let product = "insert into product (id, key, name, search, kind, created_at, updated_at) \
        values (x'0190', 'sku:P1', 'Printer', '', 'goods', '2026-12-01T09:00:00Z', '2026-12-01T09:00:00Z')";
    let plan = "insert into plan (code, name, period_months, training_seats, maintenance_visits, repairs, updated_at) \
        values ('care', 'Care', 6, 3, 2, 1, '2026-12-01T09:00:00Z')";
    for sql in [firm, begun, product, plan] {
        let folder = Folder::new();
        assert!(run(&folder.0, &["check"]).status.success());
        in_database(&folder.0, async |db| {
            db.write(move |tx| Box::pin(async move { Ok(aftercare::execute!(tx, sql)?) })).await.unwrap()
        });
        assert!(said(&run(&folder.0, &["serve", "--demo", "--listen", "127.0.0.1:0"])).contains("real data"), "{sql}");
    }
}

#[test]
fn the_clock_is_the_demos_alone() {
    let folder = Folder::new();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["check"]] {
        let refused = aftercare(&folder.0, command).env("AFTERCARE_CLOCK", "2026-12-01T09:00:00Z").output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert_eq!(said(&refused).lines().count(), 1, "{}", said(&refused));
        assert!(said(&refused).contains("AFTERCARE_CLOCK"), "{}", said(&refused));
    }
}

#[test]
fn an_import_into_the_demos_database_keeps_its_mark() {
    let folder = Folder::new();
    drop(Serving::start(&folder.0, &["--demo"]));
    let row = sold::printer("A1", "ann@example.com", "LT", "S-A1").replace(",care-6", ",");
    let file = sold::file(&[sold::HEADER, &row]);
    assert_eq!(import(&folder.0, &["purchases", &file.0.display().to_string()]).0, Some(0));
    assert_eq!(count(&folder.0, "select count(*) from purchase where order_number = 'A1'"), 1);
    assert!(said(&run(&folder.0, &["serve", "--listen", "127.0.0.1:0"])).contains("demo company"));
    let demo = Serving::start(&folder.0, &["--demo"]);
    assert!(demo.get("/demo/mail").starts_with("HTTP/1.1 200"));
}

/// Asks for a sign-in letter.
fn ask_to_sign_in(portal: &Serving, email: &str) {
    let body = format!("email={email}&next=/");
    let answer = portal.post("/sign-in", "", &body);
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
}

/// The lines that a portal logged, one JSON object each.
fn logged(file: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in {answer}"))
}

#[test]
fn every_request_has_one_line_of_the_log_with_the_id_that_its_answer_carries() {
    let folder = Folder::new();
    let file = folder.0.join("log");
    let mut command = aftercare(&folder.0, &["serve", "--listen", "127.0.0.1:0"]);
    command.env("RUST_LOG", "warn,aftercare=info").stderr(std::fs::File::create(&file).unwrap());
    let portal = Serving::begin(command);
    let foreign = "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://elsewhere.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let answers = [
        (200, portal.get("/sign-in"), "/sign-in"),
        (404, portal.get("/nowhere"), "/nowhere"),
        (303, portal.get("/account?x=1"), "/account"),
        (422, portal.post("/sign-in", "", "email=nobody"), "/sign-in"),
        (403, portal.ask(foreign), "/sign-in"),
        (410, portal.get("/sign-in/link/secret"), "/sign-in/link/…"),
    ];
    let lines = logged(&file);
    let of = |lines: &[serde_json::Value], id: &str| {
        let lines = lines.iter().filter(|line| line["fields"]["request"] == id).map(|line| {
            assert!(line["timestamp"].is_string(), "{line}");
            (line["level"].as_str().unwrap().to_owned(), line["fields"].clone())
        });
        lines.collect::<Vec<_>>()
    };
    for (status, answer, path) in answers {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        let id = header(&answer, "x-request-id");
        let told = of(&lines, id);
        let [(level, fields)] = told.as_slice() else { panic!("{path}: {told:?}") };
        assert_eq!((level.as_str(), &fields["message"]), ("INFO", &"answered".into()));
        assert_eq!((&fields["status"], &fields["path"]), (&status.into(), &path.into()), "{fields}");
    }
    assert!(!std::fs::read_to_string(&file).unwrap().contains("secret"));
    // A portal whose database has broken: in a page's handler, and before it, where the session is looked up.
    let database = format!("sqlite:{}", folder.0.join("data/aftercare.db").display());
    let broken = async |sql: &'static str| {
        let db = Db::open(&database).await.unwrap();
        db.write(move |tx| Box::pin(async move { Ok(aftercare::execute!(tx, sql)?) })).await.unwrap();
        db.close().await;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(broken("drop table sign_in_challenge"));
    let in_page = portal.post("/sign-in", "", "email=ann@example.com");
    runtime.block_on(broken("alter table session rename to lost"));
    let before_it =
        portal.ask("GET /account HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: aftercare=x\r\nConnection: close\r\n\r\n");
    let lines = logged(&file);
    for answer in [&in_page, &before_it] {
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        let told = of(&lines, header(answer, "x-request-id"));
        let [(failed, why), (_, answered)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((failed.as_str(), &why["message"]), ("ERROR", &"failed".into()));
        assert_eq!((&answered["message"], &answered["status"]), (&"answered".into(), &500.into()));
        // Under its reference stands the cause; nobody but the log is told of it.
        let reference = why["reference"].as_str().unwrap();
        let causes = lines.iter().filter(|line| {
            line["fields"]["reference"] == reference && line["fields"]["cause"] != serde_json::Value::Null
        });
        let causes: Vec<String> = causes.map(|line| line["fields"]["cause"].as_str().unwrap().to_owned()).collect();
        assert!(causes.len() == 1 && causes[0].contains("no such table"), "{causes:?}");
        assert!(!answer.contains("no such table"), "{answer}");
    }
    let reference = of(&lines, header(&in_page, "x-request-id"))[0].1["reference"].as_str().unwrap().to_owned();
    assert!(in_page.contains(&reference), "the page says what to read out: {in_page}");
}

#[test]
fn nothing_leaves_the_demo_by_mail_whatever_server_is_set() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let smtp = format!("smtp://{}", server.local_addr().unwrap());
    let folder = Folder::new();
    let demo = Serving::start(&folder.0, &["--demo", "--smtp-url", &smtp]);
    ask_to_sign_in(&demo, "ann@example.com");
    // Before a day brings so many letters that hers is not on the first page any more.
    assert!(demo.get("/demo/mail").contains("ann@example.com"));
    // What became due is worked off before this answers.
    assert!(demo.post("/demo/clock", "", "advance=PT24H").starts_with("HTTP/1.1 303"));
    server.set_nonblocking(true).unwrap();
    assert_eq!(server.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "the mail server was called");
    drop(demo);
    // A real portal calls the same server.
    server.set_nonblocking(false).unwrap();
    let other = Folder::new();
    let portal = Serving::start(&other.0, &["--smtp-url", &smtp]);
    ask_to_sign_in(&portal, "ann@example.com");
    server.accept().unwrap();
}

#[test]
fn every_process_of_one_demo_follows_the_clock_that_one_of_them_moves() {
    let server = std::env::var("AFTERCARE_TEST_POSTGRES").unwrap();
    let name = format!("aftercare_clock_{}", std::process::id());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        use sqlx::Connection;
        let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await.unwrap();
    });
    let url = format!("{}/{name}", server.trim_end_matches("/postgres"));
    let folder = Folder::new();
    let [one, two] = [(); 2].map(|()| Serving::start(&folder.0, &["--demo", "--database-url", &url]));
    let answer = one.post("/demo/sign-in", "", "as=agent");
    let cookie = answer.split("aftercare=").nth(1).unwrap().split(';').next().unwrap();
    let cookie = format!("Cookie: aftercare={cookie}\r\n");
    let day = |portal: &Serving| {
        let page = portal.ask(&format!("GET /desk HTTP/1.1\r\nHost: 127.0.0.1\r\n{cookie}Connection: close\r\n\r\n"));
        page.split("class=\"lead\">").nth(1).unwrap_or_else(|| panic!("{page}")).split('<').next().unwrap().to_owned()
    };
    let today = day(&one);
    assert_eq!(day(&two), today);
    assert!(one.post("/demo/clock", &cookie, "advance=P40D").starts_with("HTTP/1.1 303"));
    let later = day(&one);
    assert_ne!(later, today);
    let began = Instant::now();
    while day(&two) != later {
        assert!(began.elapsed() < Duration::from_secs(30), "the other process stays at {today}");
    }
    drop(two);
    assert_eq!(day(&Serving::start(&folder.0, &["--demo", "--database-url", &url])), later, "a restart keeps it");
}

#[test]
fn without_the_demo_its_addresses_do_not_exist() {
    let folder = Folder::new();
    let portal = Serving::start(&folder.0, &[]);
    assert!(portal.get("/demo/mail").starts_with("HTTP/1.1 404"));
    assert!(portal.get("/healthz").starts_with("HTTP/1.1 200") && portal.get("/readyz").starts_with("HTTP/1.1 200"));
}

#[test]
fn told_to_stop_it_stops_with_0_and_its_database_is_whole() {
    let folder = Folder::new();
    let mut portal = Serving::start(&folder.0, &["--demo"]);
    assert!(portal.get("/").starts_with("HTTP/1.1 200"));
    portal.signal("TERM");
    assert_eq!(portal.child.wait().unwrap().code(), Some(0));
    assert!(run(&folder.0, &["check"]).status.success());
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let folder = Folder::new();
    for round in 0..5 {
        let mut portal = Serving::start(&folder.0, &[]);
        let email = format!("person{round}@example.com");
        let body = format!("email={email}&next=/");
        let answer = portal.ask(&format!(
            "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ));
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        portal.signal("KILL");
        portal.child.wait().unwrap();
    }
    assert_eq!(count(&folder.0, "select count(*) from message where letter = 'sign_in'"), 5);
}

#[test]
fn a_broken_promise_is_1_and_a_line_with_its_clause_and_row() {
    let folder = Folder::new();
    assert!(
        run(&folder.0, &["staff", "add", "tea@example.com", "--name", "Tea", "--role", "trainer"]).status.success()
    );
    let whole = run(&folder.0, &["check"]);
    assert!(whole.status.success() && told(&whole).ends_with(" clauses hold\n"), "{}", told(&whole));
    let id = in_database(&folder.0, async |db| {
        db.write(|tx| {
            Box::pin(async move {
                aftercare::execute!(tx, "update history set actor_kind = 'person', actor_id = null")?;
                aftercare::fetch_one!(tx, (uuid::Uuid,), "select id from history").map_err(Into::into)
            })
        })
        .await
        .unwrap()
        .0
    });
    let broken = run(&folder.0, &["check"]);
    assert_eq!(broken.status.code(), Some(1));
    assert_eq!(told(&broken), format!("promise 6: history_of_nobody {}: add_staff\n", id.simple()));
    let json = run(&folder.0, &["check", "--json"]);
    assert_eq!(json.status.code(), Some(1));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&told(&json)).unwrap(),
        serde_json::json!({ "promise": 6, "clause": "history_of_nobody", "id": id, "detail": "add_staff" })
    );
}

fn data(name: &str) -> String {
    sold::data(name).canonicalize().unwrap().display().to_string()
}

/// Imports; gives the exit code, the result and what was said of rows. No progress is drawn into a pipe.
fn import(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, Vec<String>) {
    let mut all = vec!["import"];
    all.extend(arguments);
    let output = run(folder, &all);
    let (told, said) = (told(&output), said(&output));
    assert!(!format!("{told}{said}").contains(['\r', '\u{1b}']), "{told}{said}");
    (output.status.code(), told.trim_end().to_owned(), said.lines().map(str::to_owned).collect())
}

#[test]
fn an_import_names_every_fault_and_imports_nothing_unless_bad_rows_are_put_aside() {
    let folder = Folder::new();
    for kind in ["plans", "products"] {
        assert_eq!(import(&folder.0, &[kind, &data(&format!("{kind}.csv"))]).0, Some(0));
    }
    let file = data("purchases-with-faults.csv");
    let mut expected = csv::Reader::from_path(data("purchases-with-faults.expected.csv")).unwrap();
    let faults: Vec<String> = expected
        .records()
        .map(|record| record.unwrap())
        .map(|record| format!("line {}, {}: {:?}: {}", &record[0], &record[1], &record[2], &record[3]))
        .collect();
    assert_eq!(faults.len(), 9);
    for (options, result) in [
        (&[][..], "400 rows: 9 bad; nothing was imported"),
        (&["--dry-run"], "400 rows: 391 good, 9 bad; nothing was changed"),
    ] {
        let (code, told, said) = import(&folder.0, &[&["purchases", &file], options].concat());
        assert_eq!((code, told.as_str()), (Some(1), result));
        let (last, lines) = said.split_last().unwrap();
        assert_eq!(lines, faults);
        assert!(last.starts_with("aftercare: 9 rows are bad"), "{last}");
        assert_eq!(count(&folder.0, "select count(*) from purchase"), 0);
    }
    let (code, told, said) = import(&folder.0, &["purchases", &file, "--skip-bad-rows", "rejects.csv"]);
    assert_eq!((code, told.as_str()), (Some(0), "400 rows: 391 added, 0 changed, 0 unchanged, 9 bad"));
    assert_eq!(said, faults);
    assert_eq!(count(&folder.0, "select count(*) from purchase"), 391);
    let rejects = std::fs::read_to_string(folder.0.join("rejects.csv")).unwrap();
    assert_eq!(rejects.lines().count(), 10);
}

#[test]
fn bad_rows_do_not_overwrite_the_file_that_they_come_from() {
    let folder = Folder::new();
    let row = sold::printer("A1", "no address", "LT", "S-1").replace(",care-6", ",");
    let text = format!("{}\n{row}\n", sold::HEADER);
    let file = folder.0.join("sales.csv");
    std::fs::write(&file, &text).unwrap();
    std::fs::create_dir(folder.0.join("sub")).unwrap();
    std::os::unix::fs::symlink(&file, folder.0.join("symbolic.csv")).unwrap();
    std::fs::hard_link(&file, folder.0.join("hard.csv")).unwrap();
    let whole = file.display().to_string();
    for (given, rejects) in [
        ("sales.csv", "sales.csv"),
        ("sales.csv", whole.as_str()),
        ("sales.csv", "sub/../sales.csv"),
        ("sales.csv", "symbolic.csv"),
        ("symbolic.csv", "sales.csv"),
        ("sales.csv", "hard.csv"),
    ] {
        let (code, told, said) = import(&folder.0, &["purchases", given, "--skip-bad-rows", rejects]);
        assert_eq!((code, told.as_str(), said.len()), (Some(1), "", 1), "{rejects}: {said:?}");
        assert!(said[0].contains("is the file that is imported"), "{said:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "{rejects}");
    }
}

#[test]
fn a_column_that_nobody_reads_is_named_and_one_row_is_one_row() {
    let folder = Folder::new();
    let row = sold::printer("A1", "ann@example.com", "LT", "S-1").replace(",care-6", ",");
    let file = sold::file(&[&format!("{},Colour", sold::HEADER), &format!("{row},red")]);
    let (code, told, said) = import(&folder.0, &["purchases", &file.0.display().to_string()]);
    assert_eq!((code, told.as_str()), (Some(0), "1 row: 1 added, 0 changed, 0 unchanged, 0 bad"));
    assert_eq!(said, ["warning: the column \"colour\" is not known and not read"]);
}

#[test]
fn of_very_many_faults_it_says_how_many_are_not_shown() {
    let folder = Folder::new();
    let bad = sold::printer("A1", "no address", "LT", "S-1").replace(",care-6", ",");
    let mut lines = vec![sold::HEADER];
    lines.extend([bad.as_str(); 1003]);
    let file = sold::file(&lines);
    let (code, told, said) = import(&folder.0, &["purchases", &file.0.display().to_string()]);
    assert_eq!((code, told.as_str()), (Some(1), "1003 rows: 1003 bad; nothing was imported"));
    assert_eq!(said.len(), 1002);
    assert!(
        said[1000] == "and 3 more faults" && said[1001].starts_with("aftercare: 1003 rows are bad"),
        "{:?}",
        &said[999..]
    );
}

#[test]
fn the_help_of_the_import_lists_every_column() {
    use aftercare::import::domain::{plan_columns, product_columns, purchase_columns};
    let folder = Folder::new();
    for (kind, layout) in
        [("purchases", purchase_columns()), ("products", product_columns()), ("plans", plan_columns())]
    {
        let output = run(&folder.0, &["import", kind, "--help"]);
        assert!(output.status.success(), "{}", said(&output));
        let help = told(&output);
        assert!(help.contains("Usage: "), "{help}");
        let columns = help.split(&format!("Columns of {kind}:")).nth(1).unwrap().split("Columns of ").next().unwrap();
        let named: Vec<&str> = columns.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        for column in layout.known {
            assert!(named.contains(column), "{kind}: {column} is not in {columns}");
        }
    }
}

#[test]
fn a_shops_file_is_imported_and_says_what_it_left_out() {
    let folder = Folder::new();
    let left_out =
        ["left out, cancelled: 2 rows", "left out, refunded: 1 row", "left out, neither paid nor delivered: 1 row"];
    let file = data("shopify-orders.csv");
    let (code, told, said) = import(&folder.0, &["purchases", &file, "--format", "shopify"]);
    let result = "7 rows, and 4 left out: 7 added, 0 changed, 0 unchanged, 0 bad";
    assert_eq!((code, told.as_str()), (Some(0), result));
    assert_eq!(said, left_out);
    let file = data("woocommerce-orders-with-faults.json");
    let (code, told, said) = import(&folder.0, &["purchases", &file, "--format=woocommerce"]);
    assert_eq!((code, told.as_str()), (Some(1), "8 rows: 6 bad; nothing was imported"));
    assert_eq!(said[0], "line 30, billing.email: \"\": required");
    assert!(run(&folder.0, &["check"]).status.success());
}

#[test]
fn a_format_that_does_not_fit_is_wrong_usage() {
    let folder = Folder::new();
    let file = data("shopify-orders.csv");
    for (arguments, expected) in [
        (["purchases", &file, "--format", "ords"], "ords holds repairs"),
        (["purchases", &file, "--format", "amazon"], "\"amazon\" is none of aftercare, shopify, woocommerce"),
        (["products", &file, "--format", "shopify"], "shopify files hold purchases, no products"),
        (["plans", &file, "--format", "woocommerce"], "woocommerce files hold purchases, no plans"),
    ] {
        let (code, told, said) = import(&folder.0, &arguments);
        assert_eq!((code, told.as_str()), (Some(2), ""), "{said:?}");
        assert!(said[0].contains(expected), "{said:?}");
    }
    assert!(!folder.0.join("aftercare.db").exists(), "nothing was begun");
    let help = told(&run(&folder.0, &["import", "--help"]));
    assert!(help.contains("--format <FORMAT>") && help.contains("shopify") && help.contains("woocommerce"), "{help}");
}

#[test]
fn a_portal_goes_on_working_while_something_is_imported_beside_it() {
    let folder = Folder::new();
    let portal = Serving::start(&folder.0, &[]);
    let rows: Vec<String> = (0..6000)
        .map(|n| {
            sold::printer(&format!("A{n}"), &format!("c{n}@example.com"), "LT", &format!("S-{n}"))
                .replace(",care-6", ",")
        })
        .collect();
    let mut lines = vec![sold::HEADER];
    lines.extend(rows.iter().map(String::as_str));
    let file = sold::file(&lines);
    let mut importing = aftercare(&folder.0, &["import", "purchases", &file.0.display().to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    ask_to_sign_in(&portal, "ann@example.com");
    while importing.try_wait().unwrap().is_none() {
        assert!(portal.get("/sign-in").starts_with("HTTP/1.1 200"));
    }
    ask_to_sign_in(&portal, "ben@example.com");
    let output = importing.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(told(&output).trim_end(), "6000 rows: 6000 added, 0 changed, 0 unchanged, 0 bad");
    assert!(portal.get("/readyz").starts_with("HTTP/1.1 200"));
    portal.signal("TERM");
    drop(portal);
    assert!(run(&folder.0, &["check"]).status.success());
}

#[test]
fn a_good_file_is_0_and_a_dry_run_of_it_changes_nothing() {
    let folder = Folder::new();
    assert_eq!(import(&folder.0, &["plans", &data("plans.csv")]).0, Some(0));
    let rows = ["A1", "A2"].map(|order| sold::printer(order, "ann@example.com", "LT", &format!("S-{order}")));
    let file = sold::file(&[sold::HEADER, &rows[0], &rows[1]]);
    let file = file.0.display().to_string();
    for (options, purchases, result) in [
        (&["--dry-run"][..], 0, "2 rows: 2 good, 0 bad; nothing was changed"),
        (&[], 2, "2 rows: 2 added, 0 changed, 0 unchanged, 0 bad"),
        (&[], 2, "2 rows: 0 added, 0 changed, 2 unchanged, 0 bad"),
    ] {
        let done = import(&folder.0, &[&["purchases", &file], options].concat());
        assert_eq!(done, (Some(0), result.to_owned(), Vec::new()));
        assert_eq!(count(&folder.0, "select count(*) from purchase"), purchases);
    }
    assert!(run(&folder.0, &["check"]).status.success());
}

#[test]
fn what_is_under_way_when_it_is_told_to_stop_is_answered_wholly() {
    let folder = Folder::new();
    let mut portal = Serving::start(&folder.0, &[]);
    let body = "email=ann@example.com&next=/";
    let mut stream = TcpStream::connect(("127.0.0.1", portal.port)).unwrap();
    write!(
        stream,
        "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    )
    .unwrap();
    // It asks for the body once somebody waits for it: from then on the request is under way.
    let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut go_on).unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&go_on));
    let (half, rest) = body.split_at(9);
    stream.write_all(half.as_bytes()).unwrap();
    portal.signal("TERM");
    let began = Instant::now();
    while portal.listens() {
        assert!(began.elapsed() < Duration::from_secs(5), "it takes connections though it was told to stop");
    }
    stream.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 303") && answer.contains("\r\n\r\n"), "{answer}");
    assert_eq!(portal.child.wait().unwrap().code(), Some(0));
    assert_eq!(count(&folder.0, "select count(*) from message where email = 'ann@example.com'"), 1);
}
