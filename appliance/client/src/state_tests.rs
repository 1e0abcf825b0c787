use super::*;

fn upto(marks: &Marks) -> u64 {
    marks.upto
}

#[test]
fn own_messages_that_overtake_leave_no_gap() {
    let mut marks = Marks::default();
    assert_eq!(marks.advance(1, 1), None);
    marks.add(4);
    assert!(marks.contains(4) && !marks.contains(3));
    assert_eq!(marks.advance(2, 1), None);
    assert_eq!(marks.advance(3, 1), None);
    assert_eq!(upto(&marks), 4);
    assert_eq!(marks.advance(9, 1), Some((5, 8)));
    assert_eq!(marks.advance(13, 12), Some((12, 12)));
}

#[test]
fn a_file_from_before_the_list_of_devices_is_read() {
    let stored: Stored = serde_json::from_str(r#"{"people":[],"conversations":[]}"#).unwrap();
    assert!(stored.devices.is_empty());
}
