-- derive
-- The headings that the star tables have in each year, and what each means. CMS renames some from year to
-- year: a heading that is not here ends the night with its name; add a row for it, here and nowhere else.
create table star_heading (
    source      text not null,
    heading     text not null,
    first_year  smallint not null,
    last_year   smallint,
    code        text not null,
    kind        text not null
);

insert into star_heading (source, heading, first_year, last_year, code, kind)
values
    ('star_summary', 'YEAR Part C Summary', 2022, null, 'part_c', 'summary'),
    ('star_summary', 'YEAR Part D Summary', 2022, null, 'part_d', 'summary'),
    ('star_summary', 'YEAR Overall', 2022, null, 'overall', 'summary'),
    -- Share of members in areas of a disaster, by its year: 2021 Disaster %.
    ('star_summary', 'YEAR Disaster %', 2022, null, 'disaster_YEAR', 'disaster'),
    ('star_disenrollment', 'Problems Getting Needed Care, Coverage, and Cost Information', 2022, 2023,
     'disenrollment_1', 'disenrollment'),
    ('star_disenrollment', 'Problems Getting the Plan to Provide and Pay for Needed Care', 2024, null,
     'disenrollment_1', 'disenrollment'),
    ('star_disenrollment', 'Problems with Coverage of Doctors and Hospitals', 2022, null,
     'disenrollment_2', 'disenrollment'),
    ('star_disenrollment', 'Financial Reasons for Disenrollment', 2022, null,
     'disenrollment_3', 'disenrollment'),
    ('star_disenrollment', 'Problems with Prescription Drug Benefits and Coverage', 2022, null,
     'disenrollment_4', 'disenrollment'),
    ('star_disenrollment', 'Problems Getting Information and Help from the Plan', 2022, null,
     'disenrollment_5', 'disenrollment');

alter table star_heading add primary key (source, heading);

comment on table star_heading is
    'Headings of the star tables by the years that have them, and the code and kind that star_rating gives what stands below them: one row a heading. Measures and domains need no row: CMS writes their codes into their headings (C01: …, HD1: …).';
comment on column star_heading.source is
    'Table that has the heading as a key of fields.';
comment on column star_heading.heading is
    'The heading, in large or small letters; YEAR stands for any four digits.';
comment on column star_heading.first_year is
    'First year of the star ratings in which the heading was seen; it may be older.';
comment on column star_heading.last_year is
    'Last year in which it was seen; null where it is in use. A file of another year with this heading is read all the same.';
comment on column star_heading.code is
    'star_rating.measure_code of what stands below it; YEAR is the year in the heading.';
comment on column star_heading.kind is
    'star_rating.kind of what stands below it.';

-- check: every heading of the star tables is known; add the new name of one to star_heading
select distinct s.year, s.source, key as heading
from (
    select year, 'star_summary' as source, fields from star_summary
    union all
    select year, 'star_disenrollment', fields from star_disenrollment
) as s
cross join lateral jsonb_object_keys(s.fields) as key
where not exists (
    select from star_heading as h
    where h.source = s.source and lower(h.heading) = lower(regexp_replace(key, '[0-9]{4}', 'YEAR')))
union all
select distinct s.year, s.source, key
from (
    select year, 'star_measure' as source, fields from star_measure
    union all
    select year, 'star_measure_stars', fields from star_measure_stars
) as s
cross join lateral jsonb_object_keys(s.fields) as key
where not exists (
    select from unnest(string_to_array(key, ' | ')) as part where part ~ '^[CD][0-9]{2}:')
union all
select distinct year, 'star_domain', key
from star_domain
cross join lateral jsonb_object_keys(fields) as key
where key !~ '^[HD]D[0-9]+:';
