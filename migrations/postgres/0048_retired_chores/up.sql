-- Under these names workers indexed older payments before the words of notes were added. Nobody takes them up any more, so the
-- page Data showed them as overdue for good.
DELETE FROM pay_chores WHERE name IN ('words:payments', 'words:payments:notes');
