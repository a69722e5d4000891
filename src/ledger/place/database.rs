//! Addresses of ledgers in a database: `postgres://HOST[:PORT]/DATABASE#NAME`, or by a socket of this
//! machine, `postgres:///FOLDER/DATABASE#NAME`. Nothing else can be said in one: no user, no option.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use url::{Host, Url};

use super::Credentials;

/// The ledger where nobody names another.
const DEFAULT_NAME: &str = "ledger";
const DEFAULT_PORT: u16 = 5432;
/// Longest name of a ledger; the schema has the same limit.
const LONGEST_NAME: usize = 200;
/// Longest name of a database, in bytes.
const LONGEST_DATABASE: usize = 63;

const FORM: &str = "write `postgres://HOST/DATABASE#NAME`";

/// A ledger in a database, and what is needed to reach it.
#[derive(Clone, Debug)]
pub struct DatabasePlace {
    server: Server,
    database: String,
    name: String,
    /// As whom it asks. There is no default.
    pub credentials: Option<Credentials>,
    /// A file of certificate authorities instead of the machine's.
    pub authorities: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Server {
    /// By TCP. Only one of this machine may do without TLS.
    Host {
        host: String,
        port: u16,
        is_this_machine: bool,
    },
    /// The folder of a socket.
    Socket(String),
}

impl DatabasePlace {
    /// # Errors
    /// What is wrong with the address. It is not repeated: it could hold a password.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let (address, name) = text.split_once('#').unwrap_or((text, DEFAULT_NAME));
        let plain =
            |character: char| character.is_ascii_alphanumeric() || "/._-:[]".contains(character);
        ensure!(
            !address.contains('@'),
            "the address of the ledger's database holds a user or a password; leave it out and set `CCGATE_LEDGER_USER` and `CCGATE_LEDGER_TOKEN`"
        );
        ensure!(
            !address.contains('?'),
            "the address of the ledger's database holds options, and there are none; {FORM}"
        );
        ensure!(
            address.chars().all(plain),
            "the address of the ledger's database holds a character that none may hold; {FORM}"
        );
        check_name(name)?;
        let url = Url::parse(address)
            .ok()
            .filter(|url| url.scheme() == "postgres" && address.starts_with("postgres://"))
            .with_context(|| format!("the address of the ledger's database is none; {FORM}"))?;
        // What was written, not what a parser makes of `..`.
        let path = address
            .trim_start_matches("postgres://")
            .find('/')
            .map(|at| &address["postgres://".len() + at + 1..])
            .unwrap_or_default();
        let (folder, database) = path.rsplit_once('/').unwrap_or(("", path));
        let server = match url.host_str().filter(|host| !host.is_empty()) {
            Some(host) => {
                ensure!(
                    folder.is_empty() && !path.contains('/'),
                    "the address of the ledger's database has too many parts; {FORM}"
                );
                let host = Host::parse(host).ok().with_context(|| {
                    format!("the host of the ledger's database is none; {FORM}")
                })?;
                Server::Host {
                    is_this_machine: is_this_machine(&host),
                    host: match host {
                        Host::Domain(name) => name,
                        Host::Ipv4(address) => address.to_string(),
                        Host::Ipv6(address) => address.to_string(),
                    },
                    port: url.port().unwrap_or(DEFAULT_PORT),
                }
            }
            None => {
                ensure!(
                    !folder.is_empty()
                        && folder
                            .split('/')
                            .all(|part| !part.is_empty() && part != "." && part != ".."),
                    "a ledger in a database of this machine is reached by `postgres:///FOLDER/DATABASE#NAME`, with the folder of its socket"
                );
                Server::Socket(format!("/{folder}"))
            }
        };
        ensure!(
            !database.is_empty()
                && database.len() <= LONGEST_DATABASE
                && !database.contains([':', '[', ']']),
            "the address of the ledger's database names no database; {FORM}"
        );
        Ok(Self {
            server,
            database: database.to_owned(),
            name: name.to_owned(),
            credentials: None,
            authorities: None,
        })
    }

    pub(in super::super) fn server(&self) -> &Server {
        &self.server
    }

    pub(in super::super) fn database(&self) -> &str {
        &self.database
    }

    /// The ledger's name: one database holds many.
    pub(in super::super) fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for DatabasePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ledger `{}` of postgres://", self.name)?;
        match &self.server {
            Server::Host { host, port, .. } if host.contains(':') => write!(f, "[{host}]:{port}")?,
            Server::Host { host, port, .. } => write!(f, "{host}:{port}")?,
            Server::Socket(folder) => f.write_str(folder)?,
        }
        write!(f, "/{}", self.database)
    }
}

fn check_name(name: &str) -> anyhow::Result<()> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._/-".contains(character);
    ensure!(
        name.len() <= LONGEST_NAME
            && name.chars().all(plain)
            && name.starts_with(|character: char| character.is_ascii_alphanumeric()),
        "the ledger's name may hold letters, digits, `.`, `_`, `-` and `/` only, and begins with a letter or a digit; {FORM}"
    );
    Ok(())
}

fn is_this_machine(host: &Host<String>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;

    fn parse(url: &str) -> anyhow::Result<DatabasePlace> {
        match Place::parse(url, || Ok(String::new()))? {
            Place::Database(place) => Ok(place),
            _ => anyhow::bail!("it is another kind"),
        }
    }

    #[test]
    fn an_address_names_a_server_a_database_and_a_ledger_and_is_shown_as_what_it_means() {
        for (url, shown) in [
            (
                "postgres://db.example/audit#acme/app",
                "ledger `acme/app` of postgres://db.example:5432/audit",
            ),
            (
                "postgres://DB.example:443/audit",
                "ledger `ledger` of postgres://db.example:443/audit",
            ),
            (
                "postgres://[::1]:6000/audit#x",
                "ledger `x` of postgres://[::1]:6000/audit",
            ),
            (
                "postgres:///run/postgresql/audit#x",
                "ledger `x` of postgres:///run/postgresql/audit",
            ),
        ] {
            assert_eq!(parse(url).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn only_this_machine_counts_as_one_that_needs_no_tls() {
        for (host, expected) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.8.9.1", true),
            ("[::1]", true),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
            ("10.0.0.1", false),
            ("[::ffff:10.0.0.1]", false),
            ("db", false),
        ] {
            let place = parse(&format!("postgres://{host}/audit")).unwrap();
            let Server::Host {
                is_this_machine, ..
            } = place.server
            else {
                panic!("{host} is no host")
            };
            assert_eq!(is_this_machine, expected, "{host}");
        }
    }

    #[test]
    fn an_address_that_says_more_than_where_is_refused_and_not_repeated() {
        for bad in [
            "postgres:",
            "postgres:/audit",
            "postgres:audit",
            "postgres://",
            "postgres://db.example",
            "postgres://db.example/",
            "postgres://db.example:0x10/audit",
            "postgres://db.example:99999/audit",
            "postgres:///audit",
            "postgres:///run/../tmp/audit",
            "postgres:///run//audit",
            "postgres://db.example/audit/more",
            "postgres://db.example//audit",
            "postgres://db.example/audit?host=/tmp",
            "postgres://db.example/audit?sslmode=disable",
            "postgres://db.example,other.example/audit",
            "postgres://%2Ftmp/audit",
            "postgres://db.example/audit#",
            "postgres://db.example/audit#-x",
            "postgres://db.example/audit#a b",
            "postgres://db.example/audit#a'b",
            "postgres://user@db.example/audit",
            "postgresql://db.example/audit",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for hidden in [
            "postgres://u:hunter2@db.example/audit",
            "postgres://db.example/audit?password=hunter2",
            "postgres://db.example/hunter2 x#y",
        ] {
            let error = parse(hidden).unwrap_err();
            assert!(!format!("{error:#}").contains("hunter2"), "{error:#}");
        }
    }
}
