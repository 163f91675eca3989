-- Places that a number mistyped by a researcher made, and that nobody ever held, were read with every arrival.
delete from slots s
where not in_design and extra_postings = 0
  and not exists (select from participants p where p.slot_id = s.id);
