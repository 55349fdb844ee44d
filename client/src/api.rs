//! The one door to the agent: everything else in the client knows only [`Calls`], [`Api`],
//! [`join`] and their types, never `staffetta_protocol::member::agent`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use staffetta_protocol::invite_code::{CodeError, InviteCode, Language};
use staffetta_protocol::member::agent::{self, JoinEvent, JoinOptions, OpenOptions, Proxy};
use staffetta_protocol::member::invite;
use staffetta_protocol::member::roster::{Name, NameError};
use staffetta_protocol::random::OsRandom;

use zeroize::Zeroizing;

use crate::errors::Failure;
use crate::passphrase::{self, Source};
use crate::text;

pub(crate) use agent::{ApiError, Passphrase, Preview as Invitation};
pub(crate) use agent::{change_passphrase, harden, has_profile, wipe};
pub(crate) use staffetta_protocol::member::content::{MAX_TEXT, sanitize_block, sanitize_line};

/// The methods of the local API, as commands see them; tests put a table of answers here.
pub(crate) trait Calls {
    /// Calls `method`.
    ///
    /// # Errors
    /// What the agent answered: see [`ApiError`].
    async fn call(&self, method: &str, params: Value) -> Result<Value, ApiError>;

    /// Whether this process itself holds the profile, rather than being a client of its holder.
    fn is_holder(&self) -> bool;
}

/// Which profile, and how to open it.
#[derive(Clone)]
pub(crate) struct Profile {
    /// Its directory.
    pub(crate) dir: PathBuf,
    /// A SOCKS5 proxy for the link to the relay.
    pub(crate) proxy: Option<String>,
    /// Where the passphrase comes from, if one is needed.
    pub(crate) passphrase: Source,
}

/// An open profile.
pub(crate) struct Api(agent::Handle);

impl Api {
    /// Opens a profile: as its holder if it is free, else as a client of its holder, which is
    /// unlocked if it is locked. The passphrase is asked for only when something has to be
    /// unlocked. With `connect` unset a holder stays off the network.
    ///
    /// # Errors
    /// No profile (1), no way to get the passphrase (2), lock held for 10 s (75), wrong
    /// passphrase (77).
    pub(crate) async fn open(profile: &Profile, connect: bool) -> Result<Self, Failure> {
        let api = Self::open_as_it_is(profile, connect).await?;
        if api.0.is_locked().await? {
            api.unlock(profile.passphrase.existing()?).await?;
        }
        Ok(api)
    }

    /// As [`Api::open`], but a locked holder stays locked.
    ///
    /// # Errors
    /// As [`Api::open`].
    pub(crate) async fn open_as_it_is(profile: &Profile, connect: bool) -> Result<Self, Failure> {
        let options =
            OpenOptions { proxy: proxy(profile)?, connect, ..OpenOptions::new(&profile.dir) };
        let unlock = |dir: &Path| {
            let passphrase = profile.passphrase.existing()?;
            agent::unlock(dir, &passphrase.into_inner()).map_err(Failure::from)
        };
        agent::open(options, unlock).await.map(Self)
    }

    /// As [`Api::open`], but without asking anybody for anything: `None` if nobody holds the
    /// profile and no passphrase file opens it.
    pub(crate) async fn open_quietly(profile: &Profile) -> Option<Self> {
        let options = OpenOptions { proxy: proxy(profile).ok()?, ..OpenOptions::new(&profile.dir) };
        let unlock = |dir: &Path| {
            let passphrase = profile.passphrase.unasked()?;
            agent::unlock(dir, &passphrase.into_inner()).map_err(Failure::from)
        };
        let api = agent::open(options, unlock).await.ok().map(Self)?;
        if let (Ok(true), Ok(passphrase)) = (api.0.is_locked().await, profile.passphrase.unasked())
        {
            // What stays locked can still be told to end.
            let _locked = api.unlock(passphrase).await;
        }
        Some(api)
    }

    /// The process that holds the profile, if some other one does.
    pub(crate) async fn holder(profile: &Profile) -> Option<Self> {
        agent::holder_of(&profile.dir).await.map(Self)
    }

    /// Unlocks the profile; of one that is not locked it only checks the passphrase.
    ///
    /// # Errors
    /// Wrong passphrase (77).
    pub(crate) async fn unlock(&self, passphrase: passphrase::Passphrase) -> Result<(), ApiError> {
        self.0.unlock(passphrase.into_inner()).await
    }

    /// Ends the holder of the profile, this process or another.
    pub(crate) async fn end(self) {
        self.0.end().await;
    }

    /// Starts a stream of the events that `params` select.
    ///
    /// # Errors
    /// As [`Calls::call`].
    pub(crate) async fn events(&self, params: Value) -> Result<Events<'_>, ApiError> {
        let stream = self.0.subscribe(params.clone()).await?;
        Ok(Events { stream, agent: &self.0, params, behind: false })
    }

    /// Leaves: a holder flushes and stops, a client disconnects.
    pub(crate) async fn close(self) {
        self.0.close().await;
    }
}

impl Calls for Api {
    async fn call(&self, method: &str, params: Value) -> Result<Value, ApiError> {
        self.0.call(method, params).await
    }

    fn is_holder(&self) -> bool {
        self.0.is_holder()
    }
}

/// A stream of events that goes on when this side fell behind: an event of type `gap` says so.
pub(crate) struct Events<'a> {
    stream: agent::Events,
    agent: &'a agent::Handle,
    params: Value,
    /// Whether the newest event was a `gap`.
    behind: bool,
}

impl Events<'_> {
    /// The next event, or `None` when the holder of the profile is gone.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(event) = self.stream.next().await {
                self.behind = event.get("type").and_then(Value::as_str) == Some("gap");
                return Some(event);
            }
            if !std::mem::take(&mut self.behind) {
                return None;
            }
            self.stream = self.agent.subscribe(self.params.clone()).await.ok()?;
        }
    }
}

/// The proxy that `--proxy` names. A name that is none must not lead to a direct connection.
fn proxy(profile: &Profile) -> Result<Option<Proxy>, Failure> {
    let Some(named) = &profile.proxy else { return Ok(None) };
    match Proxy::parse(named) {
        Some(proxy) => Ok(Some(proxy)),
        None => Err(Failure::usage(text::no_proxy(), text::how_proxy())),
    }
}

/// What `join` needs to know.
pub(crate) struct Join {
    pub(crate) code: InviteCode,
    pub(crate) name: String,
    pub(crate) device: String,
}

/// What happens while joining.
pub(crate) enum JoinStep {
    /// The team was founded; these 24 words are its root key and exist nowhere else.
    Founded(Zeroizing<String>),
    /// The request is in the log; whoever invited must hear these five words, unless the invite
    /// approves by itself.
    Waiting { words: Option<Vec<String>>, inviter: String, team: String },
    /// Inside.
    Joined { member: String, device: String, team: String },
}

/// Redeems a code and tells `on` what happens, until the device is inside, which gives the open profile,
/// or `on` breaks off.
///
/// # Errors
/// Bad, used or expired code, existing profile, refused (1), relay unreachable (69).
pub(crate) async fn join(
    profile: &Profile,
    passphrase: passphrase::Passphrase,
    join: Join,
    on: &mut dyn FnMut(JoinStep) -> Result<ControlFlow<()>, Failure>,
) -> Result<Option<Api>, Failure> {
    let Join { code, name, device } = join;
    let options = JoinOptions {
        dir: profile.dir.clone(),
        passphrase: passphrase.into_inner(),
        code,
        name,
        label: device,
        proxy: proxy(profile)?,
    };
    let text = |status: &Value, field: &str| {
        status.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let inside = agent::join(options, &mut |event| {
        on(match event {
            JoinEvent::Founded(words) => JoinStep::Founded(words),
            JoinEvent::Waiting { team, inviter, words } => {
                JoinStep::Waiting { words, inviter, team }
            }
            JoinEvent::Joined(status) => JoinStep::Joined {
                member: text(&status, "member"),
                device: text(&status, "device"),
                team: text(&status, "team"),
            },
        })
    })
    .await?;
    Ok(inside.map(Api))
}

/// A call without parameters.
pub(crate) fn none() -> Value {
    json!({})
}

/// Reads a code and checks what can be checked without the relay, before anything is asked or made.
///
/// # Errors
/// A code that was mistyped, with the group that is wrong (1).
pub(crate) fn read_code(code: &str) -> Result<InviteCode, Failure> {
    InviteCode::parse(code).map_err(|error| Failure::refused(wrong(&error), text::code_again()))
}

fn wrong(error: &CodeError) -> String {
    match error {
        CodeError::Typo { groups } => text::code_typo(groups),
        CodeError::TooManyTypos => text::code_garbled().into(),
        CodeError::Length { found } => text::code_length(*found),
        CodeError::NoHost | CodeError::BadHost | CodeError::BadPort => text::code_host().into(),
    }
}

/// What a code looks like while it is being typed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CodeCheck {
    /// Whole, without a typing error.
    Good,
    /// Not whole yet: so many letters and digits of the secret are there.
    Partial(usize),
    /// What is wrong, in words.
    Wrong(String),
}

/// Looks at a code that may not be whole yet.
pub(crate) fn check_code(typed: &str) -> CodeCheck {
    match InviteCode::parse(typed) {
        Ok(_) => CodeCheck::Good,
        Err(CodeError::Length { found }) if found < SYMBOLS => CodeCheck::Partial(found),
        Err(_) if !typed.contains('/') => CodeCheck::Partial(0),
        Err(error) => CodeCheck::Wrong(wrong(&error)),
    }
}

/// The code in a text that was pasted, which may hold more than the code or break it.
pub(crate) fn find_code(pasted: &str) -> Option<Zeroizing<String>> {
    let words: Vec<&str> = pasted.split_whitespace().collect();
    (1..=LINES).find_map(|lines| {
        words.windows(lines).find_map(|words| {
            InviteCode::parse(&Zeroizing::new(words.concat())).ok().map(|code| code.to_text())
        })
    })
}

/// The most lines that a mail breaks a code into.
const LINES: usize = 3;

/// Symbols of a code behind the slash.
const SYMBOLS: usize = 30;

/// Whether a member can have this name.
///
/// # Errors
/// Why not, as a sentence.
pub(crate) fn check_name(typed: &str) -> Result<(), String> {
    Name::parse(typed).map(|_| ()).map_err(|error| match error {
        NameError::Empty => text::name_empty().into(),
        NameError::TooLong => text::name_long().into(),
        NameError::Forbidden => text::name_forbidden().into(),
    })
}

/// A fresh passphrase of `count` plain words.
pub(crate) fn propose_passphrase(count: usize, language: text::Language) -> Zeroizing<String> {
    let list = match language {
        text::Language::En => Language::English,
        text::Language::Fr => Language::French,
    };
    invite::passphrase(list, count, &mut OsRandom)
}

/// Reads what an invitation says, without a profile and without asking for anything.
///
/// # Errors
/// A mistyped, used or expired code (1), relay unreachable (69).
pub(crate) async fn look(profile: &Profile, code: &str) -> Result<Invitation, Failure> {
    let code = read_code(code)?;
    Ok(agent::preview(&code, proxy(profile)?).await?)
}

#[cfg(test)]
pub(crate) mod tests {
    use staffetta_protocol::invite_code::Host;
    use staffetta_protocol::secret::Secret;

    use super::*;

    /// A whole code.
    pub(crate) fn code() -> String {
        let host: Host = Host::parse("relay.example").unwrap();
        InviteCode::from_secret(host, None, Secret::filled(|bytes| bytes.fill(7)))
            .to_text()
            .to_string()
    }

    #[test]
    fn a_code_is_checked_before_anything_is_asked() {
        assert!(read_code(&code()).is_ok());
        assert!(read_code(&code().to_lowercase().replace('-', " ")).is_ok());
    }

    #[test]
    fn a_typing_error_names_its_group() {
        let right = code();
        let (at, symbol) = right.char_indices().nth_back(8).unwrap();
        let wrong = if symbol == 'Z' { "Y" } else { "Z" };
        let mut typed = right.clone();
        typed.replace_range(at..=at, wrong);
        let failure = read_code(&typed).err().unwrap();
        assert_eq!(failure.exit(), 1);
        assert_eq!(failure.lines()[0], "The fifth group of the code is wrong.");
    }

    #[test]
    fn a_code_is_checked_while_it_is_typed() {
        let right = code();
        assert_eq!(check_code(""), CodeCheck::Partial(0));
        assert_eq!(check_code("relay.exa"), CodeCheck::Partial(0));
        assert_eq!(check_code("relay.example/01C"), CodeCheck::Partial(3));
        assert_eq!(check_code(&right), CodeCheck::Good);
        assert!(matches!(check_code(&format!("{right}0")), CodeCheck::Wrong(_)));
        assert!(matches!(check_code("/0"), CodeCheck::Wrong(_)));
        // The third group: HOST/ and two groups with their dashes stand before it.
        let at = right.find('/').unwrap() + 13;
        let other = if right[at..].starts_with('7') { "8" } else { "7" };
        let mut typed = right;
        typed.replace_range(at..=at, other);
        let CodeCheck::Wrong(what) = check_code(&typed) else { panic!("taken") };
        assert_eq!(what, "The third group of the code is wrong.");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["", "nonsense", "relay.example/ABC", "/K7QX4-M2P9T-RBW3H-N6CFD-8VYZA-E2J5M"] {
            assert_eq!(
                read_code(text).map(|_| ()).map_err(|failure| failure.exit()),
                Err(1),
                "{text}"
            );
        }
    }
}
