//! ROWS documents.

use serde_json::json;

use super::{array, cases, fault, hex, number, text, wire_fault};
use crate::wire::rows::{RowsSigner, SignedRows};

#[test]
fn the_relay_can_refuse_it_cannot_enlarge_the_team_rows_documents() {
    for (name, case) in cases("rows", 14) {
        let document = SignedRows(hex(&case, "document").into());
        let (root, authority) = (array(&case, "root"), array(&case, "authority"));
        let mut signer = None;
        let read = document.verify(|by, _| {
            signer = Some(by);
            Some(if by == RowsSigner::Root { root } else { authority })
        });
        if let Some(fault) = fault(&case) {
            assert_eq!(read.err().map(wire_fault), Some(fault), "{name}");
            continue;
        }
        let read = read.unwrap();
        let named = if signer == Some(RowsSigner::Root) { "root" } else { "authority" };
        assert_eq!(named, text(&case, "signer"), "{name}");
        assert_eq!(document.hash().0.as_slice(), hex(&case, "hash"), "{name}");
        assert_eq!(read.version, number(&case, "version"), "{name}");
        assert_eq!(read.authority, authority, "{name}");
        assert_eq!(read.claim.is_some(), case["team"].is_string(), "{name}");
        if let Some(claim) = read.claim {
            assert_eq!(claim.team.0.as_slice(), hex(&case, "team"), "{name}");
            assert_eq!(claim.root, root, "{name}");
        } else {
            assert_eq!(read.previous.0.as_slice(), hex(&case, "previous"), "{name}");
        }
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        let accesses: Vec<_> = read.added.iter().map(|r| hex(r.access.secret().expose())).collect();
        let admins: Vec<_> = read.added.iter().map(|row| row.admin).collect();
        let removed: Vec<_> = read.removed.iter().map(|t| t.0.to_hex()).collect();
        assert_eq!(json!(accesses), case["accesses"], "{name}");
        assert_eq!(json!(admins), case["admins"], "{name}");
        assert_eq!(json!(removed), case["removed"], "{name}");
        assert_eq!(json!(read.addresses), case["addresses"], "{name}");
    }
}
