//! Certificates as Open Badges 3.0: a credential that wallets keep and anyone can verify without asking us, as a
//! JSON Web Token signed with the installation's Ed25519 key. The key is derived from the installation's own, so that
//! it is made once, is the same in all processes, and is in every backup. What was taken back still verifies, so each
//! credential says where a list of those is.

use super::{
    portal::parse,
    store::{self, CertificateRow, CourseDetail},
};
use crate::{
    calendar::server::zone,
    error::AppError,
    i18n::Fmt,
    server::{App, Cx, internal},
    values::{CourseId, PublicNumber},
    w,
};
use axum::{
    extract::Path,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveTime, SecondsFormat, TimeZone, Utc};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// Where the key, the issuer and what was achieved are described, for whoever verifies.
pub const ISSUER: &str = "/badges/issuer";
pub const KEY: &str = "/badges/key";
const ACHIEVEMENTS: &str = "/badges/achievements";
/// The list of what was taken back, as the 1EdTech Revocation List Status Method 1.0 has it.
const REVOCATIONS: &str = "/badges/revocations";

const CONTEXT: [&str; 2] =
    ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"];
/// Where the type of that list is defined.
const EXTENSIONS: &str = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json";

fn key_pair(app: &App) -> Result<Ed25519KeyPair, AppError> {
    Ed25519KeyPair::from_seed_unchecked(&app.secret.seed("open badges"))
        .map_err(|e| internal("the key of the badges is damaged", &e))
}

/// The public key as RFC 8037 writes it.
fn jwk(app: &App) -> Result<Value, AppError> {
    let public = URL_SAFE_NO_PAD.encode(key_pair(app)?.public_key());
    let kid = app.config.address(KEY);
    Ok(json!({ "kty": "OKP", "crv": "Ed25519", "x": public, "alg": "EdDSA", "use": "sig", "kid": kid }))
}

fn profile(app: &App) -> Value {
    json!({
        "id": app.config.address(ISSUER),
        "type": ["Profile"],
        "name": app.company.name,
        "url": app.config.origin(),
    })
}

/// What a course asks for a certificate: `pass_percent` is what it asks now, or what it asked of a class.
fn achievement(app: &App, course: &CourseDetail, pass_percent: i64) -> Value {
    let fmt = Fmt::new(crate::i18n::locale(&course.language).unwrap_or_default());
    let percent = fmt.percent(pass_percent as f64 / 100.0);
    let description = if course.summary.is_empty() { &course.title } else { &course.summary };
    json!({
        "id": app.config.address(&format!("{ACHIEVEMENTS}/{}", course.id)),
        "type": ["Achievement"],
        "achievementType": "Course",
        "creator": profile(app),
        "name": course.title,
        "description": description,
        "inLanguage": course.language,
        "criteria": { "narrative": w!(fmt, learning.badge_criteria, percent = percent) },
    })
}

/// What a credential is called, in itself and in the list of those that were taken back.
fn id_of(app: &App, code: &PublicNumber) -> String {
    app.config.address(&format!("/certificates/{code}"))
}

fn credential(app: &App, found: &CertificateRow, course: &CourseDetail) -> Value {
    let id = id_of(app, &found.code);
    let mut credential = json!({
        "@context": [CONTEXT[0], CONTEXT[1], EXTENSIONS],
        "id": id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": found.title,
        "issuer": profile(app),
        "validFrom": found.given_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "credentialSubject": {
            "id": format!("{id}#holder"),
            "type": ["AchievementSubject"],
            "identifier": [{ "type": "IdentityObject", "hashed": false, "identityHash": found.name, "identityType": "name" }],
            "achievement": achievement(app, course, found.pass_percent),
        },
        "credentialStatus": { "id": app.config.address(REVOCATIONS), "type": "1EdTechRevocationList" },
    });
    if let Some(ends) = ends(found) {
        credential["validUntil"] = json!(ends.to_rfc3339_opts(SecondsFormat::Secs, true));
    }
    credential
}

/// The end of its last day, where the class was held.
fn ends(found: &CertificateRow) -> Option<DateTime<Utc>> {
    let midnight = found.last_valid_on?.succ_opt()?.and_time(NaiveTime::MIN);
    // Where the clocks skip midnight, the day begins when they go on.
    let ends = zone::named(&found.zone).from_local_datetime(&midnight);
    ends.earliest().map(|at| at.with_timezone(&Utc)).or_else(|| Some(midnight.and_utc()))
}

/// The credential as a signed token: its members are the payload, with the registered claims beside them.
fn token(app: &App, found: &CertificateRow, course: &CourseDetail) -> Result<String, AppError> {
    let mut payload = credential(app, found, course);
    let id = payload["id"].clone();
    let subject = payload["credentialSubject"]["id"].clone();
    payload["iss"] = json!(app.config.address(ISSUER));
    payload["jti"] = id;
    payload["sub"] = subject;
    payload["nbf"] = json!(found.given_at.timestamp());
    if let Some(ends) = ends(found) {
        payload["exp"] = json!(ends.timestamp());
    }
    let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": app.config.address(KEY), "jwk": jwk(app)? });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&payload));
    let signature = URL_SAFE_NO_PAD.encode(key_pair(app)?.sign(signed.as_bytes()));
    Ok(format!("{signed}.{signature}"))
}

/// `GET /certificates/{code}/badge`: to be kept in a wallet.
pub async fn show(cx: Cx, Path(code): Path<String>) -> Result<Response, AppError> {
    let code: PublicNumber = code.parse().map_err(|_| AppError::NotFound)?;
    let mut tx = cx.db().read().await?;
    let found = store::certificate(&mut tx, &code).await?.ok_or(AppError::NotFound)?;
    let course = store::course_detail(&mut tx, found.course_id).await?;
    drop(tx);
    let disposition = super::materials::disposition(&format!("{code}.jwt"));
    let headers = [(header::CONTENT_TYPE, "application/vc+jwt".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok(open((headers, token(&cx.app, &found, &course)?).into_response()))
}

/// `GET /badges/issuer`
pub async fn issuer(cx: Cx) -> Result<Response, AppError> {
    let mut profile = profile(&cx.app);
    profile["@context"] = json!(CONTEXT);
    Ok(ld(&profile))
}

/// `GET /badges/key`
pub async fn key(cx: Cx) -> Result<Response, AppError> {
    let headers = [(header::CONTENT_TYPE, "application/jwk+json")];
    Ok(open((headers, jwk(&cx.app)?.to_string()).into_response()))
}

/// `GET /badges/achievements/{course}`: of courses that somebody has a certificate of.
pub async fn achieved(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let id: CourseId = parse(&id)?;
    let mut tx = cx.db().read().await?;
    if !store::certifies(&mut tx, id).await? {
        return Err(AppError::NotFound);
    }
    let course = store::course_detail(&mut tx, id).await?;
    let mut achievement = achievement(&cx.app, &course, course.pass_percent);
    achievement["@context"] = json!(CONTEXT);
    Ok(ld(&achievement))
}

/// `GET /badges/revocations`: the credentials that were taken back, for whoever verifies one.
pub async fn revocations(cx: Cx) -> Result<Response, AppError> {
    let codes = store::all_withdrawn(&mut cx.db().read().await?).await?;
    let revoked: Vec<Value> = codes.iter().map(|code| json!({ "id": id_of(&cx.app, code), "revoked": true })).collect();
    // The specification's text and its data model name the list in the plural and in the singular, and verifiers follow
    // either: each finds it.
    let list = json!({
        "id": cx.app.config.address(REVOCATIONS),
        "issuer": cx.app.config.address(ISSUER),
        "revokedCredential": revoked,
        "revokedCredentials": revoked,
    });
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    Ok(open((headers, list.to_string()).into_response()))
}

fn ld(value: &Value) -> Response {
    open(([(header::CONTENT_TYPE, "application/ld+json")], value.to_string()).into_response())
}

/// Verifiers on other sites read it too.
fn open(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, header::HeaderValue::from_static("*"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        header::HeaderValue::from_static("cross-origin"),
    );
    response
}
