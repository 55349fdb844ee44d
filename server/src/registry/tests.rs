use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use staffetta_protocol::noise::keys::{AccessSecret, GateKey, HopPsk, StaticSecret, TransportHash};
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::secret::Secret;
use staffetta_protocol::wire::frame::{InviteEnd, JoinState};
use staffetta_protocol::wire::limits::{INVITE_MEMORY_S, MAX_OPEN_INVITES};
use staffetta_protocol::wire::rows::{Claim, Row as NewRow, RowsDocument, RowsSigner, SignedRows};

use super::*;
use crate::store::memory::MemoryStore;

fn signing_key(seed: u8) -> Secret<32> {
    Secret::copy(&[seed; 32]).unwrap()
}

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 24 * 3600;

struct Device {
    access: AccessSecret,
    transport: StaticSecret,
}

impl Device {
    fn new() -> Self {
        Self {
            access: AccessSecret::generate(&mut OsRandom),
            transport: StaticSecret::generate(&mut OsRandom),
        }
    }

    fn hash(&self) -> TransportHash {
        self.access.bind(&self.transport.public())
    }

    fn row(&self, admin: bool) -> NewRow {
        let access = Secret::copy(self.access.secret().expose()).unwrap();
        NewRow { access: AccessSecret::from_secret(access), transport: self.hash(), admin }
    }
}

struct World {
    registry: Registry,
    store: Arc<dyn LogStore>,
    now: Arc<AtomicU64>,
    relay: StaticPublic,
    founder: Sender,
    last: Digest,
    version: u64,
}

fn founder_invite() -> NewInvite {
    let (gate, psk) = (Secret::random(&mut OsRandom), Secret::random(&mut OsRandom));
    NewInvite {
        id: InviteId([9; 16]),
        gate: GateKey::from_secret(gate),
        psk: HopPsk::from_secret(psk),
        expires: u64::MAX,
        bundle: Bytes::from_static(b"sealed"),
    }
}

fn invite(n: u8, expires: u64) -> NewInvite {
    NewInvite { id: InviteId([n; 16]), expires, ..founder_invite() }
}

impl World {
    fn new() -> Self {
        let now = Arc::new(AtomicU64::new(NOW));
        Self::beside(now.clone(), now)
    }

    /// With a wall clock `now` beside the steady one.
    fn beside(now: Arc<AtomicU64>, steady: Arc<AtomicU64>) -> Self {
        let relay = StaticSecret::generate(&mut OsRandom).public();
        let steady: Clock = Arc::new(move || steady.load(Ordering::SeqCst));
        let store: Arc<dyn LogStore> = Arc::new(MemoryStore::new(steady));
        store_founder(&*store, founder_invite(), Kind::Founder).unwrap();
        let registry = Self::open(&store, &relay, &now);
        let code = registry.tables().invites.values().next().unwrap().clone();
        let founder = Sender::Newcomer(code, StaticPublic([1; 32]));
        Self { registry, store, now, relay, founder, last: Digest([0; 32]), version: 0 }
    }

    fn open(store: &Arc<dyn LogStore>, relay: &StaticPublic, now: &Arc<AtomicU64>) -> Registry {
        let clock = now.clone();
        let clock: Clock = Arc::new(move || clock.load(Ordering::SeqCst));
        Registry::open(store.clone(), relay, Limits::default(), clock).unwrap()
    }

    fn document(&mut self, added: Vec<NewRow>, removed: Vec<TransportHash>) -> RowsDocument {
        RowsDocument {
            version: self.version + 1,
            previous: self.last,
            claim: (self.version == 0)
                .then(|| Claim { team: TeamId([7; 32]), root: public(&signing_key(1)) }),
            authority: public(&signing_key(2)),
            added,
            removed,
            addresses: vec![],
        }
    }

    fn apply(&mut self, sender: &Sender, signed: SignedRows) -> Result<(), FailCode> {
        code(self.registry.apply(sender, &signed))?;
        (self.last, self.version) = (signed.hash(), self.version + 1);
        Ok(())
    }

    fn claim(&mut self, admin: &Device) -> Sender {
        let document = self.document(vec![admin.row(true)], vec![]);
        let signed = document.sign(RowsSigner::Root, &signing_key(1)).unwrap();
        let founder = self.founder.clone();
        self.apply(&founder, signed).unwrap();
        self.sender(admin)
    }

    fn sender(&self, device: &Device) -> Sender {
        Sender::Device(self.registry.tables().rows.get(&device.hash().0).unwrap().clone())
    }

    fn token(&self, key: &GateKey) -> Token {
        Gate::of(&self.relay).token(key, self.now.load(Ordering::SeqCst), &mut OsRandom)
    }

    /// As a newcomer makes it, who does not know the relay's key yet.
    fn invite_token(&self, key: &GateKey) -> Token {
        Gate::of_invites().token(key, self.now.load(Ordering::SeqCst), &mut OsRandom)
    }

    fn pass(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }
}

fn code(result: Result<(), Refused>) -> Result<(), FailCode> {
    result.map_err(|refused| match refused {
        Refused::Peer(code) => code,
        Refused::Store(error) => unreachable!("{error}"),
    })
}

/// The Ed25519 public key of a seed.
fn public(seed: &Secret<32>) -> [u8; 32] {
    ed25519_dalek::SigningKey::from_bytes(seed.expose()).verifying_key().to_bytes()
}

#[test]
fn the_first_to_redeem_the_founder_code_claims_the_relay_and_the_code_dies() {
    let mut world = World::new();
    assert!(!world.registry.is_claimed() && world.store.identity().is_none());
    world.claim(&Device::new());
    assert_eq!(world.store.identity().unwrap().team, TeamId([7; 32]));
    let Sender::Newcomer(invite, key) = &world.founder else { unreachable!() };
    let standing = *invite.standing().borrow();
    assert_eq!(standing.told_to(key), JoinState::Enrolled);
    assert_eq!(standing.told_to(&StaticPublic([2; 32])), JoinState::Used(NOW));
    let again = world.document(vec![], vec![]).sign(RowsSigner::Root, &signing_key(1)).unwrap();
    let founder = world.founder.clone();
    assert_eq!(world.apply(&founder, again), Err(FailCode::Denied));
}

#[test]
fn the_relay_can_refuse_it_cannot_enlarge_the_team() {
    let mut world = World::new();
    let admin = world.claim(&Device::new());
    let rogue = Device::new();
    // Signed by nobody the registry knows.
    let document = world.document(vec![rogue.row(true)], vec![]);
    for (signer, seed) in
        [(RowsSigner::Authority, 3), (RowsSigner::Root, 2), (RowsSigner::Authority, 1)]
    {
        let signed = document.sign(signer, &signing_key(seed)).unwrap();
        assert_eq!(world.apply(&admin, signed), Err(FailCode::Denied));
    }
    let signed = document.sign(RowsSigner::Authority, &signing_key(2)).unwrap();
    world.apply(&admin, signed.clone()).unwrap();
    let again = code(world.registry.apply(&admin, &signed));
    assert_eq!(again, Ok(()), "its DONE was lost: it is said once more, and done once");
    let next = world.document(vec![], vec![]).sign(RowsSigner::Authority, &signing_key(2)).unwrap();
    world.apply(&admin, next).unwrap();
    assert_eq!(code(world.registry.apply(&admin, &signed)), Err(FailCode::Stale), "replayed");
}

#[test]
fn only_admins_rows_send_rows_and_invites() {
    let mut world = World::new();
    let admin = world.claim(&Device::new());
    let member = Device::new();
    let document = world.document(vec![member.row(false)], vec![]);
    world.apply(&admin, document.sign(RowsSigner::Root, &signing_key(1)).unwrap()).unwrap();
    let member = world.sender(&member);
    let next = world.document(vec![], vec![]).sign(RowsSigner::Root, &signing_key(1)).unwrap();
    assert_eq!(world.apply(&member, next), Err(FailCode::Denied));
    let asked = world.registry.invite(&member, invite(1, NOW + DAY));
    assert_eq!(code(asked), Err(FailCode::Denied));
    let ended = world.registry.end_invite(&member, &InviteId([9; 16]), InviteEnd::Revoked);
    assert_eq!(code(ended), Err(FailCode::Denied));
}

#[tokio::test]
async fn revoking_deletes_the_row_at_once_for_one_device() {
    let mut world = World::new();
    let (first, second) = (Device::new(), Device::new());
    let admin = world.claim(&first);
    let document = world.document(vec![second.row(false)], vec![]);
    world.apply(&admin, document.sign(RowsSigner::Authority, &signing_key(2)).unwrap()).unwrap();
    let Some(Caller::Device(row)) = world.registry.admit(&world.token(&second.access.gate_key()))
    else {
        unreachable!("an enrolled device comes in")
    };
    let pass = row.enter(1);
    let document = world.document(vec![], vec![second.hash()]);
    world.apply(&admin, document.sign(RowsSigner::Authority, &signing_key(2)).unwrap()).unwrap();
    assert_eq!(pass.cut().await, Cut::Revoked);
    assert!(world.registry.admit(&world.token(&second.access.gate_key())).is_none());
    assert!(world.registry.admit(&world.token(&first.access.gate_key())).is_some());
    // And for good.
    let reopened = World::open(&world.store, &world.relay, &world.now);
    assert!(reopened.admit(&world.token(&second.access.gate_key())).is_none());
    assert!(reopened.admit(&world.token(&first.access.gate_key())).is_some());
}

#[test]
fn unknown_handle_bad_mac_stale_or_replayed_opens_nothing() {
    let mut world = World::new();
    let device = Device::new();
    world.claim(&device);
    let key = device.access.gate_key();
    assert!(world.registry.admit(&world.token(&Device::new().access.gate_key())).is_none());
    let token = world.token(&key);
    let text = token.to_text();
    let mut forged = text.clone().into_bytes();
    *forged.last_mut().unwrap() = if forged.last() == Some(&b'A') { b'Q' } else { b'A' };
    if let Some(forged) = Token::parse(&forged) {
        assert!(world.registry.admit(&forged).is_none());
    }
    assert!(world.registry.admit(&token).is_some());
    assert!(world.registry.admit(&Token::parse(text.as_bytes()).unwrap()).is_none(), "replayed");
    let late = world.token(&key);
    world.pass(601);
    assert!(world.registry.admit(&late).is_none(), "stale");
    assert!(world.registry.admit(&world.token(&key)).is_some(), "a new window");
}

#[test]
fn the_invite_binds_to_the_first_joiners_key_and_another_is_the_second_use() {
    let mut world = World::new();
    let admin = world.claim(&Device::new());
    world.registry.invite(&admin, invite(1, NOW + DAY)).unwrap();
    let invite = world.registry.tables().invites.get(&InviteId([1; 16])).unwrap().clone();
    let (first, second) = (StaticPublic([1; 32]), StaticPublic([2; 32]));
    world.registry.join(&invite, &first).unwrap();
    world.pass(60);
    world.registry.join(&invite, &first).unwrap();
    assert_eq!(code(world.registry.join(&invite, &second)), Err(FailCode::Ended));
    assert_eq!(invite.standing().borrow().told_to(&second), JoinState::Used(NOW));
    assert_eq!(invite.standing().borrow().told_to(&first), JoinState::Waiting);
    world.registry.end_invite(&admin, &InviteId([1; 16]), InviteEnd::Enrolled).unwrap();
    assert_eq!(invite.standing().borrow().told_to(&first), JoinState::Enrolled);
    assert_eq!(code(world.registry.join(&invite, &first)), Err(FailCode::Ended));
    let again = world.registry.end_invite(&admin, &InviteId([1; 16]), InviteEnd::Revoked);
    assert_eq!(code(again), Err(FailCode::Ended));
}

#[test]
fn at_most_32_invites_are_open_and_used_and_expired_ids_are_remembered_7_days() {
    let mut world = World::new();
    let admin = world.claim(&Device::new());
    for n in 0..MAX_OPEN_INVITES as u8 {
        world.registry.invite(&admin, invite(100 + n, NOW + DAY)).unwrap();
    }
    let one_more = || invite(1, NOW + DAY);
    assert_eq!(code(world.registry.invite(&admin, one_more())), Err(FailCode::TooLarge));
    world.registry.end_invite(&admin, &InviteId([100; 16]), InviteEnd::Revoked).unwrap();
    world.registry.invite(&admin, one_more()).unwrap();
    let too_long = invite(2, NOW + 8 * DAY);
    assert_eq!(code(world.registry.invite(&admin, too_long)), Err(FailCode::TooLarge));

    world.pass(DAY + INVITE_MEMORY_S - 1);
    world.registry.forget_invites().unwrap();
    let soon = world.now.load(Ordering::SeqCst) + 5;
    assert_eq!(code(world.registry.invite(&admin, invite(101, soon))), Err(FailCode::Ended));
    world.pass(2);
    world.registry.forget_invites().unwrap();
    world.registry.invite(&admin, invite(101, soon)).unwrap();
    assert!(world.store.scan(b"invite/").unwrap().len() < 4);
}

#[test]
fn an_expired_invite_opens_no_gate() {
    let mut world = World::new();
    let admin = world.claim(&Device::new());
    let gate = Secret::copy(&[5; 32]).unwrap();
    let invite = NewInvite { gate: GateKey::from_secret(gate), ..invite(1, NOW + 100) };
    world.registry.invite(&admin, invite).unwrap();
    let key = GateKey::from_secret(Secret::copy(&[5; 32]).unwrap());
    assert!(world.registry.admit(&world.invite_token(&key)).is_some());
    world.pass(100);
    assert!(world.registry.admit(&world.invite_token(&key)).is_none());
}

#[test]
fn clock_jumps_of_ten_years_end_no_invite_for_good_and_bring_none_back() {
    const TEN_YEARS: u64 = 10 * 365 * DAY;
    let (now, steady) = (Arc::new(AtomicU64::new(NOW)), Arc::new(AtomicU64::new(NOW)));
    let mut world = World::beside(now.clone(), steady.clone());
    let admin = world.claim(&Device::new());
    let open = |world: &World, n: u8| {
        let key = GateKey::from_secret(Secret::copy(&[n; 32]).unwrap());
        world.registry.admit(&world.invite_token(&key)).is_some()
    };
    for (n, expires) in [(5, NOW + DAY), (6, NOW + 100)] {
        let gate = GateKey::from_secret(Secret::copy(&[n; 32]).unwrap());
        world.registry.invite(&admin, NewInvite { gate, ..invite(n, expires) }).unwrap();
    }
    for hand in [&now, &steady] {
        hand.fetch_add(200, Ordering::SeqCst);
    }
    for round in 0..24 {
        let jumped = if round % 2 == 0 { NOW + TEN_YEARS } else { NOW - TEN_YEARS };
        now.store(jumped, Ordering::SeqCst);
        world.registry.forget_invites().unwrap();
        assert!(!open(&world, 6), "an expired one stays so");
        assert_eq!(open(&world, 5), round % 2 == 1);
        now.store(NOW + 200, Ordering::SeqCst);
        assert!(open(&world, 5) && !open(&world, 6));
    }
    assert_eq!(world.store.scan(b"invite/").unwrap().len(), 3);
}
