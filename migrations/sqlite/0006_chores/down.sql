DROP TABLE pay_chores;
