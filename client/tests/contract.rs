//! The command line as a script meets it: real processes, exit codes, what is on which stream.
//! Stories with a relay are in the `tests` package.

#[cfg(test)]
mod contract {
    use std::ffi::OsStr;
    use std::io::{Read, Write};
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;
    use std::process::{Command, Output, Stdio};

    const EMPTY: &[&str] = &[];

    /// A directory of one test, gone with it.
    struct Dir(PathBuf);

    impl Dir {
        fn new(test: &str) -> Self {
            let name = format!("{test}-{}", std::process::id());
            let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
            std::fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn command(profile: &Dir) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_staffetta"));
        command.arg("--profile").arg(&profile.0).env_remove("NO_COLOR");
        command.env("LC_ALL", "C.UTF-8");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(profile: &Dir, args: &[impl AsRef<OsStr>]) -> Output {
        command(profile).args(args).output().unwrap()
    }

    fn feed(profile: &Dir, args: &[&str], input: &[u8]) -> Output {
        let mut child = command(profile).args(args).stdin(Stdio::piped()).spawn().unwrap();
        // It may refuse before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    fn stderr(output: &Output) -> String {
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    #[track_caller]
    fn refused(output: &Output, exit: i32, says: &str) {
        let stderr = stderr(output);
        assert_eq!(output.status.code(), Some(exit), "{stderr}");
        assert!(stderr.contains(says), "{stderr}");
        assert!(output.stdout.is_empty());
    }

    #[test]
    fn version_needs_nothing() {
        let dir = Dir::new("version");
        let output = run(&dir, &["version", "--json"]);
        let version: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(output.status.code(), Some(0));
    }

    #[test]
    fn usage_errors_are_exit_2_on_standard_error() {
        let dir = Dir::new("usage");
        refused(&run(&dir, &["nonsense"]), 2, "nonsense");
        refused(&run(&dir, &["send", "general"]), 2, "TEXT");
        refused(&run(&dir, &["join", "relay.example/X"]), 2, "--name");
    }

    #[test]
    fn no_profile_is_exit_1_with_the_next_step() {
        let dir = Dir::new("none");
        let none = dir.0.join("nothing");
        let none = none.to_str().unwrap();
        refused(&run(&dir, &["status", "--profile", none]), 1, "staffetta join");
    }

    #[test]
    fn no_terminal_and_no_passphrase_file_is_exit_2() {
        let dir = Dir::new("terminal");
        refused(&run(&dir, &["status"]), 2, "--passphrase-file");
        refused(&run(&dir, EMPTY), 2, "terminal");
    }

    #[test]
    fn a_bad_message_is_refused_before_anything_is_opened() {
        let dir = Dir::new("message");
        refused(&run(&dir, &["send", "general", ""]), 1, "empty");
        refused(&feed(&dir, &["send", "general", "-"], b"\n"), 1, "empty");
        refused(&feed(&dir, &["send", "general", "-"], &[0xff, 0xfe]), 1, "UTF-8");
        refused(&feed(&dir, &["send", "general", "-"], &[b'a'; 100_000]), 1, "24000 bytes");
        let odd = [OsStr::new("send"), OsStr::new("general"), OsStr::from_bytes(&[0xff])];
        refused(&run(&dir, &odd), 1, "UTF-8");
        let twice = ["send", "general", "-", "--passphrase-file", "-"];
        refused(&run(&dir, &twice), 2, "Standard input");
    }

    #[test]
    fn a_mistyped_code_and_a_short_passphrase_are_refused_and_make_nothing() {
        let dir = Dir::new("code");
        let made = dir.0.join("profile");
        let words = dir.0.join("words");
        let (made, words) = (made.to_str().unwrap(), words.to_str().unwrap());
        let join = |code: &str| {
            let args = ["join", code, "--name", "Lea", "--root-words-file", words];
            let more = ["--profile", made, "--passphrase-file", "-"];
            feed(&dir, &[args.as_slice(), more.as_slice()].concat(), b"too short\n")
        };
        refused(&join("relay.example"), 1, "code");
        // The all-zero secret has all-zero check symbols.
        refused(&join("relay.example/00000-00000-00000-00000-00000-00000"), 1, "12 characters");
        assert!(!std::path::Path::new(made).exists());
        assert!(!std::path::Path::new(words).exists());
    }

    #[test]
    fn a_language_changes_what_people_read_and_nothing_that_scripts_do() {
        let dir = Dir::new("language");
        let french = [
            command(&dir).args(["--lang", "fr", "status"]).output().unwrap(),
            command(&dir).args(["status", "--lang=fr", "--json"]).output().unwrap(),
            command(&dir).arg("status").env("LC_ALL", "fr_FR.UTF-8").output().unwrap(),
        ];
        for output in &french {
            refused(output, 2, "Il faut la phrase de passe");
        }
        let english =
            command(&dir).args(["status", "--lang", "en"]).env("LC_ALL", "fr_FR").output();
        refused(&english.unwrap(), 2, "The passphrase is needed");
        let version = |lang| run(&dir, &["version", "--json", "--lang", lang]).stdout;
        assert_eq!(version("fr"), version("en"));
        let help = command(&dir).args(["send", "--help"]).env("LC_ALL", "fr_FR").output().unwrap();
        assert!(String::from_utf8_lossy(&help.stdout).contains("Envoyer un message"));
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        let dir = Dir::new("pipe");
        let mut child = command(&dir).arg("version").spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
    }
}
