insert into events (participant_id, tab, seq, kind, at_ms, detail, server_at)
select new.*, now() from unnest(array(select row(id, 1, 2, 'focus_loss', 6, '{}')::new_event from participants)) as new;
