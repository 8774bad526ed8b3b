-- derive
create table search_facet (
    facet       text primary key,
    place       smallint not null,
    title       text not null,
    argument    text not null,
    description text not null
);
comment on table search_facet is 'The facets of search_plans: what a page can offer to narrow a search, and which argument does it.';
comment on column search_facet.facet is 'Key in the facets of the answer; joins search_value.facet.';
comment on column search_facet.place is 'Order in which a page shows the facets, from 1.';
comment on column search_facet.title is 'Title for a page.';
comment on column search_facet.argument is 'Argument of search_plans that filters by it.';
comment on column search_facet.description is 'What the filter does.';

insert into search_facet values
    ('plan_type', 1, 'Type of plan', 'plan_types', 'any of the given types'),
    ('snp', 2, 'Special needs plan', 'snp', 'any of the given kinds; None for plans open to all'),
    ('drug_coverage', 3, 'Drug coverage', 'drug_coverage', 'with (yes) or without (no) Part D'),
    ('premium', 4, 'Monthly premium', 'premium_max', 'at most so many US dollars a month'),
    ('medical_deductible', 5, 'Medical deductible', 'medical_deductible_max', 'at most so many US dollars a year'),
    ('drug_deductible', 6, 'Drug deductible', 'drug_deductible_max', 'at most so many US dollars a year'),
    ('out_of_pocket_maximum', 7, 'Out of pocket maximum', 'out_of_pocket_max', 'at most so many US dollars a year, in the network'),
    ('stars', 8, 'Star rating', 'stars_min', 'at least so many stars; unrated plans are left out'),
    ('organization', 9, 'Organization', 'organizations', 'any of the given organizations'),
    ('benefit', 10, 'Extra benefits', 'benefits', 'all of the given benefits: each counts as a filter of its own'),
    ('year', 11, 'Plan year', 'year', 'plans of this year');

-- Filters are bitmaps over plan numbers. Those with a facet are kept apart, so that a facet's counts
-- can leave its own filter out; what narrows without a facet (place, name, employer) goes into base.
create function search_plans(
    zip                    text default null,
    county                 text default null,
    year                   integer default null,
    plan_types             text[] default null,
    snp                    text[] default null,
    drug_coverage          boolean default null,
    organizations          text[] default null,
    benefits               text[] default null,
    premium_max            numeric default null,
    medical_deductible_max numeric default null,
    drug_deductible_max    numeric default null,
    out_of_pocket_max      numeric default null,
    stars_min              numeric default null,
    name                   text default null,
    employer               boolean default false,
    sort                   text default 'premium',
    page                   integer default 1,
    page_size              integer default 20
) returns json
    language plpgsql stable parallel safe
as $$
<<search>>
declare
    sorts    constant text[] := array['premium', 'drug_deductible', 'out_of_pocket_maximum', 'stars',
                                      'enrollment', 'name', 'organization'];
    sort_no  constant integer := array_position(sorts, sort);
    counties text[];
    local    integer[];    -- plans sold there, in the order that is asked for
    answers  integer[];
    base     bit varying;
    nothing  bit varying;
    bits     bit varying;
    facets   text[] := '{}';
    chosen   bit varying[] := '{}';
    others   bit varying[] := '{}';
    hits     bit varying;
    word     text;
    limits   numeric[];
    measures constant text[] := array['premium', 'medical_deductible', 'drug_deductible', 'out_of_pocket_maximum'];
    plans    json;
    counts   text;
begin
    if sort_no is null then
        raise exception 'no sort %', quote_nullable(sort)
            using errcode = 'invalid_parameter_value', hint = 'one of ' || array_to_string(sorts, ', ');
    end if;
    if page_size not between 1 and 100 or page < 1 then
        raise exception 'page % of % plans', page, page_size
            using errcode = 'invalid_parameter_value', hint = 'pages count from 1; page_size is 1 to 100';
    end if;
    -- What a caller sends is bounded, so that no call takes a minute or a gigabyte.
    if greatest(cardinality(plan_types), cardinality(search_plans.snp), cardinality(organizations),
                cardinality(benefits)) > 1000 or length(name) > 1000 then
        raise exception 'a list of more than 1,000 values, or a name of more than 1,000 characters'
            using errcode = 'invalid_parameter_value', hint = 'search_value lists the values of each facet';
    end if;

    select v.bits into base from search_value as v
    where v.facet = case when employer then 'all' else 'individual' end;
    if base is null then
        return json_build_object('total', 0, 'page', page, 'page_size', page_size, 'counties', '[]'::json,
                                 'plans', '[]'::json, 'facets', '{}'::json);
    end if;
    nothing := base # base;

    if county is not null then
        counties := array[county];
        if not exists (select from search_county as c where c.county_fips = search_plans.county)
           and not exists (select from zip_place as z where z.fips = search_plans.county) then
            raise exception 'no county % is known', county
                using errcode = 'invalid_parameter_value', hint = 'a county is five digits, its FIPS code';
        end if;
    elsif zip is not null then
        select coalesce(array_agg(z.fips order by z.fips), '{}') into counties
        from zip_place as z where z.zip = search_plans.zip;
        if cardinality(counties) = 0 then
            raise exception 'no county of ZIP code % is known', search_plans.zip
                using errcode = 'invalid_parameter_value', hint = 'give county, five digits';
        end if;
    end if;
    if array_length(counties, 1) = 1 then
        select c.bits, c.value_nos,
               c.ordered[(sort_no - 1) * cardinality(c.plan_nos) + 1 : sort_no * cardinality(c.plan_nos)]
        into bits, answers, local
        from search_county as c where c.county_fips = counties[1];
        base := base & coalesce(bits, nothing);
    elsif counties is not null then
        select bit_or(c.bits) into bits from search_county as c where c.county_fips = any (counties);
        select array_agg(s.plan_no order by s.places[sort_no]) into local
        from (select distinct p.plan_no
              from search_county as c, unnest(c.plan_nos) as p (plan_no)
              where c.county_fips = any (counties)) as sold
        join search_plan as s on s.plan_no = sold.plan_no;
        select array_agg(distinct v.value_no) into answers
        from search_county as c, unnest(c.value_nos) as v (value_no) where c.county_fips = any (counties);
        base := base & coalesce(bits, nothing);
    else
        select array_agg(v.value_no) into answers from search_value as v where v.head is not null;
    end if;

    if name is not null then
        foreach word in array regexp_split_to_array(lower(name), '[^[:alnum:]]+') loop
            continue when word = '';
            -- Above every word that begins with this one, in bytewise order.
            select bit_or(w.bits) into bits from search_word as w
            where w.word >= search.word and w.word < search.word || chr(1114111);
            base := base & coalesce(bits, nothing);
        end loop;
    end if;

    if year is not null then
        select v.bits into bits from search_value as v where v.facet = 'year' and v.value = search_plans.year::text;
        facets := facets || 'year'::text;
        chosen := chosen || coalesce(bits, nothing);
    end if;
    if plan_types is not null then
        select bit_or(v.bits) into bits from search_value as v where v.facet = 'plan_type' and v.value = any (plan_types);
        facets := facets || 'plan_type'::text;
        chosen := chosen || coalesce(bits, nothing);
    end if;
    if snp is not null then
        select bit_or(v.bits) into bits from search_value as v where v.facet = 'snp' and v.value = any (search_plans.snp);
        facets := facets || 'snp'::text;
        chosen := chosen || coalesce(bits, nothing);
    end if;
    if drug_coverage is not null then
        select v.bits into bits from search_value as v
        where v.facet = 'drug_coverage' and v.value = case when search_plans.drug_coverage then 'yes' else 'no' end;
        facets := facets || 'drug_coverage'::text;
        chosen := chosen || coalesce(bits, nothing);
    end if;
    if organizations is not null then
        select bit_or(v.bits) into bits from search_value as v
        where v.facet = 'organization' and v.value = any (organizations);
        facets := facets || 'organization'::text;
        chosen := chosen || coalesce(bits, nothing);
    end if;
    limits := array[premium_max, medical_deductible_max, drug_deductible_max, out_of_pocket_max];
    for n in 1 .. array_length(limits, 1) loop
        continue when limits[n] is null;
        select r.bits into bits from search_range as r
        where r.measure = measures[n] and r.up_to <= limits[n] order by r.up_to desc limit 1;
        facets := facets || measures[n];
        chosen := chosen || coalesce(bits, nothing);
    end loop;
    if stars_min is not null then
        -- All that have stars, but those that have fewer.
        select r.bits into bits from search_range as r where r.measure = 'stars' order by r.up_to desc limit 1;
        hits := coalesce(bits, nothing);
        select r.bits into bits from search_range as r
        where r.measure = 'stars' and r.up_to < stars_min order by r.up_to desc limit 1;
        facets := facets || 'stars'::text;
        chosen := chosen || (hits & ~coalesce(bits, nothing));
    end if;
    if benefits is not null then
        -- Each benefit is a filter of its own: left out or not, the plans that have it are the same.
        for n in 1 .. coalesce(array_length(benefits, 1), 0) loop
            select v.bits into bits from search_value as v where v.facet = 'benefit' and v.value = benefits[n];
            base := base & coalesce(bits, nothing);
        end loop;
    end if;

    hits := base;
    for n in 1 .. cardinality(chosen) loop
        hits := hits & chosen[n];
        bits := base;
        for other in 1 .. cardinality(chosen) loop
            if other <> n then
                bits := bits & chosen[other];
            end if;
        end loop;
        others := others || bits;
    end loop;

    if page > 1 and (page - 1)::bigint * page_size >= bit_count(hits) then
        raise exception 'page % of % plans, % a page', page, bit_count(hits), page_size
            using errcode = 'invalid_parameter_value',
                  hint = 'the last page is ' || greatest(ceil(bit_count(hits)::numeric / page_size), 1);
    end if;

    -- Text put together by hand: building the same with jsonb costs as much as all the counting.
    select string_agg(by_facet.answers, ', ' order by by_facet.answers) into counts
    from (
        select to_json(counted.facet) || ': ['
               || string_agg(counted.head || counted.plans || '}', ', ' order by counted.value_no) || ']' as answers
        from (
            select v.facet, v.head, v.value_no,
                   bit_count(v.bits & coalesce(o.bits, search.hits)) as plans
            from unnest(search.answers) as local (value_no)
            join search_value as v on v.value_no = local.value_no
            left join unnest(search.facets, search.others) as o (facet, bits) on o.facet = v.facet
            offset 0    -- else the counting is done twice, for the condition and for the answer
        ) as counted
        where counted.plans > 0
        group by counted.facet
    ) as by_facet;

    if counties is not null then
        select json_agg(s.card order by one.place) into plans
        from (
            select p.plan_no, p.place
            from unnest(local) with ordinality as p (plan_no, place)
            where get_bit(search.hits, p.plan_no - 1) = 1
            order by p.place
            limit page_size offset (page - 1) * page_size
        ) as one
        join search_plan as s on s.plan_no = one.plan_no;
    else
        select json_agg(s.card order by one.place) into plans
        from (
            select o.plan_no, o.place
            from search_order as o
            where o.sort = sort_no and get_bit(search.hits, o.plan_no - 1) = 1
            order by o.place
            limit page_size offset (page - 1) * page_size
        ) as one
        join search_plan as s on s.plan_no = one.plan_no;
    end if;

    return json_build_object(
        'total', bit_count(hits),
        'page', page,
        'page_size', page_size,
        'counties', coalesce(to_json(counties), '[]'),
        'plans', coalesce(plans, '[]'),
        'facets', ('{' || coalesce(counts, '') || '}')::json);
end;
$$;
comment on function search_plans(text, text, integer, text[], text[], boolean, text[], text[], numeric, numeric, numeric, numeric, numeric, text, boolean, text, integer, integer) is
    'Faceted plan search. Arguments that are left out do not filter; search_facet says what each does. A place is a ZIP code (all counties that it touches) or a FIPS county, and must be known; lists have at most 1,000 values, and a page beyond the last is an error; name asks for plans whose name or organization has words that begin with the given ones; plans for employers are found with employer => true. Sorts: premium, drug_deductible, out_of_pocket_maximum (least first), stars, enrollment (most first), name, organization; unknown last. Returns {total, page, page_size, counties, plans: [search_plan.card], facets: {facet: [{value, count}]}}: each count is of the plans that the search would find with all filters but the facet''s own; answers that no plan gives are left out.';

-- check: a search without filters finds every plan that people can buy themselves
select found, expected
from (select (search_plans() ->> 'total')::bigint as found) as search,
     (select count(*) as expected from search_plan where not is_employer) as plan
where found <> expected;

-- check: in ten counties a search finds the plans that are sold there
select county_fips, found, expected
from (
    select county_fips, (search_plans(county => county_fips) ->> 'total')::bigint as found,
           (select count(*) from plan_county join search_plan using (plan_no)
            where plan_county.county_fips = search_county.county_fips and not search_plan.is_employer) as expected
    from (select county_fips from search_county order by md5(county_fips) limit 10) as search_county
) as compared
where found <> expected;
