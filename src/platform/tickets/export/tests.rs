//! Files of tickets, whole and broken.

use super::*;

const HEADER: &str = "key,type,state,requester,created_at,closed_at,url,exported_at";
const ROW: &str = "INC-7,Incident,open,carol,2026-05-01T00:00:00Z,,,2026-06-01T00:00:00Z";

fn parse(text: &str) -> anyhow::Result<TicketExport> {
    TicketExport::parse("tickets.csv", text.as_bytes())
}

fn rows(rows: &str) -> TicketExport {
    parse(&format!("{HEADER}\n{rows}\n")).unwrap()
}

fn wrong(text: &str) -> String {
    format!("{:#}", parse(text).err().expect("it is broken"))
}

fn of(fact: &Fact<FoundTicket>) -> Ticket {
    match fact.known() {
        Ok(FoundTicket::Ticket(ticket)) => (**ticket).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_becomes_a_ticket_with_the_digest_of_the_file() {
    let fact = rows(ROW).ticket("INC-7");
    let ticket = of(&fact);
    assert_eq!(ticket.key, "INC-7");
    assert_eq!(ticket.ticket_type.known(), Ok(&Some("Incident".to_owned())));
    assert_eq!(ticket.closed_at.known(), Ok(&None));
    assert!(ticket.exported_at.is_some());
    let requester = ticket.requester.known().unwrap().clone().unwrap();
    assert_eq!(
        (requester.name.as_str(), requester.is_login),
        ("carol", true)
    );
    let source = &fact.sources()[0];
    assert_eq!(source.endpoint, "file tickets.csv");
    assert!(source.digest.starts_with("sha256:"));
}

#[test]
fn json_says_the_same() {
    let text = r#"{"schema": "ccgate.tickets/v1", "exported_at": "2026-06-01T00:00:00Z", "tickets": [
        {"key": "INC-7", "type": "Incident", "state": "open", "requester": "carol",
         "created_at": "2026-05-01T00:00:00Z", "closed_at": null, "exported_at": "2099-01-01T00:00:00Z"}
    ]}"#;
    let json = of(&parse(text).unwrap().ticket("inc-7"));
    let csv = of(&rows(ROW).ticket("INC-7"));
    assert_eq!(json.state.known(), csv.state.known());
    assert_eq!(json.closed_at.known(), csv.closed_at.known());
    assert_eq!(json.exported_at, csv.exported_at);
}

#[test]
fn a_ticket_that_the_file_does_not_hold_does_not_exist() {
    assert_eq!(rows(ROW).ticket("INC-8").known(), Ok(&FoundTicket::Nothing));
}

#[test]
fn a_key_that_stands_twice_in_any_spelling_is_unknown() {
    let both = rows(&format!("{ROW}\n{}", ROW.replace("INC-7", "inc-7")));
    let unknown = both.ticket("INC-7").known().unwrap_err();
    assert!(unknown.detail.contains("2 times"), "{unknown}");
}

#[test]
fn a_formula_is_text_and_no_ticket() {
    let export = rows(
        "=INC-9,Incident,open,carol,,,,2026-06-01T00:00:00Z\n\
         INC-7,\"=HYPERLINK(\"\"x\"\")\",+open,@eve,,,,2026-06-01T00:00:00Z",
    );
    assert_eq!(export.ticket("INC-9").known(), Ok(&FoundTicket::Nothing));
    let ticket = of(&export.ticket("INC-7"));
    assert_eq!(ticket.state.known().map(String::as_str), Ok("+open"));
    let kind = ticket.ticket_type.known().unwrap().clone().unwrap();
    assert_eq!(kind, "=HYPERLINK(\"x\")");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_column() {
    let export = parse(&format!("\u{feff}{HEADER}\r\n{ROW}\r\n")).unwrap();
    assert!(export.ticket("INC-7").is_known());
    let wide: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xff, 0xfe], wide.as_slice()].concat();
    assert!(TicketExport::parse("x", &marked).is_err());
}

#[test]
fn cells_that_are_empty_or_no_moments_are_unknown() {
    let ticket = of(&rows("INC-7,,,,,soon,,2026-06-01T00:00:00Z").ticket("INC-7"));
    assert_eq!(ticket.ticket_type.known(), Ok(&None));
    assert!(!ticket.state.is_known() && !ticket.requester.is_known());
    assert!(!ticket.created_at.is_known() && !ticket.closed_at.is_known());
    for moment in ["", "yesterday", "2026-06-01"] {
        let row = format!("INC-7,,open,,,,,{moment}");
        assert!(!rows(&row).ticket("INC-7").is_known(), "{moment}");
    }
}

#[test]
fn a_column_that_is_not_there_is_unknown_and_a_needed_one_an_error() {
    let short = parse("key,state,exported_at\nINC-7,open,2026-06-01T00:00:00Z\n").unwrap();
    let ticket = of(&short.ticket("INC-7"));
    assert!(!ticket.closed_at.is_known() && !ticket.ticket_type.is_known());
    assert!(wrong("key,state\nINC-7,open\n").contains("`exported_at`"));
    assert!(wrong("key,key,state,exported_at\n").contains("two columns"));
    assert!(wrong("").contains("`key`"));
}

#[test]
fn rows_of_another_length_and_broken_json_are_errors_with_their_place() {
    assert!(wrong("key,state,exported_at\nINC-7,open\n").contains("row"));
    assert!(wrong("{\"schema\": ").contains("JSON"));
    assert!(wrong("{\"tickets\": []}").contains("schema"));
    let head = "{\"schema\": \"ccgate.tickets/v1\", \"exported_at\": \"2026-06-01T00:00:00Z\"";
    assert!(wrong(&format!("{head}}}")).contains("tickets"));
    assert!(wrong(&format!("{head}, \"tickets\": [{{\"key\": 7}}]}}")).contains("no text"));
    assert!(wrong(&format!("{head}, \"tickets\": [{{\"key\": \"a\"}}]}}")).contains("no `state`"));
}

#[test]
fn a_file_of_too_many_rows_is_refused() {
    let mut text = "key,state,exported_at\n".to_owned();
    text.push_str(&"A-1,open,x\n".repeat(MOST_ROWS + 1));
    assert!(wrong(&text).contains("rows"));
}
