-- kiln's own schema inside every build: what was read, what was refused, and the stamp.
create schema kiln;
comment on schema kiln is 'How this build was made: written by kiln, read by apps';

create table kiln.manifest (
    document jsonb not null
);
comment on table kiln.manifest is 'The exact inputs, fixed before the first byte was read';

-- Not `plan`: a login named kiln has this schema before public in its search_path, and apps have a table of
-- that name.
create table kiln.run_plan (
    document jsonb not null
);
comment on table kiln.run_plan is 'What the run decided, once: inputs, a decision with its reason for each source, the estimate';

create table kiln.source (
    source    text primary key,
    state     text not null check (state in ('loading', 'loaded', 'failed', 'without')),
    attempt   bigint not null,
    period    text,
    posted    text,
    rows      bigint,
    rejected  bigint,
    digest    text,
    entry     jsonb not null,
    loaded_at timestamptz
);
comment on table kiln.source is 'One row a source: its state, period, counts and digest';

create view kiln.file as
    select s.source, f.*
    from kiln.source s,
         jsonb_to_recordset(s.entry -> 'files') as f (
             object text, version text, member text, bytes bigint, sha256 text, evidence text,
             lines bigint, header bigint, loaded bigint, rejected bigint, filtered bigint, misfits bigint,
             copied bigint, digest text)
    where s.state in ('loaded', 'failed');
comment on view kiln.file is 'One row a file: lines = header + loaded + rejected + filtered';

create table kiln.reject (
    source      text not null,
    attempt     bigint not null,
    object      text not null,
    member      text not null,
    line        bigint not null,
    byte        bigint not null,
    column_name text,
    reason      text not null,
    bytes       bytea
);
comment on table kiln.reject is 'Rows that were refused, with their place, reason and bytes';

create table kiln.task (
    id          integer primary key generated always as identity,
    name        text not null unique,
    kind        text not null check (kind in ('load', 'copy', 'index', 'derive', 'analyze', 'check')),
    subject     text not null,
    needs       text[] not null,
    bytes       bigint not null,
    seconds     double precision not null,
    state       text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed')),
    attempt     integer not null default 0,
    worker      text,
    started_at  timestamptz,
    finished_at timestamptz,
    result      jsonb,
    error       jsonb
);
comment on table kiln.task is 'What is done to make this build: a row a task, with the tasks that it needs';
comment on column kiln.task.seconds is 'What it is expected to take; what it took is finished_at - started_at';
comment on column kiln.task.state is 'running: the worker holds an advisory lock on the id as long as it does it';
comment on column kiln.task.attempt is 'Counts claims';
comment on column kiln.task.worker is 'Run, host and process that claimed it last';

create table kiln.stamp (
    one_row     boolean primary key default true check (one_row),
    build       text not null,
    database    text not null,
    version     integer not null,
    serves_from integer not null,
    fingerprint text not null,
    period      text not null,
    without     text[] not null,
    run         text not null,
    tool        text not null,
    sealed_at   timestamptz not null default clock_timestamp(),
    manifest    jsonb not null,
    ledger      jsonb not null,
    contents    jsonb
);
comment on column kiln.stamp.contents is
    'What was there at the seal: rows and digests of every table, rights and settings, transactions';
comment on table kiln.stamp is
    'Written last: a build with a row here is complete, checked and will not change';
