//! The line to the database, and the one place of this room that opens one. Its library waits on a
//! runtime of its own, in a thread of its own, so that whoever calls may run in another. Nothing of the
//! environment but the place says where it goes and as whom. Every question has an end.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, PgConnection};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

use super::super::place::DatabasePlace;
use super::super::place::database::Server;

/// The longest that reaching the server may take, each time.
const LONGEST_GREETING: Duration = Duration::from_secs(15);
/// The longest that one question may take. The server has shorter limits of its own, below.
const LONGEST_ANSWER: Duration = Duration::from_secs(60);
/// What a session begins with. Settings of the database or of the login do not change what an append
/// is; `synchronous_commit` is the function's to demand.
const SETTINGS: &str = "
    SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
    SET search_path = pg_catalog, pg_temp;
    SET statement_timeout = '45s';
    SET lock_timeout = '15s';
    SET idle_in_transaction_session_timeout = '120s'";
/// Pauses between tries to reach a server that is just starting, or full.
const PAUSES: [u64; 4] = [200, 500, 1000, 2000];
/// Longest text of the server's that goes into a message.
const LONGEST_SAID: usize = 600;

/// Why a question was not answered.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server did nothing, and says why, under a code of five characters.
    Refused { code: String, said: String },
    /// Whether the server did anything is not known.
    Lost(String),
}

impl From<Trouble> for anyhow::Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused { code, said } => anyhow!("the database says: {said} ({code})"),
            Trouble::Lost(said) => anyhow!("the line to the database broke: {said}"),
        }
    }
}

pub(super) struct Line {
    place: DatabasePlace,
    options: PgConnectOptions,
    // Taken when this is dropped.
    runtime: Option<Runtime>,
    connection: Option<PgConnection>,
    sessions: u32,
}

impl Line {
    /// Nothing is reached yet.
    pub(super) fn to(place: &DatabasePlace) -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the line to the database cannot be made ready")?;
        Ok(Self {
            options: options(place)?,
            place: place.clone(),
            runtime: Some(runtime),
            connection: None,
            sessions: 0,
        })
    }

    /// How often the server was reached. What was asked in one session may be about another
    /// moment than what was asked in the next.
    pub(super) fn sessions(&self) -> u32 {
        self.sessions
    }

    /// Asks; reaches the server first if it has to.
    pub(super) fn ask<T: Send>(
        &mut self,
        question: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T> + Send,
    ) -> Result<T, Trouble> {
        let Some(runtime) = &self.runtime else {
            return Err(Trouble::Lost("it was closed".to_owned()));
        };
        let (options, held, sessions) = (&self.options, &mut self.connection, &mut self.sessions);
        let wait = || {
            runtime.block_on(async {
                let connection = match held {
                    Some(connection) => connection,
                    None => {
                        *sessions += 1;
                        held.insert(reach(options).await?)
                    }
                };
                timeout(LONGEST_ANSWER, question(connection))
                    .await
                    .unwrap_or_else(|_| Err(sqlx::Error::protocol("no answer came in time")))
            })
        };
        let answer = thread::scope(|scope| scope.spawn(wait).join())
            .unwrap_or_else(|_| Err(sqlx::Error::protocol("the thread that waited broke")));
        answer.map_err(|error| self.trouble(&error))
    }

    fn trouble(&mut self, error: &sqlx::Error) -> Trouble {
        if let sqlx::Error::Database(told) = error {
            let code = told.code().unwrap_or_default().into_owned();
            let said = self.harmless(told.message());
            // Lost lines, missing resources, administrators' orders, the system's and the server's own
            // faults: those can come after the work was done.
            let unclear = ["08", "53", "57", "58", "XX", ""];
            let class = code.get(..2).unwrap_or_default();
            // 25P03: it was silent for too long in a transaction, and was sent away.
            if !unclear.contains(&class) && code != "25P03" {
                return Trouble::Refused { code, said };
            }
            self.connection = None;
            return Trouble::Lost(format!("{said} ({})", self.harmless(&code)));
        }
        self.connection = None;
        Trouble::Lost(self.harmless(&error.to_string()))
    }

    /// What a server says, on one line, without control characters and without the token.
    fn harmless(&self, said: &str) -> String {
        let mut said = said.to_owned();
        if let Some(credentials) = &self.place.credentials
            && !credentials.token.is_empty()
        {
            said = said.replace(&credentials.token, "…");
        }
        let mut harmless: String = said.escape_debug().collect();
        if harmless.len() > LONGEST_SAID {
            let end = harmless.floor_char_boundary(LONGEST_SAID);
            harmless.truncate(end);
            harmless.push('…');
        }
        harmless
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.connection = None;
        if let Some(runtime) = self.runtime.take() {
            // To wait here would be wrong inside of another runtime.
            runtime.shutdown_background();
        }
    }
}

/// A server that is just starting, or has no place free, is asked again for a few seconds.
async fn reach(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    for pause in PAUSES {
        match greet(options).await {
            Err(sqlx::Error::Database(error))
                if matches!(error.code().as_deref(), Some("57P03" | "53300")) => {}
            Err(sqlx::Error::Io(error))
                if error.kind() == std::io::ErrorKind::ConnectionRefused => {}
            greeted => return greeted,
        }
        sleep(Duration::from_millis(pause)).await;
    }
    greet(options).await
}

async fn greet(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    let greeting = async {
        let mut connection = options.connect().await?;
        sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
        Ok(connection)
    };
    timeout(LONGEST_GREETING, greeting)
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::protocol("the server did not answer in time")))
}

/// The library begins with what the environment says. Each of these is said anew here, and what cannot
/// be said anew must not be there.
fn options(place: &DatabasePlace) -> anyhow::Result<PgConnectOptions> {
    let credentials = place
        .credentials
        .as_ref()
        .context("as whom the database is asked is not known; set `CCGATE_LEDGER_USER`, and `CCGATE_LEDGER_TOKEN` for its password")?;
    let options = PgConnectOptions::new_without_pgpass()
        .username(&credentials.user)
        .password(&credentials.token)
        .database(place.database())
        .application_name("ccgate")
        .extra_float_digits(None);
    ensure!(
        options.get_options().is_none(),
        "`PGOPTIONS` would change what the ledger's database does; unset it for this program"
    );
    let told = options.clone().host("localhost").to_url_lossy();
    if told
        .query_pairs()
        .any(|(name, _)| name == "sslcert" || name == "sslkey")
    {
        bail!(
            "`PGSSLCERT` and `PGSSLKEY` would change as whom the ledger's database is asked; unset them for this program"
        );
    }
    let options = match &place.authorities {
        Some(file) => options.ssl_root_cert(file),
        // None besides the machine's own.
        None => options.ssl_root_cert_from_pem(Vec::new()),
    };
    Ok(match place.server() {
        Server::Host {
            host,
            port,
            is_this_machine,
        } => options
            .host(host)
            .port(*port)
            .ssl_mode(if *is_this_machine {
                PgSslMode::Disable
            } else {
                PgSslMode::VerifyFull
            }),
        Server::Socket(folder) => options
            .host("localhost")
            .port(5432)
            .socket(folder)
            .ssl_mode(PgSslMode::Disable),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::place::{Credentials, Place};
    use super::*;

    fn place(url: &str) -> DatabasePlace {
        match Place::parse(url, || Ok(String::new())).unwrap() {
            Place::Database(mut place) => {
                place.credentials = Some(Credentials::new("gate", "not-a-token-at-all").unwrap());
                place
            }
            place => panic!("{place:?}"),
        }
    }

    #[test]
    fn another_machine_is_spoken_to_under_tls_with_its_name_verified_and_this_one_without() {
        for (url, mode) in [
            ("postgres://db.example/audit", "verify-full"),
            ("postgres://192.0.2.7/audit", "verify-full"),
            ("postgres://127.0.0.1/audit", "disable"),
            ("postgres:///run/postgresql/audit", "disable"),
        ] {
            let told = options(&place(url)).unwrap().to_url_lossy();
            let found = told.query_pairs().find(|(name, _)| name == "sslmode");
            assert_eq!(found.unwrap().1, mode, "{url}");
        }
    }

    #[test]
    fn nobody_is_asked_without_a_user() {
        let mut place = place("postgres://127.0.0.1/audit");
        place.credentials = None;
        let error = options(&place).unwrap_err().to_string();
        assert!(error.contains("CCGATE_LEDGER_USER"), "{error}");
    }

    #[test]
    fn what_a_server_says_is_cut_and_holds_neither_the_token_nor_control_characters() {
        let line = Line::to(&place("postgres://127.0.0.1/audit")).unwrap();
        let said = line.harmless("no \u{1b}[31mnot-a-token-at-all\nhere");
        assert!(
            !said.contains("not-a-token") && !said.contains(['\u{1b}', '\n']),
            "{said}"
        );
        assert!(line.harmless(&"é".repeat(5000)).len() < 700);
    }

    #[test]
    fn a_server_that_is_not_there_is_an_error_also_inside_of_another_runtime() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("postgres://{}/audit", folder.path().display());
        let runtime = Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(async {
            let mut line = Line::to(&place(&url))?;
            line.ask(async |connection| sqlx::raw_sql("SELECT 1").execute(connection).await)
                .map_err(anyhow::Error::from)
        });
        let error = format!("{:#}", answer.unwrap_err());
        assert!(error.contains("the line to the database broke"), "{error}");
    }
}
