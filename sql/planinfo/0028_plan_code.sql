-- derive
-- What the codes of PBP mean, by the PBP dictionary of 2026. A code that PBP sends and this list does not
-- have ends the night with the code: add a row here, and nowhere else.
create table plan_code (
    kind        text not null,
    code        text not null,
    words       text,
    landscape   text,
    part_d_code text
);

insert into plan_code (kind, code, words, landscape, part_d_code)
values
    ('plan_type', '01', 'HMO', 'HMO', null),
    ('plan_type', '02', 'HMOPOS', 'HMO-POS', null),
    ('plan_type', '04', 'Local PPO', 'PPO', null),
    ('plan_type', '05', 'PSO (State License)', null, null),
    ('plan_type', '07', 'MSA', null, null),
    ('plan_type', '08', 'RFB PFFS', null, null),
    ('plan_type', '09', 'PFFS', null, null),
    ('plan_type', '18', '1876 Cost', 'Cost', null),
    ('plan_type', '19', 'HCPP - 1833 Cost', null, null),
    ('plan_type', '20', 'National Pace', 'National PACE', null),
    ('plan_type', '29', 'Medicare Prescription Drug Plan', 'PDP', null),
    ('plan_type', '30', 'Employer/Union Only Direct Contract PDP', null, null),
    ('plan_type', '31', 'Regional PPO', null, null),
    ('plan_type', '32', 'Fallback', null, null),
    ('plan_type', '40', 'Employer/Union Only Direct Contract PFFS', null, null),
    ('plan_type', '42', 'RFB HMO', null, null),
    ('plan_type', '43', 'RFB HMOPOS', null, null),
    ('plan_type', '44', 'RFB Local PPO', null, null),
    ('plan_type', '45', 'RFB PSO (State License)', null, null),
    ('plan_type', '47', 'Employer Direct PPO', null, null),
    ('organization_type', '01', 'Local CCP', null, null),
    ('organization_type', '02', 'MSA', null, null),
    ('organization_type', '03', 'RFB', null, null),
    ('organization_type', '04', 'PFFS', null, null),
    ('organization_type', '05', 'Demo', null, null),
    ('organization_type', '06', '1876 Cost', null, null),
    ('organization_type', '07', 'HCPP - 1833 Cost', null, null),
    ('organization_type', '08', 'National PACE', null, null),
    ('organization_type', '10', 'PDP', null, null),
    ('organization_type', '11', 'Regional CCP', null, null),
    ('organization_type', '12', 'Fallback', null, null),
    ('organization_type', '13', 'Employer/Union Only Direct Contract PDP', null, null),
    ('organization_type', '14', 'Employer/Union Only Direct Contract PFFS', null, null),
    ('organization_type', '15', 'RFB Local CCP', null, null),
    ('organization_type', '16', null, null, null),
    ('organization_type', '17', 'Employer/Union Only Direct Contract Local CCP', null, null),
    ('drug_benefit', '1', 'Defined Standard', null, null),
    ('drug_benefit', '2', 'Actuarially Equivalent Standard', null, null),
    ('drug_benefit', '3', 'Basic Alternative', null, null),
    ('drug_benefit', '4', 'Enhanced Alternative', null, null),
    ('snp', '4', 'Chronic or Disabling Condition', null, '1'),
    ('snp', '3', 'Dual-Eligible', null, '2'),
    ('snp', '1', 'Institutional', null, '3');

alter table plan_code add primary key (kind, code);

comment on table plan_code is
    'Codes of PBP and what they mean: one row a code. Fixed: PBP dictionary of 2026 (Section A: pbp_a_plan_type, orgtype, pbp_a_special_need_plan_type; mrx: mrx_benefit_type).';
comment on column plan_code.kind is
    'What it is a code of: plan_type, organization_type, drug_benefit or snp.';
comment on column plan_code.code is
    'The code as PBP sends it.';
comment on column plan_code.words is
    'CMS''s words for it; null for organization type 16 (fallback contracts), which is sent and not in CMS''s list.';
comment on column plan_code.landscape is
    'Landscape''s words for it where they differ.';
comment on column plan_code.part_d_code is
    'Part D''s code for the same: PBP and Part D number the kinds of special needs plans differently. Null for other kinds of codes.';

-- check: every code that PBP sends is known; add the new one to plan_code
select distinct s.kind, s.code
from (
    select said.kind, said.code
    from (select distinct fields ->> 'pbp_a_plan_type' as plan_type, fields ->> 'orgtype' as organization_type
          from pbp_section) as p
    cross join lateral (values
        ('plan_type', p.plan_type), ('organization_type', p.organization_type)) as said (kind, code)
    union select 'plan_type', pbp_a_plan_type from plan_region_area
    union select 'organization_type', orgtype from plan_region_area
    union select 'plan_type', pbp_a_plan_type from plan_area
    union select 'organization_type', orgtype from plan_area
    union select 'drug_benefit', fields ->> 'mrx_benefit_type' from pbp_section where section = 'mrx'
    union select 'snp', fields ->> 'pbp_a_special_need_plan_type' from pbp_section where section = 'section_a'
) as s
left join plan_code as k using (kind, code)
where s.code is not null
  and k.code is null;
