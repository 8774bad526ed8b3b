-- derive
-- Which PBP columns say what a member pays for a service. This list, and no other place, is to be
-- corrected when CMS renames a column. Names are written without their prefix; a name after a slash
-- is written in full; several names of one role are alternatives of which the file fills one (a
-- single amount, or its least and its most). The roles of the second list are the same for nearly
-- all services and stand in the first only where a service differs (`deductible=` reads none).
create table benefit_service as
with service (service_no, service_code, service, category, medicare_covered, search_key, limit_unit,
              section, field_prefix, roles) as (values
    (1, '1a', 'Inpatient hospital, acute', 'Hospital', true, null, null,
     'b1a_inpat_hosp', 'pbp_b1a_', 'deductible=ded_amt_t1 stay_period=hosp_ben_period'),
    (2, '1b', 'Inpatient hospital, psychiatric', 'Hospital', true, null, null,
     'b1b_inpat_hosp', 'pbp_b1b_', 'deductible=ded_amt_t1 stay_period=hosp_ben_period'),
    (3, '2', 'Skilled nursing facility', 'Hospital', true, null, null,
     'b2_snf', 'pbp_b2_', 'stay_period=hosp_ben_period'),
    (4, '3-1', 'Cardiac rehabilitation', 'Therapy and rehabilitation', true, null, null,
     'b3_cardiac_rehab', 'pbp_b3_', 'copay_min=copay_amt_mc_min_crs copay_max=copay_amt_mc_max_crs
      coinsurance_min=coins_pct_mc_min_crs coinsurance_max=coins_pct_mc_max_crs'),
    (5, '3-2', 'Intensive cardiac rehabilitation', 'Therapy and rehabilitation', true, null, null,
     'b3_cardiac_rehab', 'pbp_b3_', 'copay_min=copay_amt_mc_min_icrs copay_max=copay_amt_mc_max_icrs
      coinsurance_min=coins_pct_mc_min_icrs coinsurance_max=coins_pct_mc_max_icrs'),
    (6, '3-3', 'Pulmonary rehabilitation', 'Therapy and rehabilitation', true, null, null,
     'b3_cardiac_rehab', 'pbp_b3_', 'copay_min=copay_amt_mc_min_prs copay_max=copay_amt_mc_max_prs
      coinsurance_min=coins_pct_mc_min_prs coinsurance_max=coins_pct_mc_max_prs'),
    (7, '3-4', 'Supervised exercise therapy (peripheral artery disease)', 'Therapy and rehabilitation', true, null, null,
     'b3_cardiac_rehab', 'pbp_b3_', 'copay_min=copay_amt_mc_min_setpad copay_max=copay_amt_mc_max_setpad
      coinsurance_min=coins_pct_mc_min_setpad coinsurance_max=coins_pct_mc_max_setpad'),
    (8, '4a', 'Emergency care', 'Emergency', true, null, null,
     'b4_emerg_urgent', 'pbp_b4a_', 'copay_min=copay_amt_mc_min copay_max=copay_amt_mc_max coinsurance_min=coins_pct_mc_min
      coinsurance_max=coins_pct_mc_max waived_if_admitted=copay_wavdia_yn'),
    (9, '4b', 'Urgently needed care', 'Emergency', true, null, null,
     'b4_emerg_urgent', 'pbp_b4b_', 'copay_min=copay_amt_mc_min copay_max=copay_amt_mc_max coinsurance_min=coins_pct_mc_min
      coinsurance_max=coins_pct_mc_max waived_if_admitted=copay_wavdia_yn'),
    (10, '4c1', 'Worldwide emergency care', 'Emergency', false, 'worldwide_emergency', null,
     'b4_emerg_urgent', 'pbp_b4c_', 'offered=bendesc_amo_wec offered_yn=bendesc_yn copay_min=copay_amt_wec_min
      copay_max=copay_amt_wec_max coinsurance_min=coins_pct_wec_min coinsurance_max=coins_pct_wec_max
      maximum=wwc_maxplan_amt waived_if_admitted=copay_wav_wec_yn'),
    (11, '4c2', 'Worldwide urgent care', 'Emergency', false, null, null,
     'b4_emerg_urgent', 'pbp_b4c_', 'offered=bendesc_amo_wuc offered_yn=bendesc_yn copay_min=copay_amt_wuc_min
      copay_max=copay_amt_wuc_max coinsurance_min=coins_pct_wuc_min coinsurance_max=coins_pct_wuc_max
      maximum=wwc_maxplan_amt waived_if_admitted=copay_wav_wuc_yn'),
    (12, '4c3', 'Worldwide emergency transportation', 'Emergency', false, null, null,
     'b4_emerg_urgent', 'pbp_b4c_', 'offered=bendesc_amo_wet offered_yn=bendesc_yn copay_min=copay_amt_wet_min
      copay_max=copay_amt_wet_max coinsurance_min=coins_pct_wet_min coinsurance_max=coins_pct_wet_max
      maximum=wwc_maxplan_amt waived_if_admitted=copay_wav_wet_yn'),
    (13, '5a', 'Partial hospitalization', 'Mental health', true, null, null,
     'b5_partial_hosp', 'pbp_b5_', 'copay_min=copay_mcia_amt_min,/pbp_b5a_copay_amt copay_max=copay_mcia_amt_max,/pbp_b5a_copay_amt
      coinsurance_min=coins_pct_min,/pbp_b5a_coins_pct coinsurance_max=coins_pct_max,/pbp_b5a_coins_pct'),
    (14, '5b', 'Intensive outpatient program', 'Mental health', true, null, null,
     'b5_partial_hosp', 'pbp_b5b_', 'copay_min=copay_amt_min,copay_amt copay_max=copay_amt_max,copay_amt
      coinsurance_min=coins_pct_min,coins_pct coinsurance_max=coins_pct_max,coins_pct'),
    (15, '6', 'Home health', 'Home and equipment', true, null, null,
     'b6_home_health', 'pbp_b6_', 'copay_min=copay_mc_amt_min copay_max=copay_mc_amt_max coinsurance_min=coins_pct_mc_min
      coinsurance_max=coins_pct_mc_max'),
    (16, '7a', 'Primary care physician', 'Doctors', true, null, null,
     'b7_health_prof', 'pbp_b7a_', 'copay_min=copay_amt_mc_min copay_max=copay_amt_mc_max coinsurance_min=coins_pct_mc_min
      coinsurance_max=coins_pct_mc_max'),
    (17, '7b', 'Chiropractic (Medicare-covered)', 'Doctors', true, null, null,
     'b7_health_prof', 'pbp_b7b_', 'copay_min=copay_mc_amt_min copay_max=copay_mc_amt_max coinsurance_min=coins_pct_mc_min
      coinsurance_max=coins_pct_mc_max'),
    (18, '7b1', 'Chiropractic: routine care', 'Extra benefits', false, 'chiropractic', 'visits',
     'b7_health_prof', 'pbp_b7b_', 'offered=bendesc_amo_rc offered_yn=bendesc_yn copay_min=copay_rc_amt_min
      copay_max=copay_rc_amt_max coinsurance_min=coins_pct_rc_min coinsurance_max=coins_pct_rc_max
      limit_count=bendesc_num_rc limit_per=bendesc_per_rc'),
    (19, '7b2', 'Chiropractic: other services', 'Extra benefits', false, null, 'visits',
     'b7_health_prof', 'pbp_b7b_', 'offered=bendesc_amo_other offered_yn=bendesc_yn copay_min=copay_other_amt_min
      copay_max=copay_other_amt_max coinsurance_min=coins_pct_other_min
      coinsurance_max=coins_pct_other_max limit_count=bendesc_num_other limit_per=bendesc_per_other
      other_name=addl_service_other'),
    (20, '7c', 'Occupational therapy', 'Therapy and rehabilitation', true, null, null,
     'b7_health_prof', 'pbp_b7c_', 'copay_min=copay_mc_amt_min copay_max=copay_mc_amt_max coinsurance_min=coins_pct_mc_min
      coinsurance_max=coins_pct_mc_max'),
    (21, '7d', 'Physician specialist', 'Doctors', true, null, null,
     'b7_health_prof', 'pbp_b7d_', 'copay_min=copay_amt_mc_min copay_max=copay_amt_mc_max coinsurance_min=coins_pct_mc_min
      coinsurance_max=coins_pct_mc_max'),
    (22, '7e1', 'Mental health specialist: individual session', 'Mental health', true, null, null,
     'b7_health_prof', 'pbp_b7e_', 'copay_min=copay_mcis_minamt copay_max=copay_mcis_maxamt coinsurance_min=coins_mcis_minpct
      coinsurance_max=coins_mcis_maxpct'),
    (23, '7e2', 'Mental health specialist: group session', 'Mental health', true, null, null,
     'b7_health_prof', 'pbp_b7e_', 'copay_min=copay_mcgs_minamt copay_max=copay_mcgs_maxamt coinsurance_min=coins_mcgs_minpct
      coinsurance_max=coins_mcgs_maxpct'),
    (24, '7f', 'Podiatry (Medicare-covered)', 'Doctors', true, null, null,
     'b7_health_prof', 'pbp_b7f_', 'copay_min=copay_mc_amt_min copay_max=copay_mc_amt_max coinsurance_min=coins_pct_mc_min
      coinsurance_max=coins_pct_mc_max'),
    (25, '7f_2', 'Podiatry: routine foot care', 'Extra benefits', false, 'podiatry', 'visits',
     'b7_health_prof', 'pbp_b7f_', 'offered=bendesc_amo_rf offered_yn=bendesc_yn copay_min=copay_rf_amt_min
      copay_max=copay_rf_amt_max coinsurance_min=coins_pct_rf_min coinsurance_max=coins_pct_rf_max
      limit_count=bendesc_amt_rf limit_per=bendesc_per_rf'),
    (26, '7g', 'Other health care professional', 'Doctors', true, null, null,
     'b7_health_prof', 'pbp_b7g_', 'copay_min=copay_mc_amt copay_max=copay_mc_max_amt coinsurance_min=coins_pct_mc
      coinsurance_max=coins_max_pct_mc'),
    (27, '7h1', 'Psychiatry: individual session', 'Mental health', true, null, null,
     'b7_health_prof', 'pbp_b7h_', 'copay_min=copay_mcis_minamt copay_max=copay_mcis_maxamt coinsurance_min=coins_mcis_minpct
      coinsurance_max=coins_mcis_maxpct'),
    (28, '7h2', 'Psychiatry: group session', 'Mental health', true, null, null,
     'b7_health_prof', 'pbp_b7h_', 'copay_min=copay_mcgs_minamt copay_max=copay_mcgs_maxamt coinsurance_min=coins_mcgs_minpct
      coinsurance_max=coins_mcgs_maxpct'),
    (29, '7i', 'Physical and speech therapy', 'Therapy and rehabilitation', true, null, null,
     'b7_health_prof', 'pbp_b7i_', 'copay_min=copay_mc_amt_min copay_max=copay_mc_amt_max coinsurance_min=coins_pct_mc_min
      coinsurance_max=coins_pct_mc_max'),
    (30, '7j', 'Additional telehealth', 'Extra benefits', false, 'telehealth', null,
     'b7_health_prof', 'pbp_b7j_', 'offered_yn=bendesc_yn copay_min=copay_mc_amt_min copay_max=copay_mc_amt_max
      coinsurance_min=coins_pct_mc_min coinsurance_max=coins_pct_mc_max'),
    (31, '7k', 'Opioid treatment program', 'Mental health', true, null, null,
     'b7_health_prof', 'pbp_b7k_', 'copay_min=copay_mc_amt copay_max=copay_mc_max_amt coinsurance_min=coins_pct_mc
      coinsurance_max=coins_max_pct_mc'),
    (32, '8a1', 'Diagnostic procedures and tests', 'Tests and imaging', true, null, null,
     'b8_clin_diag_ther', 'pbp_b8a_', 'copay_min=copay_min_dmc_amt copay_max=copay_max_dmc_amt coinsurance_min=coins_pct_dmc
      coinsurance_max=coins_pct_dmc_max'),
    (33, '8a2', 'Laboratory', 'Tests and imaging', true, null, null,
     'b8_clin_diag_ther', 'pbp_b8a_', 'copay_min=lab_copay_amt copay_max=lab_copay_amt_max coinsurance_min=coins_pct_lab
      coinsurance_max=coins_pct_lab_max'),
    (34, '8b1', 'Diagnostic radiology (MRI, CT …)', 'Tests and imaging', true, null, null,
     'b8_clin_diag_ther', 'pbp_b8b_', 'copay_min=copay_amt_drs copay_max=copay_amt_drs_max coinsurance_min=coins_pct_drs
      coinsurance_max=coins_pct_drs_max'),
    (35, '8b2', 'Therapeutic radiology', 'Tests and imaging', true, null, null,
     'b8_clin_diag_ther', 'pbp_b8b_', 'copay_min=copay_amt_tmc copay_max=copay_amt_tmc_max coinsurance_min=coins_pct_tmc
      coinsurance_max=coins_pct_tmc_max'),
    (36, '8b3', 'X-ray', 'Tests and imaging', true, null, null,
     'b8_clin_diag_ther', 'pbp_b8b_', 'copay_min=copay_mc_amt copay_max=copay_mc_amt_max coinsurance_min=coins_pct_cmc
      coinsurance_max=coins_pct_cmc_max'),
    (37, '9a1', 'Outpatient hospital', 'Hospital', true, null, null,
     'b9_outpat_hosp', 'pbp_b9a_', 'copay_min=copay_ohs_amt_min copay_max=copay_ohs_amt_max coinsurance_min=coins_ohs_pct_min
      coinsurance_max=coins_ohs_pct_max deductible=ded_ohs_amt authorization=auth_ohs_yn
      referral=refer_ohs_yn'),
    (38, '9a2', 'Outpatient observation', 'Hospital', true, null, null,
     'b9_outpat_hosp', 'pbp_b9a_', 'copay_min=copay_obs_amt_min copay_max=copay_obs_amt_max coinsurance_min=coins_obs_pct_min
      coinsurance_max=coins_obs_pct_max deductible=ded_obs_amt authorization=auth_obs_yn
      referral=refer_obs_yn'),
    (39, '9b', 'Ambulatory surgical center', 'Hospital', true, null, null,
     'b9_outpat_hosp', 'pbp_b9b_', 'copay_min=copay_mc_amt copay_max=copay_mc_amt_max coinsurance_min=coins_pct_mc
      coinsurance_max=coins_pct_mcmax'),
    (40, '9c1', 'Substance abuse: individual session', 'Mental health', true, null, null,
     'b9_outpat_hosp', 'pbp_b9c_', 'copay_min=copay_mcis_minamt copay_max=copay_mcis_maxamt coinsurance_min=coins_mcis_minpct
      coinsurance_max=coins_mcis_maxpct'),
    (41, '9c2', 'Substance abuse: group session', 'Mental health', true, null, null,
     'b9_outpat_hosp', 'pbp_b9c_', 'copay_min=copay_mcgs_minamt copay_max=copay_mcgs_maxamt coinsurance_min=coins_mcgs_minpct
      coinsurance_max=coins_mcgs_maxpct'),
    (42, '9d', 'Outpatient blood', 'Hospital', true, null, null,
     'b9_outpat_hosp', 'pbp_b9d_', 'copay_min=copay_mc_amt_min copay_max=copay_mc_amt_max coinsurance_min=coins_pct_mc_min
      coinsurance_max=coins_pct_mc_max'),
    (43, '10a1', 'Ground ambulance', 'Emergency', true, null, null,
     'b10_amb_trans', 'pbp_b10a_', 'copay_min=copay_gas_amt_min copay_max=copay_gas_amt_max coinsurance_min=coins_gas_pct_min
      coinsurance_max=coins_gas_pct_max deductible=ded_gas_amt waived_if_admitted=copay_wav_yn'),
    (44, '10a2', 'Air ambulance', 'Emergency', true, null, null,
     'b10_amb_trans', 'pbp_b10a_', 'copay_min=copay_aas_amt_min copay_max=copay_aas_amt_max coinsurance_min=coins_aas_pct_min
      coinsurance_max=coins_aas_pct_max deductible=ded_aas_amt waived_if_admitted=copay_wav_yn'),
    (45, '10b1', 'Transportation to a plan-approved place', 'Extra benefits', false, 'transportation', 'trips',
     'b10_amb_trans', 'pbp_b10b_', 'offered=bendesc_amo_pal offered_yn=bendesc_yn copay_min=copay_amt_min copay_max=copay_amt_max
      coinsurance_min=coins_pct_min coinsurance_max=coins_pct_max limit_count=bendesc_amt_pal
      limit_per=bendesc_per_pal'),
    (46, '10b2', 'Transportation to any health-related place', 'Extra benefits', false, 'transportation', 'trips',
     'b10_amb_trans', 'pbp_b10b_', 'offered=bendesc_amo_al offered_yn=bendesc_yn copay_min=copay_amt_min copay_max=copay_amt_max
      coinsurance_min=coins_pct_min coinsurance_max=coins_pct_max limit_count=bendesc_amt_al
      limit_per=bendesc_per_al'),
    (47, '11a', 'Durable medical equipment', 'Home and equipment', true, null, null,
     'b11_dme_prosth_orth_sup', 'pbp_b11a_', 'copay_min=copay_mc_amt copay_max=copay_mcmax_amt coinsurance_min=coins_pct_mc
      coinsurance_max=coins_pct_mcmax'),
    (48, '11b1', 'Prosthetic devices', 'Home and equipment', true, null, null,
     'b11_dme_prosth_orth_sup', 'pbp_b11b_', 'copay_min=copay_mcmin_amt copay_max=copay_mcmax_amt coinsurance_min=coins_pct_mc
      coinsurance_max=coins_pct_mcmax'),
    (49, '11b2', 'Medical supplies', 'Home and equipment', true, null, null,
     'b11_dme_prosth_orth_sup', 'pbp_b11b_', 'copay_min=copay_mcms_min_amt copay_max=copay_mcms_max_amt coinsurance_min=coins_pct_mcms_min
      coinsurance_max=coins_pct_mcms_max'),
    (50, '11c1', 'Diabetic supplies', 'Home and equipment', true, null, null,
     'b11_dme_prosth_orth_sup', 'pbp_b11c_', 'copay_min=copay_mcmin_amt copay_max=copay_mcmax_amt coinsurance_min=coins_pct_mcmin
      coinsurance_max=coins_pct_mcmax'),
    (51, '11c2', 'Diabetic shoes and inserts', 'Home and equipment', true, null, null,
     'b11_dme_prosth_orth_sup', 'pbp_b11c_', 'copay_min=copay_dtsi_mcmin_amt copay_max=copay_dtsi_mcmax_amt
      coinsurance_min=coins_dtsi_mcmin_pct coinsurance_max=coins_dtsi_mcmax_pct'),
    (52, '12', 'Dialysis', 'Hospital', true, null, null,
     'b12_renal_dialysis', 'pbp_b12_', 'copay_min=copay_mc_amt copay_max=copay_mc_max_amt coinsurance_min=coins_pct_mc
      coinsurance_max=coins_max_pct_mc'),
    (53, '13a', 'Acupuncture', 'Extra benefits', false, 'acupuncture', 'visits',
     'b13_other_services', 'pbp_b13a_', 'offered=bendesc_amo offered_yn=bendesc_yn copay_min=copay_amt_min copay_max=copay_amt_max
      coinsurance_min=coins_pct_min coinsurance_max=coins_pct_max limit_count=bendesc_numv
      limit_per=bendesc_per'),
    (54, '13b', 'Over-the-counter items', 'Extra benefits', false, 'otc', null,
     'b13_other_services', 'pbp_b13b_', 'offered=bendesc_amo offered_yn=bendesc_otc copay_min=copay_amt_min copay_max=copay_amt_max
      coinsurance_min=coins_pct_min coinsurance_max=coins_pct_max maximum_per=otc_maxplan_per'),
    (55, '13c', 'Meals', 'Extra benefits', false, 'meals', null,
     'b13_other_services', 'pbp_b13c_', 'offered=bendesc_amo offered_yn=bendesc_service copay_min=copay_amt_min copay_max=copay_amt_max
      coinsurance_min=coins_pct_min coinsurance_max=coins_pct_max'),
    (56, '13d', 'Other service 1', 'Extra benefits', false, null, null,
     'b13_other_services', 'pbp_b13d_', 'offered=bendesc_amo copay_min=copay_amt_min copay_max=copay_amt_max coinsurance_min=coins_pct_min
      coinsurance_max=coins_pct_max other_name=bendesc_service'),
    (57, '13e', 'Other service 2', 'Extra benefits', false, null, null,
     'b13_other_services', 'pbp_b13e_', 'offered=bendesc_amo copay_min=copay_amt_min copay_max=copay_amt_max coinsurance_min=coins_pct_min
      coinsurance_max=coins_pct_max other_name=bendesc_service'),
    (58, '13f', 'Other service 3', 'Extra benefits', false, null, null,
     'b13_other_services', 'pbp_b13f_', 'offered=bendesc_amo copay_min=copay_amt_min copay_max=copay_amt_max coinsurance_min=coins_pct_min
      coinsurance_max=coins_pct_max other_name=bendesc_service'),
    (59, '13g', 'Dual eligible: highly integrated services', 'Extra benefits', false, null, null,
     'b13_other_services', 'pbp_b13g_', 'offered=bendesc_amo copay_min=copay_min_amt copay_max=copay_max_amt coinsurance_min=coins_min_pct
      coinsurance_max=coins_max_pct other_name=bendesc_service'),
    (60, '14a', 'Preventive services (Medicare-covered, free)', 'Prevention', true, null, null,
     'b14_preventive', 'pbp_b14a_', 'free_if=mc_prevent_attest'),
    (61, '14b', 'Annual physical exam', 'Prevention', false, 'annual_physical', null,
     'b14_preventive', 'pbp_b14b_', 'offered=bendesc_rpe_amo offered_yn=bendesc_yn copay_min=copay_amt_rpe_min
      copay_max=copay_amt_rpe_max coinsurance_min=coins_pct_rpe_min coinsurance_max=coins_pct_rpe_max'),
    (62, '14c1', 'Health education', 'Extra benefits', false, null, null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_hec offered_yn=bendesc_yn copay_min=copay_hec_min_amt
      copay_max=copay_hec_max_amt coinsurance_min=coins_pct_min_hec coinsurance_max=coins_pct_max_hec
      maximum=maxplan_amt_hec maximum_per=maxplan_per_hec member_maximum=maxenr_amt_hec
      member_maximum_per=maxenr_per_hec'),
    (63, '14c2', 'Nutrition and diet', 'Extra benefits', false, null, 'sessions',
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_ntb offered_yn=bendesc_yn copay_min=copay_ntb_min_amt
      copay_max=copay_ntb_max_amt coinsurance_min=coins_pct_min_ntb coinsurance_max=coins_pct_max_ntb
      maximum=maxplan_amt_ntb maximum_per=maxplan_per_ntb member_maximum=maxenr_amt_ntb
      member_maximum_per=maxenr_per_ntb limit_count=bendesc_num_ntb'),
    (64, '14c3', 'Additional sessions to stop smoking', 'Extra benefits', false, null, 'visits',
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_sc offered_yn=bendesc_yn copay_min=copay_sc_min_amt
      copay_max=copay_sc_max_amt coinsurance_min=coins_pct_min_sc coinsurance_max=coins_pct_max_sc
      maximum=maxplan_amt_sc maximum_per=maxplan_per_sc member_maximum=maxenr_amt_sc
      member_maximum_per=maxenr_per_sc limit_count=bendesc_visit_num_sc'),
    (65, '14c4', 'Fitness', 'Extra benefits', false, 'fitness', null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_mhc offered_yn=bendesc_yn copay_min=copay_mhc_min_amt
      copay_max=copay_mhc_max_amt coinsurance_min=coins_pct_min_mhc coinsurance_max=coins_pct_max_mhc
      maximum=maxplan_amt_mhc maximum_per=maxplan_per_mhc member_maximum=maxenr_amt_mhc
      member_maximum_per=maxenr_per_mhc'),
    (66, '14c5', 'Enhanced disease management', 'Extra benefits', false, null, null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_edm offered_yn=bendesc_yn copay_min=copay_edm_min_amt
      copay_max=copay_edm_max_amt coinsurance_min=coins_pct_min_edm coinsurance_max=coins_pct_max_edm
      maximum=maxplan_amt_edm maximum_per=maxplan_per_edm member_maximum=maxenr_amt_edm
      member_maximum_per=maxenr_per_edm'),
    (67, '14c6', 'Telemonitoring', 'Extra benefits', false, null, null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_tm offered_yn=bendesc_yn copay_min=copay_tm_min_amt
      copay_max=copay_tm_max_amt coinsurance_min=coins_pct_min_tm coinsurance_max=coins_pct_max_tm
      maximum=maxplan_amt_tm maximum_per=maxplan_per_tm member_maximum=maxenr_amt_tm
      member_maximum_per=maxenr_per_tm'),
    (68, '14c7', 'Remote access (web, telephone, nursing hotline)', 'Extra benefits', false, null, null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_rat offered_yn=bendesc_yn copay_min=copay_rat_wp_min_amt,copay_rat_nh_min_amt
      copay_max=copay_rat_wp_max_amt,copay_rat_nh_max_amt
      coinsurance_min=coins_pct_min_rat_wp,coins_pct_min_rat_nh
      coinsurance_max=coins_pct_max_rat_wp,coins_pct_max_rat_nh maximum=maxplan_amt_rat
      maximum_per=maxplan_per_rat member_maximum=maxenr_amt_rat member_maximum_per=maxenr_per_rat'),
    (69, '14c8', 'Home and bathroom safety devices', 'Extra benefits', false, 'home_safety', null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_bsd offered_yn=bendesc_yn copay_min=copay_bsd_min_amt
      copay_max=copay_bsd_max_amt coinsurance_min=coins_pct_min_bsd coinsurance_max=coins_pct_max_bsd
      maximum=maxplan_amt_bsd maximum_per=maxplan_per_bsd member_maximum=maxenr_amt_bsd
      member_maximum_per=maxenr_per_bsd'),
    (70, '14c9', 'Counseling', 'Extra benefits', false, null, 'sessions',
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_cs offered_yn=bendesc_yn copay_min=copay_cs_min_amt
      copay_max=copay_cs_max_amt coinsurance_min=coins_pct_min_cs coinsurance_max=coins_pct_max_cs
      maximum=maxplan_amt_cs maximum_per=maxplan_per_cs member_maximum=maxenr_amt_cs
      member_maximum_per=maxenr_per_cs limit_count=bendesc_num_cs'),
    (71, '14c10', 'In-home safety assessment', 'Extra benefits', false, null, null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_isa offered_yn=bendesc_yn copay_min=copay_isa_min_amt
      copay_max=copay_isa_max_amt coinsurance_min=coins_pct_min_isa coinsurance_max=coins_pct_max_isa
      maximum=maxplan_amt_isa maximum_per=maxplan_per_isa member_maximum=maxenr_amt_isa
      member_maximum_per=maxenr_per_isa'),
    (72, '14c11', 'Personal emergency response system', 'Extra benefits', false, 'emergency_response', null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_prs offered_yn=bendesc_yn copay_min=copay_prs_min_amt
      copay_max=copay_prs_max_amt coinsurance_min=coins_pct_min_prs coinsurance_max=coins_pct_max_prs
      maximum=maxplan_amt_prs maximum_per=maxplan_per_prs member_maximum=maxenr_amt_prs
      member_maximum_per=maxenr_per_prs'),
    (73, '14c12', 'Medical nutrition therapy', 'Extra benefits', false, null, null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_mnt offered_yn=bendesc_yn copay_min=copay_mnt_min_amt
      copay_max=copay_mnt_max_amt coinsurance_min=coins_pct_min_mnt coinsurance_max=coins_pct_max_mnt
      maximum=maxplan_amt_mnt maximum_per=maxplan_per_mnt member_maximum=maxenr_amt_mnt
      member_maximum_per=maxenr_per_mnt'),
    (74, '14c13', 'Medication reconciliation at home after discharge', 'Extra benefits', false, null, null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_imr offered_yn=bendesc_yn copay_min=copay_imr_min_amt
      copay_max=copay_imr_max_amt coinsurance_min=coins_pct_min_imr coinsurance_max=coins_pct_max_imr
      maximum=maxplan_amt_imr maximum_per=maxplan_per_imr member_maximum=maxenr_amt_imr
      member_maximum_per=maxenr_per_imr'),
    (75, '14c14', 'Re-admission prevention', 'Extra benefits', false, null, null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_rp offered_yn=bendesc_yn copay_min=copay_rp_min_amt
      copay_max=copay_rp_max_amt coinsurance_min=coins_pct_min_rp coinsurance_max=coins_pct_max_rp
      maximum=maxplan_amt_rp maximum_per=maxplan_per_rp member_maximum=maxenr_amt_rp
      member_maximum_per=maxenr_per_rp'),
    (76, '14c15', 'Wigs for hair loss of chemotherapy', 'Extra benefits', false, null, null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_wig offered_yn=bendesc_yn copay_min=copay_wig_min_amt
      copay_max=copay_wig_max_amt coinsurance_min=coins_pct_min_wig coinsurance_max=coins_pct_max_wig
      maximum=maxplan_amt_wig maximum_per=maxplan_per_wig member_maximum=maxenr_amt_wig
      member_maximum_per=maxenr_per_wig'),
    (77, '14c16', 'Weight management', 'Extra benefits', false, null, null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_wm offered_yn=bendesc_yn copay_min=copay_wm_min_amt
      copay_max=copay_wm_max_amt coinsurance_min=coins_pct_min_wm coinsurance_max=coins_pct_max_wm
      maximum=maxplan_amt_wm maximum_per=maxplan_per_wm member_maximum=maxenr_amt_wm
      member_maximum_per=maxenr_per_wm'),
    (78, '14c17', 'Alternative therapies', 'Extra benefits', false, null, 'visits',
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_amo_at offered_yn=bendesc_yn copay_min=copay_at_min_amt
      copay_max=copay_at_max_amt coinsurance_min=coins_pct_min_at coinsurance_max=coins_pct_max_at
      maximum=maxplan_amt_at maximum_per=maxplan_per_at member_maximum=maxenr_amt_at
      member_maximum_per=maxenr_per_at limit_count=at_visits'),
    (79, '14c18', 'Therapeutic massage', 'Extra benefits', false, 'massage', 'sessions',
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_thp_msg offered_yn=bendesc_yn copay_min=copay_min_amt_thmg
      copay_max=copay_max_amt_thmg coinsurance_min=coins_pct_min_thmg
      coinsurance_max=coins_pct_max_thmg maximum=maxplan_amt_thms maximum_per=maxplan_per_thms
      member_maximum=maxenr_amt_thmg member_maximum_per=maxenr_per_thmg limit_count=thp_msg_num_amt
      limit_per=thp_msg_period'),
    (80, '14c19', 'Adult day health services', 'Extra benefits', false, null, null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_adcs offered_yn=bendesc_yn copay_min=copay_min_amt_adcs
      copay_max=copay_max_amt_adcs coinsurance_min=coins_pct_min_adcs
      coinsurance_max=coins_pct_max_adcs maximum=maxplan_amt_adcs maximum_per=maxplan_per_adcs
      member_maximum=maxenr_amt_adcs member_maximum_per=maxenr_per_adcs'),
    (81, '14c20', 'Home-based palliative care', 'Extra benefits', false, null, null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_hbpc offered_yn=bendesc_yn copay_min=copay_min_amt_hbpc
      copay_max=copay_max_amt_hbpc coinsurance_min=coins_pct_min_hbpc
      coinsurance_max=coins_pct_max_hbpc maximum=maxplan_amt_hbpc maximum_per=maxplan_per_hbpc
      member_maximum=maxenr_amt_hbpc member_maximum_per=maxenr_per_hbpc'),
    (82, '14c21', 'In-home support services', 'Extra benefits', false, 'in_home_support', null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_ihss offered_yn=bendesc_yn copay_min=copay_min_amt_ihss
      copay_max=copay_max_amt_ihss coinsurance_min=coins_pct_min_ihss
      coinsurance_max=coins_pct_max_ihss maximum=maxplan_amt_ihss maximum_per=maxplan_per_ihss
      member_maximum=maxenr_amt_ihss member_maximum_per=maxenr_per_ihss'),
    (83, '14c22', 'Support for caregivers', 'Extra benefits', false, 'caregiver_support', null,
     'b14_preventive', 'pbp_b14c_', 'offered=bendesc_sce offered_yn=bendesc_yn copay_min=copay_min_amt_sce copay_max=copay_max_amt_sce
      coinsurance_min=coins_pct_min_sce coinsurance_max=coins_pct_max_sce maximum=maxplan_amt_sce
      maximum_per=maxplan_per_sce member_maximum=maxenr_amt_sce member_maximum_per=maxenr_per_sce'),
    (84, '14d', 'Kidney disease education', 'Prevention', true, null, null,
     'b14_preventive', 'pbp_b14d_', 'copay_min=copay_mc_min_amt copay_max=copay_mc_max_amt coinsurance_min=coins_mc_min_pct
      coinsurance_max=coins_mc_max_pct'),
    (85, '14e1', 'Glaucoma screening', 'Prevention', true, null, null,
     'b14_preventive', 'pbp_b14e_', 'copay_min=copay_amt_min_glauc copay_max=copay_amt_max_glauc coinsurance_min=coins_pct_min_glauc
      coinsurance_max=coins_pct_max_glauc deductible=ded_amt_glauc member_maximum=maxenr_amt_glauc
      member_maximum_per=maxenr_per_glauc authorization=auth_yn_glauc'),
    (86, '14e2', 'Diabetes self-management training', 'Prevention', true, null, null,
     'b14_preventive', 'pbp_b14e_', 'copay_min=copay_amt_min_diab copay_max=copay_amt_max_diab coinsurance_min=coins_pct_min_diab
      coinsurance_max=coins_pct_max_diab deductible=ded_amt_diab member_maximum=maxenr_amt_diab
      member_maximum_per=maxenr_per_diab authorization=auth_yn_diab'),
    (87, '14e4', 'Digital rectal exam', 'Prevention', true, null, null,
     'b14_preventive', 'pbp_b14e_', 'copay_min=copay_amt_min_dre copay_max=copay_amt_max_dre coinsurance_min=coins_pct_min_dre
      coinsurance_max=coins_pct_max_dre deductible=ded_amt_dre member_maximum=maxenr_amt_dre
      member_maximum_per=maxenr_per_dre authorization=auth_yn_dre'),
    (88, '14e5', 'EKG after the welcome visit', 'Prevention', true, null, null,
     'b14_preventive', 'pbp_b14e_', 'copay_min=copay_amt_min_ekg copay_max=copay_amt_max_ekg coinsurance_min=coins_pct_min_ekg
      coinsurance_max=coins_pct_max_ekg deductible=ded_amt_ekg member_maximum=maxenr_amt_ekg
      member_maximum_per=maxenr_per_ekg authorization=auth_yn_ekg'),
    (89, '15-1-I', 'Part B insulin (a month)', 'Drugs under Part B', true, null, null,
     'b15_partb_rx_drugs', 'mrx_b_', 'copay_yn=ira_copay_yn copay_min=ira_copay_amt_min,ira_copay_month_amt
      copay_max=ira_copay_amt_max,ira_copay_month_amt coinsurance_yn=ira_coins_yn
      coinsurance_min=ira_coins_min_pct coinsurance_max=ira_coins_max_pct deductible=
      member_maximum=max_oop_amt member_maximum_per=max_oop_per'),
    (90, '15-2', 'Part B chemotherapy and radiation drugs', 'Drugs under Part B', true, null, null,
     'b15_partb_rx_drugs', 'mrx_b_', 'copay_min=chemo_copay_amt_min copay_max=chemo_copay_amt_max coinsurance_min=chemo_coins_min_pct
      coinsurance_max=chemo_coins_max_pct member_maximum=max_oop_amt member_maximum_per=max_oop_per'),
    (91, '15-3', 'Part B other drugs', 'Drugs under Part B', true, null, null,
     'b15_partb_rx_drugs', 'mrx_b_', 'copay_min=copay_min_amt copay_max=copay_max_amt coinsurance_min=coins_min_pct
      coinsurance_max=coins_max_pct member_maximum=max_oop_amt member_maximum_per=max_oop_per'),
    (92, '16a', 'Dental (Medicare-covered)', 'Dental', true, null, null,
     'b16_dental', 'pbp_b16a_', 'copay_yn=copay_mc_yn copay_min=copay_mc_amt_min,copay_mc_amt
      copay_max=copay_mc_amt_max,copay_mc_amt coinsurance_yn=coins_mc_yn
      coinsurance_min=coins_mc_pct_min,coins_mc_pct coinsurance_max=coins_mc_pct_max,coins_mc_pct
      deductible=ded_mc_amt authorization=auth_mc_yn referral=refer_mc_yn'),
    (93, '16b1', 'Dental: oral exam', 'Dental', false, 'dental_preventive', 'times',
     'b16_dental', 'pbp_b16b_', 'offered=bendesc_oe_amo copay_yn=copay_oe_yn copay_min=copay_oe_amt_min,copay_oe_amt
      copay_max=copay_oe_amt_max,copay_oe_amt coinsurance_yn=coins_oe_yn
      coinsurance_min=coins_oe_pct_min,coins_oe_pct coinsurance_max=coins_oe_pct_max,coins_oe_pct
      deductible=ded_pv_amt maximum=maxplan_pv_amt maximum_per=maxplan_pv_per
      limit_count=bendesc_oe_num limit_per=bendesc_oe_per authorization=auth_oe_yn referral=refer_oe_yn'),
    (94, '16b2', 'Dental: X-rays', 'Dental', false, 'dental_preventive', 'times',
     'b16_dental', 'pbp_b16b_', 'offered=bendesc_dx_amo copay_yn=copay_dx_yn copay_min=copay_dx_amt_min,copay_dx_amt
      copay_max=copay_dx_amt_max,copay_dx_amt coinsurance_yn=coins_dx_yn
      coinsurance_min=coins_dx_pct_min,coins_dx_pct coinsurance_max=coins_dx_pct_max,coins_dx_pct
      deductible=ded_pv_amt maximum=maxplan_pv_amt maximum_per=maxplan_pv_per
      limit_count=bendesc_dx_num limit_per=bendesc_dx_per authorization=auth_dx_yn referral=refer_dx_yn'),
    (95, '16b3', 'Dental: other diagnostic dental services', 'Dental', false, 'dental_preventive', 'times',
     'b16_dental', 'pbp_b16b_', 'offered=bendesc_ods_amo copay_yn=copay_ods_yn copay_min=copay_ods_amt_min,copay_ods_amt
      copay_max=copay_ods_amt_max,copay_ods_amt coinsurance_yn=coins_ods_yn
      coinsurance_min=coins_ods_pct_min,coins_ods_pct coinsurance_max=coins_ods_pct_max,coins_ods_pct
      deductible=ded_pv_amt maximum=maxplan_pv_amt maximum_per=maxplan_pv_per
      limit_count=bendesc_ods_num limit_per=bendesc_ods_per authorization=auth_ods_yn
      referral=refer_ods_yn'),
    (96, '16b4', 'Dental: cleaning', 'Dental', false, 'dental_preventive', 'times',
     'b16_dental', 'pbp_b16b_', 'offered=bendesc_pc_amo copay_yn=copay_pc_yn copay_min=copay_pc_amt_min,copay_pc_amt
      copay_max=copay_pc_amt_max,copay_pc_amt coinsurance_yn=coins_pc_yn
      coinsurance_min=coins_pc_pct_min,coins_pc_pct coinsurance_max=coins_pc_pct_max,coins_pc_pct
      deductible=ded_pv_amt maximum=maxplan_pv_amt maximum_per=maxplan_pv_per
      limit_count=bendesc_pc_num limit_per=bendesc_pc_per authorization=auth_pc_yn referral=refer_pc_yn'),
    (97, '16b5', 'Dental: fluoride treatment', 'Dental', false, 'dental_preventive', 'times',
     'b16_dental', 'pbp_b16b_', 'offered=bendesc_ft_amo copay_yn=copay_ft_yn copay_min=copay_ft_amt_min,copay_ft_amt
      copay_max=copay_ft_amt_max,copay_ft_amt coinsurance_yn=coins_ft_yn
      coinsurance_min=coins_ft_pct_min,coins_ft_pct coinsurance_max=coins_ft_pct_max,coins_ft_pct
      deductible=ded_pv_amt maximum=maxplan_pv_amt maximum_per=maxplan_pv_per
      limit_count=bendesc_ft_num limit_per=bendesc_ft_per authorization=auth_ft_yn referral=refer_ft_yn'),
    (98, '16b6', 'Dental: other preventive dental services', 'Dental', false, 'dental_preventive', 'times',
     'b16_dental', 'pbp_b16b_', 'offered=bendesc_ops_amo copay_yn=copay_ops_yn copay_min=copay_ops_amt_min,copay_ops_amt
      copay_max=copay_ops_amt_max,copay_ops_amt coinsurance_yn=coins_ops_yn
      coinsurance_min=coins_ops_pct_min,coins_ops_pct coinsurance_max=coins_ops_pct_max,coins_ops_pct
      deductible=ded_pv_amt maximum=maxplan_pv_amt maximum_per=maxplan_pv_per
      limit_count=bendesc_ops_num limit_per=bendesc_ops_per authorization=auth_ops_yn
      referral=refer_ops_yn'),
    (99, '16c1', 'Dental: restorative services', 'Dental', false, 'dental_comprehensive', 'times',
     'b16_dental', 'pbp_b16c_', 'offered=bendesc_rs_amo copay_yn=copay_rs_yn copay_min=copay_rs_amt_min,copay_rs_amt
      copay_max=copay_rs_amt_max,copay_rs_amt coinsurance_yn=coins_rs_yn
      coinsurance_min=coins_rs_pct_min,coins_rs_pct coinsurance_max=coins_rs_pct_max,coins_rs_pct
      deductible=ded_cmp_amt maximum=maxplan_cmp_amt maximum_per=maxplan_cmp_per
      shared_if=maxplan_cmp_type shared_maximum=/pbp_b16b_maxplan_pv_amt
      shared_maximum_per=/pbp_b16b_maxplan_pv_per limit_count=bendesc_rs_num limit_per=bendesc_rs_per
      authorization=auth_rs_yn referral=refer_rs_yn'),
    (100, '16c2', 'Dental: endodontics', 'Dental', false, 'dental_comprehensive', 'times',
     'b16_dental', 'pbp_b16c_', 'offered=bendesc_end_amo copay_yn=copay_end_yn copay_min=copay_end_amt_min,copay_end_amt
      copay_max=copay_end_amt_max,copay_end_amt coinsurance_yn=coins_end_yn
      coinsurance_min=coins_end_pct_min,coins_end_pct coinsurance_max=coins_end_pct_max,coins_end_pct
      deductible=ded_cmp_amt maximum=maxplan_cmp_amt maximum_per=maxplan_cmp_per
      shared_if=maxplan_cmp_type shared_maximum=/pbp_b16b_maxplan_pv_amt
      shared_maximum_per=/pbp_b16b_maxplan_pv_per limit_count=bendesc_end_num limit_per=bendesc_end_per
      authorization=auth_end_yn referral=refer_end_yn'),
    (101, '16c3', 'Dental: periodontics', 'Dental', false, 'dental_comprehensive', 'times',
     'b16_dental', 'pbp_b16c_', 'offered=bendesc_peri_amo copay_yn=copay_peri_yn copay_min=copay_peri_amt_min,copay_peri_amt
      copay_max=copay_peri_amt_max,copay_peri_amt coinsurance_yn=coins_peri_yn
      coinsurance_min=coins_peri_pct_min,coins_peri_pct
      coinsurance_max=coins_peri_pct_max,coins_peri_pct deductible=ded_cmp_amt maximum=maxplan_cmp_amt
      maximum_per=maxplan_cmp_per shared_if=maxplan_cmp_type shared_maximum=/pbp_b16b_maxplan_pv_amt
      shared_maximum_per=/pbp_b16b_maxplan_pv_per limit_count=bendesc_peri_num
      limit_per=bendesc_peri_per authorization=auth_peri_yn referral=refer_peri_yn'),
    (102, '16c4', 'Dental: prosthodontics, removable', 'Dental', false, 'dental_comprehensive', 'times',
     'b16_dental', 'pbp_b16c_', 'offered=bendesc_prm_amo copay_yn=copay_prm_yn copay_min=copay_prm_amt_min,copay_prm_amt
      copay_max=copay_prm_amt_max,copay_prm_amt coinsurance_yn=coins_prm_yn
      coinsurance_min=coins_prm_pct_min,coins_prm_pct coinsurance_max=coins_prm_pct_max,coins_prm_pct
      deductible=ded_cmp_amt maximum=maxplan_cmp_amt maximum_per=maxplan_cmp_per
      shared_if=maxplan_cmp_type shared_maximum=/pbp_b16b_maxplan_pv_amt
      shared_maximum_per=/pbp_b16b_maxplan_pv_per limit_count=bendesc_prm_num limit_per=bendesc_prm_per
      authorization=auth_prm_yn referral=refer_prm_yn'),
    (103, '16c5', 'Dental: maxillofacial prosthetics', 'Dental', false, 'dental_comprehensive', 'times',
     'b16_dental', 'pbp_b16c_', 'offered=bendesc_mxpr_amo copay_yn=copay_mxpr_yn copay_min=copay_mxpr_amt_min,copay_mxpr_amt
      copay_max=copay_mxpr_amt_max,copay_mxpr_amt coinsurance_yn=coins_mxpr_yn
      coinsurance_min=coins_mxpr_pct_min,coins_mxpr_pct
      coinsurance_max=coins_mxpr_pct_max,coins_mxpr_pct deductible=ded_cmp_amt maximum=maxplan_cmp_amt
      maximum_per=maxplan_cmp_per shared_if=maxplan_cmp_type shared_maximum=/pbp_b16b_maxplan_pv_amt
      shared_maximum_per=/pbp_b16b_maxplan_pv_per limit_count=bendesc_mxpr_num
      limit_per=bendesc_mxpr_per authorization=auth_mxpr_yn referral=refer_mxpr_yn'),
    (104, '16c6', 'Dental: implants', 'Dental', false, 'dental_comprehensive', 'times',
     'b16_dental', 'pbp_b16c_', 'offered=bendesc_impl_amo copay_yn=copay_impl_yn copay_min=copay_impl_amt_min,copay_impl_amt
      copay_max=copay_impl_amt_max,copay_impl_amt coinsurance_yn=coins_impl_yn
      coinsurance_min=coins_impl_pct_min,coins_impl_pct
      coinsurance_max=coins_impl_pct_max,coins_impl_pct deductible=ded_cmp_amt maximum=maxplan_cmp_amt
      maximum_per=maxplan_cmp_per shared_if=maxplan_cmp_type shared_maximum=/pbp_b16b_maxplan_pv_amt
      shared_maximum_per=/pbp_b16b_maxplan_pv_per limit_count=bendesc_impl_num
      limit_per=bendesc_impl_per authorization=auth_impl_yn referral=refer_impl_yn'),
    (105, '16c7', 'Dental: prosthodontics, fixed', 'Dental', false, 'dental_comprehensive', 'times',
     'b16_dental', 'pbp_b16c_', 'offered=bendesc_prf_amo copay_yn=copay_prf_yn copay_min=copay_prf_amt_min,copay_prf_amt
      copay_max=copay_prf_amt_max,copay_prf_amt coinsurance_yn=coins_prf_yn
      coinsurance_min=coins_prf_pct_min,coins_prf_pct coinsurance_max=coins_prf_pct_max,coins_prf_pct
      deductible=ded_cmp_amt maximum=maxplan_cmp_amt maximum_per=maxplan_cmp_per
      shared_if=maxplan_cmp_type shared_maximum=/pbp_b16b_maxplan_pv_amt
      shared_maximum_per=/pbp_b16b_maxplan_pv_per limit_count=bendesc_prf_num limit_per=bendesc_prf_per
      authorization=auth_prf_yn referral=refer_prf_yn'),
    (106, '16c8', 'Dental: oral and maxillofacial surgery', 'Dental', false, 'dental_comprehensive', 'times',
     'b16_dental', 'pbp_b16c_', 'offered=bendesc_omsg_amo copay_yn=copay_omsg_yn copay_min=copay_omsg_amt_min,copay_omsg_amt
      copay_max=copay_omsg_amt_max,copay_omsg_amt coinsurance_yn=coins_omsg_yn
      coinsurance_min=coins_omsg_pct_min,coins_omsg_pct
      coinsurance_max=coins_omsg_pct_max,coins_omsg_pct deductible=ded_cmp_amt maximum=maxplan_cmp_amt
      maximum_per=maxplan_cmp_per shared_if=maxplan_cmp_type shared_maximum=/pbp_b16b_maxplan_pv_amt
      shared_maximum_per=/pbp_b16b_maxplan_pv_per limit_count=bendesc_omsg_num
      limit_per=bendesc_omsg_per authorization=auth_omsg_yn referral=refer_omsg_yn'),
    (107, '16c9', 'Dental: orthodontics', 'Dental', false, 'dental_comprehensive', 'times',
     'b16_dental', 'pbp_b16c_', 'offered=bendesc_orth_amo copay_yn=copay_orth_yn copay_min=copay_orth_amt_min,copay_orth_amt
      copay_max=copay_orth_amt_max,copay_orth_amt coinsurance_yn=coins_orth_yn
      coinsurance_min=coins_orth_pct_min,coins_orth_pct
      coinsurance_max=coins_orth_pct_max,coins_orth_pct deductible=ded_cmp_amt maximum=maxplan_cmp_amt
      maximum_per=maxplan_cmp_per shared_if=maxplan_cmp_type shared_maximum=/pbp_b16b_maxplan_pv_amt
      shared_maximum_per=/pbp_b16b_maxplan_pv_per limit_count=bendesc_orth_num
      limit_per=bendesc_orth_per authorization=auth_orth_yn referral=refer_orth_yn'),
    (108, '16c10', 'Dental: adjunctive general services', 'Dental', false, 'dental_comprehensive', 'times',
     'b16_dental', 'pbp_b16c_', 'offered=bendesc_ags_amo copay_yn=copay_ags_yn copay_min=copay_ags_amt_min,copay_ags_amt
      copay_max=copay_ags_amt_max,copay_ags_amt coinsurance_yn=coins_ags_yn
      coinsurance_min=coins_ags_pct_min,coins_ags_pct coinsurance_max=coins_ags_pct_max,coins_ags_pct
      deductible=ded_cmp_amt maximum=maxplan_cmp_amt maximum_per=maxplan_cmp_per
      shared_if=maxplan_cmp_type shared_maximum=/pbp_b16b_maxplan_pv_amt
      shared_maximum_per=/pbp_b16b_maxplan_pv_per limit_count=bendesc_ags_num limit_per=bendesc_ags_per
      authorization=auth_ags_yn referral=refer_ags_yn'),
    (109, '17a', 'Eye exam (Medicare-covered)', 'Vision', true, null, null,
     'b17_eye_exams_wear', 'pbp_b17a_', 'copay_min=copay_amt_mc_min copay_max=copay_amt_mc_max coinsurance_min=coins_pct_mc_min
      coinsurance_max=coins_pct_mc_max'),
    (110, '17a1', 'Routine eye exam', 'Vision', false, 'vision_exam', 'exams',
     'b17_eye_exams_wear', 'pbp_b17a_', 'offered=bendesc_amo_rex offered_yn=bendesc_yn copay_min=copay_amt_rex_min
      copay_max=copay_amt_rex_max coinsurance_min=coins_pct_rex_min coinsurance_max=coins_pct_rex_max
      deductible=ded_nmc_amt limit_count=bendesc_num_rex limit_per=bendesc_per_rex'),
    (111, '17a2', 'Other eye exam', 'Vision', false, null, 'exams',
     'b17_eye_exams_wear', 'pbp_b17a_', 'offered=bendesc_amo_other offered_yn=bendesc_yn copay_min=copay_amt_other_min
      copay_max=copay_amt_other_max coinsurance_min=coins_pct_other_min
      coinsurance_max=coins_pct_other_max deductible=ded_nmc_amt limit_count=bendesc_num_other
      limit_per=bendesc_per_other other_name=addl_service_other'),
    (112, '17b', 'Eyewear (Medicare-covered)', 'Vision', true, null, null,
     'b17_eye_exams_wear', 'pbp_b17b_', 'copay_min=copay_amt_mc_min copay_max=copay_amt_mc_max coinsurance_min=coins_pct_mc_min
      coinsurance_max=coins_pct_mc_max'),
    (113, '17b1', 'Contact lenses', 'Vision', false, 'eyewear', 'pairs',
     'b17_eye_exams_wear', 'pbp_b17b_', 'offered=bendesc_amo_cl offered_yn=bendesc_yn copay_min=copay_amt_cl_min
      copay_max=copay_amt_cl_max coinsurance_min=coins_pct_cl_min coinsurance_max=coins_pct_cl_max
      deductible=ded_nmc_amt maximum=indv_maxplan_amt_cl,comb_maxplan_amt
      maximum_per=indv_maxplan_per_cl,comb_maxplan_per shared_if=maxplan_type
      shared_maximum=/pbp_b17a_maxplan_amt shared_maximum_per=/pbp_b17a_maxplan_per
      limit_count=bendesc_numv_cl limit_per=bendesc_per_cl'),
    (114, '17b2', 'Eyeglasses (lenses and frames)', 'Vision', false, 'eyewear', 'pairs',
     'b17_eye_exams_wear', 'pbp_b17b_', 'offered=bendesc_amo_egs offered_yn=bendesc_yn copay_min=copay_amt_egs_min
      copay_max=copay_amt_egs_max coinsurance_min=coins_pct_egs_min coinsurance_max=coins_pct_egs_max
      deductible=ded_nmc_amt maximum=indv_maxplan_amt_egs,comb_maxplan_amt
      maximum_per=indv_maxplan_per_egs,comb_maxplan_per shared_if=maxplan_type
      shared_maximum=/pbp_b17a_maxplan_amt shared_maximum_per=/pbp_b17a_maxplan_per
      limit_count=bendesc_numv_egs limit_per=bendesc_per_egs'),
    (115, '17b3', 'Eyeglass lenses', 'Vision', false, 'eyewear', 'pairs',
     'b17_eye_exams_wear', 'pbp_b17b_', 'offered=bendesc_amo_egi offered_yn=bendesc_yn copay_min=copay_amt_egl_min
      copay_max=copay_amt_egl_max coinsurance_min=coins_pct_egl_min coinsurance_max=coins_pct_egl_max
      deductible=ded_nmc_amt maximum=indv_maxplan_amt_egl,comb_maxplan_amt
      maximum_per=indv_maxplan_per_egl,comb_maxplan_per shared_if=maxplan_type
      shared_maximum=/pbp_b17a_maxplan_amt shared_maximum_per=/pbp_b17a_maxplan_per
      limit_count=bendesc_numv_egl limit_per=bendesc_per_egl'),
    (116, '17b4', 'Eyeglass frames', 'Vision', false, 'eyewear', 'frames',
     'b17_eye_exams_wear', 'pbp_b17b_', 'offered=bendesc_amo_egf offered_yn=bendesc_yn copay_min=copay_amt_egf_min
      copay_max=copay_amt_egf_max coinsurance_min=coins_pct_egf_min coinsurance_max=coins_pct_egf_max
      deductible=ded_nmc_amt maximum=indv_maxplan_amt_egf,comb_maxplan_amt
      maximum_per=indv_maxplan_per_egf,comb_maxplan_per shared_if=maxplan_type
      shared_maximum=/pbp_b17a_maxplan_amt shared_maximum_per=/pbp_b17a_maxplan_per
      limit_count=bendesc_numv_egf limit_per=bendesc_per_egf'),
    (117, '17b5', 'Eyewear upgrades', 'Vision', false, null, null,
     'b17_eye_exams_wear', 'pbp_b17b_', 'offered=bendesc_amo_upg offered_yn=bendesc_yn copay_min=copay_amt_upg_min
      copay_max=copay_amt_upg_max coinsurance_min=coins_pct_upg_min coinsurance_max=coins_pct_upg_max
      deductible=ded_nmc_amt maximum=indv_maxplan_amt_upg,comb_maxplan_amt
      maximum_per=indv_maxplan_per_upg,comb_maxplan_per shared_if=maxplan_type
      shared_maximum=/pbp_b17a_maxplan_amt shared_maximum_per=/pbp_b17a_maxplan_per'),
    (118, '18a', 'Hearing exam (Medicare-covered)', 'Hearing', true, null, null,
     'b18_hearing_exams_aids', 'pbp_b18a_', 'copay_min=copay_amt copay_max=med_copay_amt_max coinsurance_min=med_coins_pct
      coinsurance_max=med_coins_pct_max'),
    (119, '18a1', 'Routine hearing exam', 'Hearing', false, 'hearing_exam', 'exams',
     'b18_hearing_exams_aids', 'pbp_b18a_', 'offered=bendesc_amo_rht offered_yn=bendesc_yn copay_min=copay_amt_rht copay_max=copay_amt_max_rht
      coinsurance_min=coins_pct_rht coinsurance_max=coins_pct_max_rht deductible=ded_nmc_amt
      limit_count=bendesc_numv_cl limit_per=bendesc_per_rht'),
    (120, '18a2', 'Fitting of a hearing aid', 'Hearing', false, null, 'visits',
     'b18_hearing_exams_aids', 'pbp_b18a_', 'offered=bendesc_amo_fha offered_yn=bendesc_yn copay_min=copay_amt_fha copay_max=copay_amt_max_fha
      coinsurance_min=coins_pct_fha coinsurance_max=coins_pct_max_fha deductible=ded_nmc_amt
      limit_count=bendesc_numv_fha limit_per=bendesc_per_fha'),
    (121, '18b1', 'Hearing aids: all types', 'Hearing', false, 'hearing_aids', 'aids',
     'b18_hearing_exams_aids', 'pbp_b18b_', 'offered=bendesc_amo_at offered_yn=bendesc_yn copay_min=copay_at_min_amt
      copay_max=copay_at_max_amt coinsurance_min=coins_pct_at_min coinsurance_max=coins_pct_at_max
      shared_if=maxplan_type shared_maximum=/pbp_b18a_maxplan_amt
      shared_maximum_per=/pbp_b18a_maxplan_per limit_count=bendesc_numv_at limit_per=bendesc_per_at'),
    (122, '18b2', 'Hearing aids: inner ear', 'Hearing', false, 'hearing_aids', 'aids',
     'b18_hearing_exams_aids', 'pbp_b18b_', 'offered=bendesc_amo_ie offered_yn=bendesc_yn copay_min=copay_amt_per_ie_min
      copay_max=copay_amt_per_ie_max,copay_amt_p2_ie_max coinsurance_min=coins_pct_ie_min
      coinsurance_max=coins_pct_ie_max shared_if=maxplan_type shared_maximum=/pbp_b18a_maxplan_amt
      shared_maximum_per=/pbp_b18a_maxplan_per limit_count=bendesc_numv_ie limit_per=bendesc_per_ie'),
    (123, '18b3', 'Hearing aids: outer ear', 'Hearing', false, 'hearing_aids', 'aids',
     'b18_hearing_exams_aids', 'pbp_b18b_', 'offered=bendesc_amo_oe offered_yn=bendesc_yn copay_min=copay_amt_per_oe_min
      copay_max=copay_amt_per_oe_max,copay_amt_p2_oe_max coinsurance_min=coins_pct_oe_min
      coinsurance_max=coins_pct_oe_max shared_if=maxplan_type shared_maximum=/pbp_b18a_maxplan_amt
      shared_maximum_per=/pbp_b18a_maxplan_per limit_count=bendesc_numv_oe limit_per=bendesc_per_oe'),
    (124, '18b4', 'Hearing aids: over the ear', 'Hearing', false, 'hearing_aids', 'aids',
     'b18_hearing_exams_aids', 'pbp_b18b_', 'offered=bendesc_amo_ote offered_yn=bendesc_yn copay_min=copay_amt_per_ote_min
      copay_max=copay_amt_per_ote_max,copay_amt_p2_ote_max coinsurance_min=coins_pct_ote_min
      coinsurance_max=coins_pct_ote_max shared_if=maxplan_type shared_maximum=/pbp_b18a_maxplan_amt
      shared_maximum_per=/pbp_b18a_maxplan_per limit_count=bendesc_numv_ote limit_per=bendesc_per_ote'),
    (125, '18c', 'Hearing aids: over the counter', 'Hearing', false, 'hearing_aids', 'aids',
     'b18_hearing_exams_aids', 'pbp_b18c_', 'offered=bendesc_amo copay_min=copay_amt_min,copay_amt copay_max=copay_amt_max,copay_amt
      coinsurance_min=coins_pct_min,coins_pct coinsurance_max=coins_pct_max,coins_pct
      limit_count=bendesc_num limit_per=bendesc_per'),
    -- The PBP's 15(NMC). Out of the network it has a cost share, in it the PBP asks for none.
    (126, '15', 'Part D home infusion drugs in a bundle', 'Drugs under Part B', false, null, null,
     'b15_partb_rx_drugs', 'mrx_b_', 'offered_yn=hi_yn copay_yn= coinsurance_yn= deductible= maximum= maximum_per= member_maximum=
      member_maximum_per= authorization= referral=')
),
usual (role, name) as (values
    ('copay_yn', 'copay_yn'), ('coinsurance_yn', 'coins_yn'), ('deductible', 'ded_amt'),
    ('maximum', 'maxplan_amt'), ('maximum_per', 'maxplan_per'),
    ('member_maximum', 'maxenr_amt'), ('member_maximum_per', 'maxenr_per'),
    ('authorization', 'auth_yn'), ('referral', 'refer_yn')
),
named as (
    select service_no, split_part(item, '=', 1) as role, split_part(item, '=', 2) as names
    from service, regexp_split_to_table(roles, '\s+') as item
    union all
    -- A plan's maximum is on what it adds to Medicare, never on what Medicare covers.
    select service_no, usual.role, usual.name
    from service, usual
    where not (usual.role in ('maximum', 'maximum_per') and medicare_covered)
      and not service.roles ~ ('(^|\s)' || usual.role || '=')
),
field as (
    select service_no, role,
           jsonb_agg(case when name like '/%' then substr(name, 2) else field_prefix || name end
                     order by place) as names
    from named
    join service using (service_no),
         string_to_table(names, ',') with ordinality as one (name, place)
    where name <> ''
    group by service_no, role
)
select service_no::smallint,
       service_code,
       service,
       category,
       medicare_covered,
       search_key,
       limit_unit,
       section,
       field_prefix,
       (select jsonb_object_agg(role, names) from field where field.service_no = service.service_no) as fields
from service;

alter table benefit_service add primary key (service_no);
create unique index benefit_service_code on benefit_service (service_code);

comment on table benefit_service is
    'The services of a health plan that CMS asks about, and the PBP columns that answer: one row a service. The declared mapping behind benefit. Codes and columns: PBP data dictionary 2026. [layout]';
comment on column benefit_service.service_no is
    'Number of the service in the order of the PBP, from 1; a small key for benefit.';
comment on column benefit_service.service_code is
    'Service category as the PBP writes it in its lists: 7d physician specialist, 16b4 cleaning; _2 marks what a plan adds to a Medicare service of the same code (7f_2 routine foot care). [layout]';
comment on column benefit_service.service is
    'Service in words.';
comment on column benefit_service.category is
    'Group under which a page shows the service: Doctors, Hospital, Dental …';
comment on column benefit_service.medicare_covered is
    'True: Medicare covers the service, so every plan that answers offers it. False: a plan may add it (supplemental benefit).';
comment on column benefit_service.search_key is
    'Name under which search_plans filters and counts plans that offer the service; several services may share one. Null: not searched for.';
comment on column benefit_service.limit_unit is
    'What benefit.limit_count counts: visits, trips, pairs … Null where the PBP counts nothing.';
comment on column benefit_service.section is
    'PBP table that holds the columns; joins pbp_section.section.';
comment on column benefit_service.field_prefix is
    'What the names of the columns begin with.';
comment on column benefit_service.fields is
    'Role to PBP columns, for example {"copay_min": ["pbp_b7d_copay_amt_mc_min"]}. Read with pbp_section.fields.';

-- check: every column that is named for a service alone is in the layout of the PBP
-- A layout of a few rows is a sample, and proves nothing.
select service_code, role, name
from benefit_service, jsonb_each(fields) as said (role, names), jsonb_array_elements_text(names) as name
where (select count(*) from pbp_column) > 5000
  and name not in (select lower(column_name) from pbp_column)
  and name not in (select field_prefix || usual
                   from unnest(array['copay_yn', 'coins_yn', 'ded_amt', 'maxplan_amt', 'maxplan_per',
                                     'maxenr_amt', 'maxenr_per', 'auth_yn', 'refer_yn']) as usual);
