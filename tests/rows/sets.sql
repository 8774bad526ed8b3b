create table sets (
    plan_key smallint not null,
    block integer not null,
    piece integer not null,
    terms_keys integer[] not null
);

create table set_plan (
    id smallint not null,
    contract text not null,
    plan text not null
);

create table set_pharmacy (
    id integer not null,
    pharmacy text not null
);

create table set_terms (
    id integer not null,
    fee numeric(5,2),
    mail boolean not null
);
