-- pre-data
create table pbp_section (
    year        smallint not null,
    section     text not null,
    contract_id text not null,
    plan_id     text not null,
    segment_id  text not null,
    line        integer not null,
    fields      jsonb not null
);

comment on table pbp_section is
    'Plan Benefit Package: every row of every PBP table (pbp_*.txt), one row a line. The some 75 tables change names and widths each year (17 to 840 columns, most of them null), so their columns are kept as CMS sent them in fields; what apps need is typed in plan, plan_drug_benefit and benefit. [file]';
comment on column pbp_section.year is
    'Contract year of the release, from the name of CMS''s zip (pbp-benefits-2026.zip). [file]';
comment on column pbp_section.section is
    'PBP table the row comes from: its file name between pbp_ and .txt in lower case, as in b7_health_prof, mrx, section_d. lower(pbp_column.sas_file) is pbp_ and this. [file]';
comment on column pbp_section.contract_id is
    'CMS contract: a letter and four digits. H local Medicare Advantage and cost, R regional, S stand-alone drug plan, E employer direct, X fallback. [file]';
comment on column pbp_section.plan_id is
    'Plan within the contract, three digits with leading zeros; 800 and above are sold to employers only. [file]';
comment on column pbp_section.segment_id is
    'Segment of the plan as PBP writes it: no leading zeros, 0 where the plan has none. Part D writes 000. [file]';
comment on column pbp_section.line is
    'Line of the row in its file, the header being line 1. With section the key: tables such as section_c_pos have several rows a plan and no key of their own. [file]';
comment on column pbp_section.fields is
    'Every other column of the row that is not empty: CMS''s column name to CMS''s text, untouched. A name that the header repeats is NAME (2). Names, titles and codes: pbp_column and CMS''s PBP dictionary. Yes/no is 1/2, money has two decimals, selections end in a semicolon or are a bit a choice. [file]';

-- post-data
alter table pbp_section add primary key (section, line);
create index pbp_section_plan on pbp_section (contract_id, plan_id, segment_id, section);

-- check: contract, plan and segment have the form that joins need
select contract_id, plan_id, segment_id
from pbp_section
where contract_id !~ '^[A-Z][0-9]{4}$'
   or plan_id !~ '^[0-9]{3}$'
   or segment_id !~ '^[0-9]{1,3}$';

-- check: a plan has one row in the sections that describe the plan as a whole
select section, contract_id, plan_id, segment_id, count(*) as rows
from pbp_section
where section in ('section_a', 'section_d', 'mrx')
group by section, contract_id, plan_id, segment_id
having count(*) > 1;
