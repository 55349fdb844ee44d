//! What the doctor finds, and drills.

say! {
    the_spare => "secours";
    drill_done => "Chaque adresse ferait l’affaire.";
    drill_failed => "Toutes les adresses ne feraient pas l’affaire.";
    drill_todo => "Voyez le relais à cet endroit, ou retirez l’adresse : staffetta relay addresses remove, staffetta relay spare remove";
    profile_opens => "il s’ouvre";
    profile_shut => "il n’a pas été ouvert : cette commande ne demande de phrase secrète à personne";
    profile_todo => "donnez --passphrase-file FICHIER, ou répétez pendant qu’un agent ou l’écran tient le profil";
    files_private => "vous seul lisez ses fichiers";
    files_open(path: &str, mode: u32) => "{path} est en mode {mode:04o}";
    files_todo(path: &str) => "chmod go= {path} ; si d’autres utilisent cet ordinateur, tenez ses clés pour volées";
    disk_free(free: &str) => "{free} libres";
    disk_unknown => "la place libre est inconnue";
    disk_todo => "faites de la place : sans elle, plus rien n’est gardé";
    database_whole => "en ordre";
    database_damaged => "la base de données est abîmée";
    database_todo => "sortez ce qu’il vous faut avec export, puis demandez à un admin de révoquer cet appareil et de vous réinviter";
    link_stands(address: &str) => "connecté par {address}";
    link_down => "le relais n’est pas joignable ; les messages attendent et partiront plus tard";
    link_todo => "vérifiez le réseau de cet ordinateur, puis demandez à votre admin si le relais est en panne";
    link_refused => "le relais refuse cet appareil : il a été révoqué, ou l’horloge est décalée de plus de 10 minutes";
    link_refused_todo => "réglez l’horloge ; si elle est juste, demandez à un admin";
    link_stopped_todo => "appelez votre admin ; voyez : staffetta status";
    clock_fits => "rien ne la contredit";
    clock_behind(minutes: u64) => "des messages des autres viennent de {minutes} minutes dans le futur";
    clock_todo => "réglez l’horloge de cet ordinateur ; 10 minutes d’écart et un appareil est refusé";
    addresses_answer(count: usize) => "{count} répondent";
    addresses_silent(which: &str) => "pas de réponse à {which}";
    addresses_todo => "un admin va voir, ou la retire : staffetta relay addresses remove HÔTE:PORT";
    addresses_untried(which: &str) => "pas essayée sans proxy : {which}";
    addresses_untried_todo => "tenez le profil avec --proxy pour l’essayer";
    spare_answers(which: &str) => "{which} répond";
    spare_silent(which: &str) => "pas de réponse à {which}";
    spare_late(days: u64) => "aucun appareil d’admin n’en a rien entendu depuis {days} jours";
    spare_none => "l’équipe n’a pas de relais de secours";
    spare_todo => "un admin en ajoute un : staffetta relay spare add";
    spare_late_todo => "remettez-le en service, ou ajoutez-en un autre : staffetta relay spare add";
    drill_last(when: &str) => "{when}, chaque adresse ferait l’affaire";
    drill_bad(when: &str, which: &str) => "{when} ; ne va pas : {which}";
    drill_old(days: u64) => "le dernier date d’il y a {days} jours";
    drill_none => "aucun n’a été fait depuis cet appareil";
    drill_make => "faites-en un : staffetta relay drill";
    drill_mend => "réparez cela, et répétez : staffetta relay drill";
    alarms_none => "aucune non vue";
    alarms_some(count: u64) => "{count} non vues";
    alarms_todo => "lisez-les : staffetta status";
}

pub(in crate::text) fn visited(result: &str) -> &'static str {
    match result {
        "answers" => "répond",
        "refuses" => "ne connaît pas cet appareil",
        "other" => "un autre journal, ou un autre passé",
        _ => "pas de réponse",
    }
}
