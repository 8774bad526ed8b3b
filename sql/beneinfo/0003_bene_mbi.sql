-- pre-data
create table bene_mbi (
    mbi                uuid not null,
    bene_mbi_efctv_dt  date not null,
    idr_ltst_trans_flg boolean not null,
    bene_mbi_obslt_dt  date
);

comment on table bene_mbi is
    'Medicare numbers, hashed, and when each was in use: an app that is given a number can tell whether it still counts. CMS Integrated Data Repository, BENE_MBI_ID, which does not say whose number it is; beneficiary does. [file]';
comment on column bene_mbi.mbi is
    'The Medicare number (MBI) as a keyed hash, made before the row reaches Postgres; joins beneficiary.mbi. Kept because it is all that a member can tell an app. [file]';
comment on column bene_mbi.bene_mbi_efctv_dt is
    'First day on which the number counted. Kept to tell whether it does. [file]';
comment on column bene_mbi.idr_ltst_trans_flg is
    'True (Y) for the version that counts, false (N) for one that a later row replaced. Kept to leave replaced rows out. [file]';
comment on column bene_mbi.bene_mbi_obslt_dt is
    'Day from which the number no longer counts; null while it does. Kept to tell whether it does. [file]';

-- post-data
create unique index bene_mbi_key on bene_mbi (mbi) where idr_ltst_trans_flg;
