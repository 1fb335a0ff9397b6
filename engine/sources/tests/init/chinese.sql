-- Chinese names, no foreign keys, a decimal column that SQLite stores as REAL and INTEGER.
CREATE TABLE 会员信息表 (会员编号 INTEGER PRIMARY KEY, 姓名 TEXT, 手机号 TEXT, 城市 TEXT, 会员等级 TEXT, 注册日期 TEXT, 积分 INTEGER);
CREATE TABLE 订单表 (订单号 INTEGER PRIMARY KEY, 会员编号 INTEGER, 订单金额 DECIMAL(10,2), 优惠金额 DECIMAL(10,2), 订单状态 TEXT, 下单时间 TEXT, 发货时间 TEXT);
CREATE TABLE 商品表 (商品编号 INTEGER PRIMARY KEY, 商品名称 TEXT, 单价 DECIMAL(10,2));
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30)
INSERT INTO 会员信息表 SELECT 1000 + i, '王' || i, '1380000' || i, '武汉', CASE i % 3 WHEN 0 THEN '金卡' ELSE '银卡' END, date('2022-05-01', i || ' days'), i * 10 FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 200)
INSERT INTO 订单表 SELECT i, 1000 + i % 30 + 1, i * 3.25, 0, CASE i % 8 WHEN 0 THEN '已取消' WHEN 1 THEN '已退款' ELSE '已完成' END,
    datetime('2025-03-01 09:30:00', i || ' days'), CASE WHEN i % 4 THEN datetime('2025-03-02', i || ' days') END FROM n;
INSERT INTO 商品表 VALUES (1, '茶', 12.5);
