-- derive
create table search_order as
select sort, place, plan_no
from search_plan, unnest(places) with ordinality as ordered (place, sort)
order by sort, place;

alter table search_order alter column sort type smallint;
alter table search_order add primary key (sort, place) include (plan_no);

comment on table search_order is
    'All plans in each order that search_plans offers, to page through a whole year without sorting it.';
comment on column search_order.sort is 'Order: 1 premium, 2 drug_deductible, 3 out_of_pocket_maximum, 4 stars, 5 enrollment, 6 name, 7 organization, as in search_plan.places.';
comment on column search_order.place is 'Place in this order, from 1.';
comment on column search_order.plan_no is 'Plan; joins search_plan.plan_no.';
