-- derive
create table star_rating (
    year          smallint not null,
    contract_id   text not null,
    measure_code  text not null,
    kind          text not null,
    measure_name  text not null,
    domain        text,
    period        text,
    value         numeric,
    value_text    text,
    value_words   text,
    stars         numeric(2,1),
    stars_words   text
);

insert into star_rating (year, contract_id, measure_code, kind, measure_name, domain, period,
    value, value_text, value_words, stars, stars_words)
with heading as (
    -- CMS writes a measure's name as "C01: Breast Cancer Screening", in some years below its
    -- domain and above its period, joined as "HD1: Staying Healthy … | C01: … | 01/01/2021 – …".
    select year, contract_id, source, string_to_array(key, ' | ') as parts, key, field
    from (
        select year, contract_id, 'value' as source, fields from star_measure
        union all
        select year, contract_id, 'stars', fields from star_measure_stars
    ) as measured
    cross join lateral jsonb_each_text(fields) as f (key, field)
), measure as (
    select year, contract_id, source, field,
        split_part(title, ':', 1) as measure_code,
        trim(substr(title, strpos(title, ':') + 1)) as measure_name,
        (select part from unnest(parts) as part where part ~ '^[HD]D[0-9]+:') as domain,
        -- What stands below the measure's name is the time in which it was measured.
        parts[array_position(parts, title) + 1] as period
    from (
        select *, (select part from unnest(parts) as part where part ~ '^[CD][0-9]{2}:') as title
        from heading
    ) as titled
    where title is not null
), said as (
    select year, contract_id, measure_code, 'measure' as kind,
        max(measure_name) as measure_name, max(domain) as domain, max(period) as period,
        max(field) filter (where source = 'value') as value,
        max(field) filter (where source = 'stars') as stars
    from measure
    group by year, contract_id, measure_code
    union all
    select year, contract_id, split_part(key, ':', 1), 'domain',
        trim(substr(key, strpos(key, ':') + 1)), key, null, null, field
    from star_domain
    cross join lateral jsonb_each_text(fields) as f (key, field)
    where key ~ '^[HD]D[0-9]+:'
    union all
    -- What else the tables have, by the names that star_heading knows.
    select t.year, t.contract_id,
        replace(h.code, 'YEAR', coalesce(substring(key from '[0-9]{4}'), '')), h.kind,
        regexp_replace(key, '^' || t.year || ' ', ''), null, null,
        case when h.kind <> 'summary' then field end,
        case when h.kind = 'summary' then field end
    from (
        select year, contract_id, 'star_summary' as source, fields from star_summary
        union all
        select year, contract_id, 'star_disenrollment', fields from star_disenrollment
    ) as t
    cross join lateral jsonb_each_text(t.fields) as f (key, field)
    join star_heading as h
        on h.source = t.source and lower(h.heading) = lower(regexp_replace(key, '[0-9]{4}', 'YEAR'))
)
select year, contract_id, measure_code, kind, measure_name, domain, period,
    case
        when kind = 'disaster' and value ~ '^[0-9]+(\.[0-9]+)?$' then trim_scale(value::numeric / 100)
        when value ~ '^-?[0-9]+(\.[0-9]+)?%$' then trim_scale(rtrim(value, '%')::numeric / 100)
        when value ~ '^-?[0-9]+(\.[0-9]+)?$' then value::numeric
    end,
    case when value ~ '[0-9]' then value end,
    case when value !~ '[0-9]' then value end,
    case when stars ~ '^[0-9](\.[0-9])?$' then stars::numeric end,
    case when stars !~ '^[0-9](\.[0-9])?$' then stars end
from said;

alter table star_rating add primary key (contract_id, year, measure_code);
create index star_rating_measure on star_rating (measure_name, year);

comment on table star_rating is
    'Star ratings in long form: one row a year, contract and measure, all years that have landed, so that the history of a rating is one query. From star_summary, star_domain, star_measure, star_measure_stars and star_disenrollment. Codes are CMS''s of that year and move from year to year: follow a measure through the years by its name, a reason for leaving by its code (star_heading).';
comment on column star_rating.year is
    'Year of the star ratings: published in October before, shown to people who choose a plan for that year.';
comment on column star_rating.contract_id is
    'CMS contract: a letter and four digits. Ratings are of contracts: all plans of a contract share them.';
comment on column star_rating.measure_code is
    'C01 … health measures, D01 … drug measures, HD1 … DD4 domains, part_c, part_d and overall summary ratings, disaster_YYYY share of members in disaster areas, disenrollment_1 … 5 reasons for leaving.';
comment on column star_rating.kind is
    'measure, domain, summary, disaster or disenrollment.';
comment on column star_rating.measure_name is
    'Name of the measure, domain or summary without its code.';
comment on column star_rating.domain is
    'Group of measures that it belongs to, with its code; null in years whose files do not name it.';
comment on column star_rating.period is
    'Time in which it was measured, as CMS writes it; Not Applicable where CMS says so; null in years whose files do not name it.';
comment on column star_rating.value is
    'What was measured: a share is 0 to 1 (74% is 0.74), any other number as CMS writes it (a score of 0 to 100, complaints per 1,000 members). Null where there is no number.';
comment on column star_rating.value_text is
    'What was measured as CMS writes it, sign included; null where there is no number.';
comment on column star_rating.value_words is
    'What CMS wrote in place of a number, as Plan too new to be measured; null where there is a number, or where the measure has no value but stars.';
comment on column star_rating.stars is
    'Stars: 1 to 5; summary ratings in halves. Null where there is no number.';
comment on column star_rating.stars_words is
    'What CMS wrote in place of stars, as Not enough data available or Not Applicable; null where there are stars, or where no file of that year has the stars of the measure.';

-- check: no field of the star tables is lost
select 'star_measure' as source, t.year, t.contract_id
from (select year, contract_id, fields, 'value' as what from star_measure
      union all select year, contract_id, fields, 'stars' from star_measure_stars) as t
where (select count(*) from jsonb_object_keys(t.fields))
      <> (select count(*) from star_rating as r
          where r.year = t.year and r.contract_id = t.contract_id and r.kind = 'measure'
            and case t.what when 'value' then num_nonnulls(r.value_text, r.value_words)
                            else num_nonnulls(r.stars, r.stars_words) end = 1)
union all
select 'star_domain', t.year, t.contract_id
from star_domain as t
where (select count(*) from jsonb_object_keys(t.fields))
      <> (select count(*) from star_rating as r
          where r.year = t.year and r.contract_id = t.contract_id and r.kind = 'domain')
union all
select 'star_summary', t.year, t.contract_id
from star_summary as t
where (select count(*) from jsonb_object_keys(t.fields))
      <> (select count(*) from star_rating as r
          where r.year = t.year and r.contract_id = t.contract_id
            and r.kind in ('summary', 'disaster'))
union all
select 'star_disenrollment', t.year, t.contract_id
from star_disenrollment as t
where (select count(*) from jsonb_object_keys(t.fields))
      <> (select count(*) from star_rating as r
          where r.year = t.year and r.contract_id = t.contract_id and r.kind = 'disenrollment');

-- check: what has digits was read as a number
select year, contract_id, measure_code, value_text, stars_words
from star_rating
where (value_text is not null and value is null)
   or stars_words ~ '^[0-9]';

-- check: stars are 1 to 5
select year, contract_id, measure_code, stars
from star_rating
where stars not between 1 and 5;
