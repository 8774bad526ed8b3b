-- What does a member pay for doctors, hospital and teeth, in the network and out of it?
select contract_id || '-' || plan_id || '-' || segment_id as plan, service, network, words,
       authorization_required, referral_required
from benefit
where service_code in ('1a', '7a', '7d', '16b4', '16c1') and offered <> 'no'
order by plan, service_no, network;
