//! Timers whose rows are not what was written.

use crate::scene::Scene;

#[tokio::test]
async fn a_run_whose_timer_is_damaged_is_woken_all_the_same() {
    let nap = |text: String| text.replace("      - require:", "      - nap: { wait: 20s }\n      - require:");
    let mut scene = Scene::with(nap).await;
    scene.fill().await;
    let columns =
        ["due = due | (1 << 61)", "run = 'run_of_nobody'", "id = 'of/nobody'", "step = 'nowhere#wait'"];
    let mut runs = Vec::new();
    for (number, _) in columns.iter().enumerate() {
        let run = scene.ordered(&format!("order_{number}")).await;
        scene.run_waits_for(&run, "timer").await;
        runs.push(run);
    }
    let damaged = runs.clone();
    scene
        .killed_and(move |store| {
            let store = rusqlite::Connection::open(store).unwrap();
            for (column, run) in columns.iter().zip(damaged) {
                let damage = format!("UPDATE timers SET {column} WHERE run = ?1 AND step LIKE '%#wait'");
                assert_eq!(store.execute(&damage, [run]).unwrap(), 1, "{column}");
            }
        })
        .await;
    for run in &runs {
        scene.run_is(run, "succeeded").await;
    }
    let again = "a damaged timer was set again as the journal has it";
    assert_eq!(scene.log().iter().filter(|line| line["message"] == again).count(), columns.len());
}
