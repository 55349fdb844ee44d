use proptest::prelude::*;

use super::symbols::{self, Check};
use super::*;
use crate::noise::keys::StaticPublic;
use crate::random::OsRandom;
use crate::secret::Secret;
use crate::wire::ids::Digest;

fn code_at(address: &str, secret: [u8; 16]) -> InviteCode {
    let (host, port) = Host::parse_with_port(address).unwrap();
    InviteCode::from_secret(host, port, Secret::copy(&secret).unwrap())
}

fn bundle() -> Bundle {
    Bundle {
        invitation: Invitation::Member {
            root: TeamRoot([1; 32]),
            inviter: "Karim".into(),
            head: RosterHead { number: 7, hash: Digest([2; 32]) },
        },
        team: "Campagne 2027".into(),
        language: Language::French,
        relay: StaticPublic([3; 32]),
        addresses: vec!["relay.example:7443".into()],
        role: Role::Member,
        expires: 1_800_000_000,
        auto_approve: false,
    }
}

/// The places of the 30 symbols in a code's text.
fn symbol_places(text: &str) -> Vec<usize> {
    let start = text.rfind('/').unwrap() + 1;
    (start..text.len()).filter(|&at| text.as_bytes()[at] != b'-').collect()
}

fn with_symbol(text: &str, place: usize, shift: u8) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = symbol_places(text)[place];
    let old = symbols::read(chars[at]).unwrap();
    chars[at] = symbols::write((old + shift) % 32);
    chars.into_iter().collect()
}

proptest! {
    #[test]
    fn a_code_reads_back_in_any_case_and_grouping(secret: [u8; 16]) {
        let code = code_at("relay.example:9000", secret);
        let text = code.to_text();
        prop_assert_eq!(text.len(), "relay.example:9000/".len() + 35);
        prop_assert_eq!(text.split('-').count(), GROUPS);
        for typed in [text.to_string(), text.to_lowercase(), text.replace('-', " ") + " \n"] {
            let read = InviteCode::parse(&typed).unwrap();
            prop_assert!(read.secret().ct_eq(&secret));
            prop_assert_eq!(read.address(), "relay.example:9000");
        }
    }

    #[test]
    fn every_one_symbol_typo_is_located(secret: [u8; 16], place in 0usize..30, shift in 1u8..32) {
        let text = with_symbol(&code_at("relay.example", secret).to_text(), place, shift);
        let groups = vec![u8::try_from(place / 5 + 1).unwrap()];
        prop_assert_eq!(InviteCode::parse(&text).err(), Some(CodeError::Typo { groups }));
    }

    #[test]
    fn every_two_symbol_typo_is_located(
        secret: [u8; 16], a in 0usize..30, b in 0usize..30, x in 1u8..32, y in 1u8..32,
    ) {
        prop_assume!(a != b);
        let text = code_at("relay.example", secret).to_text();
        let text = with_symbol(&with_symbol(&text, a, x), b, y);
        let mut groups: Vec<u8> =
            [a, b].iter().map(|place| u8::try_from(place / 5 + 1).unwrap()).collect();
        groups.sort_unstable();
        groups.dedup();
        prop_assert_eq!(InviteCode::parse(&text).err(), Some(CodeError::Typo { groups }));
    }

    #[test]
    fn three_and_four_wrong_symbols_are_never_accepted(
        secret: [u8; 16], places in proptest::collection::btree_set(0usize..30, 3..=4), shift in 1u8..32,
    ) {
        let mut text = code_at("relay.example", secret).to_text().to_string();
        for place in places {
            text = with_symbol(&text, place, shift);
        }
        prop_assert!(InviteCode::parse(&text).is_err());
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
        let _ = InviteCode::parse(&text);
        let _ = InviteCode::parse(&format!("relay.example/{text}"));
    }

    #[test]
    fn no_bytes_make_the_bundle_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let keys = code_at("relay.example", [9; 16]).keys();
        prop_assert!(Bundle::open(&keys.id, &keys.bundle, &bytes).is_err());
    }
}

#[test]
fn the_field_has_31_powers_and_the_zero_word_is_clean() {
    assert_eq!(symbols::check(&[0; 30]), Check::Clean);
    let mut one = [0; 30];
    one[29] = 1;
    assert_eq!(symbols::check(&one), Check::Wrong(vec![29]));
}

#[test]
fn three_wrong_symbols_that_almost_look_like_one_are_lost() {
    // Three of their syndromes are those of one wrong symbol, the fifth; the fourth is not.
    let mut word = [0; 30];
    (word[0], word[1], word[2]) = (1, 1, 13);
    assert_eq!(symbols::check(&word), Check::Lost);
}

#[test]
fn look_alikes_are_read_and_strangers_are_located() {
    let text = code_at("relay.example", [0; 16]).to_text().to_string();
    let (_, secret) = text.split_once('/').unwrap();
    assert!(InviteCode::parse(&format!("relay.example/{}", secret.replace('0', "o"))).is_ok());
    let wrong = secret.replacen('0', "U", 1);
    assert_eq!(
        InviteCode::parse(&format!("relay.example/{wrong}")).err(),
        Some(CodeError::Typo { groups: vec![1] })
    );
}

#[test]
fn the_host_may_be_a_name_an_onion_or_an_address() {
    let text = code_at("relay.example", [5; 16]).to_text().to_string();
    let (_, secret) = text.split_once('/').unwrap();
    for (given, address) in [
        ("Relay.Example", "relay.example:7443"),
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("[::1]", "[::1]:7443"),
        ("[2001:DB8::1]:9000", "[2001:db8::1]:9000"),
        ("abcdefghijklmnop.onion", "abcdefghijklmnop.onion:7443"),
    ] {
        let code = InviteCode::parse(&format!("{given}/{secret}")).unwrap();
        assert_eq!(code.address(), address);
        assert_eq!(InviteCode::parse(&code.to_text()).unwrap().address(), address);
    }
    for (given, error) in [
        ("", CodeError::NoHost),
        (":80", CodeError::NoHost),
        ("relay.example:", CodeError::BadPort),
        ("relay.example:0", CodeError::BadPort),
        ("relay.example:65536", CodeError::BadPort),
        ("::1", CodeError::BadHost),
        ("https://relay.example", CodeError::BadHost),
        ("300.1.1.1", CodeError::BadHost),
        ("-a.example", CodeError::BadHost),
        ("rel\u{e9}.example", CodeError::BadHost),
        ("[::1]x", CodeError::BadHost),
        ("relay.example:+80", CodeError::BadPort),
        ("a..b", CodeError::BadHost),
        ("a-.example", CodeError::BadHost),
        ("a_b.example", CodeError::BadHost),
        ("1.2.3", CodeError::BadHost),
        ("relay.7", CodeError::BadHost),
        ("[relay.example]", CodeError::BadHost),
    ] {
        assert_eq!(InviteCode::parse(&format!("{given}/{secret}")).err(), Some(error), "{given}");
    }
    assert_eq!(InviteCode::parse(secret).err(), Some(CodeError::NoHost));
    assert_eq!(
        InviteCode::parse(&format!("relay.example/{}", &secret[1..])).err(),
        Some(CodeError::Length { found: 29 })
    );
}

#[test]
fn the_five_keys_of_a_code_differ() {
    let keys = code_at("relay.example", [4; 16]).keys();
    let all = [
        keys.gate.secret().expose(),
        keys.psk.secret().expose(),
        keys.bundle.secret().expose(),
        keys.join.secret().expose(),
    ];
    for (at, a) in all.iter().enumerate() {
        assert!(a[..16] != keys.id.0);
        assert!(all[at + 1..].iter().all(|b| a != b));
    }
}

#[test]
fn a_bundle_opens_with_its_own_code_only() {
    let keys = code_at("relay.example", [4; 16]).keys();
    let other = code_at("relay.example", [5; 16]).keys();
    let sealed = bundle().seal(&keys.id, &keys.bundle, &mut OsRandom).unwrap();
    assert!(sealed.len() <= MAX_BUNDLE_BYTES);
    assert!(Bundle::open(&keys.id, &keys.bundle, &sealed).unwrap() == bundle());
    assert_eq!(Bundle::open(&other.id, &other.bundle, &sealed).err(), Some(BundleError::Seal));
    assert_eq!(Bundle::open(&other.id, &keys.bundle, &sealed).err(), Some(BundleError::Seal));
    let mut changed = sealed.clone();
    changed[40] ^= 1;
    assert_eq!(Bundle::open(&keys.id, &keys.bundle, &changed).err(), Some(BundleError::Seal));
    let cut = &sealed[..sealed.len() - 1];
    assert_eq!(Bundle::open(&keys.id, &keys.bundle, cut).err(), Some(BundleError::Size));
}

#[test]
fn bundles_of_long_and_short_names_have_one_size() {
    let keys = code_at("relay.example", [4; 16]).keys();
    let mut long = bundle();
    long.team = "\u{1F3E0}".repeat(MAX_NAME_CHARS);
    let sizes =
        [bundle(), long].map(|b| b.seal(&keys.id, &keys.bundle, &mut OsRandom).unwrap().len());
    assert_eq!(sizes[0], sizes[1]);
}

#[test]
fn a_founders_bundle_needs_no_team_name_and_a_members_does() {
    let keys = code_at("relay.example", [4; 16]).keys();
    let founder = Bundle {
        invitation: Invitation::Founder,
        team: String::new(),
        expires: NO_EXPIRY,
        role: Role::Admin,
        ..bundle()
    };
    let sealed = founder.seal(&keys.id, &keys.bundle, &mut OsRandom).unwrap();
    assert!(Bundle::open(&keys.id, &keys.bundle, &sealed).unwrap() == founder);
    let nameless = Bundle { team: String::new(), ..bundle() };
    assert_eq!(nameless.encode().err(), Some(BundleError::OutOfBounds));
}

#[test]
fn a_bundle_never_offers_an_admin_auto_approval_nor_hides_characters() {
    let admin = Bundle { role: Role::Admin, auto_approve: true, ..bundle() };
    assert_eq!(admin.encode().err(), Some(BundleError::OutOfBounds));
    for name in ["a\u{202E}b", "a\nb", "\u{E0041}", "", &"x".repeat(41)] {
        let named = Bundle { team: name.into(), ..bundle() };
        assert_eq!(named.encode().err(), Some(BundleError::OutOfBounds));
    }
}

#[test]
fn every_field_of_a_bundle_changes_its_hash() {
    let base = bundle().hash().unwrap();
    let member = |root, head| Invitation::Member {
        root: TeamRoot([root; 32]),
        inviter: "Karim".into(),
        head: RosterHead { number: head, hash: Digest([2; 32]) },
    };
    for changed in [
        Bundle { invitation: member(9, 7), ..bundle() },
        Bundle { invitation: member(1, 8), ..bundle() },
        Bundle { team: "Autre".into(), ..bundle() },
        Bundle { relay: StaticPublic([4; 32]), ..bundle() },
        Bundle { role: Role::Bot, ..bundle() },
        Bundle { expires: 1, ..bundle() },
        Bundle { auto_approve: true, ..bundle() },
        Bundle { language: Language::English, ..bundle() },
        Bundle { addresses: vec![], ..bundle() },
    ] {
        assert_ne!(changed.hash().unwrap(), base);
    }
}

#[test]
fn roles_and_languages_read_back() {
    for role in [Role::Admin, Role::Member, Role::Bot] {
        assert_eq!(Role::from_code(role.code()), Some(role));
        assert_eq!(Role::from_name(role.name()), Some(role));
    }
    for language in [Language::English, Language::French] {
        assert_eq!(Language::from_code(language.code()), Some(language));
    }
    assert!(Role::from_code(3).is_none() && Language::from_code(2).is_none());
}

#[test]
fn names_of_hosts_have_the_lengths_of_dns() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", &label[..61]);
    assert_eq!(longest.len(), 253);
    assert_eq!(Host::parse(&longest).unwrap().as_str(), longest);
    let longer = [format!("{longest}a"), format!("{longest}aa"), format!("{label}a.example")];
    for name in longer {
        assert_eq!(Host::parse(&name).err(), Some(HostError::Malformed));
    }
    for address in ["::1", "[::1]"] {
        assert_eq!(Host::parse(address).unwrap().with_port(80), "[::1]:80");
    }
    assert_eq!(Host::parse("").err(), Some(HostError::Empty));
    assert_eq!(Host::parse("a-1.example").unwrap().as_str(), "a-1.example");
}

#[test]
fn a_text_of_more_than_512_bytes_is_not_looked_at() {
    for (length, error) in [
        (512, CodeError::NoHost),
        (513, CodeError::Length { found: 513 }),
        (600, CodeError::Length { found: 600 }),
    ] {
        assert_eq!(InviteCode::parse(&"x".repeat(length)).err(), Some(error));
    }
}

#[test]
fn a_stranger_among_too_many_typing_errors_is_still_located() {
    let mut text = code_at("relay.example", [0; 16]).to_text().to_string();
    for place in [0, 7, 14] {
        text = with_symbol(&text, place, 1);
    }
    assert_eq!(InviteCode::parse(&text).err(), Some(CodeError::TooManyTypos));
    let stranger = symbol_places(&text)[20];
    text.replace_range(stranger..=stranger, "U");
    assert_eq!(InviteCode::parse(&text).err(), Some(CodeError::Typo { groups: vec![5] }));
}

#[test]
fn a_bundle_of_the_greatest_fields_reads_back_and_nothing_greater_is_made() {
    let keys = code_at("relay.example", [4; 16]).keys();
    let reads_back = |bundle: &Bundle| {
        let sealed = bundle.seal(&keys.id, &keys.bundle, &mut OsRandom);
        sealed.map(|sealed| Bundle::open(&keys.id, &keys.bundle, &sealed).unwrap() == *bundle)
    };
    let address = "a".repeat(MAX_ADDRESS_BYTES);
    let greatest = Bundle {
        team: "\u{1F3E0}".repeat(MAX_NAME_CHARS),
        addresses: vec![address.clone(); MAX_ADDRESSES],
        ..bundle()
    };
    assert_eq!((MAX_NAME_BYTES, MAX_ADDRESS_BYTES, MAX_ADDRESSES), (160, 261, 4));
    // It needs the greater of the two sizes, which is the most that a relay keeps of a bundle.
    assert_eq!(greatest.seal(&keys.id, &keys.bundle, &mut OsRandom).unwrap().len(), 4_096);
    assert_eq!(reads_back(&greatest), Ok(true));
    let spare = Bundle {
        invitation: Invitation::Spare,
        team: String::new(),
        role: Role::Admin,
        ..bundle()
    };
    assert_eq!(reads_back(&spare), Ok(true));
    for beyond in [
        Bundle { addresses: vec![address.clone(); MAX_ADDRESSES + 1], ..bundle() },
        Bundle { addresses: vec![address + "a"], ..bundle() },
        Bundle { addresses: vec![String::new()], ..bundle() },
        Bundle { addresses: vec!["relay example:7443".into()], ..bundle() },
        Bundle { team: "\u{1F3E0}".repeat(MAX_NAME_CHARS + 1), ..bundle() },
        Bundle { team: "named".into(), ..spare.clone() },
        Bundle { addresses: Vec::new(), ..spare },
    ] {
        assert_eq!(reads_back(&beyond), Err(BundleError::OutOfBounds));
    }
    for role in [Role::Member, Role::Bot] {
        assert_eq!(reads_back(&Bundle { role, auto_approve: true, ..bundle() }), Ok(true));
    }
}

#[test]
fn the_small_reader_takes_what_is_there_and_no_more() {
    let read = |bytes: &'static [u8]| reader::Reader::new(bytes);
    assert_eq!(read(b"\0\x03abc").text(3).as_deref(), Some("abc"));
    assert_eq!(read(b"\0\x03abc").text(4).as_deref(), Some("abc"));
    for max in [0, 2] {
        assert!(read(b"\0\x03abc").text(max).is_none());
    }
    assert!(read(b"\0\x03ab").text(3).is_none() && read(b"\0\x02\xC3\x28").text(2).is_none());
    assert_eq!(
        ["\0", "\x01", "\x02", ""].map(|b| read(b.as_bytes()).flag()),
        [Some(false), Some(true), None, None]
    );
    let mut three = read(b"abc");
    assert_eq!((three.take(2), three.byte(), three.byte()), (Some(&b"ab"[..]), Some(b'c'), None));
    assert!(three.rest().is_empty());
    let mut refused = read(b"abc");
    assert!(refused.take(4).is_none() && refused.array::<4>().is_none());
    assert_eq!(refused.rest(), b"abc");
}
