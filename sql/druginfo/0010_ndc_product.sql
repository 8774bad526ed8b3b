-- pre-data
create table ndc_product (
    directory                        text not null,
    productid                        text not null,
    productndc                       text not null,
    producttypename                  text,
    proprietaryname                  text,
    proprietarynamesuffix            text,
    nonproprietaryname               text,
    dosageformname                   text,
    routename                        text,
    startmarketingdate               date,
    endmarketingdate                 date,
    marketingcategoryname            text,
    applicationnumber                text,
    labelername                      text,
    substancename                    text,
    active_numerator_strength        text,
    active_ingred_unit               text,
    pharm_classes                    text,
    deaschedule                      text,
    ndc_exclude_flag                 text,
    listing_record_certified_through date
);

comment on table ndc_product is
    'Drug products as their labelers list them with the FDA: one row a product and listing, from the directory of finished drugs and from that of unfinished ones. FDA NDC Directory, product file. [file]';
comment on column ndc_product.directory is
    'Which FDA directory the row is of, from the object''s name: ndctext is that of finished drugs, unfinished that of bulk ingredients and drugs for further processing. [file]';
comment on column ndc_product.productid is
    'Product code and listing document, joined by an underscore; joins ndc_package.productid. Without meaning for regulation. [file]';
comment on column ndc_product.productndc is
    'Labeler and product segments of the national drug code, with the hyphen and without leading zeros: 5-4, 5-3 or 4-4 digits. Not unique: a product may be listed again. [file]';
comment on column ndc_product.producttypename is
    'Kind of product, in words: HUMAN PRESCRIPTION DRUG, HUMAN OTC DRUG, BULK INGREDIENT … [file]';
comment on column ndc_product.proprietaryname is
    'Brand name. Null in the unfinished directory, which lacks the column. [layout]';
comment on column ndc_product.proprietarynamesuffix is
    'What follows the brand name (XR, 24 Hour …). Null in the unfinished directory, which lacks the column. [layout]';
comment on column ndc_product.nonproprietaryname is
    'Generic name or names, as the labeler writes it. [file]';
comment on column ndc_product.dosageformname is
    'Dosage form in words: TABLET, INJECTION, SOLUTION … [file]';
comment on column ndc_product.routename is
    'Route of administration in words. Null in the unfinished directory, which lacks the column. [layout]';
comment on column ndc_product.startmarketingdate is
    'First day of marketing. [file]';
comment on column ndc_product.endmarketingdate is
    'Last day of marketing; null while the product is sold. [file]';
comment on column ndc_product.marketingcategoryname is
    'Under what the product is sold: NDA and BLA for brands, ANDA and NDA AUTHORIZED GENERIC for generics, BULK INGREDIENT … [file]';
comment on column ndc_product.applicationnumber is
    'FDA application, such as NDA019583. Null in the unfinished directory, which lacks the column. [layout]';
comment on column ndc_product.labelername is
    'Company under whose code the product is sold, as the labeler writes it: mark-up and more than a name occur. [file]';
comment on column ndc_product.substancename is
    'Active substances, separated by semicolons. [file]';
comment on column ndc_product.active_numerator_strength is
    'Strength of each substance, in the order of substancename, separated by semicolons. [file]';
comment on column ndc_product.active_ingred_unit is
    'Unit of each strength, in the order of substancename, separated by semicolons. [file]';
comment on column ndc_product.pharm_classes is
    'Pharmacological classes. Null in the unfinished directory, which lacks the column. [layout]';
comment on column ndc_product.deaschedule is
    'Controlled substances schedule, CI to CV; null where the product is not controlled. [file]';
comment on column ndc_product.ndc_exclude_flag is
    'Whether the FDA excludes the product from its directory, N or E. Null in the unfinished directory, which lacks the column. [layout]';
comment on column ndc_product.listing_record_certified_through is
    'Until when the labeler has certified the listing. [file]';

-- post-data
alter table ndc_product add primary key (productid, directory);

-- check: product codes are two segments of digits with the hyphen, but for a labeler's slip here and there
select directory, count(*) as products
from ndc_product
group by directory
having count(*) filter (
    where productndc !~ '^([0-9]{4}-[0-9]{4}|[0-9]{5}-[0-9]{3,4})$'
) > greatest(5, 0.01 * count(*));
