//! The files that browsers load, all of them inside the executable, at addresses that change with their content.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::OnceLock};

use super::App;

/// What the wasm build leaves.
#[derive(RustEmbed)]
#[folder = "target/site"]
#[exclude = "*.d.ts"]
#[allow_missing = true]
struct Site;

/// Pictures, manifest, scripts that are not wasm.
#[derive(RustEmbed)]
#[folder = "public"]
#[exclude = "readme/*"]
#[allow_missing = true]
struct Public;

/// How many builds are kept for pages that are still open.
const BUILDS: usize = 5;

const STYLE: &str = include_str!(concat!(env!("OUT_DIR"), "/main.css"));

pub struct Assets {
    build: String,
    files: BTreeMap<String, File>,
}

struct File {
    mime: String,
    plain: Bytes,
    /// Brotli, made when first asked for, unless the build brought it along.
    brotli: OnceLock<Option<Bytes>>,
}

impl Assets {
    /// Reads everything once and names the build by its content.
    pub fn load() -> Self {
        let mut files = BTreeMap::new();
        files.insert("main.css".to_owned(), Bytes::from_static(STYLE.as_bytes()));
        for path in Site::iter() {
            if let Some(file) = Site::get(&path) {
                files.insert(path.into_owned(), Bytes::from(file.data.into_owned()));
            }
        }
        for path in Public::iter() {
            if let Some(file) = Public::get(&path) {
                files.insert(path.into_owned(), Bytes::from(file.data.into_owned()));
            }
        }
        let mut digest = Sha256::new();
        for (path, data) in &files {
            digest.update(path);
            digest.update(data);
        }
        let build = digest.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Self::of(build, files)
    }

    fn of(build: String, files: BTreeMap<String, Bytes>) -> Self {
        let packed: BTreeMap<String, Bytes> = files
            .iter()
            .filter_map(|(path, data)| Some((path.strip_suffix(".br")?.to_owned(), data.clone())))
            .collect();
        let files = files
            .into_iter()
            .filter(|(path, _)| !path.ends_with(".br"))
            .map(|(path, plain)| {
                let brotli = OnceLock::new();
                if let Some(packed) = packed.get(&path) {
                    let _ = brotli.set(Some(packed.clone()));
                }
                let mime = match path.rsplit('.').next() {
                    Some("js") => "text/javascript; charset=utf-8".to_owned(),
                    Some("css") => "text/css; charset=utf-8".to_owned(),
                    Some("webmanifest") => "application/manifest+json".to_owned(),
                    _ => mime_guess::from_path(&path).first_or_octet_stream().to_string(),
                };
                (path, File { mime, plain, brotli })
            })
            .collect();
        Self { build, files }
    }

    /// Keeps this build's files beside those of earlier ones, the newest [`BUILDS`] of all.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn keep(&self, data_dir: &std::path::Path) -> std::io::Result<()> {
        let all = data_dir.join("assets");
        let folder = all.join(&self.build);
        for (path, file) in &self.files {
            let place = folder.join(path);
            if let Some(parent) = place.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(place, &file.plain)?;
        }
        let mut builds: Vec<_> = std::fs::read_dir(&all)?
            .filter_map(|entry| entry.ok())
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        builds.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        for (_, old) in builds.iter().skip(BUILDS).filter(|(_, path)| *path != folder) {
            std::fs::remove_dir_all(old)?;
        }
        Ok(())
    }

    pub fn build(&self) -> &str {
        &self.build
    }

    /// The address of a file in this build.
    pub fn address(&self, path: &str) -> String {
        format!("/assets/{}/{path}", self.build)
    }

    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    fn respond(&self, path: &str, request: &HeaderMap, cache: &'static str) -> Option<Response> {
        let file = self.files.get(path)?;
        let takes_brotli = request
            .get(header::ACCEPT_ENCODING)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.split(',').any(|coding| coding.trim().split(';').next() == Some("br")));
        let packed =
            if takes_brotli { file.brotli.get_or_init(|| pack(&file.mime, &file.plain)).clone() } else { None };
        let mut response = Response::new(Body::from(packed.clone().unwrap_or_else(|| file.plain.clone())));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, file.mime.parse().ok()?);
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static(cache));
        headers.insert(header::VARY, header::HeaderValue::from_static("accept-encoding"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
        headers.insert("cross-origin-resource-policy", header::HeaderValue::from_static("same-origin"));
        if packed.is_some() {
            headers.insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("br"));
        }
        Some(response)
    }
}

/// Text and wasm shrink well; pictures are packed already. Not worth the wait in a debug build.
fn pack(mime: &str, plain: &[u8]) -> Option<Bytes> {
    let shrinks = mime.starts_with("text/") || mime.contains("wasm") || mime.contains("svg") || mime.contains("json");
    if !shrinks || cfg!(debug_assertions) {
        return None;
    }
    let mut packed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 9, ..Default::default() };
    brotli::BrotliCompress(&mut &plain[..], &mut packed, &parameters).ok()?;
    Some(Bytes::from(packed))
}

/// `/assets/{build}/{path}`: kept by browsers for a year, since another content has another address.
pub async fn built(
    State(app): State<App>,
    Path((build, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    const FOREVER: &str = "public, max-age=31536000, immutable";
    let found = if build == app.assets.build {
        app.assets.respond(&path, &headers, FOREVER)
    } else {
        older(&app.config.data_dir, &build, &path).await.and_then(|old| old.respond(&path, &headers, FOREVER))
    };
    found.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// A file of an earlier build, for pages that were open when this one was started.
async fn older(data_dir: &std::path::Path, build: &str, path: &str) -> Option<Assets> {
    let plain = |text: &str| text.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    if build.len() != 12 || !build.bytes().all(|b| b.is_ascii_hexdigit()) || !plain(path) || path.contains('\\') {
        return None;
    }
    let data = tokio::fs::read(data_dir.join("assets").join(build).join(path)).await.ok()?;
    Some(Assets::of(build.to_owned(), BTreeMap::from([(path.to_owned(), Bytes::from(data))])))
}

/// Files that browsers look for at a fixed address.
pub async fn root(State(app): State<App>, uri: axum::http::Uri, headers: HeaderMap) -> Response {
    app.assets
        .respond(uri.path().trim_start_matches('/'), &headers, "public, max-age=3600")
        .unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// Every file of `public/` that lies at its top: each has an address of its own.
pub fn at_root() -> Vec<String> {
    Public::iter().filter(|path| !path.contains('/')).map(|path| format!("/{path}")).collect()
}
