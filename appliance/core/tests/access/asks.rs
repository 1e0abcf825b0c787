//! Requests of the table's test, by area.

use super::*;

impl House {
    pub(super) fn of_agency(&mut self, operation: Operation) -> AgencyAsk {
        let (unit, person, fresh) = (self.unit, self.agency, self.ward.fresh());
        let until = self.ward.now.wall.after(2 * 3_600_000);
        let grounds = Grounds::parse("Two called in sick").expect("grounds");
        match operation {
            Operation::AdmitAgency => AgencyAsk::Admit(Box::new(arrival("Jon Sand", unit, until, fresh))),
            Operation::ExtendAgency => AgencyAsk::Extend { person, until, grounds },
            Operation::EndAgency => AgencyAsk::End { person },
            _ => AgencyAsk::List { unit: Some(unit), after: None },
        }
    }

    pub(super) fn clinical(&mut self, operation: Operation) -> Clinical {
        let (unit, encounter, patient, fresh) = (self.unit, self.encounter, self.patient, self.ward.fresh());
        let shift = |person, fresh| {
            let until = self.ward.now.wall.after(3_600_000);
            Clinical::TakeAssignment(Shift { unit, person, beds: vec![], until, fresh })
        };
        match operation {
            Operation::Admit => Clinical::Admit(Admission {
                record: RecordNumber::parse("2").expect("a number"),
                new: Some(particulars("2")),
                unit,
                bed: bed("B-2"),
                attending: None,
                fresh,
            }),
            Operation::Transfer => Clinical::Transfer { encounter, unit, bed: bed("B-3") },
            Operation::SetLeave => Clinical::SetLeave { encounter, away: true },
            Operation::Discharge => Clinical::Discharge { encounter },
            Operation::UpdatePatient => {
                let (particulars, attending, encounter) = (particulars("3"), None, None);
                Clinical::UpdatePatient(Correction { patient, particulars, attending, encounter })
            }
            Operation::ChangeCareTeam => Clinical::ChangeCareTeam {
                encounter,
                change: TeamChange { add: vec![self.newcomer], until: None, remove: vec![] },
            },
            Operation::TakeAssignment => shift(None, fresh),
            Operation::AssignBeds => shift(Some(self.newcomer), fresh),
            Operation::EndAssignment => Clinical::EndAssignment { assignment: self.assignment },
            Operation::Restrict => Clinical::Restrict(Restrict {
                encounter,
                alias: Some(Name::parse("Grey Heron").expect("a name")),
                add: vec![self.newcomer],
                remove: vec![],
            }),
            Operation::LookUp => Clinical::LookUp(LookUp {
                query: Query::parse("rosa").expect("a word"),
                people: true,
                patients: true,
                unit: None,
                only_here: false,
                limit: 10,
            }),
            Operation::MergeRecords => Clinical::MergeRecords(Merge {
                surviving: RecordNumber::parse("9").expect("a number"),
                merged: RecordNumber::parse("8").expect("a number"),
                only_look: false,
            }),
            Operation::Countersign => Clinical::Emergency(Emergency::Countersign { id: self.asked }),
            Operation::BreakGlass => Clinical::Emergency(glass("B-9", unit, fresh)),
            Operation::EndEmergency => Clinical::Emergency(Emergency::End { id: self.emergency }),
            Operation::ListEmergencies => Clinical::Emergency(Emergency::List { after: None }),
            Operation::ReviewEmergency => {
                Clinical::Emergency(Emergency::Review { id: self.emergency, finding: Finding::Justified })
            }
            Operation::ListPatients => Clinical::ListPatients { unit, after: None },
            _ => Clinical::ListBeds { unit, after: None },
        }
    }

    pub(super) fn of_role(&mut self, operation: Operation) -> Roles {
        let (role, place, fresh) = (self.role, Place::FIRST, self.ward.fresh());
        let until = self.ward.now.wall.after(3_600_000);
        let name = Name::parse("Rapid response").expect("a name");
        match operation {
            Operation::SetRole => Roles::Set { which: Which::New(self.unit), name, rota: None, fresh },
            Operation::TakeRole => Roles::Take { role, place, person: None, until },
            Operation::AssignRole => Roles::Take { role, place, person: Some(self.newcomer), until },
            Operation::ReturnRole => Roles::Return { role, place },
            Operation::RetireRole => Roles::Retire { role },
            Operation::ReadRota => Roles::Rota { role },
            Operation::OfferRole => {
                let offered = Offered { role, place, taker: self.newcomer, from: None, until };
                Roles::Offer { offered, fresh }
            }
            Operation::AnswerOffer => Roles::Answer { offer: self.offer, answer: Answer::Accept },
            Operation::WithdrawOffer => Roles::Answer { offer: self.offer, answer: Answer::Withdraw },
            Operation::ListOffers => Roles::Offers { after: None },
            _ => Roles::List { unit: None, after: None },
        }
    }

    /// The charge nurse writes; the member holds the role, and its owner, if they may sign in, is the backup.
    pub(super) fn of_inbox(&mut self, operation: Operation) -> InboxAsk {
        let (role, fresh) = (self.role, self.ward.fresh());
        if operation == Operation::OpenRoleInbox {
            return InboxAsk::Open { role, fresh };
        }
        let until = self.ward.now.wall.after(3_600_000);
        let backup = Roles::Take { role, place: Place::BACKUP, person: None, until };
        self.ward.ask(Actor::Owner.conn(), Ask::Role(backup));
        let opened = self.ward.ask(Actor::ChargeNurseInIt.conn(), Ask::Inbox(InboxAsk::Open { role, fresh }));
        InboxAsk::Finish { conversation: group_of(&opened) }
    }

    pub(super) fn of_hold(&mut self, operation: Operation) -> Holds {
        let fresh = self.ward.fresh();
        match operation {
            Operation::PlaceHold => {
                Holds::Place { whose: Whose::Conversation(self.place), matter: title("26-1181"), fresh }
            }
            Operation::LiftHold => {
                let grounds = Grounds::parse("The matter is settled").expect("grounds");
                Holds::Lift { id: self.hold, grounds }
            }
            _ => Holds::List { after: None },
        }
    }

    /// In the patient's thread: the member gives it by their role, the victim reads it back, and it is confirmed, as far as that is
    /// needed.
    pub(super) fn of_order(&mut self, operation: Operation) -> Ask {
        let roles = Some(vec![self.role]);
        let policy = |unit, roles| Ask::Order(OrderAsk::SetPolicy { unit, roles });
        done(&self.ward.ask(BOX, policy(Some(self.unit), roles.clone())));
        // Whoever had it by hand before it was listed has it no more: the member is given it.
        let (role, member) = (self.role, self.people[Actor::Member as usize]);
        self.ward.take_role(Actor::ChargeNurse.conn(), role, Some(member));
        let thread = self.ward.relay.state().clinic.encounters[&self.encounter].thread;
        let order = StatId { conversation: thread, sequence: Sequence(1) };
        let message = |number: u64, deed| {
            Ask::Submit(Submit {
                number: Number(number),
                message: MessageId([number as u8; 16]),
                conversation: thread,
                body: Some(Sealed(vec![0; 40])),
                priority: Default::default(),
                call: Default::default(),
                reply_to: None,
                mentions: Default::default(),
                attachments: vec![],
                order: Some(OrderSaid::Unsigned(deed)),
            })
        };
        let (give, of) = (Deed::Give { to: None }, Sequence(1));
        let (member, victim) = (Actor::Member.conn(), Conn(100));
        let read_back = Sequence(2);
        let confirm = Ask::Order(OrderAsk::Answer {
            order,
            said: OrderSaid::Unsigned(Deed::Confirm { of, read_back }),
        });
        match operation {
            Operation::GiveOrder => return message(20, give),
            Operation::SetOrderPolicy => return policy(None, roles),
            Operation::ListOrderPolicies => return Ask::Order(OrderAsk::ListPolicies),
            Operation::ListOrders => {
                return Ask::Order(OrderAsk::List { whose: OrdersOf::Mine, after: None });
            }
            Operation::ListUnitOrders => {
                return Ask::Order(OrderAsk::List { whose: OrdersOf::Unit(self.unit), after: None });
            }
            _ => {}
        }
        assert_eq!(refusal(&self.ward.ask(member, message(20, give))), None);
        if operation == Operation::ReadBackOrder {
            return message(21, Deed::ReadBack { of });
        }
        assert_eq!(refusal(&self.ward.ask(victim, message(21, Deed::ReadBack { of }))), None);
        if operation == Operation::ConfirmOrder {
            return confirm;
        }
        done(&self.ward.ask(member, confirm));
        Ask::Order(OrderAsk::File { order })
    }

    /// About a message of the member's; given by them for their role, where there is to be one.
    pub(super) fn of_task(&mut self, operation: Operation) -> TaskAsk {
        let found = self.said_by_the_member();
        let message = StatId { conversation: self.place, sequence: Sequence(1) };
        let give = |to, found| TaskAsk::Give { message, to, due: None, found };
        if operation == Operation::GiveTask {
            return give(Assignee::Person(self.victim), found);
        }
        done(&self.ward.ask(Actor::Member.conn(), Ask::Task(give(Assignee::Role(self.role), found))));
        match operation {
            Operation::AnswerTask => TaskAsk::Answer { task: message, answer: TaskAnswer::Take },
            Operation::WithdrawTask => TaskAsk::Answer { task: message, answer: TaskAnswer::Withdraw },
            Operation::ReassignTask => {
                TaskAsk::Reassign { task: message, to: Assignee::Person(self.victim), due: None }
            }
            _ => TaskAsk::List { conversation: None, after: None },
        }
    }
}
