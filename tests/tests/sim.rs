//! Teams on which a seed inflicts everything at once.

use std::collections::BTreeSet;
use std::time::Duration;

use staffetta_tests::sim::seeds::{EVERY_STEP, own_step};
use staffetta_tests::sim::{self, Day, ROUGH, Seeds, Story};

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
fn five_hundred_mornings_keep_every_invariant_with_a_death_after_each_of_their_first_steps() {
    const SEEDS: Seeds = Seeds { first: 1, count: 500, steps: 20, time: Duration::MAX };
    let lived = sim::run(Story::of_five(0).expect("a team"), SEEDS, |_, _| {});
    let steps = SEEDS.steps;
    let failed = lived.iter().filter_map(|(seed, day)| Some((seed, day.as_ref().err()?)));
    let told: Vec<String> = failed
        .map(|(seed, error)| {
            format!("{error:#}\nagain: cargo run -p staffetta-tests --bin sim -- --steps {steps} --seed {seed} --seeds 1")
        })
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    let days = || lived.iter().filter_map(|(seed, day)| Some((*seed, day.as_ref().ok()?)));
    assert_eq!(days().count() as u64, SEEDS.count);
    let died = days().map(|(seed, day)| (own_step(seed), day.steps));
    let died: BTreeSet<u64> = died.filter(|(own, steps)| own <= steps).map(|it| it.0).collect();
    assert_eq!(died.len() as u64, EVERY_STEP);
    let sum = |of: fn(&Day) -> u64| days().map(|(_, day)| of(day)).sum::<u64>();
    println!(
        "figure: {} seeds, {} transactions, {} deaths, {} rules broken, {} forbidden commits",
        lived.len(),
        sum(|day| day.steps),
        sum(|day| day.crashes),
        sum(|day| day.hostile),
        sum(|day| day.usurped)
    );
    assert!(sum(|day| day.hostile) > 200 && sum(|day| day.usurped) > 20);
}
