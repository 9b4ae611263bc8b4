-- What was deleted is of no use to anybody.
SELECT 1;
