//! Joining, inviting, approving, roles, devices, verifying.

/// English and French.
pub(super) const SAID: &[(&str, &str)] = &[
    (
        "Only admins change the team's policies.",
        "Seuls les admins changent les règles de l’équipe.",
    ),
    ("That address is too long.", "Cette adresse est trop longue."),
    (
        "This device is not ready to move the team.",
        "Cet appareil n’est pas prêt à déménager l’équipe.",
    ),
    (
        "That is the relay which the team uses already.",
        "C’est le relais que l’équipe utilise déjà.",
    ),
    (
        "Add the address instead: staffetta relay addresses add HOST:PORT",
        "Ajoutez plutôt l’adresse : staffetta relay addresses add HÔTE:PORT",
    ),
    ("The team has left that relay before.", "L’équipe a déjà quitté ce relais."),
    ("Restore the newest backup again.", "Restaurez à nouveau la dernière sauvegarde."),
    (
        "That relay has another past than this device.",
        "Ce relais a un autre passé que cet appareil.",
    ),
    (
        "Do not use it. Restore a backup that you trust.",
        "Ne l’utilisez pas. Restaurez une sauvegarde digne de confiance.",
    ),
    (
        "That relay's backup is too old, or newer than this device.",
        "La sauvegarde de ce relais est trop ancienne, ou plus récente que cet appareil.",
    ),
    (
        "Make a new backup of the old relay and restore that.",
        "Faites une nouvelle sauvegarde de l’ancien relais et restaurez-la.",
    ),
    (
        "The relay shows no other log than before.",
        "Le relais ne montre pas d’autre journal qu’avant.",
    ),
    (
        "See where it is: staffetta relay addresses",
        "Pour voir où il est : staffetta relay addresses",
    ),
    (
        "The relay's log is not read to its end yet.",
        "Le journal du relais n’est pas encore lu jusqu’au bout.",
    ),
    (
        "The relay at that address does not know this device: it is not this team's.",
        "Le relais à cette adresse ne connaît pas cet appareil : ce n’est pas celui de l’équipe.",
    ),
    (
        "Restore the newest backup there, then repeat the command.",
        "Restaurez-y la dernière sauvegarde, puis relancez la commande.",
    ),
    ("There is no relay at that address.", "Il n’y a pas de relais à cette adresse."),
    (
        "Nothing was changed. Check the address, and that the new relay is served.",
        "Rien n’a changé. Vérifiez l’adresse, et que le nouveau relais est en service.",
    ),
    (
        "Tell your admin by voice. An admin who knows of it repeats: staffetta relay accept",
        "Prévenez votre admin de vive voix. Un admin au courant lance : staffetta relay accept",
    ),
    ("This device looks at another relay already.", "Cet appareil regarde déjà un autre relais."),
    (
        "The relay at that address does not know this code.",
        "Le relais à cette adresse ne connaît pas ce code.",
    ),
    (
        "Check the code. A spare code is known for 7 days after it was used.",
        "Vérifiez le code. Un code de secours reste connu 7 jours après son emploi.",
    ),
    (
        "That is the code of a spare relay, and no invitation.",
        "C’est le code d’un relais de secours, pas une invitation.",
    ),
    (
        "Copy the whole code that the spare relay printed.",
        "Copiez tout le code que le relais de secours a affiché.",
    ),
    ("That is no spare code.", "Ce n’est pas un code de secours."),
    (
        "Use the device of an admin that is longer in the team.",
        "Servez-vous de l’appareil d’un admin plus ancien dans l’équipe.",
    ),
    (
        "This device does not have the team's rows yet.",
        "Cet appareil n’a pas encore la liste de l’équipe pour le relais.",
    ),
    (
        "Devices go to the spare relay after 5 seconds to 7 days.",
        "Les appareils vont au relais de secours après 5 secondes à 7 jours.",
    ),
    ("This device is not connected.", "Cet appareil n’est pas connecté."),
    ("The team has no spare relay.", "L’équipe n’a pas de relais de secours."),
    (
        "That is an invitation, and not the code of a spare relay.",
        "C’est une invitation, pas le code d’un relais de secours.",
    ),
    ("That spare code was used before.", "Ce code de secours a déjà servi."),
    (
        "If that was not your team, set up another relay.",
        "Si ce n’était pas votre équipe, installez un autre relais.",
    ),
    (
        "The team is too large for a spare relay.",
        "L’équipe est trop grande pour un relais de secours.",
    ),
    (
        "Set up another spare relay, and add that.",
        "Installez un autre relais de secours, et ajoutez-le.",
    ),
    ("That spare relay is in use already.", "Ce relais de secours sert déjà."),
    (
        "If the relay is gone, every device goes to the spare by itself.",
        "Si le relais disparaît, chaque appareil va de lui-même au relais de secours.",
    ),
    ("That is no address of a relay.", "Ce n’est pas l’adresse d’un relais."),
    (
        "Write it as HOST:PORT, without http:// before it.",
        "Écrivez-la HÔTE:PORT, sans http:// devant.",
    ),
    ("Try again in a moment.", "Réessayez dans un instant."),
    ("The relay has no such address.", "Le relais n’a pas cette adresse."),
    ("See them: staffetta relay addresses list", "Pour les voir : staffetta relay addresses list"),
    ("The relay has that address already.", "Le relais a déjà cette adresse."),
    (
        "The relay's last address cannot be removed.",
        "La dernière adresse du relais ne peut pas être retirée.",
    ),
    (
        "Add another one first: staffetta relay addresses add HOST:PORT",
        "Ajoutez-en d’abord une autre : staffetta relay addresses add HÔTE:PORT",
    ),
    ("A relay has at most 4 addresses.", "Un relais a au plus 4 adresses."),
    (
        "Remove one first: staffetta relay addresses remove HOST:PORT",
        "Retirez-en d’abord une : staffetta relay addresses remove HÔTE:PORT",
    ),
    (
        "Only admins change where the relay is.",
        "Seuls les admins changent l’endroit où est le relais.",
    ),
    ("The request to join was refused.", "La demande d’entrée a été refusée."),
    (
        "Call the person who invited you; they can invite you again.",
        "Appelez la personne qui vous a invité ; elle peut vous inviter à nouveau.",
    ),
    ("The invitation was already used at {}.", "L’invitation a déjà servi à {}."),
    (
        "If that was not you, call your admin now.",
        "Si ce n’était pas vous, appelez tout de suite votre admin.",
    ),
    (
        "The relay does not accept this invitation: it was used, has expired, or was taken back.",
        "Le relais n’accepte pas cette invitation : elle a servi, a expiré ou a été retirée.",
    ),
    (
        "Ask for a new one. If you have not used it yourself, call your admin now. Check that this computer's clock is right.",
        "Demandez-en une autre. Si vous ne l’avez pas utilisée vous-même, appelez tout de suite votre admin. Vérifiez aussi l’horloge de cet ordinateur.",
    ),
    ("The relay cannot be reached.", "Le relais est injoignable."),
    (
        "Check the network, then repeat the command; nothing is lost.",
        "Vérifiez le réseau, puis relancez la commande ; rien n’est perdu.",
    ),
    (
        "The relay speaks another version of the protocol.",
        "Le relais parle une autre version du protocole.",
    ),
    ("Update Staffetta.", "Mettez Staffetta à jour."),
    ("Call your admin.", "Appelez votre admin."),
    (
        "The relay does not know this invitation as it was made.",
        "Le relais ne connaît pas cette invitation telle qu’elle a été faite.",
    ),
    ("Ask for a new one.", "Demandez-en une autre."),
    (
        "This is not the relay that the invitation names; nothing was sent.",
        "Ce n’est pas le relais que nomme l’invitation ; rien n’a été envoyé.",
    ),
    (
        "Somebody may stand between you and it: tell your admin by voice.",
        "Quelqu’un se tient peut-être entre vous et lui : prévenez votre admin de vive voix.",
    ),
    ("The invitation has expired.", "L’invitation a expiré."),
    ("This profile is already a member of a team.", "Ce profil est déjà membre d’une équipe."),
    (
        "Use another --profile, or wipe this one first.",
        "Utilisez un autre --profile, ou détruisez d’abord celui-ci.",
    ),
    (
        "There is not enough memory to make the words.",
        "La mémoire ne suffit pas pour former les mots.",
    ),
    ("256 MiB are needed.", "Il faut 256 Mio."),
    ("The name: {}.", "Le nom : {}."),
    ("The device's label: {}.", "Le libellé de l’appareil : {}."),
    ("The room's name: {}.", "Le nom du salon : {}."),
    ("the name is empty", "il est vide"),
    ("the name has more than 40 characters", "il a plus de 40 caractères"),
    ("the name holds a character that names may not hold", "il contient un caractère interdit"),
    ("The team's name cannot be used.", "Le nom de l’équipe ne peut pas servir."),
    ("This profile has not joined a team yet.", "Ce profil n’a pas encore rejoint d’équipe."),
    (
        "Repeat `staffetta join` with the invitation code.",
        "Relancez `staffetta join` avec le code d’invitation.",
    ),
    (
        "Ask an admin to invite you again, into a new profile.",
        "Demandez à un admin de vous réinviter, dans un nouveau profil.",
    ),
    (
        "Ask an admin to revoke this device, and to invite you again into a new profile.",
        "Demandez à un admin de révoquer cet appareil et de vous réinviter dans un nouveau profil.",
    ),
    ("Nobody asks with this invite.", "Personne ne demande à entrer avec cette invitation."),
    (
        "An admin is never approved without the words.",
        "Un admin n’est jamais accepté sans les mots.",
    ),
    (
        "That is a further device of {}, who alone can say so.",
        "C’est un autre appareil de {}, qui seul peut le confirmer.",
    ),
    ("Only admins approve.", "Seuls les admins acceptent."),
    ("Only admins invite.", "Seuls les admins invitent."),
    ("Only admins revoke.", "Seuls les admins révoquent."),
    (
        "Only admins revoke devices of others.",
        "Seuls les admins révoquent les appareils des autres.",
    ),
    ("Only admins change roles.", "Seuls les admins changent les rôles."),
    ("Ask an admin of your team.", "Demandez à un admin de votre équipe."),
    (
        "There is not enough memory to compare the words.",
        "La mémoire ne suffit pas pour comparer les mots.",
    ),
    (
        "These are not the newcomer's words; nobody was let in.",
        "Ce ne sont pas les mots du nouveau venu ; personne n’est entré.",
    ),
    (
        "Ask again by voice. If they still differ, reject the request: it is somebody else's.",
        "Redemandez de vive voix. S’ils diffèrent encore, refusez la demande : elle vient de quelqu’un d’autre.",
    ),
    ("The words cannot be read: {}.", "Les mots sont illisibles : {}."),
    (
        "Type the five words you heard; nothing was changed.",
        "Tapez les cinq mots entendus ; rien n’a changé.",
    ),
    ("{} words instead of {}", "{} mots au lieu de {}"),
    ("word {} is not on the list", "le mot {} n’est pas dans la liste"),
    (
        "There is already a {} in the team; nobody was let in.",
        "Il y a déjà {} dans l’équipe ; personne n’est entré.",
    ),
    (
        "Reject the request, and invite again under another name.",
        "Refusez la demande, et invitez à nouveau sous un autre nom.",
    ),
    ("The request is unusable: {}.", "La demande est inutilisable : {}."),
    ("That is the beginning of more than one invite.", "Plusieurs invitations commencent ainsi."),
    ("There is no such invite.", "Il n’y a pas d’invitation de ce genre."),
    ("Nothing to reject: {}.", "Rien à refuser : {}."),
    (
        "This device has not been told the relay's key by the other admins yet.",
        "Les autres admins n’ont pas encore donné à cet appareil la clé du relais.",
    ),
    ("Try again when another admin is online.", "Réessayez quand un autre admin est en ligne."),
    ("It cannot be approved: {}.", "Impossible d’accepter : {}."),
    (
        "Such an invite is good for at most {} hours.",
        "Une telle invitation vaut au plus {} heures.",
    ),
    ("The relay refused the invite.", "Le relais a refusé l’invitation."),
    ("End some open invites first.", "Fermez d’abord des invitations ouvertes."),
    (
        "Make one that lasts longer, and check this computer's clock.",
        "Donnez-lui une durée plus longue et vérifiez l’horloge de cet ordinateur.",
    ),
    ("{} is that already.", "{} l’est déjà."),
    ("The root words cannot be read: {}.", "Les mots racine sont illisibles : {}."),
    ("Nothing was changed.", "Rien n’a changé."),
    ("These are not this team's root words.", "Ce ne sont pas les mots racine de cette équipe."),
    (
        "The team's changes have the numbers 1 to {}.",
        "Les changements de l’équipe portent les numéros 1 à {}.",
    ),
    ("See them: staffetta team log", "Pour les voir : staffetta team log"),
    ("There is nothing to revoke: it is done already.", "Rien à révoquer : c’est déjà fait."),
    ("A device does not revoke itself here.", "Un appareil ne se révoque pas lui-même ici."),
    ("Bots have one device.", "Un robot a un seul appareil."),
    (
        "That is the beginning of more than one device's id.",
        "Plusieurs identifiants d’appareils commencent ainsi.",
    ),
    ("There is no such device.", "Il n’y a pas d’appareil de ce genre."),
    (
        "The rooms have new keys. The relay cuts the device when the founder's device is online.",
        "Les salons ont de nouvelles clés. Le relais coupera l’appareil quand celui du fondateur sera en ligne.",
    ),
    (
        "It is not done yet; it goes on by itself.",
        "Ce n’est pas encore fait ; cela continue tout seul.",
    ),
    ("{} has no device in the team.", "{} n’a pas d’appareil dans l’équipe."),
    ("These are not the words of {}.", "Ce ne sont pas les mots de {}."),
    (
        "Ask again by voice. If they still differ, one of you is shown a false device: compare `staffetta team`, and tell an admin.",
        "Redemandez de vive voix. S’ils diffèrent encore, l’un de vous voit un faux appareil : comparez `staffetta team`, et prévenez un admin.",
    ),
    (
        "The relay no longer has the answer to this device's request. Ask for a new invitation.",
        "Le relais n’a plus la réponse à la demande de cet appareil. Demandez une nouvelle invitation.",
    ),
];
