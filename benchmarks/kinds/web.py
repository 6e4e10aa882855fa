"""Kinds of text from the web and of print: addresses, invisible characters, ligatures, abbreviations."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from benchmarks.kinds.cases import OPEN, Case, Kind, filled, marked, raw

_PROSE: dict[str, Sequence[str]] = {
    "en": ["we had a great day", "the meeting is over", "this is so funny", "I cannot wait", "the food was cold",
           "my train is late again", "she passed her exam", "nobody told me", "it works now", "the view is amazing"],
    "Next": ["Thanks for the help", "See you soon", "We will be back", "It was fun", "Have a nice day",
             "The rest is history", "They agreed"],
    "zh": ["今天天气真好", "我们一起去看电影", "会议改到明天", "这家餐厅很好吃", "终于下班了", "大家辛苦了",
           "新手机到了", "我还没有吃饭", "比赛开始了"],
    "zhnext": ["谢谢大家", "明天见", "我很喜欢", "请转发", "快来看看", "你们觉得呢"],
    "stop": [".", "!"],
    "zhstop": ["。", "！", "？"],
}  # fmt: skip


def _address(name: str, slots: dict[str, Sequence[str]], frames: Sequence[str]) -> Kind:
    return Kind(name, 0.03, raw(frames, {**_PROSE, **slots}))


_TAG = ["love", "MondayMood", "nlp2024", "OOTD", "throwback", "ClimateAction", "food_lover", "AI", "WorldCup", "cats",
        "BlackFriday", "python3", "music"]  # fmt: skip
_HAN_TAG = ["周末愉快", "今日份快乐", "高考加油", "世界杯", "读书笔记", "秋天的第一杯奶茶", "好好学习"]

hashtags = _address(
    "hashtags",
    {"tag": _TAG, "han": _HAN_TAG},
    [
        "{en} ‹#{tag}›",
        "‹#{tag}› {en}{stop}",
        "{en} ‹#{tag}›‹{stop}›",
        "{en} (‹#{tag}›‹)›{stop}",
        "{en} ‹#{tag}› ‹#{tag}›‹,› {en}.",
        "{zh}‹#{tag}›‹{zhstop}›",
        "‹#{tag}›‹，›{zh}。",
        "{zh} ‹#{han}›‹{zhstop}›",
        "‹#{han}› {zh}{zhstop}",
        "‹#{han}#›{zh}{zhstop}",
        "{zh}，‹#{han}#›{zhnext}。",
    ],
)

mentions = _address(
    "mentions",
    {"name": ["tom", "li_lei", "NASA", "sara_b1", "BBCNews", "someone", "The_Real_Ann", "x_123"],
     "han": ["张伟", "小红", "人民日报", "央视新闻", "李老师"]},
    [
        "‹@{name}› {en}{stop}",
        "{en} ‹@{name}›",
        "{en}, ‹@{name}›‹{stop}›",
        "thanks ‹@{name}›‹,› {en}.",
        "‹@{name}›‹:› {en} ‹@{name}›",
        "RT ‹@{name}›‹:› {en}",
        "({en} via ‹@{name}›‹)›",
        "谢谢‹@{name}›‹，›{zh}{zhstop}",
        "‹@{name}› {zh}{zhstop}",
        "{zh} ‹@{han}› {zhnext}{zhstop}",
        "谢谢‹@{han}›‹，›{zh}。",
        "‹@{han}›‹：›{zh}{zhstop}",
    ],
)  # fmt: skip

urls = _address(
    "URLs",
    {
        "url": ["https://t.co/{id}", "http://{host}/{path}", "https://{host}/{path}?q={id}&p=2", "www.{host}",
                "www.{host}/{path}", "https://{host}", "http://{host}/{path}/{id}.html#top"],
        "id": ["AbC123", "x9Zq", "2024-05-01", "a_b", "Q7", "42"],
        "host": ["example.org", "x.org", "news.example.com", "a-b.net", "test.edu.cn", "example.co.uk"],
        "path": ["news", "docs/guide", "wiki/Main_Page", "a", "blog/2024", "download"],
    },
    [
        "{en} ‹{url}›",
        "{en} ‹{url}›‹.›",
        "{en}: ‹{url}›‹.›¦ {Next}.¦",
        "{en} (‹{url}›‹)›.",
        "({en}: ‹{url}›‹)›",
        "see ‹{url}›‹,› {en}.",
        "<‹{url}›‹>› {en}.",
        "‹{url}› {en}{stop}",
        "{zh}：‹{url}›",
        "{zh}（‹{url}›‹）›{zhstop}",
        "请看‹{url}›‹，›{zhnext}{zhstop}",
        "{zh}‹{url}›‹。›",
    ],
)  # fmt: skip

mails = _address(
    "e-mail addresses",
    {
        "mail": ["{user}@{host}"],
        "user": ["ann", "li.lei", "info", "john_smith", "sales+eu", "x-1", "Wang.Fang88"],
        "host": ["example.org", "test.cn", "mail.example.com", "my-shop.co.uk", "uni.edu.cn"],
    },
    [
        "write to ‹{mail}›",
        "{en}; contact ‹{mail}›‹.›",
        "mail ‹{mail}›‹.›¦ {Next}.¦",
        "{en} (‹{mail}›‹)›.",
        "<‹{mail}›‹>› wrote that {en}.",
        "is ‹{mail}› or ‹{mail}› right‹?›",
        "邮箱‹：›‹{mail}›",
        "请联系‹{mail}›‹，›{zhnext}{zhstop}",
        "{zh}（‹{mail}›‹）›{zhstop}",
        "我的邮箱是‹{mail}›‹。›",
    ],
)

_WORDS = ["software", "interesting", "government", "together", "yesterday", "important", "language", "beautiful",
          "difference", "computer", "remember", "development", "information", "children", "question"]  # fmt: skip
_LIGATURES = {"ffi": "ﬃ", "ffl": "ﬄ", "ff": "ﬀ", "fi": "ﬁ", "fl": "ﬂ"}
_WITH_F = ["office", "difficult", "file", "different", "flower", "first", "affluent", "find", "effect", "coffee",
           "finally", "floor", "official", "offline", "scientific", "reflect", "profit", "efficient"]  # fmt: skip
_AROUND = ["The {w} was new.", "We talked about the {w}.", "A {w} is what they need.", "I like the word {w}.",
           "His {w}, she said, was gone.", "Is this {w} yours?", "They found it {w} and {w}.",
           "这个 {w} 很好。", "他说{w}是对的。", "My {w} and your {w}"]  # fmt: skip
_HAN_WORDS = ["软件", "学生", "老师", "问题", "中国", "经济", "今天", "朋友", "音乐", "医院", "政府", "历史"]
_HAN_AROUND = ["这个{w}很好。", "我们的{w}都来了。", "关于{w}，我没有意见。", "他喜欢{w}吗？", "{w}很重要。"]


def _changed(
    parts: Sequence[tuple[Sequence[str], Sequence[str]]], change: Callable[[str, random.Random], str]
) -> Callable[[random.Random], Iterator[Case]]:
    """A generator of cases whose words are changed, given frames with words that fit in."""

    def generate(chance: random.Random) -> Iterator[Case]:
        while True:
            frames, words = chance.choice(parts)
            slots = {"w": [f"{OPEN}{change(word, chance)}›" for word in words]}
            yield marked(filled(chance.choice(frames), slots, chance))

    return generate


def _with_invisible(word: str, chance: random.Random) -> str:
    place = chance.randrange(1, len(word))
    sign = chance.choice("\u200b\u2060\ufeff" if len(word) < 4 else "\u00ad\u00ad\u200b\u200c\u200d\u2060\ufeff")
    return word[:place] + sign + word[place:]


def _with_ligature(word: str, _: random.Random) -> str:
    for letters, ligature in _LIGATURES.items():
        if letters in word:
            return word.replace(letters, ligature)
    return word


invisible = Kind(
    "invisible characters in words",
    0.03,
    _changed([(_AROUND, _WORDS), (_AROUND, _WORDS), (_HAN_AROUND, _HAN_WORDS)], _with_invisible),
)
ligatures = Kind("ligatures", 0.03, _changed([(_AROUND, _WITH_F)], _with_ligature))

abbreviations = Kind(
    "abbreviations",
    0.1,
    raw(
        [
            "‹{title}› {name} {did}.¦",
            "{Who} met ‹{title}› {name} {when}.¦",
            "See ‹{ref}› {n} for details.¦",
            "The results ({ref0} {n}) are clear.¦",
            "They are shown in ‹{ref}› {n} and {n}.¦",
            "{name} ‹{firm}› {did}.¦",
            "{Who} works for {name} ‹{firm}› in {place}.¦",
            "Shares of {name} ‹{firm}› fell {when}.¦",
            "The ‹{dept}› of {field} {did}.¦",
            "{Who} studied at the ‹Univ.› of {place} {when}.¦",
            "Cook it for {n} ‹{unit}› and wait.¦",
            "It is {n} ‹{unit}› long, or more.¦",
            "{Who} left on ‹{month}› {n} and came back {when}.¦",
            "Bring fruit, nuts, ‹etc.› and some water.¦",
            "{Who} likes pets, ‹{eg}› cats, and birds.¦",
            "The game is {name} ‹vs.› {place} {when}.¦",
            "{name} ‹{jr}› {did}.¦",
            "{Who} lives on {place} ‹{street}› with a friend.¦",
            "‹No.› {n} {did}.¦",
        ],
        {
            "title": ["Mr.", "Mrs.", "Ms.", "Dr.", "Prof.", "Gen.", "Sen.", "Rep.", "Capt.", "St.", "Lt.", "Rev.",
                      "Col."],
            "name": ["Smith", "Acme", "Brown", "Miller", "Taylor", "Wilson", "Garcia", "Johnson", "Clark", "Young"],
            "did": ["arrived late", "fell", "won again", "has a new office", "was not there", "signed the paper",
                    "said no", "is closing", "lost money", "opened in May"],
            "Who": ["He", "She", "My sister", "Tom", "The nurse", "Their friend"],
            "when": ["last week", "yesterday", "in 2019", "on Monday", "this year"],
            "ref": ["Fig.", "Figs.", "pp.", "Sec.", "Eq.", "Vol.", "Ch.", "Eqs.", "Ref."],
            "ref0": ["‹Fig.›", "‹Figs.›", "‹pp.›", "‹Eq.›", "‹cf.›"],
            "n": ["2", "3", "5", "10", "12", "24", "30"],
            "firm": ["Corp.", "Inc.", "Co.", "Ltd.", "Bros."],
            "place": ["Oxford", "Boston", "Texas", "Vienna", "Elm", "Main"],
            "dept": ["Dept.", "Div.", "Inst."],
            "field": ["Physics", "Health", "Labor", "History", "Energy"],
            "unit": ["min.", "sec.", "hrs.", "ft.", "lbs.", "oz.", "yds."],
            "month": ["Jan.", "Feb.", "Aug.", "Sept.", "Oct.", "Nov.", "Dec."],
            "eg": ["e.g.", "i.e.", "esp."],
            "jr": ["Jr.", "Sr."],
            "street": ["St.", "Ave.", "Rd.", "Blvd."],
        },
    ),
)  # fmt: skip

KINDS = (hashtags, mentions, urls, mails, invisible, ligatures, abbreviations)
