use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rsa::RsaPrivateKey;
use rsa::pkcs1::{EncodeRsaPrivateKey as _, EncodeRsaPublicKey as _, LineEnding};
use rsa::pkcs8::EncodePrivateKey as _;

use super::super::super::context::{Place, Wanted};
use super::super::super::transport::Limits;
use super::super::super::transport::testing::{Reply, Server};
use super::*;

fn made() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("a key can be made")
}

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn part(text: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

#[test]
fn the_claim_is_signed_by_the_key_and_holds_for_less_than_ten_minutes() {
    let key = made();
    let pem = key.to_pkcs1_pem(LineEnding::LF).unwrap();
    let claim = AppKey::new("123456", &pem).unwrap().claim(now()).unwrap();
    let parts: Vec<&str> = claim.split('.').collect();
    assert_eq!(part(parts[0])["alg"], "RS256");
    let body = part(parts[1]);
    assert_eq!(body["iss"], "123456");
    let (from, to) = (body["iat"].as_i64().unwrap(), body["exp"].as_i64().unwrap());
    assert!(from < now().as_second() && to > now().as_second() && to - from <= 600);
    let public = key.to_public_key().to_pkcs1_der().unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.as_bytes())
        .verify(
            format!("{}.{}", parts[0], parts[1]).as_bytes(),
            &URL_SAFE_NO_PAD.decode(parts[2]).unwrap(),
        )
        .expect("the signature fits");
    // The other form of the key, and line breaks as variables carry them.
    let other = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    assert!(AppKey::new("Iv1.abc", &other).is_ok());
    assert!(AppKey::new("1", &pem.replace('\n', "\\n")).is_ok());
}

#[test]
fn a_key_that_is_none_is_refused_without_being_printed() {
    let head = ["-----BEGIN RSA PRIVATE", "KEY-----\nc2VjcmV0\n"].join(" ");
    for pem in ["c2VjcmV0".to_owned(), head] {
        let error = format!("{:#}", AppKey::new("1", &pem).unwrap_err());
        assert!(
            error.contains("private key") && !error.contains("c2Vj"),
            "{error}"
        );
    }
    assert!(AppKey::new("../1", "").is_err());
}

#[test]
fn no_more_is_asked_for_than_was_granted_and_nothing_is_written() {
    let granted = json!({"contents": "write", "administration": "write", "packages": "write", "members": "read"});
    let Value::Object(granted) = granted else {
        panic!()
    };
    assert_eq!(
        Value::Object(narrowed(&granted)),
        json!({"contents": "read", "administration": "write", "members": "read"})
    );
}

fn setup(server: &Server) -> Setup {
    Setup {
        place: Place {
            platform: crate::facts::Platform::Github,
            api: server.url.clone(),
            graphql: server.url.join("/graphql").unwrap(),
            repository: "acme/app".to_owned(),
            wanted: Wanted::Repository { branch: None },
            train: None,
            run_url: None,
        },
        token: Token::new("unused".to_owned()),
        settings_token: None,
        ca_bundle: None,
        limits: Limits::default(),
        now: now(),
        program: "ccgate test".to_owned(),
        thrift: crate::platform::Thrift::Rounds,
    }
}

#[tokio::test]
async fn the_token_is_for_the_named_repositories_only() {
    let server = Server::start(|number, _| match number {
        1 => Reply::json(r#"{"id": 7, "permissions": {"contents": "write"}}"#),
        _ => Reply::json(r#"{"token": "ghs_made"}"#),
    })
    .await;
    let pem = made().to_pkcs1_pem(LineEnding::LF).unwrap();
    let key = AppKey::new("1", &pem).unwrap();
    let names = ["acme/app".to_owned(), "acme/web".to_owned()];
    let token = app_token(&setup(&server), &key, &names).await.unwrap();
    assert_eq!(token.header("").unwrap().to_str().unwrap(), "ghs_made");
    let asked = server.received();
    assert_eq!(asked[0].line, "GET /repos/acme/app/installation");
    assert_eq!(asked[1].line, "POST /app/installations/7/access_tokens");
    assert_eq!(
        serde_json::from_str::<Value>(&asked[1].body).unwrap(),
        json!({"repositories": ["app", "web"], "permissions": {"contents": "read"}})
    );
}

#[tokio::test]
async fn a_refusal_says_which_step_and_what_the_platform_said() {
    let server = Server::start(|_, _| Reply::status(404)).await;
    let pem = made().to_pkcs1_pem(LineEnding::LF).unwrap();
    let key = AppKey::new("1", &pem).unwrap();
    let error = app_token(&setup(&server), &key, &["acme/app".to_owned()])
        .await
        .unwrap_err();
    let text = format!("{error:#}");
    assert!(
        text.contains("not installed here") && text.contains("404"),
        "{text}"
    );
    assert!(app_token(&setup(&server), &key, &[]).await.is_err());
}
