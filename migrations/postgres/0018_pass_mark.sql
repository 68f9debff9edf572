-- What a class asks of its learners is what its course asked when the class was published, not what it asks later.
alter table class add column pass_percent bigint check (pass_percent between 0 and 100);
update class set pass_percent = (select k.pass_percent from course k where k.id = class.course_id) where state <> 'draft';
