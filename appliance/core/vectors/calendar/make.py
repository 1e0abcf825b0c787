"""Calendars of other writers, and the shifts that another reader finds in them.

    python3 -m venv V && V/bin/pip install icalendar==7.3.2 python-dateutil==2.9.0.post0 vobject==0.9.9 ics==0.7.3 tzdata==2026.6
    PYTHONHASHSEED=0 PYTHONTZPATH= V/bin/python make.py

Writes NAME.ics by icalendar, vobject and ics.py, and for every .ics here, those written by hand too, NAME.shifts: read by
icalendar, expanded by dateutil. A line is START END WHO, in milliseconds, one person's stretches that meet put together. The first
line is the facility's zone. The same in every run. Holds `core/tests/calendar.rs`, which runs without Python.
"""

import random
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import ics
import icalendar
import vobject
from dateutil import tz as dateutil_tz
from dateutil.rrule import rrulestr

HERE = Path(__file__).parent
FROM = datetime(2026, 11, 26, tzinfo=timezone.utc)
UNTIL = FROM + timedelta(days=400)
UTC = timezone.utc
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata", "America/St_Johns"]
PEOPLE = ["ana@ward.example", "ben@ward.example", "chi@ward.example", "dov@ward.example"]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def instant(local, zone):
    """The first instant at which a clock of the zone shows this local time or a later one."""
    at = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == local:
        return at
    early, late = at - timedelta(hours=26), at + timedelta(hours=26)
    while late - early > timedelta(seconds=1):
        middle = (early + (late - early) / 2).replace(microsecond=0)
        if middle <= early:
            break
        if middle.astimezone(zone).replace(tzinfo=None) >= local:
            late = middle
        else:
            early = middle
    return late


def moment(value, facility):
    """(local time, zone) of a DATE or DATE-TIME; UTC is a zone."""
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day), facility
    if value.tzinfo is None:
        return value, facility
    if value.utcoffset() == timedelta(0) and str(value.tzinfo) in ("UTC", "UTC+00:00"):
        return value.replace(tzinfo=None), UTC
    return value.replace(tzinfo=None), ZoneInfo(str(value.tzinfo))


def who(event):
    attendees = event.get("ATTENDEE", [])
    if not isinstance(attendees, list):
        attendees = [attendees]
    if not attendees:
        return [str(event["SUMMARY"]).strip()]
    out = lambda a: a.params.get("PARTSTAT") == "DECLINED" or a.params.get("CUTYPE") in ("ROOM", "RESOURCE")
    return [str(a)[7:] for a in attendees if not out(a)]


def expand(text, facility):
    shifts = []
    events = [event for calendar in icalendar.Calendar.from_ical(text, multiple=True) for event in calendar.walk("VEVENT")]
    moved = {}
    for event in events:
        if "RECURRENCE-ID" in event:
            at = instant(*moment(event["RECURRENCE-ID"].dt, facility))
            moved.setdefault(str(event["UID"]), set()).add(at)
    for event in events:
        if str(event.get("STATUS", "")) == "CANCELLED":
            continue
        local, zone = moment(event["DTSTART"].dt, facility)
        exact = timedelta(0)
        if "DTEND" in event:
            end, end_zone = moment(event["DTEND"].dt, facility)
            if str(end_zone) != str(zone):
                end = instant(end, end_zone).astimezone(zone).replace(tzinfo=None)
            nominal = end - local
        elif "DURATION" in event:
            length = event["DURATION"].dt
            nominal, exact = timedelta(days=length.days), timedelta(seconds=length.seconds)
        else:
            nominal = timedelta(days=1)
        starts = [local]
        if "RRULE" in event:
            rule = event["RRULE"].to_ical().decode()
            parts = dict(part.split("=") for part in rule.split(";"))
            if "UNTIL" in parts:
                until = icalendar.vDDDTypes.from_ical(parts["UNTIL"])
                if not isinstance(until, datetime):
                    until = datetime(until.year, until.month, until.day, 23, 59, 59)
                elif until.tzinfo is not None:
                    until = until.astimezone(zone).replace(tzinfo=None)
                parts["UNTIL"] = until.strftime("%Y%m%dT%H%M%S")
            rule = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=local)
            starts = list(rule.between(datetime(2000, 1, 1), datetime(2028, 6, 1), inc=True))
        except_ = set()
        exdates = event.get("EXDATE", [])
        for listed in exdates if isinstance(exdates, list) else [exdates]:
            except_ |= {instant(*moment(one.dt, facility)) for one in listed.dts}
        gone = moved.get(str(event.get("UID")), set()) if "RECURRENCE-ID" not in event else set()
        for start in starts:
            begins = instant(start, zone)
            ends = (instant(start + nominal, zone) if nominal else begins) + exact
            if begins in except_ | gone:
                continue
            for person in who(event):
                shifts.append((person, max(begins, FROM), min(ends, UNTIL)))
    whole = []
    for person, begins, ends in sorted(shift for shift in shifts if shift[1] < shift[2]):
        if whole and whole[-1][0] == person and begins <= whole[-1][2]:
            whole[-1][2] = max(whole[-1][2], ends)
        else:
            whole.append([person, begins, ends])
    ms = lambda at: round(at.timestamp() * 1000)
    return sorted((ms(begins), ms(ends), person) for person, begins, ends in whole)


def some_rule(chance, start, is_day):
    freq = chance.choice(["DAILY", "WEEKLY", "WEEKLY"])
    rule = {"FREQ": freq}
    if chance.random() < 0.5:
        rule["INTERVAL"] = chance.choice([1, 2, 3, 8])
    if chance.random() < 0.6:
        days = {DAYS[start.weekday()]} | {day for day in DAYS if chance.random() < 0.3}
        rule["BYDAY"] = sorted(days, key=DAYS.index)
    if chance.random() < 0.5:
        rule["WKST"] = chance.choice(["MO", "SU", "TH"])
    end = chance.randrange(3)
    if end == 0:
        rule["COUNT"] = chance.randrange(1, 400)
    elif end == 1:
        until = datetime(2027, 1, 1, 12, tzinfo=UTC) + timedelta(days=chance.randrange(300))
        rule["UNTIL"] = until.date() if is_day else until
    return rule


def by_icalendar(seed):
    chance = random.Random(seed)
    facility = chance.choice(ZONES)
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//icalendar//EN")
    calendar.add("version", "2.0")
    for number in range(6):
        event = icalendar.Event()
        event.add("uid", f"{seed}-{number}@calendar.example")
        event.add("dtstamp", datetime(2026, 11, 1, tzinfo=UTC))
        kind = chance.choice(["zoned", "zoned", "utc", "floating", "day"])
        start = datetime(2026, 11, 20) + timedelta(days=chance.randrange(-900, 200), minutes=15 * chance.randrange(96))
        zone = ZoneInfo(chance.choice([facility] + ZONES))
        hours = chance.choice([1, 8, 12, 24, 60])
        if kind == "day":
            start = start.date()
            event.add("dtstart", start)
            event.add("dtend", start + timedelta(days=chance.randrange(1, 4)))
        else:
            tz = {"zoned": zone, "utc": UTC, "floating": None}[kind]
            event.add("dtstart", start.replace(tzinfo=tz))
            if chance.random() < 0.7:
                event.add("dtend", (start + timedelta(hours=hours)).replace(tzinfo=tz))
            else:
                event.add("duration", timedelta(hours=hours))
        if chance.random() < 0.5:
            event.add("summary", chance.choice(PEOPLE))
        else:
            event.add("summary", "On call; ward 4 West, \\ nights\nand \U0001f319 a title that is so long that it has to be folded, twice")
            for person in chance.sample(PEOPLE, chance.randrange(1, 3)):
                address = icalendar.vCalAddress(f"MAILTO:{person}")
                address.params["cn"] = "Who; is: \u00e9, it"
                event.add("attendee", address, encode=0)
        if chance.random() < 0.75:
            rule = some_rule(chance, start, kind == "day")
            event.add("rrule", rule)
            local, _ = moment(event["DTSTART"].dt, ZoneInfo(facility))
            dates = list(rrulestr(icalendar.vRecur({k: v for k, v in rule.items() if k != "UNTIL"}).to_ical().decode(),
                                  dtstart=local).between(datetime(2026, 12, 1), datetime(2027, 12, 1)))
            as_start = lambda at: at.date() if kind == "day" else at.replace(tzinfo=event["DTSTART"].dt.tzinfo)
            for at in chance.sample(dates, min(len(dates), 3)) if chance.random() < 0.5 else []:
                event.add("exdate", as_start(at))
            if dates and chance.random() < 0.5:
                instead = icalendar.Event()
                at = chance.choice(dates)
                instead.add("uid", event["UID"])
                instead.add("dtstamp", datetime(2026, 11, 2, tzinfo=UTC))
                instead.add("recurrence-id", as_start(at))
                instead.add("dtstart", as_start(at + timedelta(days=1)))
                instead.add("dtend", as_start(at + timedelta(days=2)))
                instead.add("summary", chance.choice(PEOPLE))
                if chance.random() < 0.3:
                    instead.add("status", "CANCELLED")
                calendar.add_component(instead)
        calendar.add_component(event)
    calendar.add_missing_timezones()
    return facility, calendar.to_ical().decode()


def by_vobject(seed):
    chance = random.Random(seed)
    calendar = vobject.iCalendar()
    for number in range(4):
        event = calendar.add("vevent")
        event.add("uid").value = f"v{seed}-{number}"
        event.add("dtstamp").value = datetime(2026, 11, 1, tzinfo=dateutil_tz.UTC)
        start = datetime(2026, 11, 30, 7, tzinfo=dateutil_tz.UTC) + timedelta(days=chance.randrange(20))
        event.add("dtstart").value = start
        event.add("dtend").value = start + timedelta(hours=12)
        event.add("summary").value = chance.choice(PEOPLE)
        event.add("rrule").value = "FREQ=WEEKLY;COUNT=9"
        event.add("valarm").add("trigger").value = timedelta(minutes=-15)
    return "Asia/Kolkata", calendar.serialize()


def by_ics(seed):
    chance = random.Random(seed)
    calendar = ics.Calendar()
    for number in range(6):
        begin = datetime(2026, 12, 1, 7, tzinfo=UTC) + timedelta(days=chance.randrange(90))
        calendar.events.add(ics.Event(name=chance.choice(PEOPLE), begin=begin, duration={"hours": 12}, uid=f"i{seed}-{number}"))
    lines = calendar.serialize().splitlines(keepends=True)
    return "America/St_Johns", "".join(line for line in lines if not line.startswith("DTSTAMP"))


def main():
    made = {f"icalendar_{seed:02}": by_icalendar(seed) for seed in range(14)}
    made |= {"vobject": by_vobject(1), "ics": by_ics(1)}
    for name, (_, text) in made.items():
        (HERE / f"{name}.ics").write_bytes(text.encode())
    for path in sorted(HERE.glob("*.ics")):
        facility = made.get(path.stem, ("Europe/Berlin",))[0]
        shifts = expand(path.read_bytes(), ZoneInfo(facility))
        lines = [facility] + [f"{begins} {ends} {person}" for begins, ends, person in shifts]
        path.with_suffix(".shifts").write_text("\n".join(lines) + "\n")


main()
