-- derive
create table search_word as
with size as (
    select max(plan_no) as plans from search_plan
)
select word, plan_bits(plan_no, size.plans) as bits
from size, (
    select distinct plan_no, word collate "C" as word
    from search_plan, regexp_split_to_table(text, '[^[:alnum:]]+') as word
    where word <> ''
) as words
group by word;

-- Bytewise order serves "begins with" by a range.
alter table search_word add primary key (word);

comment on table search_word is
    'Words in the names of plans and organisations, with a bitmap of the plans: the search by name, which asks for plans with words that begin with the given ones.';
comment on column search_word.word is 'A word in lower case, cut at whatever is neither letter nor digit.';
comment on column search_word.bits is 'Bit plan_no - 1 is set for each plan whose name or organisation has the word.';
