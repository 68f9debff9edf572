//! The executable itself: its exit codes, its one line on standard error, its start and its end.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
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

/// A portal that listens on a port of its own; ended when dropped.
struct Serving {
    child: Child,
    port: u16,
}

impl Serving {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
        all.extend(arguments);
        let mut child = aftercare(folder, &all).stdout(Stdio::piped()).spawn().unwrap();
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
fn every_command_explains_itself() {
    let folder = Folder::new();
    for command in
        [&["serve"][..], &["staff", "add"], &["organisation", "owner"], &["sign-in-link"], &["check"], &["migrate"]]
    {
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
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let kept = runtime.block_on(async {
        let db =
            aftercare::db::Db::open(&format!("sqlite:{}", folder.0.join("data/aftercare.db").display())).await.unwrap();
        let mut tx = db.read().await.unwrap();
        aftercare::fetch_scalar!(tx, i64, "select count(*) from message where letter = 'sign_in'").unwrap()
    });
    assert_eq!(kept, Some(5));
}
