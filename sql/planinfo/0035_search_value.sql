-- derive
create function add_plan_bit(state bit varying, plan_no integer, plans integer) returns bit varying
    language plpgsql immutable parallel safe
as $$
begin
    return set_bit(coalesce(state, repeat('0', plans)::bit varying), plan_no - 1, 1);
end;
$$;
comment on function add_plan_bit(bit varying, integer, integer) is 'Step of plan_bits.';

create aggregate plan_bits(plan_no integer, plans integer) (sfunc = add_plan_bit, stype = bit varying);
comment on aggregate plan_bits(integer, integer) is
    'Bitmap of plan numbers: bit plan_no - 1 is set; as long as the number of all plans.';

-- Every answer that a facet can give, with the plans that give it, a bit each: 1 kB for 8,000 plans.
-- To combine filters is to AND such bitmaps, to count is bit_count: no row of a plan is read.
create table search_value as
with size as (
    select max(plan_no) as plans from search_plan
),
bucket (facet, place, value, low, high) as (values
    ('premium', 1, '0', 0, 0), ('premium', 2, '0.01-25', 0.01, 25), ('premium', 3, '25.01-50', 25.01, 50),
    ('premium', 4, '50.01-100', 50.01, 100), ('premium', 5, '100.01-', 100.01, null),
    ('medical_deductible', 1, '0', 0, 0), ('medical_deductible', 2, '0.01-250', 0.01, 250),
    ('medical_deductible', 3, '250.01-', 250.01, null),
    ('drug_deductible', 1, '0', 0, 0), ('drug_deductible', 2, '0.01-300', 0.01, 300),
    ('drug_deductible', 3, '300.01-', 300.01, null),
    ('out_of_pocket_maximum', 1, '0-3000', 0, 3000), ('out_of_pocket_maximum', 2, '3000.01-5000', 3000.01, 5000),
    ('out_of_pocket_maximum', 3, '5000.01-7500', 5000.01, 7500), ('out_of_pocket_maximum', 4, '7500.01-', 7500.01, null)
),
said as (
    select plan_no, 'all' as facet, 'all' as value, 0 as place from search_plan
    union all
    select plan_no, 'individual', 'yes', 0 from search_plan where not is_employer
    union all
    select plan_no, 'year', year::text, -year from search_plan
    union all
    select plan_no, 'plan_type', plan_type, null from search_plan where plan_type is not null
    union all
    select plan_no, 'snp', snp, case snp when 'None' then 0 end from search_plan where snp is not null
    union all
    select plan_no, 'drug_coverage', drug_coverage, case drug_coverage when 'yes' then 0 else 1 end
    from search_plan where drug_coverage is not null
    union all
    select plan_no, 'organization', organization, null from search_plan where organization is not null
    union all
    select plan_no, 'stars', coalesce(stars::text, 'not rated'), case when stars is null then 100 else -10 * stars end
    from search_plan
    union all
    select plan_no, 'benefit', benefit, null from search_plan, unnest(benefits) as benefit
    union all
    select plan_no, facet, bucket.value, bucket.place
    from search_plan,
         lateral (values ('premium', premium), ('medical_deductible', medical_deductible),
                         ('drug_deductible', drug_deductible), ('out_of_pocket_maximum', out_of_pocket_maximum))
             as measured (facet, amount)
    join bucket using (facet)
    where amount >= bucket.low and (amount <= bucket.high or bucket.high is null)
)
select (row_number() over (order by facet, max(place) nulls last, value))::integer as value_no,
       facet,
       value,
       count(*)::integer as plans,
       case when facet not in ('all', 'individual')
            then '{"value": ' || to_json(value) || ', "count": ' end as head,
       plan_bits(plan_no, size.plans) as bits
from said, size
group by facet, value
order by value_no;

alter table search_value add primary key (value_no);
create unique index search_value_value on search_value (facet, value);

comment on table search_value is
    'Every answer that a facet of the search can give, with a bitmap of the plans that give it. all/all holds all plans, individual/yes those that people can buy themselves.';
comment on column search_value.value_no is 'Number of the answer, from 1, in the order in which a page shows the answers of a facet.';
comment on column search_value.facet is 'Facet, as in the answer of search_plans.';
comment on column search_value.value is 'Answer: HMO, 4.5, dental_preventive; a span of US dollars with both ends (0.01-25; open at the end: 100.01-).';
comment on column search_value.plans is 'Plans that give it, in all.';
comment on column search_value.head is 'Beginning of the answer in JSON, up to its count; null for what is no facet.';
comment on column search_value.bits is 'Bit plan_no - 1 is set for each of them.';
