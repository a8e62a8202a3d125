// Chinese: the frame, the map and what stands around it. What is missing stands in English.
export default {
  'app.skip': '跳到数据', 'app.pages': '页面', 'app.uncalibrated': '模型结果，未经校准；依据一点即见。', 'app.gone': '服务器没有回应。`landbridge serve` 还在运行吗？',
  'page.map': '地图', 'page.compare': '比较', 'page.choke': '瓶颈', 'page.routes': '路线', 'page.whatif': '假设', 'page.terminal': '场站', 'page.trade': '贸易', 'page.power': '影响力', 'page.invest': '投资', 'page.validation': '检验', 'page.atlas': '图集',
  'top.results': '结果', 'top.scenario': '情景', 'top.year': '年份', 'top.unsolved': '未求解：当年的路网', 'top.share': '复制链接', 'top.copied': '链接已复制', 'top.dark': '深色', 'top.light': '浅色', 'top.language': '语言', 'top.loading': '加载中…', 'top.find': '查找', 'top.find_hint': '口岸、国家、项目', 'top.colour': '颜色', 'top.width': '宽度', 'top.trains': '列车', 'top.table': '表格', 'top.twin': '地图的表格：按方向的区段',
  'colour.passage': '通道', 'colour.group': '货物', 'width.tonnes': '吨', 'width.teu': '集装箱（标箱）', 'width.trains_day': '每日列车', 'unit.trains_day': '列/日', 'unit.days': '天',
  'yes': '是', 'no': '否', 'name.other': '其他', 'name.others': '其他各国', 'name.empty': '空箱', 'name.sea': '海上',
  'map.title': '地图', 'map.role': '地图', 'map.nearer': '放大', 'map.further': '缩小', 'map.whole': '显示全图', 'map.land': '陆路', 'map.boxes': '陆路重箱', 'map.outside': '改走海运或公路', 'map.unserved': '无路可走', 'map.passages': '通道', 'map.crossings': '最繁忙的口岸（双向）', 'map.countries': '各国吨公里',
  'map.lead': '{year} 年陆路运量 {land} 百万吨。{crossing} 最多，{most} 百万吨；{over} 个口岸超出能力。',
  'legend.title': '图例', 'legend.more': '增加', 'legend.less': '减少', 'legend.unbounded': '模型不设上限', 'legend.planned': '规划或在建', 'legend.estimated': '长度为估计', 'legend.suspended': '停运', 'legend.clock': '列车：1 秒 = 2 小时',
  'card.title': '所选', 'card.crossing': '边境口岸', 'card.link': '区段', 'card.country': '国家', 'card.project': '项目', 'card.passage': '通道', 'card.place': '地点', 'card.close': '关闭', 'card.scenario': '情景', 'card.a_year': '每年', 'card.trains': '每日列车', 'card.close_it': '如果关闭？', 'card.ease_it': '如果改善？', 'card.build_it': '如果建成？', 'card.users': '谁在使用', 'card.history': '历史', 'card.atlas': '图集数据及其依据',
  'table.filter': '筛选', 'table.rows': '共 {all} 行，显示 {shown} 行', 'table.more': '显示更多', 'picker.type': '输入名称', 'side.first': '之前', 'side.second': '之后', 'side.change': '变化', 'side.percent': '变化，%', 'side.per_km': '每公里',
  'compare.against': '对比', 'compare.as': '显示为', 'compare.change': '绝对值', 'compare.percent': '百分比', 'compare.per_km': '每公里', 'compare.table': '表格', 'tables.crossings': '口岸', 'tables.links': '区段', 'tables.countries': '国家',
  'routes.from': '起点', 'routes.to': '终点', 'routes.avoid': '不经', 'routes.via': '经由', 'routes.goods': '货物', 'routes.conditions': '更多条件', 'objective.time': '时间', 'objective.cost': '费用', 'objective.borders': '边境', 'objective.risk': '风险', 'mode.rail': '铁路', 'mode.road': '公路', 'mode.sea': '海运', 'mode.ferry': '轮渡',
  'whatif.run': '计算', 'whatif.stop': '停止', 'whatif.title': '名称', 'whatif.kept': '已保存', 'whatif.show': '显示', 'whatif.rename': '重命名', 'status.waiting': '等待', 'status.running': '运行中', 'status.finished': '完成', 'status.failed': '失败', 'status.cancelled': '已停止', 'status.interrupted': '中断',
  'kind.reported': '有出处', 'kind.derived': '推导', 'kind.estimate': '估计', 'kind.calibrated': '校准', 'kind.unknown': '未知', 'tour.name': '导览', 'tour.title': '五个问题', 'tour.show': '演示',
};
