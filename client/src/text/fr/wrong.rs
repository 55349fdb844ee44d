//! What is wrong with a command line.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What the parser says, with the next step; `None` for what it says in no language, as a page of help.
pub(in crate::text) fn said(error: &clap::Error) -> Option<String> {
    let one = |kind| text(error.get(kind)?);
    let arg = one(ContextKind::InvalidArg).unwrap_or_default();
    let value = one(ContextKind::InvalidValue).unwrap_or_default();
    let what = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = one(ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("La commande « {name} » n’existe pas.")
        }
        ErrorKind::UnknownArgument => format!("L’argument « {arg} » n’a rien à faire ici."),
        ErrorKind::MissingRequiredArgument => format!("Il manque : {arg}"),
        ErrorKind::InvalidValue if value.is_empty() => format!("Il manque une valeur à « {arg} »."),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let why = error.source().map(|why| format!(" : {why}")).unwrap_or_default();
            format!("« {value} » ne va pas pour « {arg} »{why}.")
        }
        ErrorKind::ArgumentConflict => {
            let other = one(ContextKind::PriorArg).filter(|other| *other != arg);
            match other {
                Some(other) => format!("« {arg} » ne va pas avec « {other} »."),
                None => format!("« {arg} » ne peut être donné qu’une fois."),
            }
        }
        ErrorKind::InvalidUtf8 => "Un argument n’est pas du texte UTF-8.".to_owned(),
        ErrorKind::MissingSubcommand => "Il manque une commande.".to_owned(),
        ErrorKind::NoEquals
        | ErrorKind::TooFewValues
        | ErrorKind::TooManyValues
        | ErrorKind::WrongNumberOfValues => {
            format!("« {arg} » n’a pas le bon nombre de valeurs.")
        }
        _ => return None,
    };
    let mut lines = vec![format!("erreur : {what}")];
    if let Some(valid) = one(ContextKind::ValidValue).or_else(|| one(ContextKind::ValidSubcommand))
    {
        lines.push(format!("  possible : {valid}"));
    }
    let near =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    if let Some(near) = near.into_iter().find_map(one) {
        lines.push(format!("  Vouliez-vous écrire « {near} » ?"));
    }
    if let Some(usage) = one(ContextKind::Usage) {
        lines.push(String::new());
        lines.push(usage.trim().replacen("Usage:", "Utilisation :", 1));
    }
    lines.extend([String::new(), "Pour en savoir plus : --help".to_owned()]);
    Some(lines.join("\n"))
}

fn text(value: &ContextValue) -> Option<String> {
    let said = match value {
        ContextValue::String(one) => one.clone(),
        ContextValue::Strings(all) => all.join(", "),
        ContextValue::StyledStr(one) => one.to_string(),
        ContextValue::StyledStrs(all) => {
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        _ => return None,
    };
    Some(said).filter(|said| !said.is_empty())
}
