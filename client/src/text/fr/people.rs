//! Joining and inviting.

say! {
    name_empty => "Le nom est vide.";
    name_long => "Le nom a plus de 40 caractères.";
    name_forbidden => "Le nom contient un caractère interdit dans un nom.";
    code_again => "Comparez avec l’invitation et recommencez : \
        HÔTE/XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX. Rien n’a changé.";
    code_garbled => "Le code contient plusieurs fautes de frappe.";
    code_host => "Ce qui précède le / du code n’est pas l’adresse d’un relais.";
    code_length(found: usize) => "Le code a {found} lettres et chiffres après le / au lieu de 30.";
    root_words_file_exists => "Le fichier des mots racine existe déjà.";
    other_root_words_file => "Nommez un fichier qui n’existe pas. Rien n’a changé.";
    root_words => "Ces 24 mots sont la racine de l’équipe : ils passent avant tout admin. Écrivez-les sur papier,\n\
        loin des ordinateurs. Ils ne sont montrés qu’une fois et enregistrés nulle part.";
    root_words_written => "Les 24 mots racine sont dans le fichier. Imprimez-les, puis supprimez-le.";
    waiting => "En attente d’approbation. En cas d’interruption, relancez la commande.";
    not_waiting => "La demande attend au relais. Relancez la commande plus tard.";
    root_words_file_failed(why: &str) => "Le fichier des mots racine ne peut pas être écrit : {why}.";
    joining(team: &str, inviter: &str) => "Vous rejoignez {team}, sur invitation de {inviter}.";
    call(inviter: &str) => "Appelez {inviter}, qui doit entendre ces cinq mots :";
    joined(team: &str, member: &str) => "Vous êtes dans {team} sous le nom {member}. Essayez : staffetta send general bonjour";
    one_use => "Une personne, une fois. Gardez cette machine en ligne (`staffetta agent` ou l’écran) \
        jusqu’à son entrée.";
    one_device => "Un appareil, une fois : dessus, staffetta join CODE --name VOUS, puis ici `staffetta approve` \
        avec les cinq mots affichés. L’appareil d’un admin doit être en ligne.";
    ask_words => "Les cinq mots entendus : ";
    words_needed => "Il faut les cinq mots.";
    how_to_approve => "Utilisez --words \"a b c d e\" avec les mots entendus, ou --unverified sans les comparer.";
    no_invites => "Il n’y a pas d’invitation.";
    list_invites => "Pour les voir toutes : staffetta invites";
    list_devices => "Pour les voir tous : staffetta team --json";
    unseen => "(pas vu depuis 30 jours : encore utile ?)";
    rejected => "Refusé. L’invitation est fermée.";
    expires(at: &str) => "Valable jusqu’au {at}.";
    wrong_number_of_words(count: usize) => "Il faut cinq mots, pas {count}.";
    no_such_id(prefix: &str) => "Rien ici n’a un identifiant qui commence par {prefix}.";
    ambiguous_id(prefix: &str) => "Plusieurs identifiants commencent par {prefix}.";
    approved(member: &str) => "{member} est dans l’équipe.";
}

pub(in crate::text) fn code_typo(groups: &[u8]) -> String {
    const NTH: [&str; 6] =
        ["premier", "deuxième", "troisième", "quatrième", "cinquième", "sixième"];
    let nth = |&group: &u8| NTH.get(usize::from(group).wrapping_sub(1)).copied();
    let groups: Vec<&str> = groups.iter().filter_map(nth).collect();
    match groups.as_slice() {
        [one] => format!("Le {one} groupe du code est faux."),
        several => format!("Ces groupes du code sont faux : {}.", several.join(", ")),
    }
}

pub(in crate::text) fn revoked(count: usize) -> String {
    match count {
        0 | 1 => format!("{count} appareil coupé."),
        _ => format!("{count} appareils coupés."),
    }
}
