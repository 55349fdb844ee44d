//! The README's pictures of the room.

use super::super::super::picture::is_fresh;
use super::*;

#[test]
fn the_pictures_show_the_room_as_it_is() {
    let pictures = [
        ("room", "room.svg", "The room general: messages, a reply, a file, a link that lies"),
        ("approve", "approve.svg", "Letting Nora in: the five words are typed as they are heard"),
    ];
    for (scene, file, title) in pictures {
        let mut world = World::with(look(&EN, (84, 24), false, false));
        world.settle();
        let (_, play) = SCENES.iter().find(|(name, _)| *name == scene).unwrap();
        play(&mut world);
        is_fresh(file, title, &drawn(&world.state));
    }
}
