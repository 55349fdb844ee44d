//! The help of the commands.

/// The frame of a page of help.
pub(in crate::text) const TEMPLATE: &str =
    "{before-help}{about-with-newline}\nUtilisation : {usage}\n\n{all-args}{after-help}";

/// English and French.
pub(in crate::text) const HELP: &[(&str, &str)] = &[
    ("A name proposed to the newcomer", "Un nom proposé au nouveau venu"),
    (
        "A name that no other room of the team has",
        "Un nom qu’aucun autre salon de l’équipe ne porte",
    ),
    (
        "A team messenger whose relay cannot read, and need not be trusted",
        "Une messagerie d’équipe dont le relais ne peut rien lire, et à qui il n’y a pas à faire confiance",
    ),
    ("Add members to a room", "Ajouter des membres à un salon"),
    (
        "Approve without comparing words; the device is shown as not verified",
        "Accepter sans comparer les mots ; l’appareil est montré comme non vérifié",
    ),
    (
        "Change a room's name, topic, lifetime, or who may add people",
        "Changer le nom, le sujet, la durée des messages d’un salon, ou qui peut y ajouter des gens",
    ),
    ("Change the passphrase of this profile", "Changer la phrase de passe de ce profil"),
    (
        "Show what the team has decided, or, as an admin, decide it",
        "Montrer ce que l’équipe a décidé, ou, en tant qu’admin, le décider",
    ),
    (
        "Whether messages tell how far their sender has read",
        "Si les messages disent jusqu’où leur auteur a lu",
    ),
    ("Say where the relay is", "Dire où est le relais"),
    (
        "List the relay's addresses, which are tried in this order, or, as an admin, change them",
        "Lister les adresses du relais, essayées dans cet ordre, ou, en tant qu’admin, les changer",
    ),
    (
        "Add an address at which the same relay is reached, such as another name or an onion service",
        "Ajouter une adresse à laquelle le même relais répond, comme un autre nom ou un service onion",
    ),
    (
        "As an admin, move the team to the relay at ADDRESS, restored there from a backup, or to a spare",
        "En tant qu’admin, déménager l’équipe vers le relais à ADRESSE, restauré là depuis une sauvegarde, ou vers un relais de secours",
    ),
    ("To the spare relay that the team has", "Vers le relais de secours de l’équipe"),
    (
        "To a spare relay that nobody has added, whose code is asked for or read from standard input",
        "Vers un relais de secours que personne n’a ajouté, dont le code est demandé ou lu sur l’entrée standard",
    ),
    (
        "Show the spare relay, to which everybody goes when the relay is gone, or, as an admin, set it",
        "Montrer le relais de secours, où tous vont si le relais disparaît, ou, en tant qu’admin, le choisir",
    ),
    (
        "Add a relay made with `init --spare`; its code is asked for or read from standard input",
        "Ajouter un relais créé par `init --spare` ; son code est demandé ou lu sur l’entrée standard",
    ),
    (
        "Go there after this long without the relay: 5s to 7d",
        "Y aller après ce temps sans le relais : de 5s à 7d",
    ),
    ("Show it", "Le montrer"),
    ("Go there no more", "Ne plus y aller"),
    (
        "As an admin, make a drill: visit every address and the spare relay, to see that they would do",
        "En tant qu’admin, faire un exercice : visiter chaque adresse et le relais de secours, pour voir s’ils feraient l’affaire",
    ),
    (
        "Look for what is wrong with this device and its way to the relay, and say what to do",
        "Chercher ce qui ne va pas avec cet appareil et son chemin vers le relais, et dire quoi faire",
    ),
    (
        "Find the team at a spare relay whose code an admin tells you; it is asked for or read from standard input",
        "Retrouver l’équipe sur un relais de secours dont un admin vous dit le code ; il est demandé ou lu sur l’entrée standard",
    ),
    (
        "As an admin, go on with a relay that was restored at the same address",
        "En tant qu’admin, continuer avec un relais restauré à la même adresse",
    ),
    ("Remove an address", "Retirer une adresse"),
    ("List the addresses", "Lister les adresses"),
    ("HOST:PORT", "HÔTE:PORT"),
    ("Create a room", "Créer un salon"),
    ("Create rooms and say who is in them", "Créer des salons et dire qui y est"),
    ("Cut off a member with all devices", "Couper un membre avec tous ses appareils"),
    ("Cut off one device", "Couper un appareil"),
    (
        "Destroy this profile, the key first, and ask the team to cut off this device",
        "Détruire ce profil, la clé d’abord, et demander à l’équipe de couper cet appareil",
    ),
    (
        "Fetch a file; nothing that exists is written over, nothing is opened",
        "Récupérer un fichier ; rien d’existant n’est écrasé, rien n’est ouvert",
    ),
    ("Find messages that hold all words", "Trouver les messages qui contiennent tous les mots"),
    ("Give a member another role", "Donner un autre rôle à un membre"),
    ("Go out of a room, with all your devices", "Sortir d’un salon, avec tous ses appareils"),
    (
        "Hold the profile without a screen and serve its local socket",
        "Tenir le profil sans écran et servir son socket local",
    ),
    (
        "How long messages are kept on devices",
        "Combien de temps les appareils gardent les messages",
    ),
    (
        "How long the code works, 7d at most [default: 24h; 1h with --auto-approve]",
        "Durée de validité du code, 7d au plus [par défaut : 24h ; 1h avec --auto-approve]",
    ),
    (
        "Invite one person or bot: prints a single-use code",
        "Inviter une personne ou un robot : affiche un code à usage unique",
    ),
    (
        "Join a team with an invite or founder code",
        "Rejoindre une équipe avec un code d’invitation ou de fondation",
    ),
    (
        "Language of what people read [default: that of the locale]",
        "Langue des textes [par défaut : celle du système]",
    ),
    (
        "Let in the newcomer whose five words you heard",
        "Faire entrer le nouveau venu dont on a entendu les cinq mots",
    ),
    (
        "Let whoever redeems it in without comparing words (1h at most, never for admins)",
        "Laisser entrer qui l’utilise sans comparer les mots (1h au plus, jamais pour un admin)",
    ),
    (
        "Link a further device of yours: prints a single-use code to redeem on it",
        "Relier un autre de ses appareils : affiche un code à usage unique à saisir dessus",
    ),
    ("List files", "Lister les fichiers"),
    ("List invites and who asks to come in", "Lister les invitations et qui demande à entrer"),
    ("List the rooms you are in", "Lister les salons où l’on est"),
    (
        "List the team's changes with their numbers, oldest first",
        "Lister les changements de l’équipe avec leurs numéros, du plus ancien au plus récent",
    ),
    (
        "List the team: people, bots and their devices; change roles, undo changes",
        "Lister l’équipe : personnes, robots et appareils ; changer les rôles, annuler des changements",
    ),
    ("List who is in a room", "Lister qui est dans un salon"),
    (
        "List your own devices, and the day each was last seen",
        "Lister ses appareils, et le dernier jour où chacun a été vu",
    ),
    ("List, link or revoke your own devices", "Lister, relier ou révoquer ses appareils"),
    (
        "Lock the profile when no command came for this long [default: never]",
        "Verrouiller le profil quand aucune commande n’est venue pendant ce temps [par défaut : jamais]",
    ),
    (
        "Lock the profile where it is held: its keys leave memory, the link to the relay goes down",
        "Verrouiller le profil là où il est tenu : ses clés quittent la mémoire, le lien au relais s’arrête",
    ),
    ("Mark what is printed as read", "Marquer comme lu ce qui est affiché"),
    ("NAME, or @MEMBER", "NOM, ou @MEMBRE"),
    ("Only in this room: NAME, or @MEMBER", "Seulement dans ce salon : NOM, ou @MEMBRE"),
    ("Only this person", "Seulement cette personne"),
    ("Only this room: NAME, or @MEMBER", "Seulement ce salon : NOM, ou @MEMBRE"),
    ("Draw the screen in ASCII alone", "Dessiner l’écran en ASCII seulement"),
    ("Only what came after this message", "Seulement ce qui est venu après ce message"),
    ("Only what is not marked read", "Seulement ce qui n’est pas marqué comme lu"),
    ("Print JSON, one object a line", "Afficher du JSON, un objet par ligne"),
    ("Print bare text: no colour, no QR code", "Afficher du texte nu : sans couleur, sans QR code"),
    ("Print messages", "Afficher les messages"),
    ("Print messages as they come", "Afficher les messages à leur arrivée"),
    ("Print results and errors only", "N’afficher que les résultats et les erreurs"),
    (
        "Print the five words and exit; repeat the command once approved",
        "Afficher les cinq mots et finir ; relancer la commande une fois accepté",
    ),
    ("Print the version", "Afficher la version"),
    ("Print the whole history of a room", "Afficher tout l’historique d’un salon"),
    ("Process what is waiting and exit", "Traiter ce qui attend et finir"),
    (
        "Profile directory [default: staffetta in the XDG data directory]",
        "Dossier du profil [par défaut : staffetta dans le dossier de données XDG]",
    ),
    ("Queue the message and exit at once", "Mettre le message en attente et finir aussitôt"),
    (
        "Reach the relay through a SOCKS5 proxy, such as Tor: socks5://HOST:PORT",
        "Joindre le relais par un proxy SOCKS5, comme Tor : socks5://HÔTE:PORT",
    ),
    ("React to a message with an emoji", "Réagir à un message par un emoji"),
    (
        "Read the new passphrase from FILE instead of asking",
        "Lire la nouvelle phrase de passe dans FILE au lieu de la demander",
    ),
    (
        "Read the passphrase from FILE, or from standard input with `-`, instead of asking",
        "Lire la phrase de passe dans FILE, ou sur l’entrée standard avec `-`, au lieu de la demander",
    ),
    (
        "Read the root words from FILE, or from standard input with `-`, instead of asking",
        "Lire les mots racine dans FILE, ou sur l’entrée standard avec `-`, au lieu de les demander",
    ),
    ("Remove members from a room", "Retirer des membres d’un salon"),
    ("Replace the text of a message of yours", "Remplacer le texte d’un de ses messages"),
    ("Say what happens, on standard error", "Dire ce qui se passe, sur la sortie d’erreur"),
    ("Send a file", "Envoyer un fichier"),
    ("Send a message", "Envoyer un message"),
    ("Send, list and fetch files", "Envoyer, lister et récupérer des fichiers"),
    (
        "Show connection and counters, without connecting",
        "Montrer la connexion et les compteurs, sans se connecter",
    ),
    (
        "Show safety words and the team's number, to compare by voice",
        "Montrer les mots de sécurité et le numéro de l’équipe, à comparer de vive voix",
    ),
    (
        "Take back a message, file or reaction of yours",
        "Retirer un de ses messages, fichiers ou réactions",
    ),
    ("The changes' numbers", "Les numéros des changements"),
    (
        "The code: HOST[:PORT]/XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX",
        "Le code : HÔTE[:PORT]/XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX",
    ),
    (
        "The device's id, or its first digits",
        "L’identifiant de l’appareil, ou ses premiers chiffres",
    ),
    ("The emoji", "L’emoji"),
    ("The file's id", "L’identifiant du fichier"),
    ("The file, 60 MiB at most", "Le fichier, 60 Mio au plus"),
    ("The five words the newcomer told you", "Les cinq mots dits par le nouveau venu"),
    (
        "The invite's id, or its first digits",
        "L’identifiant de l’invitation, ou ses premiers chiffres",
    ),
    ("The label of this device", "Le libellé de cet appareil"),
    ("The member's name", "Le nom du membre"),
    (
        "The membership itself ends after this long [default: never]",
        "L’appartenance elle-même finit après ce temps [par défaut : jamais]",
    ),
    ("The message this one answers", "Le message auquel celui-ci répond"),
    ("The message's id", "L’identifiant du message"),
    (
        "The name the team will see, 1 to 40 characters",
        "Le nom que verra l’équipe, de 1 à 40 caractères",
    ),
    ("The new text; `-` reads standard input", "Le nouveau texte ; `-` lit l’entrée standard"),
    ("The newest N", "Les N plus récents"),
    (
        "The text, 24,000 bytes at most; `-` reads standard input. It may start with `-`; put `--` before a text that is itself a flag",
        "Le texte, 24 000 octets au plus ; `-` lit l’entrée standard. Il peut commencer par `-` ; mettre `--` avant un texte qui est lui-même une option",
    ),
    (
        "The words you heard from that person: if they are right, it is marked verified",
        "Les mots entendus de cette personne : s’ils sont justes, elle est marquée vérifiée",
    ),
    (
        "The words, in any order; the last may be the beginning of one",
        "Les mots, dans n’importe quel ordre ; le dernier peut n’être qu’un début",
    ),
    ("There is no way back", "Il n’y a pas de retour"),
    ("Turn a newcomer away and close the invite", "Refuser un nouveau venu et fermer l’invitation"),
    ("Undo changes, with the 24 root words", "Annuler des changements, avec les 24 mots racine"),
    (
        "Unlock the profile where it is held, with its passphrase",
        "Déverrouiller le profil là où il est tenu, avec sa phrase de passe",
    ),
    ("What the room is about", "Ce dont parle le salon"),
    ("When to use colour", "Quand utiliser la couleur"),
    ("Where to put it: a directory, or a new name", "Où le mettre : un dossier, ou un nouveau nom"),
    ("Who may add people and change the room", "Qui peut ajouter des gens et changer le salon"),
    (
        "With a founder code: write the 24 root words to a new file instead of showing them",
        "Avec un code de fondation : écrire les 24 mots racine dans un nouveau fichier au lieu de les montrer",
    ),
    (
        "Run programs that read and write in rooms",
        "Lancer des programmes qui lisent et écrivent dans les salons",
    ),
    (
        "Listen for HTTP posts and send what they say to a room: {\"text\": \"...\"} or plain text",
        "Recevoir des requêtes HTTP et envoyer leur texte à un salon : {\"text\": \"...\"} ou du texte simple",
    ),
    ("Print the completions of a shell", "Afficher la complétion d’un shell"),
    ("Write the manual, a page for each command", "Écrire le manuel, une page par commande"),
    ("The directory", "Le dossier"),
    ("Begin with what came after this message", "Commencer par ce qui a suivi ce message"),
    (
        "Run a program and speak JSON-RPC with it over its standard input and output, one object a line; start it again when it ends. What it says on standard error is the log",
        "Lancer un programme et lui parler en JSON-RPC par ses entrée et sortie standard, un objet par ligne ; le relancer quand il s’arrête. Sa sortie d’erreur est le journal",
    ),
    (
        "Print every method and event as one OpenRPC document",
        "Afficher toutes les méthodes et tous les événements en un document OpenRPC",
    ),
    (
        "How many events may wait for the program's `ack`",
        "Combien d’événements peuvent attendre l’`ack` du programme",
    ),
    (
        "Read under a name of its own, beside another program on the same profile",
        "Lire sous un nom à lui, à côté d’un autre programme du même profil",
    ),
    ("The program and its arguments", "Le programme et ses arguments"),
    (
        "The room that what comes is sent to: NAME, or @MEMBER",
        "Le salon qui reçoit ce qui arrive : NOM, ou @MEMBRE",
    ),
    ("Where to listen", "Où écouter"),
    (
        "The secret that whoever posts signs with, at least 16 bytes",
        "Le secret avec lequel les requêtes sont signées, 16 octets au moins",
    ),
    (
        "Listen on an address that is not this machine's loopback. Bodies travel in clear: put a proxy that speaks TLS in front",
        "Écouter sur une adresse qui n’est pas la boucle locale. Les contenus passent en clair : mettez un proxy TLS devant",
    ),
    ("Requests a minute that are taken on", "Requêtes acceptées par minute"),
    (
        "Begin a room again without the device that broke it for everybody",
        "Recommencer un salon sans l’appareil qui l’a cassé pour tous",
    ),
];
