//! Searches files for texts and keys in every form in which one might have been kept.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

/// The shortest form looked for: shorter ones occur by chance in noise.
const SHORTEST: usize = 5;

/// What must not be found.
#[derive(Default)]
pub struct Canaries {
    names: Vec<String>,
    /// Forms, with the name they belong to, by their first bytes.
    forms: HashMap<[u8; SHORTEST], Vec<(usize, Vec<u8>)>>,
}

/// A canary that was found.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Which.
    pub name: String,
    /// In which file, or the file whose name holds it.
    pub place: PathBuf,
}

impl Canaries {
    /// Adds a text in UTF-8, UTF-16LE, hexadecimal and base64.
    ///
    /// # Panics
    /// If it is too short to be told from noise.
    pub fn text(&mut self, text: &str) {
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.add(text.to_owned(), [text.as_bytes().to_vec(), utf16]);
    }

    /// Adds bytes such as a key, as they are, in hexadecimal and in base64.
    pub fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.add(name.to_owned(), [bytes.to_vec()]);
    }

    /// How many canaries there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    fn add(&mut self, name: String, raw: impl IntoIterator<Item = Vec<u8>>) {
        let number = self.names.len();
        for bytes in raw {
            let mut forms = vec![
                HEXLOWER.encode(&bytes).into_bytes(),
                HEXUPPER.encode(&bytes).into_bytes(),
                bytes.clone(),
            ];
            for before in 0..3 {
                forms.extend(base64(&bytes, before));
            }
            for form in forms {
                let first = form.first_chunk().copied();
                let first = first.unwrap_or_else(|| panic!("{name:?} is too short"));
                self.forms.entry(first).or_default().push((number, form));
            }
        }
        self.names.push(name);
    }

    /// The canaries in `data`.
    pub fn in_bytes(&self, data: &[u8]) -> Vec<&str> {
        // Most places are dismissed by their first two bytes.
        let mut begins = vec![false; 1 << 16];
        for [a, b, ..] in self.forms.keys() {
            begins[usize::from(u16::from_be_bytes([*a, *b]))] = true;
        }
        let mut found = vec![false; self.names.len()];
        for (at, window) in data.windows(SHORTEST).enumerate() {
            if !begins[usize::from(window[0]) << 8 | usize::from(window[1])] {
                continue;
            }
            for (number, form) in self.forms.get(window).into_iter().flatten() {
                if data[at..].starts_with(form) {
                    found[*number] = true;
                }
            }
        }
        let names = self.names.iter().zip(found);
        names.filter_map(|(name, found)| found.then_some(name.as_str())).collect()
    }

    /// The canaries in the files and file names under `dir`.
    pub fn in_directory(&self, dir: &Path) -> Vec<Found> {
        let mut all = Vec::new();
        let mut note = |names: Vec<&str>, place: &Path| {
            let found = |name: &str| Found { name: name.to_owned(), place: place.to_path_buf() };
            all.extend(names.into_iter().map(found));
        };
        for path in walk(dir) {
            let name = path.file_name().expect("a name").as_encoded_bytes();
            note(self.in_bytes(name), &path);
            if path.is_file() {
                note(self.in_bytes(&fs::read(&path).expect("a readable file")), &path);
            }
        }
        all.sort();
        all
    }
}

/// The characters of base64 that depend on nothing but `bytes`, when `before` bytes come first.
fn base64(bytes: &[u8], before: usize) -> Vec<Vec<u8>> {
    let all = [&vec![0; before], bytes].concat();
    let (from, to) = ((before * 8).div_ceil(6), all.len() * 8 / 6);
    [BASE64_NOPAD, BASE64URL_NOPAD]
        .iter()
        .map(|alphabet| alphabet.encode(&all).as_bytes()[from..to].to_vec())
        .collect()
}

/// Everything under `dir`, directories too.
pub fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).expect("a readable directory") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_dir() {
            paths.extend(walk(&entry.path()));
        }
        paths.push(entry.path());
    }
    paths
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;

    const TEXT: &str = "La salle est confirmée";

    fn canaries() -> Canaries {
        let mut canaries = Canaries::default();
        canaries.text("another one");
        canaries.text(TEXT);
        canaries
    }

    #[test]
    fn a_text_is_found_in_each_of_its_forms() {
        let utf16: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut forms = vec![TEXT.as_bytes().to_vec(), utf16.clone()];
        for bytes in [TEXT.as_bytes(), &utf16] {
            forms.push(HEXLOWER.encode(bytes).into_bytes());
            forms.push(HEXUPPER.encode(bytes).into_bytes());
            for before in ["", "x", "xy", "xyz"] {
                let all = [before.as_bytes(), bytes, b"and more"].concat();
                forms.push(BASE64.encode(&all).into_bytes());
                forms.push(BASE64URL_NOPAD.encode(&all).into_bytes());
            }
        }
        for form in forms {
            let hidden = [b"noise\0\xff".as_slice(), &form, b"noise"].concat();
            assert_eq!(canaries().in_bytes(&hidden), [TEXT]);
        }
    }

    #[test]
    fn noise_holds_none() {
        assert!(canaries().in_bytes(&[0; 4096]).is_empty());
        assert!(canaries().in_bytes(&TEXT.as_bytes()[1..]).is_empty());
    }

    #[test]
    fn files_and_their_names_are_searched() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("deep")).unwrap();
        fs::write(dir.path().join("deep/file"), TEXT).unwrap();
        fs::write(dir.path().join("deep/x another one x"), "").unwrap();
        let found = canaries().in_directory(dir.path());
        let names: Vec<_> = found.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, [TEXT, "another one"]);
    }
}
