DROP TABLE pay_hours;
