"""Kinds of Chinese text: verbs of one character, names, idioms and repeated characters, numbers in characters."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.kinds.cases import Kind, raw

_PEOPLE: dict[str, Sequence[str]] = {
    "who": ["他", "她", "我", "孩子", "妈妈", "老人", "大家", "他们", "小女孩", "姑娘", "弟弟", "老师"],
    "when": ["昨天", "今天早上", "后来", "晚上", "刚才", "下课以后", "去年", "这时"],
    "where": ["家", "学校", "公园", "床上", "窗前", "路上", "门口", "河边"],
    "stop": ["。", "！"],
}

_HOW = ["高兴", "慢慢", "轻轻", "大声", "伤心", "偷偷", "开心", "默默", "拼命", "不停", "痛苦", "安静", "得意", "害怕",
        "紧紧", "急忙", "小心", "静静", "认真", "着急", "飞快", "懒洋洋", "微微"]  # fmt: skip
de = Kind(
    "地 before a verb of one character",
    0.05,
    raw(
        [
            "{who}{how}‹地›‹{verb}›了{stop}",
            "{who}{how}‹地›‹{verb}›着{stop}",
            "{when}{who}{how}‹地›‹{verb}›了{stop}",
            "{who}在{where}{how}‹地›‹{verb}›着{stop}",
            "看到这里，{who}{how}‹地›‹{verb}›了{stop}",
            "{who}{how}‹地›‹{take}›着我的手{stop}",
            "{who}{how}‹地›‹{say}›：“我知道了。”",
        ],
        {
            **_PEOPLE,
            "how": _HOW,
            "verb": [
                "笑",
                "哭",
                "走",
                "跑",
                "跳",
                "唱",
                "喊",
                "坐",
                "站",
                "睡",
                "听",
                "看",
                "等",
                "写",
                "吃",
                "叫",
                "爬",
                "飞",
            ],
            "take": ["拉", "握", "牵", "抓", "摸"],
            "say": ["说", "问", "喊", "答"],
        },
    ),
)

_DONE = ["手|洗", "门|关", "灯|开", "饭|吃", "碗|洗", "药|喝", "书|还", "信|寄", "水|倒", "菜|切", "车|停", "花|浇",
         "树|砍", "窗户|擦", "衣服|洗", "房间|扫", "作业|写", "手机|修", "苹果|吃", "垃圾|扔", "桌子|搬", "钱|花",
         "鱼|杀", "床|铺", "地|扫", "头发|剪", "房子|拆", "票|买"]  # fmt: skip
ba = Kind(
    "把, a noun and a verb of one character",
    0.05,
    raw(
        [
            "请‹把›{done}了{stop}",
            "{who}‹把›{done}了{stop}",
            "{when}{who}‹把›{done}了{stop}",
            "你先‹把›{done}了再走{stop}",
            "{who}还没有‹把›{done}完{stop}",
            "快‹把›{done}了吧{stop}",
            "{who}想‹把›{done}了{stop}",
        ],
        {**_PEOPLE, "done": [re.sub(r"(.+)\|(.+)", r"‹\1›‹\2›", pair) for pair in _DONE]},
        lambda frame: [frame, re.sub("‹(.)›完", r"‹\1完›", frame)],  # GSD has 用完 as one word
    ),
)

_TWO = ["喜欢", "知道", "愿意", "可以", "应该", "认识", "相信", "记得", "同意", "希望", "高兴", "漂亮", "方便", "清楚",
        "合适", "舒服", "打算", "需要", "能够", "肯定", "干净", "好吃", "害怕"]  # fmt: skip
_OBJECTS = ["看书", "喝茶", "这件事", "去北京", "他", "吃鱼", "打球", "学英语", "", ""]
a_bu_ab = Kind(
    "A不AB",
    0.05,
    raw(
        ["{who}{ask}{o}？", "你{ask}{o}？", "你们{ask}{o}？", "请问您{ask}{o}？", "{when}你{ask}{o}？",
         "我不知道{who}{ask}{o}。", "{who}到底{ask}{o}呢？"],
        {
            **_PEOPLE,
            "ask": [f"[{word[0]}不{word}]" for word in _TWO],
            "o": _OBJECTS,
        },
        lambda frame: [
            re.sub(r"\[(.)不(..)\]", r"‹\1›‹不›‹\2›", frame),
            re.sub(r"\[(.不..)\]", r"‹\1›", frame),
        ],
    ),
)  # fmt: skip

_NAMES = [
    f"{family}+{given}"
    for family in "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗"
    for given in ("芳", "伟", "敏", "静", "丽", "强", "磊", "洋", "小红", "建国", "志强", "秀英", "雪梅", "晓东", "明")
]
names = Kind(
    "person's name and verb",
    0.05,
    raw(
        [
            "{when}‹{name}›‹{go}›了{stop}",
            "‹{name}›‹{go}›了{stop}",
            "‹{name}›‹{say}›：“你好吗？”",
            "‹{short}›‹{say}›：“我们什么时候走？”",
            "{when}‹{short}›‹{go}›了{stop}",
            "‹{name}›‹{eat}›了一{thing}{stop}",
            "我看见‹{name}›‹{go}›了{stop}",
            "{who}在‹家›{eat}{book}{stop}",  # 读书 may be one word
            "‹{name}›在‹家›{eat}{book}{stop}",
            "听说‹{name}›‹{go}›了，大家都很高兴{stop}",
            "‹{name}›和‹{name}›都‹{go}›了{stop}",
        ],
        {
            **_PEOPLE,
            "name": _NAMES,
            "short": [f"{first}+{family}" for first in ("小", "老") for family in "王李张刘陈杨赵黄周吴孙马林"],
            "go": ["来", "走", "笑", "哭", "病", "到", "睡", "醒", "输", "赢", "去", "跑"],
            "say": ["问", "说", "喊", "答"],
            "eat": ["看", "买", "写", "读"],
            "thing": ["本书", "封信", "篇文章"],
            "book": ["书", "报", "信", "诗"],
        },
        lambda frame: [
            frame.replace("+", ""),
            frame.replace("+", "›‹"),
        ],  # treebanks differ, but both keep a name apart
    ),
)

_IDIOMS = [
    "一心一意", "自言自语", "千方百计", "五颜六色", "马马虎虎", "莫名其妙", "半途而废", "画蛇添足", "井井有条",
    "三心二意", "全力以赴", "不知不觉", "兴高采烈", "小心翼翼", "理所当然", "无可奈何", "实事求是", "津津有味",
    "恍然大悟", "刻不容缓", "一举两得", "四面八方", "乱七八糟", "目不转睛", "东张西望", "归根到底", "迫不及待",
    "名副其实", "司空见惯", "日新月异", "家喻户晓", "无能为力", "手忙脚乱", "七上八下", "不可思议", "大吃一惊",
    "哭笑不得", "得天独厚", "亡羊补牢", "守株待兔", "自相矛盾", "掩耳盗铃", "胸有成竹", "破釜沉舟", "对牛弹琴",
    "鸡毛蒜皮", "心满意足", "一帆风顺", "热泪盈眶", "依依不舍",
]  # fmt: skip
idioms = Kind(
    "idioms",
    0.15,
    raw(
        [
            "{who}做事总是‹{idiom}›{stop}",
            "{who}‹{idiom}›地说：“好。”",
            "这真是‹{idiom}›{stop}",
            "‹{idiom}›的{who}走了过来{stop}",
            "我们不能‹{idiom}›{stop}",
            "{when}{who}觉得‹{idiom}›，就回家了{stop}",
            "这个故事叫“‹{idiom}›”{stop}",
            "他用了一个成语：‹{idiom}›。",
        ],
        {**_PEOPLE, "idiom": _IDIOMS},
    ),
)

_AABB = ["干干净净", "高高兴兴", "清清楚楚", "认认真真", "明明白白", "大大小小", "平平安安", "快快乐乐", "热热闹闹",
         "整整齐齐", "漂漂亮亮", "安安静静", "老老实实", "舒舒服服", "简简单单", "普普通通", "开开心心", "仔仔细细",
         "弯弯曲曲", "断断续续", "许许多多", "匆匆忙忙", "急急忙忙", "健健康康"]  # fmt: skip
aabb = Kind(
    "AABB",
    0.15,
    raw(
        [
            "{who}把房间打扫得‹{x}›{stop}",
            "{who}‹{x}›地回家了{stop}",
            "大家都‹{x}›的{stop}",
            "‹{x}›的街道上没有人{stop}",
            "我们要‹{x}›地过日子{stop}",
            "{when}{who}‹{x}›地写完了作业{stop}",
            "看上去‹{x}›，其实不是这样{stop}",
        ],
        {**_PEOPLE, "x": _AABB},
    ),
)

_ABB = ["绿油油", "红通通", "亮晶晶", "胖乎乎", "静悄悄", "笑眯眯", "冷冰冰", "热乎乎", "金灿灿", "黑乎乎", "白茫茫",
        "懒洋洋", "气冲冲", "暖洋洋", "香喷喷", "空荡荡", "水汪汪", "沉甸甸", "毛茸茸", "乱糟糟", "孤零零", "红彤彤",
        "软绵绵", "圆滚滚"]  # fmt: skip
abb = Kind(
    "ABB",
    0.15,
    raw(
        [
            "{thing}‹{x}›的{stop}",
            "‹{x}›的{thing}{stop}",
            "{who}‹{x}›地走了进来{stop}",
            "{who}看见了‹{x}›的{thing}{stop}",
            "{when}{thing}变得‹{x}›的{stop}",
            "多么‹{x}›的{thing}啊{stop}",
        ],
        {
            **_PEOPLE,
            "x": _ABB,
            "thing": ["田野", "天空", "小脸", "苹果", "房间", "眼睛", "街道", "果实", "小狗", "太阳"],
        },
    ),
)

_DIGITS = "一二三四五六七八九"
_NUMERALS: dict[str, Sequence[str]] = {
    **_PEOPLE,
    "d": [*_DIGITS, "〇"],
    "z": [*_DIGITS, "零"],
    "x": [*_DIGITS],
    "year": ["一九{d}{d}", "一八{x}{x}", "二〇{d}{d}", "二零{z}{z}", "一七{x}{x}", "一九{x}{x}", "一九{x}一"],
    "month": ["一月", "三月", "八月", "十月", "十二月"],
    "event": ["抗战开始了", "他出生了", "这座桥建成了", "公司成立了", "我上了大学", "战争结束了", "这本书出版了"],
    "unit": ["万", "亿"],
    "spoken": ["{x}点{x}{unit}", "{x}十{x}点{x}{unit}", "{x}百{x}十{x}", "{x}千{x}百{x}十{x}", "{x}万{x}千",
               "{x}百零{x}", "两千{x}百", "{x}十{x}万", "十{x}亿", "{x}百万", "两百{x}十", "{x}点{x}{x}亿"],
    "of": ["人", "元", "公里", "吨", "个人", "本书", "名学生", "米"],
}  # fmt: skip
years = Kind(
    "years in Chinese digits",
    0.03,
    raw(
        [
            "‹{year}›‹年›，{event}{stop}",
            "‹{year}›‹年›{month}，{event}{stop}",
            "{event}是在‹{year}›‹年›{stop}",
            "{who}从‹{year}›‹年›到‹{year}›‹年›住在北京{stop}",
            "早在‹{year}›‹年›，{event}{stop}",
            "{who}生于‹{year}›‹年›{stop}",
        ],
        _NUMERALS,
    ),
)
spoken = Kind(
    "spoken numbers",
    0.03,
    raw(
        [
            "一共有‹{spoken}›{of}{stop}",
            "{who}花了‹{spoken}›元{stop}",
            "大约‹{spoken}›{of}来到了这里{stop}",
            "这座城市有‹{spoken}›人{stop}",
            "{when}卖了‹{spoken}›{of}{stop}",
            "总数是‹{spoken}›，比去年多{stop}",
            "‹{spoken}›{of}不算多{stop}",
        ],
        _NUMERALS,
    ),
)

KINDS = (de, ba, a_bu_ab, names, idioms, aabb, abb, years, spoken)
