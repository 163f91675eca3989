-- Fills a database with many studies: `call copy_study(model, studies, people)` copies a study so many times, each with so many people, who
-- are copies of the participants who completed the model, by turns. No table is analysed. Tests and script/bench use it.

-- Inserts rows of a table, called `r` in a from clause, with some columns replaced by other expressions.
create or replace procedure copy_rows(of_table regclass, replaced jsonb, from_clause text) language plpgsql as $$
declare
    columns text;
    expressions text;
begin
    select string_agg(quote_ident(attname), ', ' order by attnum),
           string_agg(coalesce(replaced ->> attname::text, 'r.' || quote_ident(attname)), ', ' order by attnum)
    into columns, expressions
    from pg_attribute
    where attrelid = of_table and attnum > 0 and not attisdropped and attgenerated = ''
        and (attidentity = '' or replaced ? attname::text);
    execute format('insert into %s (%s) overriding system value select %s from %s', of_table, columns, expressions, from_clause);
end $$;

create or replace procedure copy_study(model bigint, studies int, people int) language plpgsql as $$
declare
    copy bigint;
    version bigint;
    newest bigint := (select id from study_versions where study_id = model order by number desc limit 1);
    own text;
begin
    create temp table models as
    select p.id, row_number() over (order by p.enrolled_at, p.id) - 1 as turn, count(*) over () as turns
    from participants p where p.study_id = model and p.stage = 'complete';

    for nth in 1..studies loop
        copy := nextval(pg_get_serial_sequence('studies', 'id'));
        version := nextval(pg_get_serial_sequence('study_versions', 'id'));
        create temp table new_trials as
        select id as old, nextval(pg_get_serial_sequence('trials', 'id')) as new from trials where version_id = newest;
        create temp table new_links as
        select id as old, nextval(pg_get_serial_sequence('links', 'id')) as new from links where study_id = model;
        -- Each person's original, and for the kept ones the number of their slot in the condition.
        create temp table new_people as
        select gen_random_uuid() as id, m.id as old, person as turn, p.link_id,
               case when p.claim = 'kept'
                   then row_number() over (partition by p.claim, p.mode, p.condition order by person) end as place
        from generate_series(0, people - 1) person join models m on m.turn = person % m.turns
        join participants p on p.id = m.id;

        call copy_rows('studies', jsonb_build_object('id', copy, 'slug', quote_literal('copy-' || copy),
            'family', quote_literal('copy-' || copy)), format('studies r where r.id = %s', model));
        call copy_rows('study_versions', jsonb_build_object('id', version, 'study_id', copy, 'number', 1),
            format('study_versions r where r.id = %s', newest));
        call copy_rows('trials', jsonb_build_object('id', 'm.new', 'version_id', version),
            'new_trials m join trials r on r.id = m.old');
        call copy_rows('links', jsonb_build_object('id', 'm.new', 'study_id', copy, 'code', format('r.code || %L', '-' || copy)),
            'new_links m join links r on r.id = m.old');
        insert into arrivals (link_id, kind, day, n) select new, 'arrived', current_date, people from new_links;
        insert into enrolment_counters select copy, mode, enrolled from enrolment_counters where study_id = model;
        insert into slots (study_id, mode, condition, number, image_set)
        select copy, p.mode, p.condition, m.place, p.image_set
        from new_people m join participants p on p.id = m.old where m.place is not null;
        call copy_rows('participants', jsonb_build_object('id', 'm.id', 'study_id', copy, 'version_id', version,
                'link_id', 'l.new', 'pseudonym', format('%L || m.turn', 'p-' || copy || '-'), 'slot_id', 's.id',
                'posting', 'case when s.id is not null then 1 end', 'enrolled_at', 'r.enrolled_at + m.turn * interval ''1 ms'''),
            format('new_people m join participants r on r.id = m.old join new_links l on l.old = r.link_id
                left join slots s on s.study_id = %s and (s.mode, s.condition, s.number) = (r.mode, r.condition, m.place)', copy));
        own := 'new_people m cross join lateral (select * from %s where participant_id = m.old offset 0) r';
        call copy_rows('schedule', '{"participant_id": "m.id", "trial_id": "t.new"}',
            format(own, 'schedule') || ' join new_trials t on t.old = r.trial_id');
        call copy_rows('responses', '{"participant_id": "m.id"}', format(own, 'responses'));
        call copy_rows('tallies', '{"participant_id": "m.id"}', format(own, 'tallies'));
        call copy_rows('events', '{"participant_id": "m.id"}', format(own, 'events'));
        insert into overrides select id, 'include', 'copied', 'test', now() from new_people where turn % 10 = 0;
        insert into once_only select 'copy-' || copy, 'mturk', decode(md5(id::text), 'hex'), id from new_people;
        insert into identities (participant_id, platform, worker_id, receipt)
        select id, 'mturk', 'W' || turn, 'R' || turn from new_people;
        insert into assignments (participant_id, number, assignment_id, seen_at)
        select id, 1, '3A' || turn, now() from new_people;
        drop table new_trials, new_links, new_people;
    end loop;
    drop table models;
end $$;
