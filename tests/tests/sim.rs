//! Teams on which a seed inflicts everything at once.

use staffetta_tests::sim::{ROUGH, Story};

#[test]
fn a_team_of_twelve_devices_agrees_after_two_thousand_steps_of_everything() {
    const SEED: u64 = 1;
    let story = Story::of_twelve(0).expect("a team");
    let day = story.copy(SEED).and_then(|story| story.day(ROUGH, 2_000));
    let day = day.unwrap_or_else(|error| {
        panic!("{error:#}\nagain: cargo run -p staffetta-tests --bin sim -- --twelve --steps 2000 --seed {SEED} --seeds 1")
    });
    println!("{day:?}");
    assert!(day.found.placed > 400 && day.crashes > 100 && day.cuts > 100, "{day:?}");
}

#[test]
fn many_small_worlds_keep_every_invariant() {
    const SEEDS: u64 = 16;
    const STEPS: u64 = 60;
    let morning = Story::of_five(0).expect("a team");
    for seed in 1..=SEEDS {
        let day = morning.copy(seed).and_then(|story| story.day(ROUGH, STEPS));
        day.unwrap_or_else(|error| {
            panic!("{error:#}\nagain: cargo run -p staffetta-tests --bin sim -- --steps {STEPS} --seed {seed} --seeds 1")
        });
    }
}
