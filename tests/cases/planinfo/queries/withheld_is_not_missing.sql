-- A number that CMS withholds, a rating in words, and nothing at all are three things.
select bid_id, enrollment, enrollment_words, stars_overall, stars_overall_words
from plan
order by plan_no;
