//! Finding records again.

use crate::fixture::{DAY, DAY_ONE, Node, account, alice, append, decrypt, key_arn, number, region, uuid};
use kms_audit::{
    ApiCall, Elements, Filter, Found, Identity, Member, Operation, Outcome, PageBounds, Record, RequestOrigin, Search,
    WantedOutcome, tail, tail_while,
};
use kms_types::{KeyId, Timestamp};

/// A request that failed: AWS's example key, named by the caller and not found.
fn failed(at: u64, name: &str, code: &str) -> Record {
    let parameters = Elements::new().text(Member::KEY_ID, "1234abcd-12ab-34cd-56ef-1234567890ab");
    let none = Elements::new();
    let call = ApiCall {
        event_id: uuid(at),
        request_id: uuid(at),
        time: Timestamp::from_millis(DAY_ONE + at),
        operation: Operation::kms(name),
        identity: Identity::Unknown { access_key_id: Some("AKIAOTHER") },
        origin: RequestOrigin { address: "192.0.2.8", user_agent: "curl", tls: None },
        outcome: Outcome::Failure { code, message: "" },
        parameters: &parameters,
        response: &none,
        additional: &none,
        resources: &[],
        recipient: Some(account()),
        decision: None,
        control_log_index: None,
    };
    call.record(&region("eu-west-1"))
}

/// Records 1 to 4 on the first day, 5 and 6 on the second.
fn node() -> Node {
    let node = Node::new();
    let log = node.open();
    append(&log, decrypt(1, DAY_ONE + 1));
    append(&log, failed(2, "Decrypt", "AccessDeniedException"));
    append(&log, failed(3, "DescribeKey", "NotFoundException"));
    append(&log, decrypt(4, DAY_ONE + 4));
    append(&log, decrypt(5, DAY_ONE + DAY));
    append(&log, decrypt(6, DAY_ONE + DAY + 1));
    drop(log);
    node
}

fn numbers(found: impl IntoIterator<Item = Found>) -> Vec<u64> {
    // The log's own records have numbers beyond all requests.
    found.into_iter().map(|found| number(&found.event)).filter(|number| *number < 1 << 40).collect()
}

fn search(filter: Filter) -> Vec<u64> {
    let found: Vec<Found> = Search::new(node().files(), filter.clone()).map(Result::unwrap).collect();
    let last = tail(&node().files(), &filter, 100).unwrap();
    assert_eq!(last, found, "the tail of everything is everything");
    numbers(found)
}

#[test]
fn pages_within_bounds_put_together_are_the_search() {
    let node = node();
    let filter = Filter { operation: Some("decrypt".to_owned()), ..Filter::default() };
    let all: Vec<Found> = Search::new(node.files(), filter.clone()).map(Result::unwrap).collect();
    for (records, bytes, lines) in [(1, usize::MAX, usize::MAX), (9, 1, 99), (9, usize::MAX, 1), (9, usize::MAX, 99)] {
        let bounds = PageBounds { records, bytes, lines };
        let mut search = Search::new(node.files(), filter.clone());
        let mut found = Vec::new();
        for _ in 0..100 {
            let page = search.page(bounds).unwrap();
            assert!(page.found.len() <= records && (bytes > 1 || page.found.len() <= 1));
            found.extend(page.found);
            if page.ended {
                break;
            }
            if let Some(cursor) = search.cursor() {
                search = Search::resume(node.files(), filter.clone(), cursor).unwrap();
            }
        }
        assert_eq!(found, all, "{bounds:?}");
    }
    assert_eq!(all[0].end().offset, all[0].offset + all[0].text.len() as u64 + 1);
}

#[test]
fn a_tail_that_may_not_go_on_says_so() {
    let refused = tail_while(&node().files(), &Filter::default(), 3, &|| false).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn records_are_found_by_what_they_say() {
    let check = |filter: Filter, expected: &[u64]| assert_eq!(search(filter.clone()), expected, "{filter:?}");
    let all = Filter::default();
    check(all.clone(), &[1, 2, 3, 4, 5, 6]);
    check(Filter { key: Some(key_arn("eu-west-1").key_id), ..all.clone() }, &[1, 4, 5, 6]);
    let named = KeyId::parse("1234abcd-12ab-34cd-56ef-1234567890ab").unwrap();
    check(Filter { key: Some(named), ..all.clone() }, &[2, 3]);
    for name in [alice().arn, alice().user_name, alice().principal_id, "AKIAEXAMPLE"] {
        check(Filter { principal: Some(name.to_owned()), ..all.clone() }, &[1, 4, 5, 6]);
    }
    check(Filter { principal: Some("AKIAOTHER".to_owned()), ..all.clone() }, &[2, 3]);
    check(Filter { principal: Some("ali".to_owned()), ..all.clone() }, &[]);
    check(Filter { operation: Some("describekey".to_owned()), ..all.clone() }, &[3]);
    let at = |millis: u64| Some(Timestamp::from_millis(DAY_ONE + millis));
    check(Filter { from: at(2), to: at(5), ..all.clone() }, &[2, 3, 4]);
    check(Filter { from: at(DAY), ..all.clone() }, &[5, 6]);
    for (outcome, expected) in [
        (WantedOutcome::Success, [1, 4, 5, 6].as_slice()),
        (WantedOutcome::Failure, &[2, 3]),
        (WantedOutcome::Denied, &[2]),
        (WantedOutcome::Code("notfoundexception".to_owned()), &[3]),
    ] {
        let operation = None;
        check(Filter { outcome: Some(outcome), operation, to: at(2 * DAY), ..all.clone() }, expected);
    }
}

#[test]
fn a_search_goes_on_where_it_stopped() {
    let node = Node::new();
    let log = node.open();
    append(&log, decrypt(1, DAY_ONE));
    let mut first = Search::new(node.files(), Filter::default());
    assert_eq!(numbers(first.by_ref().map(Result::unwrap)), [1]);
    let cursor = first.cursor().unwrap();
    append(&log, decrypt(2, DAY_ONE + 1));
    append(&log, decrypt(3, DAY_ONE + DAY));
    let later = Search::resume(node.files(), Filter::default(), cursor).unwrap();
    assert_eq!(numbers(later.map(Result::unwrap)), [2, 3]);
}

#[test]
fn a_line_that_is_being_written_is_left_for_the_next_time() {
    let node = node();
    let files = node.files();
    let name = files.name(files.days()[1]);
    let whole = node.volume.read(&name).unwrap();
    let cut = whole.len() - 5;
    node.volume.put(&name, &whole[..cut]);
    let mut first = Search::new(node.files(), Filter::default());
    let before = first.by_ref().map(Result::unwrap).count();
    let cursor = first.cursor().unwrap();
    assert!(cursor.offset < u64::try_from(cut).unwrap());
    node.volume.put(&name, &whole);
    let later: Vec<Found> =
        Search::resume(node.files(), Filter::default(), cursor).unwrap().map(Result::unwrap).collect();
    assert_eq!((later.len(), later[0].event.name.as_str()), (1, "StopAuditLog"));
    assert_eq!(before + 1, node.events().len());
}

#[test]
fn lines_that_are_no_records_are_counted() {
    let node = node();
    let files = node.files();
    let name = files.name(files.days()[0]);
    let whole = node.volume.read(&name).unwrap();
    node.volume.put(&name, &[b"{}\nnonsense\n\xff\n".as_slice(), &whole].concat());
    let mut found = Search::new(node.files(), Filter::default());
    assert_eq!(numbers(found.by_ref().map(Result::unwrap)), [1, 2, 3, 4, 5, 6]);
    assert_eq!(found.unreadable(), 3);
}

#[test]
fn the_tail_is_the_newest_last_across_files() {
    let node = node();
    let requests = Filter { operation: Some("Decrypt".to_owned()), ..Filter::default() };
    for (count, expected) in [(0, [].as_slice()), (1, &[6]), (2, &[5, 6]), (3, &[4, 5, 6]), (99, &[1, 2, 4, 5, 6])] {
        assert_eq!(numbers(tail(&node.files(), &requests, count).unwrap()), expected, "{count}");
    }
}

#[test]
fn the_tail_of_a_long_file_is_found_behind_records_that_nobody_wants() {
    let node = Node::new();
    let log = node.open();
    append(&log, failed(1, "DescribeKey", "NotFoundException"));
    // More than the first window that the tail looks at.
    let mut bytes = 0;
    let mut count = 1;
    while bytes < 6 * 1024 * 1024 {
        count += 1;
        let parameters = Elements::new().text(Member::POLICY, "x".repeat(40_000));
        let none = Elements::new();
        let call = ApiCall {
            event_id: uuid(count),
            request_id: uuid(count),
            time: Timestamp::from_millis(DAY_ONE + count),
            operation: Operation::kms("PutKeyPolicy"),
            identity: Identity::User(alice()),
            origin: RequestOrigin { address: "192.0.2.7", user_agent: "", tls: None },
            outcome: Outcome::Success,
            parameters: &parameters,
            response: &none,
            additional: &none,
            resources: &[],
            recipient: None,
            decision: None,
            control_log_index: None,
        };
        append(&log, call.record(&region("eu-west-1")));
        bytes += 40_000;
    }
    drop(log);
    let wanted = |name: &str| Filter { operation: Some(name.to_owned()), ..Filter::default() };
    assert_eq!(numbers(tail(&node.files(), &wanted("DescribeKey"), 1).unwrap()), [1]);
    assert_eq!(numbers(tail(&node.files(), &wanted("PutKeyPolicy"), 2).unwrap()), [count - 1, count]);
}
