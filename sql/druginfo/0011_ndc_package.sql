-- pre-data
-- A few codes are not codes at all (02, 47848-026-XX): ndc is made here and not by the loader, so that
-- such a row is kept as the FDA has it, its ndc null, and not rejected.
create table ndc_package (
    directory          text not null,
    productid          text not null,
    productndc         text not null,
    ndcpackagecode     text not null,
    packagedescription text,
    startmarketingdate date,
    endmarketingdate   date,
    ndc_exclude_flag   text,
    sample_package     text,
    ndc                text generated always as (
        case when ndcpackagecode ~ '^([0-9]{4}-[0-9]{4}-[0-9]{2}|[0-9]{5}-[0-9]{3}-[0-9]{2}|[0-9]{5}-[0-9]{4}-[0-9]{1,2})$'
             then lpad(split_part(ndcpackagecode, '-', 1), 5, '0')
               || lpad(split_part(ndcpackagecode, '-', 2), 4, '0')
               || lpad(split_part(ndcpackagecode, '-', 3), 2, '0') end
    ) stored
);

comment on table ndc_package is
    'Packages of the drug products: one row a product listing and package. FDA NDC Directory, package file. [file]';
comment on column ndc_package.directory is
    'Which FDA directory the row is of, from the object''s name: ndctext is that of finished drugs, unfinished that of bulk ingredients and drugs for further processing. [file]';
comment on column ndc_package.productid is
    'Product listing; joins ndc_product.productid. [file]';
comment on column ndc_package.productndc is
    'Labeler and product segments with the hyphen, as the FDA writes them: 5-4, 5-3 or 4-4 digits. [file]';
comment on column ndc_package.ndcpackagecode is
    'National drug code of the package, as the FDA writes it: 4-4-2, 5-3-2 or 5-4-1 digits with hyphens. [file]';
comment on column ndc_package.ndc is
    'National drug code, 11 digits without hyphens, as CMS writes it: ndcpackagecode with its short segment padded by a zero to 5-4-2. Joins basic_drugs_formulary.ndc. Null where ndcpackagecode is none. [file]';
comment on column ndc_package.packagedescription is
    'Package in words, from the outside in: 2 BLISTER PACK in 1 CARTON (…) > 10 TABLET in 1 BLISTER PACK. [file]';
comment on column ndc_package.startmarketingdate is
    'First day of marketing of the package. Null in the unfinished directory, which lacks the column. [layout]';
comment on column ndc_package.endmarketingdate is
    'Last day of marketing of the package. Null while it is sold, and in the unfinished directory, which lacks the column. [layout]';
comment on column ndc_package.ndc_exclude_flag is
    'Whether the FDA excludes the package from its directory, N or E. Null in the unfinished directory, which lacks the column. [layout]';
comment on column ndc_package.sample_package is
    'Y for a physician''s sample. Null in the unfinished directory, which lacks the column. [layout]';

-- post-data
-- Not unique: a package may be listed twice, under two listings of its product.
create index ndc_package_ndc on ndc_package (ndc);
create index ndc_package_productid on ndc_package (productid, directory);

-- check: packages have a code, which begins with their product's, but for a labeler's slip here and there
select directory, count(*) as packages
from ndc_package
group by directory
having count(*) filter (
    where ndc is null
       or left(ndc, 5) <> lpad(split_part(productndc, '-', 1), 5, '0')
       or substr(ndc, 6, 4) <> lpad(split_part(productndc, '-', 2), 4, '0')
) > greatest(5, 0.01 * count(*));
