//! The passphrase, the profile, the process.

say! {
    ask_passphrase => "Phrase de passe : ";
    ask_new_passphrase => "Choisissez une phrase de passe (six mots simples conviennent) : ";
    ask_again => "Encore une fois : ";
    passphrases_differ => "Les deux phrases de passe diffèrent.";
    repeat => "Rien n’a changé. Relancez la commande.";
    no_terminal => "Il faut la phrase de passe et il n’y a pas de terminal pour la demander.";
    use_passphrase_file => "Utilisez --passphrase-file FICHIER, ou - pour l’entrée standard.";
    check_passphrase_file => "Vérifiez ce que désigne --passphrase-file. Rien n’a changé.";
    passphrase_empty => "La phrase de passe est vide.";
    passphrase_not_text => "La phrase de passe n’est pas du texte UTF-8.";
    passphrase_too_long => "La phrase de passe dépasse 4096 octets.";
    passphrase_idea => "Rien n’a changé. Six mots simples se retiennent bien.";
    stdin_twice => "L’entrée standard ne peut pas être à la fois la phrase de passe et le message.";
    stdin_once => "Mettez la phrase de passe dans un fichier, ou le message sur la ligne.";
    passphrase_file_unreadable(why: &str) => "Le fichier de la phrase de passe ne peut pas être lu : {why}.";
    passphrase_short(least: usize) => "La phrase de passe a moins de {least} caractères.";
    no_home => "Il n’y a pas de dossier personnel pour le profil.";
    name_a_profile => "Utilisez --profile DOSSIER.";
    screen_needs_terminal => "L’écran a besoin d’un terminal.";
    see_help => "Pour les scripts, il y a des commandes : staffetta --help";
    waiting_for_other => "Attente de la fin d’une autre commande staffetta sur ce profil...";
    already_held => "Un autre processus staffetta tient déjà ce profil.";
    use_the_other => "Les autres commandes passent par lui ; il n’y a rien d’autre à faire.";
    holder_gone => "Le processus qui tenait ce profil s’est arrêté.";
    run_again => "Relancez la commande.";
    unexpected_answer => "L’agent a donné une réponse que ce programme ne connaît pas.";
    same_version => "Vérifiez que l’agent et ce programme ont la même version.";
    agent_ready => "prêt";
    locked => "Le profil est verrouillé.";
    unlocked => "Le profil est déverrouillé.";
    is_locked => "en marche, verrouillé";
    not_held => "Aucun processus ne tient ce profil : il est déjà verrouillé.";
    nobody_holds => "Aucun processus ne tient ce profil, il n’y a donc rien à déverrouiller.";
    commands_unlock => "Chaque commande le déverrouille pour elle-même.";
    offline_data => "Le relais est injoignable ; voici ce qui est enregistré ici.";
    terminal_failed(why: &str) => "Le terminal ne peut pas servir : {why}.";
    runtime_failed(why: &str) => "Le programme ne peut pas démarrer : {why}.";
    no_proxy => "Ce que désigne --proxy n’est pas un proxy SOCKS5.";
    how_proxy => "Écrivez socks5://HÔTE:PORT. Aucune connexion n’a été faite.";
    not_hardened => "Ce processus ne peut pas être exclu des vidages mémoire.";
    check_sandbox => "Rien n’a été ouvert. Voyez ce que le système lui interdit.";
}
