use std::io::{Read, Write};

use super::*;
use crate::backup::BackupError;

fn seal(plain: &[u8], recipient: &Recipient) -> Vec<u8> {
    let mut sealer = Sealer::new(Vec::new(), recipient).unwrap();
    sealer.write_all(plain).unwrap();
    sealer.finish().unwrap()
}

fn open(sealed: &[u8], identity: &Identity) -> Result<Vec<u8>, BackupError> {
    let mut plain = Vec::new();
    Opener::new(sealed, identity)?.read_to_end(&mut plain)?;
    Ok(plain)
}

#[test]
fn what_is_sealed_opens_at_every_length_around_a_chunk() {
    let identity = Identity::generate();
    for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000] {
        let plain: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        assert_eq!(open(&seal(&plain, &identity.recipient()), &identity).unwrap(), plain);
    }
}

#[test]
fn what_was_changed_cut_or_lengthened_does_not_open() {
    let identity = Identity::generate();
    let plain = vec![7; 140_000];
    let sealed = seal(&plain, &identity.recipient());
    let header = sealed.len() - 16 - 140_000 - 3 * 16;
    for place in [0, 30, header - 10, header + 3, header + 100, sealed.len() - 1] {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        assert!(open(&changed, &identity).is_err(), "byte {place}");
    }
    // Also at the end of a chunk, where every remaining chunk is whole.
    for length in [0, 40, header + 16, header + 16 + 65_552, sealed.len() - 1] {
        assert!(open(&sealed[..length], &identity).is_err(), "cut to {length}");
    }
    assert!(open(&[sealed.as_slice(), b"x"].concat(), &identity).is_err());
    let endless = [b"age-encryption.org/v1\n".as_slice(), &[b'a'; 100_000]].concat();
    assert!(open(&endless, &identity).is_err());
}

#[test]
fn another_identity_does_not_open_it() {
    let sealed = seal(b"secret", &Identity::generate().recipient());
    assert!(matches!(open(&sealed, &Identity::generate()), Err(BackupError::WrongIdentity)));
}

#[test]
fn keys_stand_in_files_as_age_keygen_writes_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let identity = Identity::generate();
    std::fs::write(&path, identity.to_file().as_bytes()).unwrap();
    let sealed = seal(b"secret", &identity.recipient());
    assert_eq!(open(&sealed, &Identity::read(&path).unwrap()).unwrap(), b"secret");
    std::fs::write(&path, identity.recipient().to_text()).unwrap();
    assert_eq!(open(&seal(b"x", &Recipient::read(&path).unwrap()), &identity).unwrap(), b"x");
    assert!(matches!(Identity::read(&path), Err(BackupError::NoKey(_))), "a public key");
    std::fs::write(&path, [7; 32]).unwrap();
    assert!(Identity::read(&path).is_err());
}

/// Sealed by the crate `age` 0.11.5, with the stanza of no meaning that it adds.
const FOREIGN: &str = "6167652d656e6372797074696f6e2e6f72672f76310a2d3e20583235353139204c6a35686b5a\
    4235793343392b5a75557a557663756537723542554f4d30776e636e5a505149516c7451550a705250705a5061487a3943\
    466a4f39366f4f4c54742f75396b50384974312b5a74725752486f42487168410a2d3e202b2d677265617365204c6c334d\
    7335610a33714b73476f4c7348410a2d2d2d20674b63484b52636b59415255537752534f324954354b616c32633259554d\
    4d6b5630434a7861556e6272730af3a1e68ad8e75d5cdf11ec23eb9fb4425263dc33d5cb136b9d6fca28d8a24899b34e4e\
    48d326fd69dc1888cecdd4e1e30ad357ae3e4ec2";
const FOREIGN_KEY: &str =
    "AGE-SECRET-KEY-1YMKAWHKMHQQ7NDSDDCXJG9SAUL2WFAQRFTYGJ02V2SV9XUE54LLSGTED7H";
const FOREIGN_RECIPIENT: &str = "age1peg2ktgwgsxxerkp35yx50w836v789pcqwrw3fml3nmh3qmvwerqx4sdra";

#[test]
fn a_file_of_the_age_programs_opens_and_their_key_files_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key.txt");
    std::fs::write(&path, format!("# created: today\n{FOREIGN_KEY}\n")).unwrap();
    let identity = Identity::read(&path).unwrap();
    assert_eq!(identity.recipient().to_text(), FOREIGN_RECIPIENT);
    let sealed = data_encoding::HEXLOWER.decode(FOREIGN.as_bytes()).unwrap();
    assert_eq!(open(&sealed, &identity).unwrap(), b"the courier cannot read");
}
