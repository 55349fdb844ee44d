//! What stays on the screen until somebody has seen it.

/// English and French.
pub(super) const SAID: &[(&str, &str)] = &[
    (
        "The team is too large for its admins to share the relay's rows.",
        "L’équipe est trop grande pour que ses admins partagent les lignes du relais.",
    ),
    (
        "The answer to the invitation does not come from an admin of the team that was promised.",
        "La réponse à l’invitation ne vient pas d’un admin de l’équipe annoncée.",
    ),
    ("The relay sent the log out of order.", "Le relais a envoyé le journal dans le désordre."),
    (
        "{} tried to change a message of {} in {}. It was ignored.",
        "{} a tenté de modifier un message de {} dans {}. C’est resté sans effet.",
    ),
    (
        "A change signed with the root words was overtaken. Repeat it.",
        "Un changement signé avec les mots racine a été devancé. Recommencez.",
    ),
    (
        "A change of the team was overtaken by another: {}",
        "Un changement de l’équipe a été devancé par un autre : {}",
    ),
    (
        "The team moves to another relay (change {}).",
        "L’équipe déménage vers un autre relais (changement {}).",
    ),
    (
        "The team has a spare relay now (change {}).",
        "L’équipe a maintenant un relais de secours (changement {}).",
    ),
    (
        "The team has no spare relay any more (change {}).",
        "L’équipe n’a plus de relais de secours (changement {}).",
    ),
    (
        "Parts of the team came to the spare relay at different moments. What was written apart stands behind what was written here.",
        "L’équipe est arrivée au relais de secours en plusieurs fois. Ce qui a été écrit à part figure à la suite de ce qui a été écrit ici.",
    ),
    (
        "The relay was not reached for a while: this device goes on at the team's spare relay.",
        "Le relais est resté injoignable : cet appareil continue sur le relais de secours de l’équipe.",
    ),
    (
        "The spare relay refuses this device's list of the team.",
        "Le relais de secours refuse la liste de l’équipe que tient cet appareil.",
    ),
    (
        "The relay showed an admin another past than this device.",
        "Le relais a montré à un admin un autre passé qu’à cet appareil.",
    ),
    (
        "A relay that the team has left answers. It is refused.",
        "Un relais que l’équipe a quitté répond. Il est refusé.",
    ),
    (
        "The relay shows another log than before. Nothing is sent until an admin says that the team goes on in it.",
        "Le relais montre un autre journal qu’avant. Rien n’est envoyé tant qu’un admin n’a pas dit que l’équipe y continue.",
    ),
    (
        "{} is a new admin of the team (change {}).",
        "{} est un nouvel admin de l’équipe (changement {}).",
    ),
    (
        "{} turned receipts on: what you write tells its readers what you have read (change {}).",
        "{} a activé les accusés de lecture : ce que vous écrivez dit à ses lecteurs ce que vous avez lu (changement {}).",
    ),
    (
        "Somebody else tried the invitation with which {} came in, at {}. If it was meant for somebody else, cut that device off: staffetta device revoke {}",
        "Quelqu’un d’autre a essayé l’invitation par laquelle {} est entré, à {}. Si elle était destinée à une autre personne, coupez cet appareil : staffetta device revoke {}",
    ),
    (
        "Somebody else tried the invitation with which {} asks to come in, at {}. Let nobody in without comparing the five words.",
        "Quelqu’un d’autre a essayé l’invitation avec laquelle {} demande à entrer, à {}. Ne laissez entrer personne sans comparer les cinq mots.",
    ),
    ("You have a new device: {}.", "Vous avez un nouvel appareil : {}."),
    (
        "{} was an admin and is revoked. Look at who came in through that device: {}.",
        "{} était admin et est révoqué. Regardez qui est entré par cet appareil : {}.",
    ),
    (
        "A room is too large for this version to add anybody to it.",
        "Un salon est trop grand pour que cette version y ajoute quelqu’un.",
    ),
    (
        "{} added you to a second room called {}; it is shown here as {}.",
        "{} vous a ajouté à un second salon nommé {} ; il s’appelle ici {}.",
    ),
    (
        "{} tried to let this device into a room, and could not.",
        "{} a tenté de faire entrer cet appareil dans un salon, sans y parvenir.",
    ),
    (
        "The relay showed {} another past than this device.",
        "Le relais a montré à {} un autre passé qu’à cet appareil.",
    ),
    (
        "{}'s device has another list of the team than this one.",
        "L’appareil de {} a une autre liste de l’équipe que celui-ci.",
    ),
    ("The relay left out messages.", "Le relais a omis des messages."),
    ("The relay showed messages twice.", "Le relais a montré des messages deux fois."),
    (
        "The relay showed messages in another order than it counted them.",
        "Le relais a montré des messages dans un autre ordre qu’il ne les a comptés.",
    ),
    (
        "The relay showed messages that are not those it counted.",
        "Le relais a montré des messages qui ne sont pas ceux qu’il a comptés.",
    ),
    (
        "The relay has another log than before, or one that ends earlier.",
        "Le relais a un autre journal qu’avant, ou un journal plus court.",
    ),
    (
        "{} of your messages to {} were not sent: you are no longer in it.",
        "{} de vos messages pour {} n’ont pas été envoyés : vous n’y êtes plus.",
    ),
    (
        "The file {} was not sent. Send it again.",
        "Le fichier {} n’a pas été envoyé. Envoyez-le de nouveau.",
    ),
    (
        "The message was not sent: you are no longer in the room.",
        "Le message n’a pas été envoyé : vous n’êtes plus dans le salon.",
    ),
    (
        "The relay altered a message of this device.",
        "Le relais a altéré un message de cet appareil.",
    ),
    (
        "The relay says it knows a message of this device with other bytes.",
        "Le relais dit connaître un message de cet appareil avec d’autres octets.",
    ),
    (
        "An invitation was used a second time by another device; the first use was at {}. If you do not know why, revoke who came in with it.",
        "Une invitation a servi une seconde fois, par un autre appareil ; la première fois, c’était à {}. Si vous ne savez pas pourquoi, révoquez qui est entré avec elle.",
    ),
    ("This device was revoked.", "Cet appareil a été révoqué."),
    (
        "The relay shows another log than before, or one that ends earlier. Nothing more is sent.",
        "Le relais montre un autre journal qu’avant, ou un journal plus court. Plus rien n’est envoyé.",
    ),
    (
        "The relay showed us two different pasts. Nothing more is sent.",
        "Le relais nous a montré deux passés différents. Plus rien n’est envoyé.",
    ),
    (
        "This profile is a copy of an older state: the device has sent messages since. Nothing more is sent from here.",
        "Ce profil est la copie d’un état ancien : l’appareil a envoyé des messages depuis. Plus rien n’est envoyé d’ici.",
    ),
    (
        "The relay no longer has the messages after the last one read here.",
        "Le relais n’a plus les messages qui suivent le dernier lu ici.",
    ),
    ("{} is an admin now (change {}).", "{} est désormais admin (changement {})."),
    ("{} is no longer an admin (change {}).", "{} n’est plus admin (changement {})."),
    (
        "The relay's address was changed (change {}).",
        "L’adresse du relais a été changée (changement {}).",
    ),
    (
        "Changes of the team were undone with the root words (change {}); put out: {}.",
        "Des changements de l’équipe ont été annulés avec les mots racine (changement {}) ; exclus : {}.",
    ),
    (
        "The relay refuses this device's changes of the team: its list is not the one expected.",
        "Le relais refuse les changements d’équipe de cet appareil : sa liste n’est pas celle attendue.",
    ),
    (
        "Room {} stands still: it relies on a change of the team that this device has not received.",
        "Le salon {} est bloqué : il repose sur un changement de l’équipe que cet appareil n’a pas reçu.",
    ),
    (
        "Room {} stands still: a change made by {} cannot be followed by this device.",
        "Le salon {} est bloqué : cet appareil ne peut pas suivre un changement fait par {}.",
    ),
    (
        "Room {} stands still: this device cannot follow its last change.",
        "Le salon {} est bloqué : cet appareil ne peut pas suivre son dernier changement.",
    ),
    (
        "{} wanted to begin room {} again, and may not: it goes on here as it is.",
        "{} a voulu recommencer le salon {} sans en avoir le droit : il continue ici tel quel.",
    ),
    (
        "{} began room {} again without a device of {}.",
        "{} a recommencé le salon {} sans un appareil de {}.",
    ),
    (
        "This device was away for longer than the relay keeps messages. It asks the others where to go on; what it missed stays missing.",
        "Cet appareil a été absent plus longtemps que le relais ne garde les messages. Il demande aux autres où reprendre ; ce qu’il a manqué reste manquant.",
    ),
    (
        "The relay shows {} another log than this device.",
        "Le relais montre à {} un autre journal qu’à cet appareil.",
    ),
    (
        "The relay showed {} messages that it did not show this device.",
        "Le relais a montré à {} des messages qu’il n’a pas montrés à cet appareil.",
    ),
    (
        "{}'s device knows changes of the team that this one does not.",
        "L’appareil de {} connaît des changements de l’équipe que celui-ci ignore.",
    ),
    (
        "{}'s device and this one hold different states of room {}.",
        "L’appareil de {} et celui-ci ont des états différents du salon {}.",
    ),
];
