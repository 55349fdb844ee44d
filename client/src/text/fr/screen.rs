//! The screen.

say! {
    write_here => "Écrire à";
    not_a_command => "Rien n’a été envoyé. Ici seul /quit marche ; //x envoie /x.";
    busy => "Trop de choses attendent. Rien n’a été envoyé ; recommencez.";
    quit_how => "^Q pour quitter.";
    line_full => "Un message a 24 000 octets au plus.";
    not_verified => "pas vérifié";
}

pub(in crate::text) fn footer() -> [&'static str; 6] {
    [
        "^Q quitter",
        "Entrée envoie",
        "Haut/Bas salon",
        "^N non lus",
        "PgPréc/PgSuiv",
        "Alt-Entrée ligne",
    ]
}
