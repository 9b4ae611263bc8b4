DROP TABLE pay_operations;
