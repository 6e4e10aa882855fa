"""Prints everyday Chinese sentences of words that text has too rarely, segmented, as CoNLL-U.

    python -m recipes.frames --lexicon lexicon --seed 1 > zh_frames-ud-train.conllu

Idioms, words such as 干干净净 and 红彤彤, names before verbs of one character, and verbs of one character after 地,
after 把 and its noun, and in A不A questions. Slots are filled from word lists and from the lists here; every tag is X.
Names are written as in GSD: 王 芳.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from recipes.fixed_words import FixedWords
from recipes.segmentation_teacher import untagged
from rnntag.formats import conllu


def _list(words: str) -> list[str]:
    return words.split()


SENTENCES = 6000  # of each kind but idioms, which have one each
SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘"
    "杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰文建国红志海燕晓东春梅佳琪子涵雨欣浩然宇轩梓思远嘉怡"
    "诗婷俊峰凯鹏飞雪莹倩欢乐天一鸣博文立新爱民"
)
CALLED = ("小", "老", "阿")
TITLES = ("老师", "先生", "医生", "经理", "阿姨", "师傅", "教授", "同学")
PEOPLE = _list("""
    他 她 我 我们 孩子 妈妈 爸爸 爷爷 奶奶 老师 大家 人们 这个|人 那个|孩子 姐姐 同学|们 司机 邻居 客人 朋友
""")
TIMES = _list("""
    昨天 今天 刚才 后来 晚上 早上 去年 前天 有|一|天 这时 下午 上|个|月 周末
""")
PLACES = _list("""
    家 学校 公园 医院 门口 车站 路上 教室 商店 楼下 厨房 院子 办公室 河边
""")
MANNERS = _list("""
    高兴 伤心 生气 认真 安静 着急 仔细 大声 小声 慢慢 轻轻 悄悄 偷偷 快乐 得意 吃惊 满意 努力 耐心 小心 紧张
    害怕 激动 兴奋 热情 冷冷 深深 狠狠 静静 默默 不停 飞快 用力 痛快 幸福 温柔 礼貌 匆忙 渐渐 呆呆 傻傻 好奇
    无奈 自豪 骄傲 开心 难过 孤独 艰难 勇敢
""")
ACTS = _list("""
    笑 哭 走 跑 跳 唱 喊 坐 站 睡 听 看 等 写 吃 喝 叫 爬 飞 说 问 答 想 读 画 玩 躺 蹲 游 骑 骂 咬 追 逃 躲 退
    转 摇 点 挥
""")
GOINGS = _list("""
    来 去 走 到 问 说 笑 哭 病 睡 醒 输 赢 唱 跑 死 升 回 懂 忘
""")
DEEDS = _list("""
    手|洗 脸|洗 菜|洗 菜|切 门|关 门|开 窗|关 窗户|打开 灯|关 饭|吃 饭|做 药|吃 水|喝 茶|倒 书|还 书|读 信|寄
    信|写 钱|还 钱|花 车|修 车|洗 花|浇 树|砍 草|割 鱼|杀 鱼|煮 肉|切 肉|煮 面|煮 碗|刷 锅|刷 牙|刷 鞋|擦 鞋|脱
    衣服|洗 衣服|脱 帽子|摘 桌子|擦 桌子|搬 椅子|搬 地|扫 地|拖 房间|扫 作业|写 作业|交 头发|剪 票|买 票|卖
    房子|卖 房子|拆 箱子|搬 球|踢 球|接 绳子|剪 刀|磨 话|听 话|说 事|办 事情|做 歌|唱 字|写 字|擦 电视|关
    手机|修 垃圾|倒 礼物|送 狗|喂 羊|赶 米|淘 酒|喝 汤|喝 苹果|吃 苹果|削 蛋糕|切 照片|拍 文件|发 表|填 被子|晒
    孩子|抱 客人|送 敌人|打 消息|告诉
""")
DONE_ONCE = _list("""
    读|本|小说 写|篇|日记 买|台|电脑 看|场|电影 喝|杯|咖啡 吃|碗|面 画|幅|画 唱|首|歌 拍|张|照片 寄|封|信 做|道|菜
    种|棵|树 养|只|猫 借|本|杂志 买|件|衣服 写|首|诗 读|份|报纸 看|本|漫画 丢|把|钥匙 带|把|伞
""")
AT_IT = _list("""
    看|电视 看|报纸 看|信 读|书 读|报 读|课文 写|字 写|信 写|作业 买|菜 买|花 吃|饭 吃|药 喝|茶 洗|碗 做|饭 听|歌
    听|音乐 画|画 打|球 扫|地 修|车 写|诗 读|诗 看|报
""")
DOUBLED = _list("""
    喜欢 知道 愿意 认识 相信 同意 记得 觉得 高兴 漂亮 干净 方便 好看 好吃 清楚 重要 应该 可以 需要 明白 舒服
    安全 便宜 聪明 努力 满意 习惯 反对 支持 打算 希望 参加 了解 喜爱 适合 放心 生气 暖和 新鲜 合适 紧张 有趣
    难过 害怕 欢迎 关心 后悔 理解 承认
""")
ONES = _list("""
    去 来 是 好 吃 喝 看 要 想 会 能 买 对 像 走 玩 大 多 远 难 冷 热 贵 忙 累 饿 疼 快 懂 敢 听 信 爱 用 算
""")
AFTER = (
    "看|书",
    "吃|苹果",
    "去|北京",
    "这|本|书",
    "这个|主意",
    "学习|中文",
    "他|的|话",
    "来",
    "再|试|一|次",
    "唱歌",
    "",
)


def sentences(fixed: FixedWords, random: np.random.Generator) -> Iterator[list[str]]:
    """Sentences as words."""

    def one(words: Sequence[str]) -> str:
        return words[random.integers(len(words))]

    def name() -> str:
        if random.random() < 0.25:
            return one((f"{one(CALLED)}|{one(SURNAMES)}", f"{one(SURNAMES)}|{one(TITLES)}"))
        given = one(GIVEN) + (one(GIVEN) if random.random() < 0.5 else "")
        return f"{one(SURNAMES)}|{given}"

    def who() -> str:
        return name() if random.random() < 0.3 else one(PEOPLE)

    def when() -> str:
        return one(TIMES) if random.random() < 0.5 else ""

    def once() -> str:
        verb, _, thing = one(DONE_ONCE).partition("|")
        return f"{verb}|了|一|{thing}"

    def idiom(word: str) -> str:
        return one(
            (
                f"{who()}|{word}|。",
                f"{when()}|{who()}|{word}|地|{one(ACTS)}|着|。",
                f"{who()}|真|是|{word}|。",
                f"这|件|事|{word}|，|{who()}|都|知道|。",
                f"{word}|的|{one(PEOPLE)}|{one(GOINGS)}|了|。",
                f"{who()}|觉得|{word}|，|就|{one(GOINGS)}|了|。",
                f"在|{one(PLACES)}|，|一切|都|{word}|。",
                f"“|{word}|”|是|什么|意思|？",
            )
        )

    def repeated(word: str) -> str:
        return one(
            (
                f"{who()}|{word}|的|。",
                f"{one(PLACES)}|{word}|的|。",
                f"{word}|的|{one(('脸', '天空', '衣服', '花', '房间', '眼睛'))}|真|好看|。",
                f"{who()}|把|{one(('房间', '桌子', '衣服', '话'))}|弄|得|{word}|。",
                f"{who()}|{word}|地|{one(ACTS)}|了|。",
                f"{when()}|{one(('天', '屋子', '心', '手'))}|{word}|的|。",
                f"{who()}|{one(ACTS)}|得|{word}|。",
            )
        )

    def named() -> str:
        return one(
            (
                f"{when()}|{name()}|{one(GOINGS)}|了|。",
                f"{name()}|{one(('问', '说', '答', '喊'))}|：|“|你|好|。|”",
                f"{name()}|在|{one(PLACES)}|{one(ACTS)}|。",
                f"我|看见|{name()}|{one(GOINGS)}|了|。",
                f"{name()}|和|{name()}|都|{one(GOINGS)}|了|。",
                f"{when()}|{who()}|在|家|{one(('看', '等', '睡', '玩', '吃'))}|。",
                f"{who()}|问|{name()}|{one(GOINGS)}|不|{one(GOINGS)}|。",
                f"{name()}|{one(GOINGS)}|了|吗|？",
                f"{name()}|在|{one(PLACES)}|{one(AT_IT)}|。",
                f"{who()}|在|家|{one(AT_IT)}|。",
                f"{name()}|{one(AT_IT)}|的|时候|，|{name()}|{one(GOINGS)}|了|。",
                f"{name()}|{once()}|。",
                f"{when()}|{name()}|又|{once()}|。",
                f"听|{who()}|说|{name()}|{one(GOINGS)}|了|，|是|吗|？",
                f"{name()}|{one(GOINGS)}|了|，|我们|怎么|办|？",
                f"{name()}|{one(('问', '说', '喊', '答'))}|：|“|{who()}|{one(GOINGS)}|了|没有|？|”",
            )
        )

    def manner() -> str:
        return one(
            (
                f"{when()}|{who()}|{one(MANNERS)}|地|{one(ACTS)}|了|。",
                f"{who()}|{one(MANNERS)}|地|{one(ACTS)}|着|。",
                f"{who()}|在|{one(PLACES)}|{one(MANNERS)}|地|{one(ACTS)}|着|，|没有|{one(ACTS)}|。",
                f"{who()}|{one(MANNERS)}|地|{one(ACTS)}|了|起来|。",
                f"{who()}|{one(MANNERS)}|地|{one(('问', '说', '答'))}|：|“|好|！|”",
            )
        )

    def deed() -> str:
        thing, verb = one(DEEDS).split("|")
        return one(
            (
                f"请|把|{thing}|{verb}|了|。",
                f"{when()}|{who()}|把|{thing}|{verb}|了|。",
                f"{who()}|先|把|{thing}|{verb}|了|，|再|{one(GOINGS)}|。",
                f"别|把|{thing}|{verb}|了|！",
                f"{who()}|还|没|把|{thing}|{verb}|完|。",
                f"{who()}|要|把|{thing}|{verb}|了|吗|？",
            )
        )

    def question() -> str:
        verb = one(DOUBLED) if random.random() < 0.7 else one(ONES)
        return one(
            (
                f"{who()}|{verb[0]}|不|{verb}|{one(AFTER)}|？",
                f"你|{verb[0]}|不|{verb}|？",
                f"这|{verb[0]}|不|{verb}|？",
                f"不|知道|{who()}|{verb[0]}|不|{verb}|。",
                f"{when()}|{who()}|{verb[0]}|不|{verb}|{one(AFTER)}|呢|？",
            )
        )

    for word in fixed.idioms:
        yield _words(idiom(word))
    for kind in (named, named, manner, deed, question):
        for _ in range(SENTENCES):
            yield _words(kind())
    for number in range(SENTENCES):
        yield _words(repeated(fixed.repeated[number % len(fixed.repeated)]))


def _words(frame: str) -> list[str]:
    return [word for word in frame.split("|") if word]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lexicon", type=Path, default=Path("lexicon"), help="folder of the word lists")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    random = np.random.default_rng(given.seed)
    frames = [*sentences(FixedWords(given.lexicon), random)]
    random.shuffle(frames)
    for number, words in enumerate(frames):
        rows = conllu.rows(1, words, untagged(len(words)), ["SpaceAfter=No"] * len(words))
        sys.stdout.write("\n".join([*(["# newpar"] if number % 3 == 0 else []), *rows, "", ""]))


if __name__ == "__main__":
    main()
