create table lines (
    id text not null,
    name text,
    size smallint
);
