//! Labels, and the words that the agent uses for roles and states.

use std::io::ErrorKind;

say! {
    team => "équipe";
    you => "vous";
    relay => "relais";
    agent => "agent";
    head => "tête";
    queued => "file";
    running => "en marche";
    not_running => "arrêté";
    duration_how => "écrivez un nombre et l’une des lettres s, m, h, d, w : 30m, 24h, 7d";
    duration_long => "c’est trop long";
    duration_nothing => "la durée ne peut pas être nulle";
}

pub(in crate::text) fn people(count: u64) -> String {
    let s = if count < 2 { "" } else { "s" };
    format!("{count} personne{s}")
}

pub(in crate::text) fn unread(count: u64) -> String {
    let s = if count < 2 { "" } else { "s" };
    format!("{count} non lu{s}")
}

pub(in crate::text) fn word(said: &str) -> &str {
    match said {
        "member" => "membre",
        "admin" => "admin",
        "bot" => "robot",
        "active" => "actif",
        "revoked" => "révoqué",
        "expired" => "expiré",
        "open" => "ouverte",
        "asking" => "demande",
        "used" => "utilisée",
        "found" => "fondation",
        "add" => "ajout",
        "revoke" => "révocation",
        "role" => "rôle",
        "relay" => "relais",
        "log" => "journal",
        "restart" => "reprise",
        "policy" => "règle",
        "rewind" => "annulation",
        "root" => "racine",
        "profile" => "profil",
        "permissions" => "droits",
        "storage" => "disque",
        "database" => "base",
        "connection" => "connexion",
        "clock" => "horloge",
        "addresses" => "adresses",
        "spare" => "secours",
        "drill" => "exercice",
        "alarms" => "alarmes",
        "online" => "en ligne",
        "offline" => "hors ligne",
        "refused" => "refusé",
        "the relay is restarting" => "le relais redémarre",
        "the relay is busy" => "le relais est occupé",
        "this device is over a quota at the relay" => "cet appareil dépasse son quota au relais",
        "the relay's disk is nearly full" => "le disque du relais est presque plein",
        "the relay has moved" => "le relais a déménagé",
        other => other,
    }
}

pub(in crate::text) fn kind(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::NotFound => "introuvable",
        ErrorKind::PermissionDenied => "accès refusé",
        ErrorKind::AlreadyExists => "existe déjà",
        ErrorKind::IsADirectory => "c’est un dossier",
        ErrorKind::NotADirectory => "ce n’est pas un dossier",
        ErrorKind::StorageFull => "disque plein",
        ErrorKind::ReadOnlyFilesystem => "en lecture seule",
        ErrorKind::BrokenPipe => "plus personne ne lit",
        ErrorKind::InvalidData | ErrorKind::InvalidInput => "contenu inattendu",
        other => return other.to_string(),
    }
    .to_owned()
}
