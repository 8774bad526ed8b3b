-- The small database `kiln`: contracts, history and audit. Applied at every start; every
-- statement may be run again.
create schema if not exists kiln;

create sequence if not exists kiln.build_number;

create table if not exists kiln.build (
    name       text primary key,
    database   text not null,
    run        text not null,
    created_at timestamptz not null default clock_timestamp()
);
-- The object of that name that kiln makes, noted before it is made; and what the comment on it says.
alter table kiln.build add column if not exists oid oid, add column if not exists tag jsonb;
comment on table kiln.build is
    'Every build''s name and object, written before its database is created: what kiln may drop';

create table if not exists kiln.contract (
    database    text not null,
    app         text not null,
    accepts_min integer not null,
    accepts_max integer not null check (accepts_max >= accepts_min),
    set_by      text not null,
    set_at      timestamptz not null default clock_timestamp(),
    primary key (database, app)
);
alter table kiln.contract add column if not exists until date;
comment on column kiln.contract.until is 'The last day on which it counts; null: until it is removed';
comment on table kiln.contract is 'The schema versions that an app says it accepts';

create table if not exists kiln.run (
    run        text primary key,
    command    text not null,
    database   text not null,
    build      text,
    host       text not null,
    pid        integer not null,
    login      text not null,
    started_at timestamptz not null default clock_timestamp(),
    ended_at   timestamptz,
    exit_code  integer,
    error      text,
    next       text,
    ledger     jsonb
);
-- The error as data: kind, exit_code, message, hint, sqlstate, position. `error` is it as people read it.
alter table kiln.run add column if not exists failure jsonb;
comment on table kiln.run is 'One row a run: who started it, how it ended, and its ledger';

create table if not exists kiln.audit (
    id         bigint generated always as identity primary key,
    at         timestamptz not null default clock_timestamp(),
    login      text not null,
    host       text not null,
    run        text not null,
    action     text not null,
    database   text not null,
    from_build text,
    to_build   text,
    why        text not null,
    details    jsonb not null default '{}'
);
comment on table kiln.audit is 'Every change that apps can notice; rows are only ever added';

create table if not exists kiln.waiver (
    id       bigint generated always as identity primary key,
    database text not null,
    gate     text not null,
    source   text,
    build    text,
    until    date,
    why      text not null,
    login    text not null,
    host     text not null,
    at       timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    ended_by text,
    check (build is null or until is null)
);
comment on table kiln.waiver is
    'A gate that a person said does not count: for the next promotion, a build, or until a day';

create table if not exists kiln.promoted (
    build       text primary key,
    database    text not null,
    promoted_at timestamptz not null default clock_timestamp(),
    manifest    jsonb,
    rejected    jsonb
);
comment on table kiln.promoted is
    'Every build that went live, what it was made from, and who rolled away from it';

create table if not exists kiln.joint_swap (
    id       text primary key,
    home     text not null,
    members  jsonb not null,
    begun_at timestamptz not null default clock_timestamp(),
    renamed  boolean not null default false,
    ended_at timestamptz,
    outcome  text
);
comment on column kiln.joint_swap.renamed is
    'Whether this server''s databases are swapped; changed in the transaction of the renames';
comment on table kiln.joint_swap is
    'A swap of databases on several servers: written before the first rename, ended after the last';

create or replace function kiln.append_only() returns trigger language plpgsql as
$$ begin raise exception 'kiln.audit is append-only'; end $$;

create or replace trigger append_only before update or delete or truncate on kiln.audit
    for each statement execute function kiln.append_only();
