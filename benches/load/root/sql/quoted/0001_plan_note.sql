-- pre-data
create table plan_note (
    contract_id text not null,
    plan_id     text not null,
    plan_name   text not null,
    state       text,
    tier        smallint,
    premium     numeric(10,2),
    snp         boolean,
    note        text
);

comment on table plan_note is 'Made-up plans with names and notes that need quotes.';
comment on column plan_note.contract_id is 'CMS contract.';
comment on column plan_note.plan_id is 'Plan within the contract.';
comment on column plan_note.plan_name is 'Plan as marketed, with quotes and commas.';
comment on column plan_note.state is 'State, two letters.';
comment on column plan_note.tier is 'Cost sharing tier.';
comment on column plan_note.premium is 'Monthly premium, US dollars.';
comment on column plan_note.snp is 'True (Y) for a special needs plan.';
comment on column plan_note.note is 'Words, with line ends inside.';

-- post-data
create index plan_note_plan on plan_note (contract_id, plan_id);
