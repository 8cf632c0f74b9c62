export const zh = {
  title: '各部分的状态',
  ok: '正常',
  away: '连不上',
  database: '网关数据库',
  redis: '消息',
  inventory: '库存服务',
  allocation: '调配服务',
  refresh: '刷新',
}
export const en: typeof zh = {
  title: 'State of the parts',
  ok: 'in order',
  away: 'away',
  database: 'Gateway’s database',
  redis: 'Messages',
  inventory: 'Inventory service',
  allocation: 'Allocation service',
  refresh: 'Refresh',
}
