-- derive
create table state (
    state      text not null,
    name       text not null,
    state_fips text not null,
    state_ssa  text not null
);

insert into state (state, name, state_fips, state_ssa)
values
    ('AK', 'Alaska', '02', '02'),
    ('AL', 'Alabama', '01', '01'),
    ('AR', 'Arkansas', '05', '04'),
    ('AS', 'American Samoa', '60', '64'),
    ('AZ', 'Arizona', '04', '03'),
    ('CA', 'California', '06', '05'),
    ('CO', 'Colorado', '08', '06'),
    ('CT', 'Connecticut', '09', '07'),
    ('DC', 'District of Columbia', '11', '09'),
    ('DE', 'Delaware', '10', '08'),
    ('FL', 'Florida', '12', '10'),
    ('GA', 'Georgia', '13', '11'),
    ('GU', 'Guam', '66', '65'),
    ('HI', 'Hawaii', '15', '12'),
    ('IA', 'Iowa', '19', '16'),
    ('ID', 'Idaho', '16', '13'),
    ('IL', 'Illinois', '17', '14'),
    ('IN', 'Indiana', '18', '15'),
    ('KS', 'Kansas', '20', '17'),
    ('KY', 'Kentucky', '21', '18'),
    ('LA', 'Louisiana', '22', '19'),
    ('MA', 'Massachusetts', '25', '22'),
    ('MD', 'Maryland', '24', '21'),
    ('ME', 'Maine', '23', '20'),
    ('MI', 'Michigan', '26', '23'),
    ('MN', 'Minnesota', '27', '24'),
    ('MO', 'Missouri', '29', '26'),
    ('MP', 'Northern Mariana Islands', '69', '66'),
    ('MS', 'Mississippi', '28', '25'),
    ('MT', 'Montana', '30', '27'),
    ('NC', 'North Carolina', '37', '34'),
    ('ND', 'North Dakota', '38', '35'),
    ('NE', 'Nebraska', '31', '28'),
    ('NH', 'New Hampshire', '33', '30'),
    ('NJ', 'New Jersey', '34', '31'),
    ('NM', 'New Mexico', '35', '32'),
    ('NV', 'Nevada', '32', '29'),
    ('NY', 'New York', '36', '33'),
    ('OH', 'Ohio', '39', '36'),
    ('OK', 'Oklahoma', '40', '37'),
    ('OR', 'Oregon', '41', '38'),
    ('PA', 'Pennsylvania', '42', '39'),
    ('PR', 'Puerto Rico', '72', '40'),
    ('RI', 'Rhode Island', '44', '41'),
    ('SC', 'South Carolina', '45', '42'),
    ('SD', 'South Dakota', '46', '43'),
    ('TN', 'Tennessee', '47', '44'),
    ('TX', 'Texas', '48', '45'),
    ('UT', 'Utah', '49', '46'),
    ('VA', 'Virginia', '51', '49'),
    ('VI', 'U.S. Virgin Islands', '78', '48'),
    ('VT', 'Vermont', '50', '47'),
    ('WA', 'Washington', '53', '50'),
    ('WI', 'Wisconsin', '55', '52'),
    ('WV', 'West Virginia', '54', '51'),
    ('WY', 'Wyoming', '56', '53');

alter table state add primary key (state);
create unique index state_name on state (name);
create unique index state_ssa on state (state_ssa);

comment on table state is
    'States, the District of Columbia and the territories with Medicare, and their codes. Fixed: FIPS 5-2 and USPS Publication 28 for names and letters, CMS''s SSA state codes.';
comment on column state.state is
    'State, two letters (USPS).';
comment on column state.name is
    'Name of the state as CMS writes it in the names of regions.';
comment on column state.state_fips is
    'FIPS state code, two digits: the first two of county_fips.';
comment on column state.state_ssa is
    'SSA state code, two digits: the first two of an SSA county code. CMS has given second codes to large states (45 and 74 for Texas), for providers only.';
