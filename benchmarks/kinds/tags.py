"""Kinds of tags: words that are often given the wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from benchmarks.kinds.cases import Kind, Slots, tagged

_EMOJI = ["😂", "❤️", "😍", "🔥", "👍", "🙏", "😭", "😊", "🎉", "💪", "🤔", "😅", "👏", "🥰", "😎", "🙄", "💯", "✨",
          "🤣", "😢", "🌹", "🐶", "⚽", "🍕", "🚀", "☀️"]  # fmt: skip


def _both(name: str, most: float, frames: Sequence[str], slots: Slots) -> tuple[Kind, Kind]:
    """The kind with given tokens, and in raw text."""
    kind = Kind(name, most, tagged(frames, slots, tokens=True))
    return kind, replace(kind, name=f"{name}, raw text", generate=tagged(frames, slots, tokens=False))


emoji = _both(
    "emoji",
    0.05,
    [
        "{good} {e}/SYM",
        "{good} {e}/SYM {e}/SYM",
        "{e}/SYM {good} .",
        "{good} ! {e}/SYM",
        "{good} {e}/SYM , {good} .",
        "so happy {e}/SYM",
        "Good morning {e}/SYM everyone",
        "{zh} {e}/SYM",
        "{zh} ， {zh} {e}/SYM {e}/SYM",
        "{zh} ！ {e}/SYM",
        "{e}/SYM {zh} 。",
        "{zh} {e}/SYM 谢谢 大家 。",
        "哈哈 {e}/SYM",
        "{e}/SYM",
    ],
    {
        "e": _EMOJI,
        "good": ["I love it", "We won the game", "This is so good", "My cat is here", "Thanks for the cake",
                 "She said yes", "It is raining again", "I can not stop laughing", "See you tomorrow"],
        "zh": ["今天 很 开心", "我 爱 你", "太 好吃 了", "生日 快乐", "我们 赢 了", "明天 见", "天气 真 好",
               "我 回家 了"],
    },
)  # fmt: skip

well = _both(
    "well after an article",
    0.1,
    [
        "{the} well/NOUN is {dry} .",
        "{the} well/NOUN was {dry} last year .",
        "They {dug} {the} well/NOUN .",
        "They {dug} {the} well/NOUN in the {village} .",
        "We drew water from {the} well/NOUN .",
        "{the} old well/NOUN is {dry} .",
        "There is {a} well/NOUN {near} the {village} .",
        "The {animal} fell into {the} well/NOUN .",
        "She looked down {the} well/NOUN .",
        "{the} well/NOUN {near} the {village} has clean water .",
    ],
    {
        "the": ["The", "A", "the", "a"],
        "a": ["a"],
        "dry": ["dry", "deep", "empty", "full", "very old", "broken", "safe"],
        "dug": ["dug", "found", "closed", "built", "cleaned", "covered", "needed", "used"],
        "village": ["village", "house", "garden", "church", "school", "farm", "yard"],
        "near": ["near", "behind", "beside"],
        "animal": ["cat", "boy", "bucket", "sheep", "stone", "dog"],
    },
)

imperatives = _both(
    "Like and share, as verbs",
    0.1,
    [
        "{Like}/VERB and {share}/VERB",
        "{Like}/VERB and {share}/VERB !",
        "{Like}/VERB and {share}/VERB {it} .",
        "{Like}/VERB , {share}/VERB and {share2}/VERB .",
        "Please {like}/VERB and {share}/VERB {it} .",
        "{Like}/VERB and {share}/VERB if you {agree} .",
        "{Like}/VERB or {share}/VERB {it} now !",
        "Do n't forget to {like}/VERB and {share}/VERB .",
        "{Like}/VERB {it} and {share}/VERB with your friends .",
    ],
    {
        "Like": ["Like", "Like", "Like", "Comment", "Share", "Follow", "Subscribe"],
        "like": ["like", "comment", "follow", "subscribe"],
        "share": ["share", "comment", "subscribe", "follow", "repost"],
        "share2": ["enjoy", "win", "repeat", "relax"],
        "it": ["this post", "the video", "our page", "this", "my photo", "it"],
        "agree": ["agree", "love cats", "can", "like tea", "remember this"],
    },
)  # fmt: skip

verbed = _both(
    "Google it, as a verb",
    0.1,
    [
        "{Google}/VERB it .",
        "{Google}/VERB it !",
        "Just {google}/VERB it .",
        "{Google}/VERB it if you do n't {believe} me .",
        "You can {google}/VERB it {later} .",
        "I {googled}/VERB it {later} .",
        "{Google}/VERB him .",
        "Please {google}/VERB {the} .",
        "{Google}/VERB {the} first .",
        "She {googled}/VERB {the} {later} .",
        "Did you {google}/VERB {the} ?",
    ],
    {
        "Google": ["Google", "Google", "google", "Text", "Email", "Photoshop", "Message"],
        "google": ["google", "Google", "text", "email", "message"],
        "googled": ["googled", "Googled", "texted", "emailed", "messaged"],
        "believe": ["believe", "trust", "understand"],
        "later": ["later", "yesterday", "on my phone", "again", "at home"],
        "the": ["the answer", "his name", "the address", "them", "her", "the price", "the recipe"],
    },
)

gone = _both(
    "Tom 's gone, as an auxiliary",
    0.1,
    [
        "{Tom} {s}/AUX {gone} .",
        "{Tom} {s}/AUX {gone} again .",
        "{Tom} {s}/AUX already {gone} .",
        "{Tom} {s}/AUX never {been} to {Rome} .",
        "{Tom} {s}/AUX {been} to {Rome} .",
        "I think {tom} {s}/AUX {gone} .",
        "{Tom} {s}/AUX just {gone} , I think .",
        "They say {tom} {s}/AUX {gone} to {Rome} .",
    ],
    {
        "Tom": ["Tom", "Mary", "My brother", "The dog", "Everyone", "Anna", "The train", "Our teacher"],
        "tom": ["Tom", "Mary", "my brother", "the dog", "everyone", "Anna", "our teacher"],
        "s": ["'s"],
        "gone": ["gone", "left", "arrived", "vanished", "moved", "returned"],
        "been": ["been", "travelled", "moved"],
        "Rome": ["Rome", "Paris", "London", "China", "the city"],
    },
)

KINDS = tuple(chain(emoji, well, imperatives, verbed, gone))
