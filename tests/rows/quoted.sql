create table quoted (
    id text not null,
    name text,
    size smallint,
    fields jsonb not null
);
