"""Kinds of text with signs: full-width ones, closing ones, dots, amounts of money at the end of a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.kinds.cases import Kind, raw

_NUMBERS: dict[str, Sequence[str]] = {
    "n": ["{i}", "{i}", "{i}", "{i}.{i}"],
    "i": ["3", "5", "8", "12", "17", "20", "36", "48", "60", "95", "100", "128", "250", "474", "903", "1200", "2024"],
    "what": ["得分", "成绩", "结果", "编号", "电话", "温度", "尺寸", "答案", "密码", "房间号", "血压", "长度", "票数"],
    "is": ["是", "为", "分别是", "依次为", "有"],
    "who": ["他", "她", "我们", "老师", "小明", "这家店", "公司", "医生", "班长", "客人"],
    "did": ["买了", "卖了", "得了", "写了", "记下了", "用了", "交了", "看到了", "选了", "填了"],
    "after": [
        "谢谢",
        "请查收",
        "没错",
        "不多不少",
        "很便宜",
        "大家都高兴",
        "你记一下",
        "还差一点",
        "可以吗",
        "我知道了",
    ],
    "before": ["一共", "总共", "今天", "最后", "大约", "至少", "第一次", "去年"],
}

comma = Kind(
    "full-width comma by numbers",
    0.01,
    raw(
        [
            "{what}{is}‹{n}›‹，›‹{n}›‹，›‹{n}›‹。›",
            "{what}{is}‹{n}›‹，›‹{n}›‹，›‹{n}›‹，›‹{n}›‹！›",
            "{before}‹{n}›‹，›{after}‹。›",
            "{who}{did}‹{n}›‹，›{after}‹。›",
            "{what}‹：›‹{n}›‹，›‹{n}›‹。›",
            "{who}{did}‹{n}›‹、›‹{n}›和‹{n}›‹，›{after}‹？›",
            "{before}{who}{did}‹{n}›‹，›{who}{did}‹{n}›‹；›{after}‹。›",
        ],
        _NUMBERS,
    ),
)

_LABELS: dict[str, Sequence[str]] = {
    **_NUMBERS,
    "label": ["答", "问", "注", "时间", "地点", "作者", "单位", "来源", "邮编", "备注", "主题", "老师", "姓名", "说明"],
    "letter": ["A", "B", "C", "D", "E"],
    "mail": ["ann@example.org", "li.lei@example.com", "info@test.cn", "a_b@mail.example.net"],
    "where": ["北京", "上海", "图书馆", "学校门口", "三楼会议室", "公园", "火车站", "医院"],
    "text": ["请看下图", "今天下雨", "我不同意", "详见附件", "他们都来了", "这个问题很难", "天气不错", "请举手"],
    "in": ["见图{i}", "不含税", "如下", "略", "单位为元", "北京", "含{i}人", "{letter}", "{i}", "新华社"],
}

colon = Kind(
    "full-width colon, brackets, options",
    0.01,
    raw(
        [
            "{label}‹：›‹（›‹{letter}›‹）›",
            "{label}‹：›‹（›‹{letter}›‹）›{text}‹。›",
            "邮箱‹：›‹{mail}›",
            "{label}‹：›{text}‹，›邮箱‹：›‹{mail}›‹。›",
            "答案‹：›‹{letter}›‹，›‹{letter}›‹，›‹{letter}›‹。›",
            "{label}‹：›{where}‹（›{in}‹）›",
            "{text}‹（›{in}‹）›‹，›{label}‹：›{where}‹。›",
            "{label}‹：›{text}‹。›",
            "选项‹：›‹{letter}›‹、›{where}‹；›‹{letter}›‹、›{where}‹。›",
            "‹【›{label}‹】›{text}‹。›",
            "{label}‹：›‹《›{where}‹》›‹（›‹{i}›‹）›",
            "{text}‹（›{in}‹）›‹。›",
        ],
        _LABELS,
    ),
)

_SPEECH: dict[str, Sequence[str]] = {
    "zh": ["他走了", "我知道", "天黑了", "你好", "我们明天再来", "别怕", "火车来了", "妈妈还没有回家", "谁在那里",
           "这本书很有意思", "快一点", "雨停了", "没有人回答", "我们回家吧", "孩子们都睡了", "她不想说话"],
    "then": ["我也走了", "他没有说话", "大家都笑了", "门开了", "我们继续工作", "她看着窗外", "外面下起了雨",
             "老师点了点头", "孩子们跑了出去", "后来我们成了朋友", "爸爸关上了灯"],
    "stop": ["。", "！", "？"],
    "en": ["He left", "I know", "It was late", "We are fine", "The train is here", "Nobody answered", "She is tired",
           "You can stay", "The shop is closed", "They won the game", "My brother called", "The rain stopped"],
    "next": ["We stayed", "I went home", "The door opened", "They laughed", "She looked at me", "Then it rained",
             "Nothing happened", "My friends waited", "The children ran away", "He closed the window"],
    "point": [".", "!", "?"],
}  # fmt: skip

closing = Kind(
    "closing mark after a sentence's end",
    0.03,
    raw(
        [
            "（{zh}{stop}）¦{then}。¦",
            "{then}。¦（{zh}{stop}）¦{then}{stop}¦",
            "“{zh}{stop}”¦{then}。¦",
            "「{zh}{stop}」¦{then}。¦",
            "{then}：“{zh}，{zh}{stop}”¦{then}。¦",
            "({en}{point})¦ {next}.¦",
            "“{en}{point}”¦ {next}.¦",
            '"{en}{point}"¦ {next}.¦',
            "{next}.¦ ({en}{point})¦ {next}{point}¦",
            "{next}.¦ “{en}{point}”¦ {next}{point}¦",
        ],
        _SPEECH,
    ),
)

dots = Kind(
    "dots",
    0.0,
    raw(
        [
            "{zh}‹。。。›¦{then}。¦",
            "{zh}‹。。›¦{then}{stop}¦",
            "{zh}‹。。。。。。›¦",
            "{zh}‹……›",
            "{zh}‹……›{then}{stop}",
            "“{zh}‹……›”{then}。",
            "{then}，{zh}‹…›",
            "{zh}‹......›{then}。",
            "{en}‹...›",
            "{en} ‹...› {next}.",
            "{en}‹…› {next}.",
            "{next}‹....› {en}.",
        ],
        _SPEECH,
    ),
)

_AMOUNTS: dict[str, Sequence[str]] = {
    **_SPEECH,
    "sum": ["10", "5", "3.50", "1,000", "250", "19.99", "2,500,000", "7", "45", "99"],
    "rate": ["3.5", "10", "0.7", "99", "12.25", "50", "100", "2"],
    "thing": ["It", "The ticket", "A coffee", "This book", "The repair", "My old phone", "Dinner", "The flight"],
    "costs": ["costs", "cost", "is worth", "sold for", "was only", "went for"],
    "figure": ["Sales", "Prices", "Profits", "Wages", "The index", "Turnout", "Unemployment", "Her share"],
    "rose": ["rose", "fell", "grew by", "dropped", "went up", "was down", "climbed to", "slipped"],
    "money": ["$", "£", "€"],
}

_FRAMES_OF_AMOUNTS = [
    "{thing} {costs} ‹{money}›‹{sum}›‹.›¦",
    "{thing} {costs} ‹{money}›‹{sum}›‹.›¦ {next}.¦",
    "{next} and paid ‹{money}›‹{sum}›‹.›¦ {next}.¦",
    "{figure} {rose} {percent}‹.›¦",
    "{figure} {rose} {percent}‹.›¦ {next}.¦",
    "{figure} {rose} {percent}, and {thing} {costs} ‹{money}›‹{sum}›‹.›¦",
]


def _either_way(frame: str) -> list[str]:
    """Treebanks differ in whether a percentage is one word or two."""
    apart = re.sub(r"(\d)%", r"\1›‹%", frame)
    return [frame, apart] if apart != frame else [frame]


amounts = Kind(
    "money, percent at a sentence's end",
    0.02,
    raw(_FRAMES_OF_AMOUNTS, {**_AMOUNTS, "percent": ["‹{rate}%›"]}, _either_way),
)

KINDS = (comma, colon, closing, amounts, dots)
