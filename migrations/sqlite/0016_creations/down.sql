DROP TABLE pay_creations;
