-- A study pre-registers one policy, once: where several were frozen, the first one is the promise, and the others deviate from it.
update policies later set frozen_at = null
from policies first
where later.study_id = first.study_id and first.frozen_at is not null
  and (first.frozen_at, first.name) < (later.frozen_at, later.name);
create unique index policies_preregistered on policies (study_id) where frozen_at is not null;
