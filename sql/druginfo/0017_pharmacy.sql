-- derive from pharmacy_networks, network_pharmacy, network_terms, nppes_pharmacy
-- One pass over the network, without a join and without a copy of it, spread over the server's
-- parallel workers: how terms serve (1 retail, 2 mail order) is looked up in an array by their number,
-- which takes a third less of the time than joining network_terms.
set local work_mem = '64MB';
-- The planner takes an array for one row where workers hand rows on, and would have them hand on all.
set local parallel_tuple_cost = 100;
create table pharmacy as
with serving as (
    select array_agg(coalesce(case when t.pharmacy_retail then 1 else 0 end
                              + case when t.pharmacy_mail then 2 else 0 end, 0)::smallint
                     order by n.id) as ways
    from generate_series(1, (select max(id) from network_terms)) as n (id)
    left join network_terms t on t.id = n.id
), served as (
    select pharmacy_key, count(*)::integer as plans,
           bit_or((select ways from serving)[terms_key]) as ways
    from (select generate_subscripts(terms_keys, 1) as pharmacy_key, unnest(terms_keys) as terms_key
          from pharmacy_networks) as n
    where terms_key <> 0
    group by pharmacy_key
), numbered as (
    select p.pharmacy_number,
           min(p.pharmacy_zipcode) as zipcode,
           count(p.pharmacy_zipcode)::integer as zipcodes,
           coalesce(sum(s.plans), 0)::integer as plans,
           coalesce(bool_or(s.ways & 1 <> 0), false) as is_retail,
           coalesce(bool_or(s.ways & 2 <> 0), false) as is_mail
    from network_pharmacy p
    left join served s on s.pharmacy_key = p.id
    group by p.pharmacy_number
)
select substr(n.pharmacy_number, 3) as npi,
       n.pharmacy_number,
       -- 3 is a name it does business under; 4 a legal name that it had before (NPPES, code values).
       coalesce(case when m.other_organization_name_type_code = '3' then m.other_organization_name end,
                m.organization_name,
                nullif(concat_ws(' ', m.first_name, m.last_name), '')) as name,
       m.organization_name,
       m.address_1,
       m.address_2,
       m.city,
       m.state,
       coalesce(n.zipcode, m.zip5) as zipcode,
       m.phone,
       n.zipcodes,
       n.is_retail,
       n.is_mail,
       n.plans,
       m.npi is not null as in_nppes
from numbered n
left join nppes_pharmacy m on m.npi = substr(n.pharmacy_number, 3);

alter table pharmacy
    add primary key (npi),
    alter column pharmacy_number set not null,
    alter column zipcodes set not null,
    alter column is_retail set not null,
    alter column is_mail set not null,
    alter column plans set not null,
    alter column in_nppes set not null;
create index pharmacy_zipcode on pharmacy (zipcode);

comment on table pharmacy is
    'Pharmacies in any plan''s network: one row a pharmacy, with name and address where NPPES lists its NPI as a pharmacy. Derived from the network and nppes_pharmacy. [layout]';
comment on column pharmacy.npi is
    'National Provider Identifier, ten digits. What drug_cost and rank_plans take. [layout]';
comment on column pharmacy.pharmacy_number is
    'The pharmacy in CMS''s network file: 10 and the NPI. [layout]';
comment on column pharmacy.name is
    'Name that the pharmacy trades under, else its legal name. Null where NPPES does not list it. [layout]';
comment on column pharmacy.organization_name is
    'Legal name of the organisation. [layout]';
comment on column pharmacy.address_1 is
    'Street address, first line. [layout]';
comment on column pharmacy.address_2 is
    'Street address, second line. [layout]';
comment on column pharmacy.city is
    'City. [layout]';
comment on column pharmacy.state is
    'State, two letters. [layout]';
comment on column pharmacy.zipcode is
    'ZIP code, five digits: the plans'' where they give one (the lowest of several), else that of NPPES. [layout]';
comment on column pharmacy.phone is
    'Telephone, digits without punctuation. [layout]';
comment on column pharmacy.zipcodes is
    'ZIP codes that plans give for the pharmacy: 1, or more where they disagree. [layout]';
comment on column pharmacy.is_retail is
    'True where the pharmacy serves any plan at retail. [layout]';
comment on column pharmacy.is_mail is
    'True where the pharmacy serves any plan by mail order. [layout]';
comment on column pharmacy.plans is
    'Plans in whose network the pharmacy is. [layout]';
comment on column pharmacy.in_nppes is
    'True where NPPES lists the NPI as a pharmacy. [layout]';
