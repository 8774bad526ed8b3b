-- pre-data
create table pbp_column (
    sas_file    text not null,
    pos         integer not null,
    column_name text not null,
    sas_type    text not null,
    length      integer
);

comment on table pbp_column is
    'Dictionary of the columns of all PBP tables of a year: name, type and length, one row a column. From CMS''s SAS programs that come with the PBP release. [file]';
comment on column pbp_column.sas_file is
    'PBP table as CMS''s SAS programs name it, pbp_Section_D; cased as there. [file]';
comment on column pbp_column.pos is
    'Place of the column in the table, from 1. [file]';
comment on column pbp_column.column_name is
    'Name of the column: the key in pbp_section.fields. Names repeat in pbp_Section_A, planArea and planRegionArea. [file]';
comment on column pbp_column.sas_type is
    'CHAR text, NUM number. [file]';
comment on column pbp_column.length is
    'Width of a CHAR column in characters; of a NUM column the width that SAS stores. [file]';

-- post-data
alter table pbp_column add primary key (sas_file, pos);
create index pbp_column_name on pbp_column (column_name);

-- check: the type is one that SAS has
select sas_file, column_name, sas_type
from pbp_column
where sas_type not in ('CHAR', 'NUM');
