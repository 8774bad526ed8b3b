-- pre-data
create table pbp (
    contract_id text not null,
    plan_id     text not null,
    segment_id  text not null,
    line        integer not null,
    fields      jsonb not null
);

comment on table pbp is 'A PBP table: one row a line of the file.';
comment on column pbp.contract_id is 'CMS contract.';
comment on column pbp.plan_id is 'Plan within the contract.';
comment on column pbp.segment_id is 'Segment of the plan.';
comment on column pbp.line is 'Line of the file.';
comment on column pbp.fields is 'All other columns that are not empty, by name.';

-- post-data
alter table pbp add primary key (line);
