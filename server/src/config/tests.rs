use std::path::Path;

use toml::Table;

use super::error::Origin;
use super::*;

fn parse(text: &str, env: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Loaded::parse(Path::new("config.toml"), text, env, vec![])
}

fn error(text: &str) -> String {
    parse(text, &[]).unwrap_err().to_string()
}

#[test]
fn the_template_holds_every_key_with_its_default() {
    let table: Table = TEMPLATE.parse().unwrap();
    for (section, keys) in KEYS {
        let found: Vec<_> = table[section].as_table().unwrap().keys().collect();
        let mut wanted = keys.to_vec();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
    }
    let config = parse(TEMPLATE, &[]).unwrap().config;
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
}

#[test]
fn an_unknown_key_is_an_error_with_its_line_and_did_you_mean() {
    let text = "# mine\n[limits]\ncell_per_minute = 1";
    assert_eq!(
        error(text),
        "config.toml line 3: unknown key `limits.cell_per_minute`; did you mean \
         `cells_per_minute`?"
    );
    assert!(error("[storge]\n").contains("line 1: unknown key `storge`; did you mean `storage`"));
    assert!(error("half_open = 3\n").contains("did you mean `[limits] half_open`"));
    assert!(!error("[weather]\n").contains("did you mean"));
}

#[test]
fn a_wrong_type_or_unit_is_an_error_with_its_line_and_an_example() {
    let wrong = [
        ("[limits]\n\nhalf_open = \"many\"", "line 3: `limits.half_open`", "`half_open = 512`"),
        ("[storage]\nkeep = \"3 parsecs\"", "line 2: `storage.keep`", "`keep = \"14d\"`"),
        ("[storage]\nmax_disk = \"10 GB\"", "B, KiB, MiB, GiB", "`max_disk = \"10GiB\"`"),
        (
            "[listen]\naddress = \"here\"",
            "line 2: `listen.address`",
            "`address = \"0.0.0.0:7443\"`",
        ),
        ("[limits]\nconnections_per_device = 0", "let nobody in", "`connections_per_device = 3`"),
        ("storage = 3", "line 1: `storage` is wrong", "`[storage]`"),
    ];
    for (text, place, example) in wrong {
        let said = error(text);
        assert!(said.contains(place) && said.contains(example), "{said}");
    }
    assert!(error("[storage]\nkeep = 1\n[listen\n").contains("config.toml line 3: "));
}

#[test]
fn a_public_metrics_address_is_refused() {
    for public in ["0.0.0.0:9464", "[::]:9464", "203.0.113.7:9464", "9464"] {
        let said = error(&format!("[listen]\nmetrics = \"{public}\""));
        assert!(said.contains("line 2: `listen.metrics` is wrong"), "{said}");
    }
    for private in ["", "127.0.0.1:9464", "[::1]:9464", "10.1.2.3:9464", "[fd00::1]:9464"] {
        parse(&format!("[listen]\nmetrics = \"{private}\""), &[]).unwrap();
    }
}

#[test]
fn precedence_is_file_environment_flags_and_each_value_knows_where_it_came_from() {
    let text = "[storage]\nkeep = \"2d\"\nlow_disk = \"1GiB\"\n";
    let env = [("STAFFETTA__STORAGE__KEEP", "3h"), ("STAFFETTA__LIMITS__HALF_OPEN", "7")];
    let env = env.map(|(k, v)| (k.to_owned(), v.to_owned()));
    let flag = Override {
        section: "limits",
        key: "half_open",
        flag: "--half-open",
        value: "9".to_owned(),
    };
    let loaded = Loaded::parse(Path::new("c"), text, env.clone().into_iter(), vec![flag]).unwrap();
    assert_eq!((loaded.config.storage.keep, loaded.config.limits.half_open), (3 * 3600, 9));
    let origin = |wanted: &str| {
        let found = loaded.values.iter().find(|(_, key, ..)| *key == wanted).unwrap();
        (found.2.clone(), found.3.clone())
    };
    let environment = Origin::Environment("STAFFETTA__STORAGE__KEEP".into());
    assert_eq!(origin("keep"), ("\"3h\"".into(), environment));
    assert_eq!(origin("low_disk"), ("\"1GiB\"".into(), Origin::File("c".into(), Some(3))));
    assert_eq!(origin("half_open"), ("9".into(), Origin::Flag("--half-open")));
    assert_eq!(origin("max_disk"), ("\"10GiB\"".into(), Origin::Default));
    let proxies = [("STAFFETTA__LIMITS__TRUSTED_PROXY", "[\"172.30.74.0/24\"]")];
    assert_eq!(parse("", &proxies).unwrap().config.limits.trusted_proxy.len(), 1);
    let said = parse("", &[("STAFFETTA__STORAGE__KEEP", "3 parsecs")]).unwrap_err().to_string();
    assert!(said.starts_with("STAFFETTA__STORAGE__KEEP: "), "{said}");
    let said = parse("", &[("STAFFETTA__STORAGE__KEEPS", "3h")]).unwrap_err().to_string();
    assert!(said.contains("did you mean `keep`"), "{said}");
}

#[test]
fn a_file_that_is_no_configuration_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    std::fs::create_dir(&file).unwrap();
    let said = Loaded::load(&file, std::iter::empty(), vec![]).unwrap_err().to_string();
    assert!(said.contains("cannot read") && said.contains("must be readable"), "{said}");
    std::fs::remove_dir(&file).unwrap();
    std::fs::write(&file, "#".repeat(70_000)).unwrap();
    assert!(Loaded::load(&file, std::iter::empty(), vec![]).is_err());
}
