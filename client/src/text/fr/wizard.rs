//! The first run.

say! {
    code => "Bienvenue. Collez l’invitation que vous avez reçue.";
    code_looks => "Elle ressemble à ceci : relais.example/K7QX4-M2P9T-RBW3H-N6CFD-8VYZA-E2J5M";
    code_how => "Une invitation a une adresse, un / et 30 lettres et chiffres.";
    code_good => "L’invitation est complète. Entrée pour continuer.";
    code_partial(count: usize) => "{count} lettres et chiffres sur 30";
    looking => "Un instant : lecture de l’invitation.";
    founding(team: &str) => "Vous fondez {team}.";
    founding_unnamed => "Vous fondez une équipe.";
    yes => "Oui";
    not_who => "Ce n’est pas la personne attendue";
    not_expected_invited => "Rien n’a été envoyé. Appelez la personne qui vous a invité, puis collez la bonne invitation.";
    not_expected_founder => "Rien n’a été envoyé. Demandez à la personne qui gère le relais, puis collez le bon code.";
    name => "Quel est votre nom ?";
    name_how => "Toute l’équipe le verra. De 1 à 40 caractères.";
    passphrase => "Choisissez une phrase de passe.";
    passphrase_why => "Elle ouvre Staffetta sur cet ordinateur, à chaque fois. Personne ne pourra vous la redonner.";
    passphrase_proposed => "Notez celle-ci sur papier, puis Entrée :";
    passphrase_own(least: usize) => "Ou tapez-en une autre, d’au moins {least} caractères :";
    passphrase_short(typed: usize, least: usize) => "Elle a {typed} caractères ; il en faut {least}.";
    working => "Un instant : création des clés, puis demande d’entrée dans l’équipe.";
    words_wait(inviter: &str) => "Cette page changera d’elle-même quand {inviter} les aura tapés. Ne les lisez à personne d’autre.";
    again => "Cela n’a pas encore marché. Rien n’est perdu.";
    quit_how => "^Q pour quitter.";
    keys_code => "Entrée continuer  ^U vider la ligne  ^Q quitter";
    keys_team => "Entrée choisir  Haut/Bas l’autre réponse  ^Q quitter";
    keys_name => "Entrée continuer  Échap retour  ^Q quitter";
    keys_passphrase => "Entrée continuer  Tab cacher  Échap retour  ^Q quitter";
    keys_root_words => "Entrée ils sont sur papier  ^Q quitter";
    keys_again => "Entrée réessayer  ^Q quitter";
    keys_wait => "^Q quitter";
}
