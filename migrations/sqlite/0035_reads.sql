-- The language of the browser in which somebody signed in last: letters to those who never chose one are written in it.
alter table person add column reads text;
