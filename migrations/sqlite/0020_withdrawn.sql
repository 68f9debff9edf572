-- Certificates that were taken back. Copies of them verify without asking us, so a public list names their codes, and no
-- other certificate gets one of them.
create table withdrawn_certificate (
    code text primary key,
    enrolment_id blob not null references enrolment (id),
    given_at text not null,
    withdrawn_at text not null
) strict;
