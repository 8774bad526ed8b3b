-- How did a contract do on a measure over the years? By its name: the code moved from C28 to C30.
select year, measure_code, value, value_text, stars, coalesce(value_words, stars_words) as words
from star_rating
where contract_id = 'H9001'
  and measure_name = 'Call Center – Foreign Language Interpreter and TTY Availability'
order by year;
