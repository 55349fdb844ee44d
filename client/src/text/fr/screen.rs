//! The screen.

use jiff::civil::{Date, Weekday};

use crate::text::screen::{Keys, Place, Words};
use crate::tui::slash::Verb;

pub(crate) static FR: Words = Words {
    online: "En ligne",
    offline: "Hors ligne",
    refused: "Refusé",
    trust: |good, bad| {
        let end = |count: usize| if count > 1 { "s" } else { "" };
        match bad {
            0 => format!("{good} vérifié{}", end(good)),
            _ => format!("{good} vérifié{}, {bad} NON vérifié{}", end(good), end(bad)),
        }
    },
    rooms: "Salons",
    people: "Personnes",
    bots: "Robots",
    mute: "muet",
    people_in: |count| match count {
        0 | 1 => format!("{count} personne"),
        _ => format!("{count} personnes"),
    },
    bots_in: |names| format!("lu par les robots : {names}"),
    vanish: |seconds| format!("messages effacés après {}", span(seconds)),
    frozen: "gelé : rien ne peut être envoyé ici",
    write_to: |room| format!("Écrire à {room}"),
    replying: |name| format!("Réponse à {name} ; Échap : non"),
    editing: "Modifier votre message ; Échap : le laisser tel quel",
    alarm: |what| format!("ALERTE : {what}"),
    missing: |count, from, room| match count {
        1 => format!("1 message de {from} manque dans {room}."),
        _ => format!("{count} messages de {from} manquent dans {room}."),
    },
    more_banners: |count| format!("{count} de plus ; /dismiss les retire toutes"),
    below: "Suite plus bas : Fin",
    you: "vous",
    nobody_wrote: "Personne n’a encore écrit ici. /invite fait entrer quelqu’un dans l’équipe, F1 aide.",
    earlier: "(un message plus ancien)",
    edited: "(modifié)",
    queued: "en attente",
    stored: "au relais",
    sent: "envoyé",
    read_by: |count| format!("lu par {count}"),
    not_verified: |name| format!("(!) {name} : identité non vérifiée."),
    new_messages: |count| match count {
        1 => "1 nouveau message".into(),
        _ => format!("{count} nouveaux messages"),
    },
    day,
    file: |name, bytes, moved| match moved {
        None => format!("[{name} {}  ^O enregistrer]", size(bytes)),
        Some(percent) => format!("[{name} {}  {percent} %]", size(bytes)),
    },
    progress: |name, percent, up| {
        format!("{} {name} : {percent} %", if up { "Envoi de" } else { "Réception de" })
    },
    link_elsewhere: |host| format!("(!) Ce lien mène à {host}."),
    link_punycode: |host| format!("(!) Cet hôte est écrit en code : {host}."),
    link_foreign: |host, code| format!("(!) {host} est en réalité {code}."),
    link_confusable: |host, code, like| {
        format!("(!) {host} ressemble à {like} sans l’être : c’est en réalité {code}.")
    },
    no_command: |near| match near {
        Some(name) => format!("Vouliez-vous dire /{name} ? Rien n’a été envoyé."),
        None => "Cette commande n’existe pas. Rien n’a été envoyé ; //x envoie /x.".into(),
    },
    usage: |usage| format!("Écrivez : {usage}. Rien n’a été envoyé."),
    quit_how: "^Q pour quitter.",
    line_full: "Un message a 24 000 octets au plus.",
    nothing_unread: "Tout est lu.",
    no_message: "Il n’y a pas de message pour cela ici.",
    no_file: "Il n’y a pas de fichier ici.",
    copied: "Confié au presse-papiers du terminal.",
    working: "En cours …",
    busy: "Trop de choses attendent. Rien n’a été fait ; réessayez.",
    mouse: |on| {
        if on {
            "La souris fait défiler et choisit. F9 la rend."
        } else {
            "La souris est au terminal."
        }
        .into()
    },
    muted: |muted| if muted { "Muet." } else { "Plus muet." }.into(),
    no_colour: "NO_COLOR est actif : pas de couleur.",
    asks: |name| format!("{name} demande à entrer : /approve"),
    came_or_went: |name, room, came| {
        format!("{name} {} {room}.", if came { "est maintenant dans" } else { "n’est plus dans" })
    },
    was_revoked: |name| format!("{name} a perdu l’accès."),
    has_role: |name, role, by| match by {
        "" => format!("{name} a maintenant le rôle {role}."),
        _ => format!("{by} a donné à {name} le rôle {role}."),
    },
    paste: "Un long texte",
    paste_lines: |count| format!("Mettre {count} lignes dans un seul message ?"),
    is_invitation: "Ceci est une invitation",
    send_invitation: "Ceci est une invitation. L’envoyer à tout le monde ici ?",
    yes_no: "o oui   n non",
    yes_key: "o",
    go_to: "Aller à",
    search: "Chercher",
    nothing_found: "Rien trouvé.",
    waiting: "Un instant …",
    members: "Qui est ici",
    devices: "Vos appareils",
    this_device: "celui-ci",
    link_device: "Relier un autre de vos appareils",
    revoke_key: "Entrée : couper",
    invites: "Invitations",
    approve_key: "Entrée : approuver",
    asks_to_come_in: |name| format!("{name} demande à entrer"),
    approve: |name| format!("Faire entrer {name}"),
    approve_how: |name| {
        format!(
            "Appelez {name} et tapez les cinq mots que vous entendez. Ils sont sur son écran, pas sur le vôtre."
        )
    },
    approved: |name| format!("{name} est dans l’équipe."),
    invitation: "Invitation",
    invite_how: |until| format!("Une fois, jusqu’au {until}. Restez en ligne jusqu’à l’entrée."),
    safety_words: "Mots de sécurité",
    own_words: |words| format!("Les vôtres, à lire à voix haute : {words}"),
    team_number: |number| format!("Numéro de l’équipe : {number}"),
    verify: |name| format!("Vérifier {name}"),
    verify_how: |name| {
        format!(
            "Appelez {name}, demandez ses mots de sécurité (/verify sur son écran) et tapez ce que vous entendez."
        )
    },
    verified: |name| format!("Identité de {name} vérifiée."),
    is_verified: "vérifié",
    is_not_verified: "NON vérifié",
    is_bot: "robot",
    is_admin: "admin",
    revoke: "Couper l’accès",
    revoke_member: |name| {
        format!("Couper l’accès de {name} sur tous ses appareils, tout de suite et pour toujours ?")
    },
    revoke_device: |name| format!("Couper votre appareil {name}, tout de suite et pour toujours ?"),
    revoked: |name| format!("{name} n’a plus accès."),
    device_revoked: "L’appareil n’a plus accès.",
    nobody: |name| format!("Il n’y a personne du nom de {name}."),
    room_made: |room| format!("Le salon {room} existe. /add NOM y fait entrer quelqu’un."),
    added: |name| format!("{name} est dans ce salon."),
    removed: |name| format!("{name} n’est plus dans ce salon."),
    changed: "Le salon est modifié, pour tous ceux qui y sont.",
    expire_how: "Écrivez 7d, 24h, 30m, ou off.",
    leave: "Quitter le salon",
    leave_room: "Sortir de ce salon avec tous vos appareils ?",
    left: "Vous n’êtes plus dans ce salon.",
    react: "Réagir",
    which_emoji: "Un emoji, ou son nom : coeur, oui, merci …",
    delete: "Supprimer",
    delete_for_all: "Supprimer ce message pour tout le monde ?",
    save: "Enregistrer",
    save_where: |name| format!("Où ? Entrée seule : {name} dans le dossier de départ."),
    saved: |path| format!("Enregistré dans {path}."),
    file_sent: |path| format!("Envoyé : {path}"),
    wipe: "Détruire ce profil",
    wipe_how: |word| {
        format!(
            "Tout ici est perdu, les clés d’abord, et cet appareil est coupé. Écrivez {word} pour le faire."
        )
    },
    wipe_word: "detruire",
    not_wiped: "Rien n’a été détruit.",
    settings: "Réglages",
    theme: "Thème",
    mouse_setting: "Souris",
    bell_setting: "Sonnerie quand on a besoin de vous",
    notify_setting: "Notifications sur le bureau",
    notify_hidden: "sans le texte",
    notify_shown: "avec le texte",
    new_message: "Nouveau message",
    needs_you: "Quelqu’un vous demande",
    on: "oui",
    off: "non",
    locked: "Verrouillé",
    passphrase: "Phrase de passe",
    unlocking: "Déverrouillage …",
    blank: "Une touche",
    help: "Aide",
    commands: "Commandes",
    pick: "Un numéro choisit ; une ligne vide revient.",
    unread_in: |room, count| format!("{room} : {count} non lus"),
    command,
    keys,
    emoji: EMOJI,
};

fn span(seconds: u64) -> String {
    let say = |count: u64, unit: &str| match count {
        0 | 1 => format!("{count} {unit}"),
        _ => format!("{count} {unit}s"),
    };
    match seconds {
        s if s % 86_400 == 0 => say(s / 86_400, "jour"),
        s if s % 3_600 == 0 => say(s / 3_600, "heure"),
        s => say(s.div_ceil(60), "minute"),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} o"),
        1_024..1_048_576 => format!("{} ko", bytes / 1_024),
        _ => format!("{},{} Mo", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

fn day(date: Date) -> String {
    let weekday = match date.weekday() {
        Weekday::Monday => "lundi",
        Weekday::Tuesday => "mardi",
        Weekday::Wednesday => "mercredi",
        Weekday::Thursday => "jeudi",
        Weekday::Friday => "vendredi",
        Weekday::Saturday => "samedi",
        Weekday::Sunday => "dimanche",
    };
    const MONTHS: [&str; 12] = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ];
    let month = usize::from(date.month().unsigned_abs()).checked_sub(1);
    let month = month.and_then(|at| MONTHS.get(at)).copied().unwrap_or_default();
    match date.day() {
        1 => format!("{weekday} 1er {month}"),
        day => format!("{weekday} {day} {month}"),
    }
}

fn command(verb: Verb) -> (&'static str, &'static str) {
    match verb {
        Verb::Go => ("[NOM]", "Aller à un salon ou une personne"),
        Verb::Next => ("", "Aller à ce qui n’est pas lu"),
        Verb::Dm => ("NOM", "Écrire à une personne"),
        Verb::Room => ("NOM", "Créer un salon"),
        Verb::Members => ("", "Voir qui est dans ce salon"),
        Verb::Add => ("NOM", "Faire entrer quelqu’un dans ce salon"),
        Verb::Remove => ("NOM", "Faire sortir quelqu’un de ce salon"),
        Verb::Leave => ("", "Sortir de ce salon"),
        Verb::Topic => ("TEXTE", "Dire le sujet de ce salon"),
        Verb::Expire => ("7d|24h|off", "Régler la durée des messages ici"),
        Verb::Mute => ("", "Rendre ce salon muet, ou non"),
        Verb::Read => ("", "Aller au dernier message"),
        Verb::Search => ("MOTS", "Chercher dans tous les salons"),
        Verb::React => ("EMOJI", "Réagir au dernier message"),
        Verb::Edit => ("", "Modifier votre dernier message"),
        Verb::Delete => ("", "Supprimer votre dernier message"),
        Verb::File => ("CHEMIN", "Envoyer un fichier"),
        Verb::Save => ("[CHEMIN]", "Enregistrer le dernier fichier"),
        Verb::Invite => ("[NOM] [member|admin|bot]", "Inviter quelqu’un"),
        Verb::Approve => ("", "Faire entrer qui demande, par les cinq mots"),
        Verb::Verify => ("[NOM]", "Comparer les mots de sécurité de vive voix"),
        Verb::Devices => ("", "Voir, relier et couper vos appareils"),
        Verb::Revoke => ("NOM", "Couper l’accès de quelqu’un pour toujours"),
        Verb::Dismiss => ("", "Retirer les avertissements"),
        Verb::Theme => ("dark|light|mono|contrast", "Choisir les couleurs"),
        Verb::Settings => ("", "Voir et changer les réglages"),
        Verb::Lock => ("", "Verrouiller ; 5 minutes sans touche aussi"),
        Verb::Wipe => ("", "Détruire ce profil"),
        Verb::Help => ("", "Voir cette aide"),
        Verb::Quit => ("", "Quitter"),
    }
}

fn keys(place: Place) -> Keys {
    match place {
        Place::Room => &[
            ("F1", "aide"),
            ("^Q", "quitter"),
            ("Entrée", "envoyer"),
            ("^P", "aller à"),
            ("^N", "non lus"),
            ("^F", "chercher"),
            ("^L", "verrouiller"),
            ("^R", "répondre, réagir"),
            ("^O", "enregistrer"),
            ("PgUp PgDn", "défiler"),
            ("Alt-Entrée", "à la ligne"),
            ("Haut", "modifier votre dernier message"),
            ("Tab", "compléter @ # / :"),
            ("Alt-Haut Alt-Bas", "autre salon"),
            ("F9", "souris"),
            ("F12", "masquer l’écran"),
        ],
        Place::Select => &[
            ("F1", "aide"),
            ("^Q", "quitter"),
            ("r", "répondre"),
            ("+", "réagir"),
            ("e", "modifier"),
            ("d", "supprimer"),
            ("c", "copier"),
            ("s", "enregistrer"),
            ("Haut Bas", "choisir"),
            ("Échap", "retour"),
        ],
        Place::List => &[
            ("F1", "aide"),
            ("^Q", "quitter"),
            ("Entrée", "prendre"),
            ("Haut Bas", "choisir"),
            ("Échap", "retour"),
        ],
        Place::Question => {
            &[("F1", "aide"), ("^Q", "quitter"), ("Entrée", "valider"), ("Échap", "retour")]
        }
        Place::Page => &[
            ("F1", "aide"),
            ("^Q", "quitter"),
            ("Haut Bas", "défiler"),
            ("c", "copier"),
            ("Échap", "retour"),
        ],
    }
}

const EMOJI: Keys = &[
    ("oui", "👍"),
    ("non", "👎"),
    ("coeur", "❤"),
    ("merci", "🙏"),
    ("rire", "😂"),
    ("sourire", "😀"),
    ("clin", "😉"),
    ("triste", "😢"),
    ("fache", "😠"),
    ("oh", "😮"),
    ("reflechir", "🤔"),
    ("fete", "🎉"),
    ("bravo", "👏"),
    ("feu", "🔥"),
    ("yeux", "👀"),
    ("fait", "✅"),
    ("croix", "❌"),
    ("attention", "⚠"),
    ("etoile", "⭐"),
    ("fusee", "🚀"),
    ("salut", "👋"),
    ("force", "💪"),
    ("cafe", "☕"),
    ("telephone", "📞"),
    ("calendrier", "📅"),
    ("epingle", "📌"),
    ("question", "❓"),
    ("fleur", "🌹"),
    ("soleil", "☀"),
    ("pluie", "🌧"),
    ("vote", "🗳"),
    ("megaphone", "📣"),
];
