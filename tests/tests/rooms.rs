//! Rooms of many devices. The figures themselves are printed by `cargo run --release -p
//! staffetta-tests --bin rooms`; here only their sizes are exact, and their times generous.

use std::time::Duration;

use staffetta_tests::rooms::{measure, read_foreign};

#[test]
fn a_room_of_fifty_devices_adds_removes_updates_and_talks() {
    const GENEROUS: Duration = Duration::from_secs(2);
    let figures = measure(50).expect("a room");
    println!("{figures:#?}");
    let (size, sealing, opening) = figures.message;
    assert!(size <= 512 && figures.add.cells <= 4, "{figures:?}");
    assert!(figures.remove[0].cells <= 75 && figures.remove[1].cells <= 40, "{figures:?}");
    assert!(figures.update[0].cells <= 40 && figures.welcome <= 90_000, "{figures:?}");
    assert!(sealing < GENEROUS && opening < GENEROUS, "{figures:?}");
}

#[test]
fn foreign_cells_cost_a_device_of_many_rooms_little() {
    let foreign = read_foreign(2_000, 40).expect("a device");
    println!("{foreign:?}");
    assert!((40..=41).contains(&foreign.channels), "{foreign:?}");
    assert!(foreign.took < Duration::from_secs(20), "{foreign:?}");
}
