-- derive
-- Where the Postal Service has its codes: one row a run of codes. Of two runs that hold a code the shorter
-- one counts (Fishers Island, 06390, is served from Connecticut and lies in New York).
create table zip_range (
    first_zip   text not null,
    last_zip    text not null,
    state       text not null,
    county_fips text,
    county      text
);

insert into zip_range (first_zip, last_zip, state, county_fips, county)
values
    ('00501', '00544', 'NY', null, null),
    ('00600', '00799', 'PR', null, null),
    ('00800', '00899', 'VI', null, null),
    ('00900', '00999', 'PR', null, null),
    ('01000', '02799', 'MA', null, null),
    ('02800', '02999', 'RI', null, null),
    ('03000', '03899', 'NH', null, null),
    ('03900', '04999', 'ME', null, null),
    ('05000', '05499', 'VT', null, null),
    ('05500', '05599', 'MA', null, null),
    ('05600', '05999', 'VT', null, null),
    ('06000', '06999', 'CT', null, null),
    ('06390', '06390', 'NY', null, null),
    ('07000', '08999', 'NJ', null, null),
    ('10000', '14999', 'NY', null, null),
    ('15000', '19699', 'PA', null, null),
    ('19700', '19999', 'DE', null, null),
    ('20000', '20599', 'DC', null, null),
    ('20100', '20199', 'VA', null, null),
    ('20600', '21999', 'MD', null, null),
    ('22000', '24699', 'VA', null, null),
    ('24700', '26899', 'WV', null, null),
    ('26900', '26999', 'WV', null, null),
    ('27000', '28999', 'NC', null, null),
    ('29000', '29999', 'SC', null, null),
    ('30000', '31999', 'GA', null, null),
    ('32000', '34999', 'FL', null, null),
    ('35000', '36999', 'AL', null, null),
    ('37000', '38599', 'TN', null, null),
    ('38600', '39799', 'MS', null, null),
    ('39800', '39999', 'GA', null, null),
    ('40000', '42799', 'KY', null, null),
    ('43000', '45999', 'OH', null, null),
    ('46000', '47999', 'IN', null, null),
    ('48000', '49999', 'MI', null, null),
    ('50000', '52899', 'IA', null, null),
    ('53000', '54999', 'WI', null, null),
    ('55000', '56799', 'MN', null, null),
    ('56900', '56999', 'DC', null, null),
    ('57000', '57799', 'SD', null, null),
    ('58000', '58899', 'ND', null, null),
    ('59000', '59999', 'MT', null, null),
    ('60000', '62999', 'IL', null, null),
    ('63000', '65899', 'MO', null, null),
    ('66000', '67999', 'KS', null, null),
    ('68000', '69399', 'NE', null, null),
    ('70000', '71499', 'LA', null, null),
    ('71600', '72999', 'AR', null, null),
    ('73000', '74999', 'OK', null, null),
    ('73300', '73399', 'TX', null, null),
    ('75000', '79999', 'TX', null, null),
    ('80000', '81699', 'CO', null, null),
    ('82000', '83199', 'WY', null, null),
    ('83200', '83899', 'ID', null, null),
    ('84000', '84799', 'UT', null, null),
    ('85000', '86599', 'AZ', null, null),
    ('87000', '88499', 'NM', null, null),
    ('88500', '88599', 'TX', null, null),
    ('88900', '89899', 'NV', null, null),
    ('90000', '96199', 'CA', null, null),
    ('96700', '96899', 'HI', null, null),
    ('96799', '96799', 'AS', null, null),
    ('96910', '96932', 'GU', '66010', 'Guam'),
    ('96950', '96952', 'MP', null, null),
    ('97000', '97999', 'OR', null, null),
    ('98000', '99499', 'WA', null, null),
    ('99500', '99999', 'AK', null, null);

alter table zip_range add primary key (first_zip, last_zip);

comment on table zip_range is
    'Runs of postal codes and the state that the Postal Service has them in: the test of zip_county, whose rows come from elsewhere. Fixed: USPS Publication 65 and Labeling List L002, three-digit prefixes; territories by five digits.';
comment on column zip_range.first_zip is
    'First postal code of the run, five digits.';
comment on column zip_range.last_zip is
    'Last postal code of the run, five digits.';
comment on column zip_range.state is
    'State or territory, two letters; joins state.state.';
comment on column zip_range.county_fips is
    'FIPS county code where the territory is a single county: zip_place has it for codes that the file puts into another state. Null elsewhere.';
comment on column zip_range.county is
    'Name of that county.';

-- The file of postal codes has Guam's in American Samoa, whose county it calls Unknown; and it may be older
-- or newer than the county file, and have the other code of a county that changed.
create view zip_place as
select distinct z.zip,
    coalesce(r.county_fips, c.now, z.fips) as fips,
    case when r.county_fips is not null then r.county else z.county end as county,
    case when r.county_fips is not null then r.state else z.state end as state
from zip_county as z
left join zip_range as r
    on r.county_fips is not null
   and z.zip between r.first_zip and r.last_zip
   and z.state is distinct from r.state
left join (
    select way.was, way.now
    from county_change as k
    cross join lateral (values
        (k.county_fips_before, k.county_fips),
        (k.county_fips, k.county_fips_before)
    ) as way (was, now)
    where exists (select from ssa_fips_county as f where f.fipscounty = way.now)
      and not exists (select from ssa_fips_county as f where f.fipscounty = way.was)
) as c on c.was = z.fips;

comment on view zip_place is
    'Counties that a postal code lies in: zip_county with what is known to be wrong in it put right, Guam''s codes above all (zip_range), and with the codes that the county file has for counties that changed (county_change). Look postal codes up here.';
comment on column zip_place.zip is
    'Postal code, five digits.';
comment on column zip_place.fips is
    'FIPS county code; joins ssa_county.county_fips.';
comment on column zip_place.county is
    'Name of the county.';
comment on column zip_place.state is
    'State, two letters; joins state.state.';

-- check: the postal codes of a state lead to that state
select s.name as state_name, count(*) as postal_codes, count(*) filter (where not p.is_right) as elsewhere
from (
    select z.zip, bool_or(z.state = r.state) as is_right, min(r.state) as state
    from zip_place as z
    cross join lateral (
        select state
        from zip_range
        where z.zip between first_zip and last_zip
        order by last_zip::integer - first_zip::integer
        limit 1
    ) as r
    where z.state in (select state from state)
    group by z.zip
) as p
join state as s on s.state = p.state
group by s.name
having count(*) filter (where not p.is_right) > greatest(2, count(*) / 2);
