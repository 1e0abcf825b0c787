//! A shift from 07:00 to 15:00 on a made-up hall, hour by hour: six people, sixty residents, 240 messages, three STATs whose
//! first holder is frozen each time, a handset that changes hands four times, somebody from an agency, a resident who moves.
//! A roster of the test's own ([`plan`]) says who should see what, and phones of its own ([`phones`]) what they were shown.

#[path = "eight_hours/day.rs"]
mod day;
#[path = "eight_hours/phones.rs"]
mod phones;
#[path = "eight_hours/plan.rs"]
mod plan;
mod ward;

use wardline_core::escalation::Priority;
use wardline_core::write::Write;

use day::{ANA, BEN, CHIDI, DANA, DESK, Day, EMEKA, EMPTY, FARAH, HOUR, INES};
use ward::refusal;

#[test]
fn a_shift_of_eight_hours() {
    let mut day = Day::begin();
    day.check_teams();
    day.until(60);
    day.pass_handset(EMEKA, FARAH);

    // 08:30: Ben's phone is frozen. The charge nurse is called in his place.
    day.until(90);
    let (stat, rang) = day.stat(FARAH, 5, BEN, &[], 60);
    assert!(rang[&BEN] == 0 && rang[&ANA] <= 60 && rang.len() == 2, "{rang:?}");
    day.takes(ANA, stat);

    // 09:00: Inés Roth comes from an agency for four hours.
    day.until(120);
    day.ines_comes(&[51, 52, 53, 54, 55, 56, 57, 58, 59, 60], 4 * HOUR);
    assert_eq!(day.check_complete(INES), 0);
    assert!(day.phones.of[&day.owners[&INES]].shown.len() > 5, "she reads what was said before she came");

    // 09:30: a resident of Ben's moves into a bed of Dana's.
    day.until(150);
    day.moves(12, EMPTY);
    assert!(day.check_complete(DANA) <= 1, "of one thread she was not");
    day.until(180);
    day.pass_handset(FARAH, EMEKA);

    // 11:30: Dana's phone and Ana's are frozen. The staff of the hall are called; Emeka's own shift is over, he is called too.
    day.until(270);
    let (stat, rang) = day.stat(INES, 55, DANA, &[ANA], 90);
    assert!(rang[&DANA] == 0 && rang[&ANA] <= 60 && rang[&CHIDI] <= 120, "{rang:?}");
    assert!(!rang.contains_key(&DESK), "somebody can be reached");
    day.takes(CHIDI, stat);

    day.until(300);
    day.pass_handset(EMEKA, FARAH);
    day.until(310);
    day.hang_up(CHIDI);
    day.until(330);
    assert!(day.come_back(CHIDI));
    assert_eq!(day.check_complete(CHIDI), 0, "what was said meanwhile came by itself");

    // 13:00: her time is over.
    day.until(359);
    assert_eq!(day.check_complete(INES), 0);
    day.until(361);
    assert!(day.phones.conn_of(day.owners[&INES]).is_some_and(|conn| day.is_put_out(conn)));
    day.phones.connected.retain(|_, person| *person != day.owners[&INES]);

    // 13:30: nobody's phone moves. The screen at the desk rings, until somebody comes and takes it.
    day.until(390);
    let (stat, rang) = day.stat(FARAH, 5, BEN, &[ANA, CHIDI, DANA], 250);
    assert!(rang[&BEN] == 0 && rang[&DESK] <= 240, "{rang:?}");
    day.takes(DANA, stat);

    day.until(420);
    day.pass_handset(FARAH, EMEKA);
    day.until(479);
    for whose in [BEN, CHIDI, DANA] {
        assert_eq!(day.check_complete(whose), 0, "{whose} was shown all of it as it was said");
    }
    day.until(480);
    assert_eq!(day.phones.said(), 240 + 3);
    let (_, thread) = day.residents[&5];
    let turn = day.submit(BEN, thread, Priority::Routine, &[]);
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_NO_SUCH_CONVERSATION"), "the shift is over");
    assert!(turn.writes.iter().all(|numbered| matches!(numbered.write, Write::Audited { .. })));
    assert!(day.phones.deliveries > 700, "{}", day.phones.deliveries);
}
