-- The address of an image is made for each participant: it holds the image's number, encrypted. The bytes say which format they are.
alter table images
    drop column address,
    drop column media_type,
    add column number bigint generated always as identity unique;
