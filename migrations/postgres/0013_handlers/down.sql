DROP TABLE pay_workers;
DROP TABLE pay_handlers;
