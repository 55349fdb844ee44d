use zeroize::Zeroizing;

use super::requests::{INVITE, request_of};
use crate::invite_code::{Language, RosterHead};
use crate::member::invite::*;
use crate::member::roster::tests::team::{Person, Team, revoke};
use crate::member::roster::{Action, Role, RosterError};
use crate::noise::keys::StaticPublic;
use crate::random::OsRandom;
use crate::secret::Secret;
use crate::wire::ids::{BlobId, Digest, LogId};

/// Lea has asked Karim; Karim has added her and is about to answer.
struct Scene {
    team: Team,
    karim: Person,
    lea: Person,
    bundle: Bundle,
    request: Opened,
}

fn bundle_of(team: &Team) -> Bundle {
    Bundle {
        invitation: Invitation::Member {
            root: (*team.roster.root()).into(),
            inviter: "Karim".into(),
            head: team.roster.head(),
        },
        team: team.roster.name().as_str().into(),
        language: Language::French,
        relay: StaticPublic([3; 32]),
        addresses: vec![],
        role: Role::Member,
        expires: 0,
        auto_approve: false,
    }
}

fn admit_into(team: &mut Team, admin: &Person, newcomer: &Person) {
    let mut card = newcomer.card(Role::Member, admin.author());
    card.invite = Some(INVITE);
    team.by(admin, Action::AddDevice(Box::new(card))).unwrap();
}

fn scene() -> Scene {
    let (mut team, karim) = Team::with_admin();
    let bundle = bundle_of(&team);
    let lea = Person::new("Lea");
    let encoded = request_of(&lea.keys, "Lea").encode(&lea.keys).unwrap();
    let request = JoinRequest::open(&INVITE, &encoded).unwrap();
    admit_into(&mut team, &karim, &lea);
    Scene { team, karim, lea, bundle, request }
}

impl Scene {
    fn snapshot(&self) -> Vec<u8> {
        let packages = vec![(self.karim.device(), vec![5; 2_648])];
        Snapshot { entries: self.team.entries.clone(), packages }.encode().unwrap()
    }

    fn answer(&self) -> Answer {
        Answer {
            invite: INVITE,
            request: self.request.digest(),
            approver: self.karim.device(),
            entry: self.team.roster.device(&self.lea.device()).map_or(0, |device| device.added),
            log: LogId([1; 16]),
            seq: 1_234,
            hash: Digest([2; 32]),
            payload: Payload::Inline(self.snapshot()),
        }
    }

    fn sign(&self, answer: &Answer) -> Zeroizing<Vec<u8>> {
        answer.encode(&self.karim.keys.identity).unwrap()
    }

    fn admit(&self, encoded: &[u8]) -> Result<Admitted, AnswerError> {
        let answer = Answer::open(self.request.encoded(), encoded)?;
        answer.admit(None, &self.bundle, &self.request.request)
    }

    fn refused(&self, encoded: &[u8]) -> AnswerError {
        self.admit(encoded).err().unwrap()
    }
}

#[test]
fn a_newcomer_takes_roster_seq_and_running_hash_from_its_approver() {
    let scene = scene();
    let encoded = scene.sign(&scene.answer());
    assert_eq!(MessageKind::of(&encoded), Some(MessageKind::Answer));
    let signed = Answer::open(scene.request.encoded(), &encoded).unwrap();
    let admitted = signed.admit(None, &scene.bundle, &scene.request.request).unwrap();
    assert!(admitted.roster == scene.team.roster);
    assert_eq!(admitted.snapshot.packages.len(), 1);
    assert_eq!((signed.unproven().seq, signed.unproven().hash), (1_234, Digest([2; 32])));
}

#[test]
fn an_answer_to_somebody_else_is_not_ours() {
    let scene = scene();
    let mut answer = scene.answer();
    answer.request = Digest([0; 32]);
    assert_eq!(scene.refused(&scene.sign(&answer)), AnswerError::OtherRequest);
    let mut answer = scene.answer();
    answer.invite.0[0] ^= 1;
    assert_eq!(scene.refused(&scene.sign(&answer)), AnswerError::NotEnrolled);
}

#[test]
fn a_thief_of_the_code_cannot_draw_a_newcomer_into_a_team_of_his_own() {
    let mut scene = scene();
    let bundle = scene.bundle.clone();
    let (mut team, thief) = Team::with_admin();
    admit_into(&mut team, &thief, &scene.lea);
    (scene.team, scene.karim) = (team, thief);
    assert_eq!(scene.refused(&scene.sign(&scene.answer())), AnswerError::OtherTeam);
    // Not with the right root's name on it either: that changes what the words bind.
    let forged = bundle_of(&scene.team);
    assert_ne!(forged.hash(), bundle.hash());
}

#[test]
fn a_chain_that_ends_before_the_invite_or_passes_it_by_is_refused() {
    let mut scene = scene();
    let encoded = scene.sign(&scene.answer());
    let Invitation::Member { head, .. } = &mut scene.bundle.invitation else { unreachable!() };
    *head = RosterHead { number: 1, hash: Digest([9; 32]) };
    assert_eq!(scene.refused(&encoded), AnswerError::OtherTeam);
    scene.bundle.invitation = Invitation::Founder;
    assert_eq!(scene.refused(&encoded), AnswerError::OtherTeam);
}

#[test]
fn the_answer_is_signed_by_an_active_admin_of_the_chain() {
    let mut scene = scene();
    let paul = Person::new("Paul");
    scene.team.add(&scene.karim, &paul, Role::Member).unwrap();
    let mut answer = scene.answer();
    // Signed by another key than the approver's.
    let forged = answer.encode(&paul.keys.identity).unwrap();
    assert_eq!(scene.refused(&forged), AnswerError::NotAnAdmin);
    // A member's own answer.
    answer.approver = paul.device();
    let members = answer.encode(&paul.keys.identity).unwrap();
    assert_eq!(scene.refused(&members), AnswerError::NotAnAdmin);
    // An admin who was one.
    let sofia = Person::new("Sofia");
    scene.team.add(&scene.karim, &sofia, Role::Admin).unwrap();
    scene.team.by(&scene.karim, revoke(&sofia)).unwrap();
    let mut answer = scene.answer();
    answer.approver = sofia.device();
    let late = answer.encode(&sofia.keys.identity).unwrap();
    assert_eq!(scene.refused(&late), AnswerError::NotAnAdmin);
    assert!(scene.admit(&scene.sign(&scene.answer())).is_ok());
}

#[test]
fn a_newcomer_who_is_not_on_the_roster_as_itself_is_not_inside() {
    let mut scene = scene();
    let mut answer = scene.answer();
    answer.entry -= 1;
    assert_eq!(scene.refused(&scene.sign(&answer)), AnswerError::NotEnrolled);
    scene.team.by(&scene.karim, revoke(&scene.lea)).unwrap();
    assert_eq!(scene.refused(&scene.sign(&scene.answer())), AnswerError::NotEnrolled);
}

#[test]
fn a_broken_chain_is_nobodys_team() {
    let mut scene = scene();
    scene.team.entries.remove(1);
    let refused = scene.refused(&scene.sign(&scene.answer()));
    assert_eq!(refused, AnswerError::Roster(RosterError::NotNext { expected: 1 }));
    scene.team.entries.clear();
    let refused = scene.refused(&scene.sign(&scene.answer()));
    assert_eq!(refused, AnswerError::Roster(RosterError::Founding));
}

#[test]
fn a_large_snapshot_is_a_blob_named_with_its_hash() {
    let scene = scene();
    let snapshot = scene.snapshot();
    let mut answer = scene.answer();
    answer.payload = Payload::Inline(vec![0; MAX_INLINE_BYTES + 512]);
    let too_large = answer.encode(&scene.karim.keys.identity);
    assert_eq!(too_large.err(), Some(AnswerError::TooLarge));
    answer.payload = Payload::Blob {
        id: BlobId([1; 32]),
        key: Secret::random(&mut OsRandom),
        hash: Snapshot::hash_of(&snapshot),
        len: u32::try_from(snapshot.len()).unwrap(),
    };
    let signed = Answer::open(scene.request.encoded(), &scene.sign(&answer)).unwrap();
    let admit = |fetched| signed.admit(fetched, &scene.bundle, &scene.request.request).err();
    assert_eq!(admit(Some(snapshot.as_slice())), None);
    assert_eq!(admit(None), Some(AnswerError::Snapshot));
    assert_eq!(admit(Some(&snapshot[1..])), Some(AnswerError::Snapshot));
}

#[test]
fn an_inline_snapshot_of_the_largest_size_fits_the_answer() {
    let scene = scene();
    let mut answer = scene.answer();
    answer.payload = Payload::Inline(vec![0; MAX_INLINE_BYTES]);
    let encoded = scene.sign(&answer);
    assert!(encoded.len() <= MAX_ANSWER_BYTES);
    assert!(Answer::open(scene.request.encoded(), &encoded).is_ok());
}

#[test]
fn a_snapshot_with_a_false_count_or_trailing_bytes_is_refused() {
    let scene = scene();
    let snapshot = scene.snapshot();
    assert!(Snapshot::decode(&snapshot).is_ok());
    let trailing = [snapshot.as_slice(), &[0]].concat();
    assert_eq!(Snapshot::decode(&trailing).err(), Some(AnswerError::Malformed));
    let mut claims = snapshot.clone();
    claims[1] = 0xFF;
    assert_eq!(Snapshot::decode(&claims).err(), Some(AnswerError::Malformed));
    let newer = [&[2], &snapshot[1..]].concat();
    assert_eq!(Snapshot::decode(&newer).err(), Some(AnswerError::Version(2)));
}

#[test]
fn a_refusal_says_why_and_to_whom() {
    let scene = scene();
    for reason in [RefusalReason::Rejected, RefusalReason::NameTaken, RefusalReason::Expired] {
        let refusal = Refusal { invite: INVITE, request: scene.request.digest(), reason };
        let encoded = refusal.encode();
        assert_eq!(MessageKind::of(&encoded), Some(MessageKind::Refusal));
        assert_eq!(Refusal::open(scene.request.encoded(), &encoded), Some(refusal));
        assert_eq!(Refusal::open(b"another request", &encoded), None);
    }
}
