//! Bots and the webhook.

say! {
    bot_ready => "prêt";
    bot_not_inside => "Ce profil n’a pas encore rejoint d’équipe.";
    bot_join_first => "Demandez à un admin `staffetta invite NOM --role bot`, puis : staffetta join CODE --name NOM";
    bot_no_command => "Il n’y a pas de programme à lancer.";
    bot_name_command => "Écrivez-le après -- : staffetta bot run -- ./echo.py";
    bot_no_pipes => "L’entrée et la sortie standard du programme ne peuvent pas servir.";
    bot_not_started(why: &str) => "Le programme ne peut pas démarrer : {why}.";
    bot_ended(code: i32) => "Le programme s’est arrêté avec {code} ; il est relancé.";
    bot_killed => "Le programme a été arrêté ; il est relancé.";
    webhook_not_loopback => "Ce n’est pas une adresse propre à cette machine.";
    webhook_public => "Écoutez sur 127.0.0.1 derrière un proxy TLS, ou ajoutez --public.";
    webhook_other_port => "Donnez-en une autre avec --listen.";
    webhook_secret_how => "Créez-en un : (umask 077; head -c 24 /dev/urandom | base64 > FICHIER). Rien n’a été ouvert.";
    webhook_secret_open => "D’autres peuvent lire le fichier du secret.";
    webhook_secret_length => "Un secret a de 16 à 4096 octets.";
    webhook_secret_unreadable(why: &str) => "Le fichier du secret ne peut pas être lu : {why}.";
    webhook_no_port(why: &str) => "Cette adresse ne peut pas servir : {why}.";
    webhook_listens(address: &str) => "à l’écoute sur {address}";
    man_not_written(why: &str) => "Le manuel ne peut pas être écrit : {why}.";
    man_elsewhere => "Donnez un autre dossier : staffetta man DOSSIER";
    man_keys => "TOUCHES À L’ÉCRAN";
    man_commands => "COMMANDES À L’ÉCRAN";
    man_how => "Elles commencent par une barre oblique, et Tab les complète. Une commande mal tapée n’est jamais envoyée. //x envoie /x.";
    man_notice => "NOTIFICATIONS";
    man_notice_how => "Quand quelqu’un vous mentionne ou n’écrit qu’à vous, et que vous regardez ailleurs, le terminal sonne ; /settings l’en empêche. Un programme compilé avec la fonction notify demande aussi au terminal une notification sur le bureau, par OSC 9 (OSC 777 pour rxvt), même à travers ssh. Elle dit qu’il y a un message, et ce que dit le message seulement si /settings le lui a dit.";
}
