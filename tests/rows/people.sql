create table people (
    person uuid not null,
    county text
);
