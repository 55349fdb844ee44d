//! Messages, rooms, files and what happens in them.

say! {
    text_empty => "Le message est vide.";
    text_not_utf8 => "Le message n’est pas du texte UTF-8.";
    nothing_sent => "Rien n’a été envoyé.";
    queued => "En attente. Le message partira à la prochaine connexion.";
    reached => "Tout est lu et envoyé.";
    is_edited => " (modifié)";
    edit_done => "Modifié.";
    delete_done => "Supprimé sur chaque appareil qui lit la suppression.";
    react_done => "C’est fait.";
    nothing_found => "Rien trouvé.";
    large_file => "Il dépasse 900 Kio : l’hébergeur peut voir qui le récupère, mais pas ce que c’est.";
    fetch_seen => "L’hébergeur peut voir qui récupère ce fichier : il est trop gros pour que chaque appareil le récupère.";
    list_files => "Pour les voir tous : staffetta file list";
    path_utf8 => "Ce chemin n’est pas en UTF-8.";
    check_path => "Vérifiez le chemin. Rien n’a été envoyé ni écrit.";
    no_path(why: &str) => "Ce chemin ne peut pas servir : {why}.";
    saved(path: &str) => "Enregistré : {path}.";
    progress(name: &str, percent: u64) => "{name} : {percent} %";
    edited(id: &str, text: &str) => "a modifié {id} : {text}";
    deleted(id: &str) => "a supprimé {id}";
    reacted(id: &str, emoji: &str) => "{emoji} à {id}";
    text_long(most: usize) => "Le message dépasse {most} octets.";
    stdin_unreadable(why: &str) => "L’entrée standard ne peut pas être lue : {why}.";
    sent(room: &str) => "Envoyé à {room}.";
    room_created(room: &str) => "Le salon {room} existe. Pour y ajouter des gens : staffetta room add {room} NOM";
    added(member: &str, room: &str) => "{member} est dans {room}.";
    removed(member: &str, room: &str) => "{member} n’est plus dans {room}.";
    room_restarted(room: &str, without: &str) => "Le salon {room} recommence sans l’appareil de {without}. Les autres y reviennent d’eux-mêmes.";
    room_changed => "Le salon est modifié, pour tous ceux qui y sont.";
    left(room: &str) => "Vous n’êtes plus dans {room}.";
    how_to_verify => "Tout le monde voit les mêmes mots. Faites lire les siens à la personne, puis : staffetta verify NOM --words \"...\"";
    verified(member: &str) => "{member} est vérifié, avec tous ses appareils actuels.";
    team_number(number: &str) => "Numéro de l’équipe : {number}";
    compared_by(names: &str) => "comparé par {names}";
    is_undone => "annulé";
    ask_root_words => "Les 24 mots racine : ";
    addresses_changed => "Tous les appareils l’apprennent. Tous les écrans le disent.";
    in_use => "utilisée";
    team_moves => "L’équipe déménage. Chaque appareil suit de lui-même ; tous les écrans le disent.";
    relay_accepted => "L’équipe continue avec ce relais. Chaque appareil suit de lui-même.";
    ask_spare_code => "Le code du relais de secours : ";
    no_code => "Aucun code n’a été donné.";
    spare_added => "L’équipe a un relais de secours. Si le relais disparaît, chaque appareil y va de lui-même.";
    spare_removed => "L’équipe n’a plus de relais de secours. Tous les écrans le disent.";
    no_spare => "L’équipe n’a pas de relais de secours. Pour en ajouter un : staffetta relay spare add";
    spare_after(seconds: u64) => "après {seconds} s sans le relais";
    spare_answered => "dernière réponse";
    relay_found => "Cet appareil y cherche la parole d’un admin. Voir : staffetta status";
    receipts_on => "Les accusés de lecture sont activés : un message dit jusqu’où son auteur a lu.";
    receipts_off => "Les accusés de lecture sont désactivés.";
    role_given(member: &str, role: &str) => "{member} : désormais {role}. Tous les écrans le disent.";
    wiped => "Le profil est détruit.";
    forsaken => "L’équipe a coupé l’accès de cet appareil.";
    not_forsaken => "Impossible de demander à l’équipe de couper l’accès de cet appareil. Demandez à un admin de le révoquer.";
    passphrase_changed => "La phrase de passe est changée. Les copies de l’ancien profil s’ouvrent encore avec l’ancienne.";
    somebody_asks => "Quelqu’un demande à entrer. Voir : staffetta invites";
    alarm_raised => "Il y a une alerte. Voir : staffetta status";
    refused => "Le relais refuse cet appareil : révoqué, ou horloge décalée de plus de 10 minutes.";
    asks(name: &str, id: &str) => "{name} demande à entrer : staffetta approve {id}";
    alarm(what: &str) => "ALERTE : {what}";
    connection(state: &str) => "({state})";
}

pub(in crate::text) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} o"),
        1_024..1_048_576 => format!("{} Kio", bytes / 1_024),
        _ => format!("{},{} Mio", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

pub(in crate::text) fn file(name: &str, bytes: u64, id: &str) -> String {
    format!("[{name}, {} : staffetta file get {id}]", size(bytes))
}

pub(in crate::text) fn missing(count: u64, from: &str, room: &str) -> String {
    match count {
        1 => format!("Il manque 1 message de {from} dans {room}."),
        _ => format!("Il manque {count} messages de {from} dans {room}."),
    }
}

pub(in crate::text) fn undone(count: usize) -> String {
    match count {
        0 | 1 => format!("{count} changement annulé."),
        _ => format!("{count} changements annulés."),
    }
}

pub(in crate::text) fn relay_says(what: &str, retry_ms: u64) -> String {
    match retry_ms.div_ceil(1_000) {
        0 => format!("Relais : {what}."),
        seconds => format!("Relais : {what} ; nouvel essai dans {seconds} s."),
    }
}
